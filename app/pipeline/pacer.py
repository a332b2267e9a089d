"""Playing at a file's own pace."""

from __future__ import annotations

import threading
import time


class Pacer:
    """Waits until a picture is due by its presentation time."""

    LATE = 0.02
    """Seconds behind at which a picture counts as late."""
    LONGEST = 5.0
    """A longer gap between two stamps is taken for an error in the file and not waited for."""

    def __init__(self) -> None:
        self._origin: float | None = None

    def reset(self) -> None:
        """Let the next picture be due at once, as after a pause."""
        self._origin = None

    def wait(self, stamp: float, stop: threading.Event, *, slip: bool) -> bool:
        """Wait for a picture's time; returns whether it is late.

        Args:
            stamp: presentation time in seconds.
            stop: ends the wait.
            slip: a late picture moves the clock instead of the next ones hurrying after it.
        """
        now = time.monotonic()
        if self._origin is None:
            self._origin = now - stamp
        delay = self._origin + stamp - now
        if delay > self.LONGEST:
            self._origin = now - stamp
            return False
        if delay > 0:
            stop.wait(delay)
            return False
        if slip:
            self._origin = now - stamp
        return -delay > self.LATE
