"""Bell: wakes coroutines of the server from the threads of the pipeline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from app.core.channel import Closed

T = TypeVar("T")


class Bell:
    """Wakes all who wait on the server's loop; with nobody waiting, ringing costs nothing."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()
        self._waiting = 0
        self._closed = False

    def ring(self) -> None:
        """Let those who wait look again; from any thread, after what they look for was changed."""
        if self._waiting and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the server has ended
                self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """Let nobody wait any more."""
        self._closed = True
        self.ring()

    async def until(self, look: Callable[[], T | None]) -> T:
        """Wait until ``look`` returns something.

        Raises:
            Closed: the server ends.
        """
        self._loop = asyncio.get_running_loop()
        # Counted before looking: whoever changes something after the look sees that it must ring.
        self._waiting += 1
        try:
            while True:
                rung = self._rung
                if self._closed:
                    raise Closed
                if (found := look()) is not None:
                    return found
                await rung.wait()
        finally:
            self._waiting -= 1

    def _wake(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()
