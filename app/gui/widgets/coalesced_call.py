"""Coalesced call: from any thread to the window's, one wake-up at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt, pyqtSignal


class CoalescedCall(QObject):
    """Call of ``handle`` on the window's thread after this was called on any thread.

    At most one wake-up is on its way: however slow the window is, none pile up in its event queue.
    """

    _woken = pyqtSignal()

    def __init__(self, handle: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._handle = handle
        self._lock = threading.Lock()
        self._pending = False
        queued = Qt.ConnectionType.QueuedConnection
        self._woken.connect(self._arrived, queued)  # type: ignore[call-arg]  # not in the stubs

    def __call__(self) -> None:
        """Wake the window; from any thread, returns at once."""
        with self._lock:
            if self._pending:
                return
            self._pending = True
        self._woken.emit()

    def _arrived(self) -> None:
        # Cleared first: what comes from now on needs a wake-up of its own.
        with self._lock:
            self._pending = False
        self._handle()
