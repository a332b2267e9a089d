"""Thumbnails of a file for the seek bar, decoded on a thread of their own."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from app.gui.widgets.images import to_qimage
from app.sources.color_conversion import upright
from app.sources.source_spec import SourceSpec
from app.sources.video_file import pixel_aspect, videos

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_WIDTH = 168
_MOST = 400
"""Number of cached thumbnails."""
_EVERY = 0.5
"""Seconds between two thumbnails: the mouse is no finer than that."""
_PATIENCE = 5.0, 3.0
"""Seconds in which an address has to open, and to answer."""
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
        container: InputContainer | None = None
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
                    if container is not None:
                        container.close()
                    container, opened = _open(file), file
                if container is None:
                    continue
                picture = _picture(container, wanted)
                if picture is None:
                    continue
                with self._lock:
                    if self._file != file:
                        continue
                    self._cache[_slot(wanted)] = picture
                    while len(self._cache) > _MOST:
                        del self._cache[next(iter(self._cache))]
                self.ready.emit(wanted, picture)
        finally:
            if container is not None:
                container.close()


def _slot(seconds: float) -> int:
    return int(seconds / _EVERY)


def _open(file: SourceSpec) -> InputContainer | None:
    remote = file.kind == "stream"
    address = file.value if remote else f"file:{Path(file.value).resolve()}"
    try:
        container = av.open(address, timeout=_PATIENCE if remote else None)
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    if not videos(container):
        container.close()
        return None
    stream = _stream(container)
    stream.codec_context.skip_frame = "NONKEY"
    stream.thread_type = "NONE"
    return container


def _stream(container: InputContainer) -> VideoStream:
    return max(videos(container), key=lambda s: (s.width or 0) * (s.height or 0))


def _key_frame(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    """Return the next key frame that can be decoded."""
    for packet in container.demux(stream):
        with suppress(av.error.FFmpegError):
            if frames := packet.decode():
                return frames[0]
    return None


def _picture(container: InputContainer, seconds: float) -> QImage | None:
    """Return the key frame before a time, upright and in its true aspect."""
    stream = _stream(container)
    try:
        start = (container.start_time or 0) / av.time_base
        container.seek(round((seconds + start) * av.time_base))
        frame = _key_frame(container, stream)
        if frame is None:
            return None
        turned = frame.rotation % 180 != 0
        wide = frame.width * pixel_aspect(stream)
        side = _WIDTH if not turned else _WIDTH * 9 // 16
        height = max(2, min(_WIDTH, round(side * frame.height / wide)))
        pixels = np.asarray(frame.to_ndarray(format="rgb24", width=side, height=height), np.uint8)
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    return to_qimage(upright(frame, pixels))
