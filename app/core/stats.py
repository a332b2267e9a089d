"""Counters and timings of a run; every frame is accounted for.

For the display path ``captured == shown + dropped + in flight`` holds at any time, and with nothing
in flight once the pipeline stands still. Without a display, frames that went through the network
take the place of those shown. For recordings ``offered == recorded + not_recorded + waiting``.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from app.sources.base import Damage

DropCause = Literal[
    "late", "busy", "display", "paused", "seek", "switched", "stopped", "failed", "decode", "frozen"
]
"""Why a captured frame was not shown.

late: its time had passed (the machine cannot keep the file's pace); busy: the network was still on
an earlier one; display: the window took a newer one; paused: a live source went on during a pause;
seek: the user went elsewhere in the file; switched, stopped: another source was opened, or the run
ended; failed: there is no network; decode: the data of a stream were damaged;
frozen: a camera repeated the picture before it.
"""

LossCause = Literal["encoder", "failed", "offline", "stopped"]
"""Why a frame offered to a recording is not in it.

encoder: the source is live, and the encoder had no room; failed: the recording could not be
written; offline: a stream's receiver was not there; stopped: it was being closed.
"""

Task = Literal["opening", "capture", "network", "recorder", "display"]
"""Tasks that a thread may be stuck in."""

Stage = Literal["capture", "upload", "network", "labels", "download", "overlay", "encode"]


@dataclass(frozen=True, slots=True)
class Counters:
    """Frames so far, by what became of them."""

    captured: int = 0
    processed: int = 0
    shown: int = 0
    offered: int = 0
    """Frames that came while there was a recording: recorded + not recorded + waiting."""
    recorded: int = 0
    unreadable: int = 0
    """Frames that a damaged file should have had and that could not be read; never captured."""
    dropped: dict[str, int] = field(default_factory=dict)
    not_recorded: dict[str, int] = field(default_factory=dict)

    @property
    def dropped_total(self) -> int:
        """Frames captured and not shown, whatever the cause."""
        return sum(self.dropped.values())

    @property
    def not_recorded_total(self) -> int:
        """Frames offered to a recording and not in it, whatever the cause."""
        return sum(self.not_recorded.values())


Counted = Literal["captured", "processed", "offered", "recorded", "unreadable"]


class Stats:
    """Counters and timings of a run, updated by every thread."""

    _WINDOW = 60
    """Frames over which stage times are averaged for the window."""
    _FRESH = 3.0
    """Seconds by which a stage's last time may be older than that of others to count still."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._drops: Counter[str] = Counter()
        self._losses: Counter[str] = Counter()
        self._recent: dict[str, deque[float]] = {}
        self._spent_at: dict[str, float] = {}
        self._totals: dict[str, tuple[float, int]] = {}
        self._finished: deque[float] = deque(maxlen=240)
        self._latency: deque[float] = deque(maxlen=30)
        self._at_work: dict[tuple[Task, int], float] = {}
        self._damage: list[tuple[str, Damage]] = []

    def count(self, what: Counted, frames: int = 1) -> None:
        """Count frames."""
        if frames:
            with self._lock:
                self._counts[what] += frames

    def drop(self, cause: DropCause, frames: int = 1) -> None:
        """Count frames that were captured and will not be shown."""
        if frames:
            with self._lock:
                self._drops[cause] += frames

    def not_recorded(self, cause: LossCause, frames: int = 1) -> None:
        """Count frames that were offered to a recording and will not be in it."""
        if frames:
            with self._lock:
                self._losses[cause] += frames

    def damaged(self, source: str, places: Sequence[Damage]) -> None:
        """Note where a source could not be read whole."""
        with self._lock:
            self._damage += [(source, place) for place in places]

    def damage(self) -> list[tuple[str, Damage]]:
        """Return the places that could not be read whole, with the names of their sources."""
        with self._lock:
            return list(self._damage)

    @contextmanager
    def at_work(self, task: Task) -> Iterator[None]:
        """Mark the calling thread's task; the watchdog looks for how long."""
        key = task, threading.get_ident()
        with self._lock:
            self._at_work[key] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._at_work.pop(key, None)

    def alive(self, task: Task) -> None:
        """Restart the watchdog's clock for the calling thread and its task."""
        with self._lock:
            self._at_work[task, threading.get_ident()] = time.monotonic()

    def leave(self, thread: int | None) -> None:
        """Forget what a thread works on: nobody waits for it any more."""
        with self._lock:
            for key in [key for key in self._at_work if key[1] == thread]:
                del self._at_work[key]

    def at_work_since(self) -> dict[Task, float]:
        """Monotonic time at which the longest piece of work of each kind was begun."""
        since: dict[Task, float] = {}
        with self._lock:
            for (task, _), begun in self._at_work.items():
                since[task] = min(begun, since.get(task, begun))
        return since

    def finished(self, captured: float, *, shown: bool) -> None:
        """A frame reached the screen, or the end of a run that has none."""
        now = time.monotonic()
        with self._lock:
            self._counts["shown"] += shown
            self._finished.append(now)
            self._latency.append(now - captured)

    def spent(self, stages: dict[str, float]) -> None:
        """Add seconds spent on one frame, by stage."""
        with self._lock:
            for stage, seconds in stages.items():
                recent = self._recent.setdefault(stage, deque(maxlen=self._WINDOW))
                now = time.monotonic()
                if now - self._spent_at.get(stage, now) > self._FRESH:
                    recent.clear()
                recent.append(seconds)
                self._spent_at[stage] = now
                total, frames = self._totals.get(stage, (0.0, 0))
                self._totals[stage] = total + seconds, frames + 1

    def counters(self) -> Counters:
        """The counts at this moment."""
        with self._lock:
            return Counters(
                **self._counts, dropped=dict(self._drops), not_recorded=dict(self._losses)
            )

    def fps(self) -> float:
        """Frames finished per second, over the last two seconds; 0 when none came lately."""
        with self._lock:
            now = time.monotonic()
            recent = [t for t in self._finished if now - t <= 2.0]
        if len(recent) < 2 or now - recent[-1] > 1.0:
            return 0.0
        return (len(recent) - 1) / max(recent[-1] - recent[0], 1e-6)

    def latency(self) -> float:
        """Mean seconds from capture to screen over the last frames; 0 before the first."""
        with self._lock:
            return sum(self._latency) / len(self._latency) if self._latency else 0.0

    def recent_stages(self) -> dict[str, float]:
        """Mean seconds per frame by stage, lately; without stages that have no part any more, as
        encoding has none once a recording is closed."""
        with self._lock:
            since = max(self._spent_at.values(), default=0.0) - self._FRESH
            return {
                stage: sum(times) / len(times)
                for stage, times in self._recent.items()
                if self._spent_at[stage] >= since
            }

    def stage_totals(self) -> dict[str, tuple[float, int]]:
        """Seconds spent by stage over the whole run, and on how many frames."""
        with self._lock:
            return dict(self._totals)

    def stage_rates(self) -> dict[str, float]:
        """Frames per second that each stage alone would reach, over the whole run."""
        totals = self.stage_totals().items()
        return {stage: frames / seconds for stage, (seconds, frames) in totals if seconds}
