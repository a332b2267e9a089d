"""Queued sink: a sink with a bounded queue and a thread of its own."""

from __future__ import annotations

import logging
import threading
from abc import abstractmethod

from app.core.channel import Channel, Closed
from app.core.events import Event, EventBus
from app.core.frame import Result
from app.errors import AppError, OutputError
from app.sinks.base import Sink

_log = logging.getLogger(__name__)


class QueuedSink(Sink, threading.Thread):
    """Sink with a bounded queue and a thread; errors become events in words.

    Args:
        name: of the thread, as it is seen from outside.
        events: where its end is reported.
        capacity: results that may wait.
    """

    def __init__(self, name: str, events: EventBus, *, capacity: int = 4) -> None:
        threading.Thread.__init__(self, name=name)
        self.error: AppError | None = None
        self._events = events
        self._queue: Channel[Result] = Channel(capacity)
        self._finishing = False

    def start(self) -> None:
        threading.Thread.start(self)

    def join(self, timeout: float | None = None) -> None:
        if self.ident is not None:  # of a run that never began, it was not started either
            threading.Thread.join(self, timeout)

    def put(self, result: Result, *, wait: bool) -> bool:
        self._offered(result)
        taken = self._queue.put(result) if wait else self._queue.offer(result)
        if not taken:
            # Without room the queue is open; a closed one has ended in order or failed.
            self._refused(failed=self.error is not None, full=not self._finishing)
        return taken

    def finish(self) -> None:
        self._finishing = self.closed = True
        self._queue.close()

    def run(self) -> None:
        try:
            self._serve()
        except Exception as error:  # nothing may end this thread silently
            self.error = error if isinstance(error, AppError) else self._in_words(error)
        finally:
            self.closed = True
            self._queue.close()
            for _ in self._queue.drain():
                self._refused(failed=True, full=False)
            if self.error is not None:
                code = self.error.exit_code
                self._events.put(Event("error", str(self.error), code, topic=self.name))
            else:
                self._report()

    def _serve(self) -> None:
        result = self._take()
        if result is None:
            return  # nothing came: no empty file is left behind
        try:
            self._open(result)
            while result is not None:
                self._write(result)
                result = self._take()
        except Exception:
            self._refused(failed=True, full=False)
            self._abandon()
            raise
        self._close()

    def _take(self) -> Result | None:
        try:
            return self._queue.get()
        except Closed:
            return None

    @abstractmethod
    def _open(self, first: Result) -> None:
        """Open the output, with the first result at hand."""

    @abstractmethod
    def _write(self, result: Result) -> None:
        """Write a result."""

    @abstractmethod
    def _close(self) -> None:
        """Close the output in order."""

    @abstractmethod
    def _report(self) -> None:
        """Report what was written."""

    def _abandon(self) -> None:
        """Close the output after an error; what is whole in it stays."""

    def _offered(self, result: Result) -> None:
        """Count a result that is offered."""

    def _refused(self, *, failed: bool, full: bool) -> None:
        """Count a result that was not written: after an error, for want of room, or at the end."""

    def _in_words(self, error: Exception) -> AppError:
        """Return an error as a sentence for the user."""
        _log.info("unexpected error", exc_info=error)
        words = OutputError(f"{self.name} failed ({type(error).__name__}: {error}).")
        words.__cause__ = error
        return words
