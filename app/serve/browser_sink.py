"""Browser sink: the newest result of a source, encoded once for all clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.core.frame import Result
from app.serve.bell import Bell
from app.sinks.base import Sink
from app.sinks.data.frame_row import FrameRow, RowMaker, row_of


@dataclass(frozen=True, slots=True)
class NumberedResult:
    """A result with its number among those that came, from 1."""

    number: int
    result: Result
    came: float
    """Monotonic time."""
    dropped: int = 0
    """Frames of the source that never came since the one before."""


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
        self._counted = RowMaker()

    def put(self, result: Result, *, wait: bool) -> bool:
        number = self.newest.number + 1 if self.newest is not None else 1
        # Counted here: of what nobody listened to nothing was dropped.
        dropped = self._counted.missed(result) if _has_row(result) else 0
        self.newest = NumberedResult(number, result, time.monotonic(), dropped)
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
        return newest, await self._encoding(newest, kind, partial(encode, newest.result))

    async def row(self) -> tuple[NumberedResult, FrameRow | None]:
        """The newest result and its row; there is none of a frame drawn anew, or not seen yet."""
        newest = self.newest
        assert newest is not None
        if not _has_row(newest.result):
            return newest, None
        make = partial(row_of, newest.result, newest.dropped)
        return newest, await self._encoding(newest, "row", make)

    async def _encoding(
        self, newest: NumberedResult, kind: object, encode: Callable[[], Any]
    ) -> Any:
        if newest.number != self._encoded_of:
            self._encoded, self._encoded_of = {}, newest.number
        if kind not in self._encoded:
            loop = asyncio.get_running_loop()
            self._encoded[kind] = loop.run_in_executor(self._encoders, encode)
        # One client that leaves must not take the encoding from the others.
        return await asyncio.shield(self._encoded[kind])


def _has_row(result: Result) -> bool:
    return bool(result.predictions) and not result.repeated
