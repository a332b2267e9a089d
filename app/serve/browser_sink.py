"""Browser sink: the newest result of a source, encoded once for all clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from app.core.frame import Result
from app.serve.bell import Bell
from app.sinks.base import Sink
from app.sinks.data.frame_row import FrameRow, RowMaker


@dataclass(frozen=True, slots=True)
class NumberedResult:
    """A result with its number among those that came, from 1."""

    number: int
    result: Result
    came: float
    """Monotonic time."""


class BrowserSink(Sink):
    """Slot for the newest result. Clients take it when they can, so that none holds the network up.

    Args:
        bell: rung at every result.
        encoders: where encoding runs, beside the server's loop.
    """

    wants_repeats = True
    lossless = False

    def __init__(self, bell: Bell, encoders: Executor) -> None:
        self.newest: NumberedResult | None = None
        self._bell, self._encoders = bell, encoders
        # On the server's loop only: what the newest result was encoded to.
        self._encoded: dict[object, asyncio.Future[Any]] = {}
        self._encoded_of = 0
        self._rows = RowMaker()

    def put(self, result: Result, *, wait: bool) -> bool:
        number = self.newest.number + 1 if self.newest is not None else 1
        self.newest = NumberedResult(number, result, time.monotonic())
        self._bell.ring()
        return True

    def newer(self, number: int) -> NumberedResult | None:
        """Return the newest result if it came after that of a number."""
        newest = self.newest
        return newest if newest is not None and newest.number > number else None

    async def encoded(
        self, kind: object, encode: Callable[[Result], Any]
    ) -> tuple[NumberedResult, Any]:
        """The newest result, of which there must be one, and its encoding of a kind.

        Whoever asks for the same kind gets the same encoding.
        """
        newest = self.newest
        assert newest is not None
        if newest.number != self._encoded_of:
            self._encoded, self._encoded_of = {}, newest.number
        if kind not in self._encoded:
            loop = asyncio.get_running_loop()
            self._encoded[kind] = loop.run_in_executor(self._encoders, encode, newest.result)
        # One client that leaves must not take the encoding from the others.
        return newest, await asyncio.shield(self._encoded[kind])

    async def row(self) -> tuple[NumberedResult, FrameRow | None]:
        """The newest result and its row; there is none of a frame drawn anew, or not seen yet."""
        return await self.encoded("row", self._row)

    def _row(self, result: Result) -> FrameRow | None:
        if result.repeated or not result.predictions:
            return None
        return self._rows.row(result)
