"""Progress of a batch on a terminal, or in a log."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tqdm import tqdm

from app.core.formatting import clock

_EVERY = 30.0
"""Seconds between two lines of a log."""
_TICK = 0.5
"""Seconds between two looks on a terminal."""
_MANY = 8
"""Workers whose rates are not shown one by one."""
_LATELY = 10.0
"""Seconds that rates are taken over."""


@dataclass(slots=True)
class Standing:
    """Standing of a batch.

    Attributes:
        frames: of units that have ended in this run.
        whole: frames of the drives that have.
        running: frames of those under way.
        workers: by worker that is at work, all that it has done in this run.
        known_frames, known_bytes: of drives whose number of frames is known.
        bytes_left: of drives that have no end yet.
        done, failed, total: drives of this run.
        now: monotonic time of the look.
    """

    frames: int = 0
    whole: int = 0
    running: int = 0
    workers: dict[str, int] = field(default_factory=dict)
    known_frames: int = 0
    known_bytes: int = 0
    bytes_left: int = 0
    done: int = 0
    failed: int = 0
    total: int = 0
    now: float = 0.0

    @property
    def seen(self) -> int:
        """Frames so far."""
        return self.frames + self.running

    @property
    def expected(self) -> int | None:
        """Frames in all, if drives have as many a byte as those whose number is known."""
        if not self.known_bytes:
            return None
        left = self.bytes_left * self.known_frames / self.known_bytes
        return max(self.seen, round(self.whole + left))


class ProgressDisplay:
    """A bar on a terminal; elsewhere a line in half a minute; a line for each failure.

    Args:
        now: clock in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begun = self._shown = now()
        self._bar = tqdm(unit=" frames", dynamic_ncols=True, disable=None)
        self._looks: deque[tuple[float, int]] = deque([(self._begun, 0)])
        self._before: dict[str, tuple[float, int]] = {}

    def say(self, text: str) -> None:
        """Say a sentence."""
        tqdm.write(text, file=sys.stderr)

    def due(self) -> bool:
        """Return whether it is time for another look."""
        return self._now() - self._shown >= (_TICK if sys.stderr.isatty() else _EVERY)

    def show(self, standing: Standing) -> None:
        """Show how it stands."""
        now = self._shown = self._now()
        self._looks.append((now, standing.seen))
        while len(self._looks) > 2 and now - self._looks[0][0] > max(_LATELY, 2 * _EVERY):
            self._looks.popleft()
        each = self._rates(standing, now)
        workers = ", ".join(f"{rate:.1f}" for rate in each.values())
        if len(each) > _MANY:
            workers = f"{len(each)} workers, {min(each.values()):.1f} to {max(each.values()):.1f}"
        if not self._bar.disable:
            self._bar.total = standing.expected
            self._bar.set_postfix_str(
                f"{standing.done}/{standing.total} drives"
                + f", {standing.failed} failed" * bool(standing.failed)
                + f", by worker {workers}" * bool(workers)
                + ", no worker is at work yet" * (not workers and not standing.seen),
                refresh=False,
            )
            self._bar.update(max(0, standing.seen - self._bar.n))
            return
        (then, before), expected = self._looks[0], standing.expected
        rate = (standing.seen - before) / max(now - then, 1e-6)
        parts = [f"{standing.seen} of about {expected} frames" if expected else "beginning"]
        parts.append(f"{rate:.1f} per second" + f" ({workers})" * (len(each) > 1))
        parts.append(f"{standing.done} of {standing.total} drives done")
        if not standing.workers:
            parts.append("no worker is at work yet")
        if standing.failed:
            parts.append(f"{standing.failed} failed")
        if expected and rate > 0:
            parts.append(f"about {clock((expected - standing.seen) / rate)} to go")
        self.say(f"{clock(now - self._begun)}: {', '.join(parts)}")

    def _rates(self, standing: Standing, now: float) -> dict[str, float]:
        """Frames per second of each worker since a while ago."""
        rates = {}
        for name, frames in standing.workers.items():
            then, before = self._before.get(name, (self._begun, 0))
            rates[name] = max(0, frames - before) / max(now - then, 1e-6)
            if now - then >= _LATELY:
                self._before[name] = now, frames
        return rates

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
