"""Guest sink: results of a source for a sink that another one shares with it."""

from __future__ import annotations

from app.core.frame import Result
from app.sinks.base import Sink


class GuestSink(Sink):
    """Sink of another source, which starts and ends it.

    Args:
        host: that sink; results of all sources come on the same worker's thread.
    """

    def __init__(self, host: Sink) -> None:
        self._host, self.lossless = host, host.lossless

    @property
    def closed(self) -> bool:  # type: ignore[override]
        """Return whether the other source has ended it."""
        return self._host.closed

    def put(self, result: Result, *, wait: bool) -> bool:
        return self._host.put(result, wait=wait)

    def finish(self) -> None:
        """Leave it to its owner."""
