"""Callback sink: hands results to a function of the library's user."""

from __future__ import annotations

from collections.abc import Callable

from app.core.events import EventBus
from app.core.frame import Result
from app.sinks.queued_sink import QueuedSink


class CallbackSink(QueuedSink):
    """Function that is called with every result, on a thread of its own.

    An error that it raises ends the sink, not the run, and becomes an ``error`` event. A file waits
    for a slow function; frames of a live source are passed over while it is busy.

    Args:
        function: called with one result after the other; it may keep their arrays, not change them.
        events: where an error is reported.
    """

    def __init__(self, function: Callable[[Result], None], events: EventBus) -> None:
        super().__init__("callback", events)
        self._function = function

    def _open(self, first: Result) -> None:
        """There is nothing to open."""

    def _write(self, result: Result) -> None:
        self._function(result)

    def _close(self) -> None:
        """There is nothing to close."""

    def _report(self) -> None:
        """The function reports what it likes."""
