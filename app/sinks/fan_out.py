"""Fan-out: hands every result to all sinks that are open."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from app.core.frame import EndOfSource, Result
from app.core.live_options import LiveOptions
from app.core.stats import Stats
from app.sinks.base import Sink
from app.sinks.display import DisplaySink

_S = TypeVar("_S", bound=Sink)


class FanOut:
    """Sinks of a run. Any thread may add one; the worker delivers.

    Args:
        sinks: those from the start.
        live: the view as it is now: what is written follows the divider of a wipe.
        stats: where frames are counted as finished where no display counts them as shown.
    """

    def __init__(self, sinks: Sequence[Sink], live: LiveOptions, stats: Stats) -> None:
        self._live, self._stats = live, stats
        self._lock = threading.Lock()
        self._sinks = list(sinks)
        self.display = next((sink for sink in sinks if isinstance(sink, DisplaySink)), None)

    def start(self) -> None:
        """Start the sinks from the start of the run."""
        for sink in self._sinks:
            sink.start()

    def add(self, sink: Sink) -> None:
        """Start a sink, which gets every result from now on."""
        sink.start()
        with self._lock:
            self._sinks.append(sink)

    def of(self, kind: type[_S]) -> list[_S]:
        """Return all sinks of a kind that there were in the run, in order."""
        return [sink for sink in self._sinks if isinstance(sink, kind)]

    def all(self) -> list[Sink]:
        """Return all sinks that there were in the run, in order."""
        with self._lock:
            return list(self._sinks)

    @property
    def lossless(self) -> bool:
        """True while no frame of a file may be dropped."""
        return self.display is None or any(sink.lossless for sink in self._open())

    def deliver(self, result: Result) -> None:
        """Hand a result to all open sinks."""
        # The divider may have moved since the sides were drawn.
        view = replace(result.view, split=self._live.view.split, sweep=self._live.view.sweep)
        written = replace(result, view=view)
        for sink in self._open():
            if sink.wants_repeats:
                sink.put(result, wait=False)
            elif not result.repeated:
                sink.put(written, wait=result.frame.lossless)
        if self.display is None and not result.repeated:
            self._stats.finished(result.frame.captured, shown=False)

    def end_of_source(self, end: EndOfSource) -> None:
        """Tell all open sinks that the source has ended."""
        if not end.stale:
            for sink in self._open():
                sink.end_of_source(end)

    def interrupted(self) -> None:
        """Go on: no sink waits for a frame in progress."""

    def stop(self, *, shared: bool = True) -> None:
        """Finish all sinks and wait until they have written what they took.

        Args:
            shared: whether those too that other sources share.
        """
        ending = [sink for sink in self.all() if shared or not sink.shared]
        for sink in ending:
            sink.finish()
        for sink in ending:
            sink.join()

    def _open(self) -> list[Sink]:
        with self._lock:
            return [sink for sink in self._sinks if not sink.closed]
