"""Thumbnails of a file for the seek bar, decoded on a thread of their own."""

from __future__ import annotations

import threading

import av
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from app.gui.widgets.images import to_qimage
from app.sources.decoding.key_frames import KeyFrames
from app.sources.source_spec import SourceSpec

_WIDTH = 168
_MOST = 400
"""Number of cached thumbnails."""
_EVERY = 0.5
"""Seconds between two thumbnails: the mouse is no finer than that."""
_IDLE = 20.0
"""Seconds after which the thread closes the file."""


class Thumbnails(QObject):
    """Decoder of key frames of one file on a thread of its own: near the time requested, and cheap.

    Where a file cannot be read this way there are none, and no word about it: the time is enough.
    """

    ready = pyqtSignal(float, object)
    """Seconds requested, and the thumbnail (a ``QImage`` that owns its pixels)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Condition()
        self._file: SourceSpec | None = None
        self._wanted: float | None = None
        self._cache: dict[int, QImage] = {}
        self._thread: threading.Thread | None = None

    def use(self, source: SourceSpec | None) -> None:
        """Change to another source; those of files, on a disk or at an address, have thumbnails."""
        is_file = source is not None and (source.kind == "file" or source.may_be_remote_file)
        file = source if is_file else None
        with self._lock:
            if file != self._file:
                self._file, self._wanted, self._cache = file, None, {}
                self._lock.notify()

    def ask(self, seconds: float) -> None:
        """Request the thumbnail of a time; only the newest request is answered."""
        with self._lock:
            if self._file is None:
                return
            there = self._cache.get(_slot(seconds))
            if there is None:
                self._wanted = seconds
                if self._thread is None:
                    # A daemon: a file system that does not answer must not keep the process.
                    self._thread = threading.Thread(
                        target=self._run, name="thumbnails", daemon=True
                    )
                    self._thread.start()
                self._lock.notify()
        if there is not None:
            self.ready.emit(seconds, there)

    def stop(self, timeout: float = 1.0) -> None:
        """End the thread."""
        self.use(None)
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        opened: SourceSpec | None = None
        found: KeyFrames | None = None
        try:
            while True:
                with self._lock:
                    if self._wanted is None:
                        self._lock.wait(_IDLE)
                    file, wanted, self._wanted = self._file, self._wanted, None
                    if wanted is None or file is None:
                        self._thread = None
                        return
                if file != opened:
                    if found is not None:
                        found.close()
                    found, opened = _open(file), file
                frame = found.before(wanted) if found is not None else None
                if frame is None:
                    continue
                picture = to_qimage(frame.image)
                with self._lock:
                    if self._file != file:
                        continue
                    self._cache[_slot(wanted)] = picture
                    while len(self._cache) > _MOST:
                        del self._cache[next(iter(self._cache))]
                self.ready.emit(wanted, picture)
        finally:
            if found is not None:
                found.close()


def _slot(seconds: float) -> int:
    return int(seconds / _EVERY)


def _open(file: SourceSpec) -> KeyFrames | None:
    try:
        return KeyFrames(file, _WIDTH)
    except (av.error.FFmpegError, OSError, ValueError):
        return None
