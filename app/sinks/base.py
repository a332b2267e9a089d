"""Sink: consumer of results. The display, a recording and a folder of images are three of a kind.

One with a thread of its own derives from ``queued_sink.QueuedSink`` and writes three methods.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from app.core.frame import EndOfSource, Result


class Sink(ABC):
    """Consumer of results, in order.

    Attributes:
        wants_repeats: whether it takes frames that were drawn anew because an option changed.
        lossless: whether no frame of a file may be dropped while it is open.
        paced: whether it wants a file at its own pace, watched or not.
        shared: whether it takes results of several sources that run beside each other.
        closed: whether it takes nothing any more.
    """

    wants_repeats = False
    lossless = True
    paced = False
    shared = False
    closed = False

    @abstractmethod
    def put(self, result: Result, *, wait: bool) -> bool:
        """Take a result, on the worker's thread; never raises, and counts what it refuses.

        With ``wait`` the caller is held back until there is room.
        """

    def start(self) -> None:  # noqa: B027 - most have nothing to do here
        """Begin; called once, before any result."""

    def end_of_source(self, end: EndOfSource) -> None:  # noqa: B027
        """Learn, on the worker's thread, that the source has ended."""

    def finish(self) -> None:
        """Take nothing more; returns at once."""
        self.closed = True

    def join(self, timeout: float | None = None) -> None:  # noqa: B027
        """Wait until all that was taken is written."""
