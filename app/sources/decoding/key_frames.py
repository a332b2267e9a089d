"""Key frames of a file: one near any time, at little cost."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from app.sources.color_conversion import upright
from app.sources.source_spec import SourceSpec
from app.sources.video_file import pixel_aspect, videos

if TYPE_CHECKING:
    from av.video.stream import VideoStream

_PATIENCE = 5.0, 3.0
"""Seconds in which an address has to open, and to answer."""


class KeyFrame(NamedTuple):
    """Small image of a key frame, RGB uint8, upright and in its true aspect, with its time."""

    time: float
    image: NDArray[np.uint8]


class KeyFrames:
    """Key frames of one file, or of one at an address.

    Args:
        file: what to read.
        width: of the images that lie, in pixels; those that stand are as high.

    Raises:
        FFmpegError, OSError, ValueError: it cannot be read in this way.
    """

    def __init__(self, file: SourceSpec, width: int) -> None:
        remote = file.kind == "stream"
        address = file.value if remote else f"file:{Path(file.value).resolve()}"
        self._width = width
        self._container = av.open(address, timeout=_PATIENCE if remote else None)
        found = videos(self._container)
        if not found:
            self._container.close()
            raise ValueError("there is no video in it")
        self._stream: VideoStream = max(found, key=lambda s: (s.width or 0) * (s.height or 0))
        self._stream.codec_context.skip_frame = "NONKEY"
        self._stream.thread_type = "NONE"

    def before(self, seconds: float) -> KeyFrame | None:
        """Return the key frame before a time; ``None`` where none can be read."""
        try:
            start = (self._container.start_time or 0) / av.time_base
            self._container.seek(round((seconds + start) * av.time_base))
            frame = self._next()
            if frame is None:
                return None
            turned = frame.rotation % 180 != 0
            wide = frame.width * pixel_aspect(self._stream)
            side = self._width if not turned else self._width * 9 // 16
            height = max(2, min(self._width, round(side * frame.height / wide)))
            pixels = frame.to_ndarray(format="rgb24", width=side, height=height)
        except (av.error.FFmpegError, OSError, ValueError):
            return None
        time = (frame.time if frame.time is not None else seconds + start) - start
        return KeyFrame(time, upright(frame, np.asarray(pixels, np.uint8)))

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _next(self) -> av.VideoFrame | None:
        """Return the next key frame that can be decoded."""
        for packet in self._container.demux(self._stream):
            with suppress(av.error.FFmpegError):
                if frames := packet.decode():
                    return frames[0]
        return None
