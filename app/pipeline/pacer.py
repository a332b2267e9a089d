"""Playing at a file's own pace, or a multiple of it."""

from __future__ import annotations

import time


class Pacer:
    """Says how long to wait until a picture is due by its presentation time."""

    LATE = 0.02
    """Seconds behind at which a picture counts as late."""
    LONGEST = 5.0
    """A longer gap between two stamps, of which the file says nothing, is taken for an error."""

    def __init__(self) -> None:
        self._speed = 1.0
        # A stamp with the monotonic time at which it was due; the last one before it.
        self._anchor: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def reset(self) -> None:
        """Let the next picture be due at once, as after a pause."""
        self._anchor = self._last = None

    def splice(self, stamp: float, gap: float) -> None:
        """Let a picture follow the last one at a distance, whatever their stamps: a loop.

        Args:
            stamp: of the picture that comes next.
            gap: seconds of the source's time between the two.
        """
        if self._last is not None:
            self._anchor = (stamp, self._last[1] + gap / self._speed)

    def delay(self, stamp: float, speed: float = 1.0, *, stated: float = 0.0) -> float:
        """Seconds until a picture is due; negative where its time has passed.

        Args:
            stamp: presentation time in seconds.
            speed: seconds of the source's time that pass in one second.
            stated: seconds for which the file says that the picture before it is shown.
        """
        now = time.monotonic()
        if speed != self._speed:
            self._speed = speed
            self._anchor = self._last
        if self._anchor is None:
            self._anchor = (stamp, now)
        due = self._due(stamp)
        longest = max(self.LONGEST, 2 * stated)
        if not -self.LONGEST < due - now < longest / speed:
            self._anchor = (stamp, now)
            return 0.0 if due > now else due - now
        return due - now

    def passed(self, stamp: float, *, slip: bool) -> bool:
        """A picture goes on its way; returns whether it is late.

        Args:
            stamp: its presentation time.
            slip: a late picture moves the clock instead of the next ones hurrying after it.
        """
        now = time.monotonic()
        due = self._due(stamp)
        if slip and due < now:
            self._anchor, due = (stamp, now), now
        self._last = (stamp, due)
        return now - due > self.LATE

    def _due(self, stamp: float) -> float:
        anchor, due = self._anchor or (stamp, time.monotonic())
        return due + (stamp - anchor) / self._speed
