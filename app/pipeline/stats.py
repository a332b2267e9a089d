"""Counters and timings of a run; every frame is accounted for.

For the display path ``captured == shown + dropped + in flight`` holds at any time, and with nothing
in flight once the pipeline stands still. Without a display, frames that went through the network
take the place of those shown.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal

DropCause = Literal["late", "busy", "display", "paused", "switched", "stopped", "failed"]
"""Why a captured frame was not shown.

late: its time had passed (the machine cannot keep the file's pace); busy: the network was still on
an earlier one; display: the window took a newer one; paused: a live source went on during a pause;
switched, stopped: another source was opened, or the run ended; failed: there is no network.
"""

Stage = Literal["capture", "upload", "network", "labels", "download", "overlay", "encode"]


@dataclass(frozen=True, slots=True)
class Counters:
    """Frames so far, by what became of them."""

    captured: int = 0
    processed: int = 0
    shown: int = 0
    recorded: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    not_recorded: int = 0
    """Frames of a live source that the encoder had no room for."""

    @property
    def dropped_total(self) -> int:
        """Frames captured and not shown, whatever the cause."""
        return sum(self.dropped.values())


class Stats:
    """Collects from all threads."""

    _WINDOW = 60
    """Frames over which stage times are averaged for the window."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._drops: Counter[str] = Counter()
        self._recent: dict[str, deque[float]] = {}
        self._totals: dict[str, tuple[float, int]] = {}
        self._finished: deque[float] = deque(maxlen=240)
        self._latency: deque[float] = deque(maxlen=30)

    def count(self, what: Literal["captured", "processed", "recorded", "not_recorded"]) -> None:
        """Count one frame."""
        with self._lock:
            self._counts[what] += 1

    def drop(self, cause: DropCause, frames: int = 1) -> None:
        """Count frames that were captured and will not be shown."""
        if frames:
            with self._lock:
                self._drops[cause] += frames

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
                self._recent.setdefault(stage, deque(maxlen=self._WINDOW)).append(seconds)
                total, frames = self._totals.get(stage, (0.0, 0))
                self._totals[stage] = total + seconds, frames + 1

    def counters(self) -> Counters:
        """The counts at this moment."""
        with self._lock:
            return Counters(**self._counts, dropped=dict(self._drops))

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
        """Mean seconds per frame by stage, lately."""
        with self._lock:
            return {stage: sum(times) / len(times) for stage, times in self._recent.items()}

    def stage_rates(self) -> dict[str, float]:
        """Frames per second that each stage alone would reach, over the whole run."""
        with self._lock:
            return {
                stage: frames / total for stage, (total, frames) in self._totals.items() if total
            }
