"""Size controller: the largest input size that holds a rate, by measured times.

It has no threads and is told the time: it learns what a frame took, and answers with another size
now and then. It goes down as soon as frames take longer than there is time for, and up only where
the larger size is expected to leave a quarter of the time; how much more that takes was measured
when it was in use, else it goes by the number of pixels. After a step up that had to be taken back,
a larger size must be expected to fit for twice as long: a load that comes and goes is not followed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from statistics import median

_FULL, _FITS, _ROOM = 0.95, 0.85, 0.75
"""Shares of a frame's time: above the first it goes down, to what is expected to stay below the
second, and up to what is expected to stay below the third."""
_LATELY = 0.7
"""Seconds over which times are compared with what there is."""
_FEWEST = 3
"""Frames that are looked at before anything is changed."""
_WAIT, _LONGEST = 2.0, 16.0
"""Seconds for which a larger size must be expected to fit, and at most after it has failed."""
_UNDONE = 8.0
"""Seconds within which a step down takes a step up back."""
_LEAST = 1.2
"""Least ratio of the times of two sizes: what is measured while the load changes may be less."""


class SizeController:
    """Chooser among sizes from small to large.

    Args:
        pixels: number of pixels of each size, rising.
        start: place of the size in use.
        clock: seconds that never go back.
    """

    def __init__(self, pixels: Sequence[int], start: int, clock: Callable[[], float]) -> None:
        self._pixels, self._clock = tuple(pixels), clock
        self.size = start
        """Place of the size in use."""
        self.fits = True
        """False where frames take longer than there is time for."""
        self._largest = len(pixels) - 1
        self._samples: deque[tuple[float, float]] = deque(maxlen=256)
        self._cost: dict[tuple[int, int], float] = {}
        self._before: tuple[int, float] | None = None
        self._raised: float | None = None
        self._room_since: float | None = None
        self._wait = _WAIT

    def observe(self, seconds: float, budget: float) -> int | None:
        """Take what a frame took at the size in use.

        Args:
            seconds: time of the slowest of those stages that run beside each other.
            budget: time between two frames at the rate that is to be held.

        Returns:
            Place of the size to change to; ``None`` where the one in use is right.
        """
        now = self._clock()
        self._samples.append((now, seconds))
        lately = self._lately(now)
        if lately is None:
            return None
        self._learn(lately)
        self.fits = lately <= _FULL * budget
        if not self.fits:
            self._room_since = None
            return self._smaller(now, lately, budget) if self.size > 0 else None
        if self._raised is not None and now - self._raised > _UNDONE:
            self._raised, self._wait = None, _WAIT
        larger = self._fitting(range(self.size + 1, self._largest + 1), lately, _ROOM * budget)
        if larger is None:
            self._room_since = None
            return None
        self._room_since = now if self._room_since is None else self._room_since
        return larger if now - self._room_since >= self._wait else None

    def change(self, size: int) -> None:
        """Note that another size is in use from now on."""
        now = self._clock()
        lately = self._lately(now)
        self.forget()
        if lately is not None:
            self._before = self.size, lately
        self._raised = now if size > self.size else None
        self.size = size

    def forget(self) -> None:
        """Forget the last times: what comes is measured under other conditions."""
        self._samples.clear()
        self._before = self._room_since = None

    def limit(self, size: int) -> None:
        """Never go above a size again, such as where memory ran out."""
        self._largest = self.size = size
        self.forget()

    @property
    def is_largest(self) -> bool:
        """Return whether there is no larger size."""
        return self.size == self._largest

    def _lately(self, now: float) -> float | None:
        """Return the median time of late; ``None`` where there is not enough to go by."""
        if not self._samples or now - self._samples[0][0] < _LATELY:
            return None
        recent = [seconds for at, seconds in self._samples if now - at < _LATELY]
        if len(recent) < _FEWEST:  # slow frames come seldom
            recent = [seconds for _, seconds in self._samples][-_FEWEST:]
        return median(recent) if len(recent) >= _FEWEST else None

    def _learn(self, seconds: float) -> None:
        """Note how much more the size before took than this one, or less."""
        if self._before is not None:
            size, before = self._before
            ratio = before / seconds if size > self.size else seconds / before
            pair = max(size, self.size), min(size, self.size)
            self._cost[pair] = max(ratio, _LEAST)
            self._before = None

    def _expected(self, size: int, seconds: float) -> float:
        """Return what a frame is expected to take at a size, given what it takes at this one."""
        larger, smaller = max(size, self.size), min(size, self.size)
        ratio = self._cost.get((larger, smaller), self._pixels[larger] / self._pixels[smaller])
        return seconds * ratio if size > self.size else seconds / ratio

    def _fitting(self, sizes: range, seconds: float, limit: float) -> int | None:
        return max((s for s in sizes if self._expected(s, seconds) <= limit), default=None)

    def _smaller(self, now: float, seconds: float, budget: float) -> int:
        if self._raised is not None and now - self._raised < _UNDONE:
            self._wait = min(2 * self._wait, _LONGEST)
        return self._fitting(range(self.size), seconds, _FITS * budget) or 0
