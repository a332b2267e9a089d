"""Display sink: the newest result, for a window that takes it when it paints."""

from __future__ import annotations

from collections.abc import Callable

from app.core.channel import Channel, Closed
from app.core.frame import Result
from app.core.stats import Stats
from app.sinks.base import Sink


class DisplaySink(Sink):
    """Slot for one result; the newest wins. Files keep their own pace where there is a display.

    Args:
        stats: where frames shown and dropped are counted.
        wake: called from the worker's thread whenever a new result can be taken.
    """

    wants_repeats = True
    lossless = False

    def __init__(self, stats: Stats, wake: Callable[[], None] | None = None) -> None:
        self._stats, self._wake = stats, wake
        self._slot: Channel[Result] = Channel(1)

    def put(self, result: Result, *, wait: bool) -> bool:
        lost = self._slot.replace(result)
        self._stats.drop("display", sum(not r.repeated for r in lost))
        if (wake := self._wake) is not None:
            wake()
        return all(other is not result for other in lost)

    def take(self) -> Result | None:
        """Return the newest result that was not taken yet; it then counts as shown."""
        try:
            result = self._slot.get(timeout=0)
        except Closed:
            return None
        if result is not None and not result.frame.token.displayable:
            cause = result.frame.token.cause
            self._stats.drop(cause or "seek", int(not result.repeated))
            return None
        if result is not None and not result.repeated:
            self._stats.finished(result.frame.captured, shown=True)
        return result

    def __len__(self) -> int:
        return len(self._slot)

    def join(self, timeout: float | None = None) -> None:
        """Count what nobody took any more, and let go of the window."""
        self._slot.close()
        self._wake = None
        self._stats.drop("stopped", sum(not r.repeated for r in self._slot.drain()))
