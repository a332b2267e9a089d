"""Trial of files before what plays makes room for them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

from PyQt6.QtCore import QObject, pyqtSignal

from app.core.events import failure_of
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec


class SourceTrial(QObject):
    """Opens files on a thread of its own, one after the other, until one is open.

    A file can be opened twice; cameras and streams often cannot, so they are not tried.

    Args:
        complete: adds to a source what it leaves to the settings.
        parent: owner.
    """

    opened = pyqtSignal(object, int)
    """Entries that were tried, and the index of the first that opens."""
    refused = pyqtSignal(SourceSpec, str)
    """An entry that does not open, and why."""

    _finished = pyqtSignal(int, object)

    def __init__(
        self, complete: Callable[[SourceSpec], SourceSpec], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._complete = complete
        self._entries: tuple[SourceSpec, ...] = ()
        self._number = self._index = 0
        self._finished.connect(self._learn)

    @property
    def current(self) -> SourceSpec | None:
        """File that is being opened."""
        return self._entries[self._index] if self._entries else None

    def start(self, entries: Sequence[SourceSpec]) -> None:
        """Try files, in place of those that are being tried."""
        self._entries, self._index = tuple(entries), 0
        self._try()

    def cancel(self) -> None:
        """Give up; nothing is emitted any more. A disk that does not answer is left behind."""
        self._entries, self._number = (), self._number + 1

    def _try(self) -> None:
        self._number += 1
        spec, number = self._complete(self._entries[self._index]), self._number
        # A daemon, as captures are: opening may never come back.
        work = threading.Thread(target=self._open, args=(spec, number), name="trial", daemon=True)
        work.start()

    def _open(self, spec: SourceSpec, number: int) -> None:
        error: Exception | None = None
        try:
            open_source(spec).close()
        except Exception as failure:  # reported where it is learnt
            error = failure
        with contextlib.suppress(RuntimeError):  # the window is gone
            self._finished.emit(number, error)

    def _learn(self, number: int, error: Exception | None) -> None:
        if number != self._number:
            return
        entries, index = self._entries, self._index
        if error is None:
            self._entries = ()
            self.opened.emit(entries, index)
            return
        self._index += 1
        if self._index < len(entries):
            self._try()
        else:
            self._entries = ()
        self.refused.emit(entries[index], failure_of(error).text)
