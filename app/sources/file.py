"""Video files, through PyAV (FFmpeg)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from app.errors import SourceError
from app.sources.base import Picture, Source, SourceInfo
from app.sources.spec import SourceSpec

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_PIXELS = 8192 * 8192
"""Larger pictures are refused before they are converted: memory stays bounded."""


def _best_video(container: InputContainer) -> VideoStream | None:
    """The largest video stream that is not a cover picture."""
    videos = [
        s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic
    ]
    return max(videos, key=lambda s: (s.width or 0) * (s.height or 0), default=None)


class FileSource(Source):
    """A video file with the stamps that it holds, counted from the container's start.

    Rotation that the file asks for is applied.

    Raises:
        SourceError: the file is not there, is no video, or is damaged beyond reading.
    """

    live = False

    def __init__(self, spec: SourceSpec) -> None:
        path = Path(spec.value).expanduser()
        self._name = path.name
        if not path.exists():
            raise SourceError(f"There is no file {path}: check the path.")
        if not path.is_file():
            raise SourceError(f"{path} is not a file: name a video file, a camera index or demo.")
        if path.stat().st_size == 0:
            raise SourceError(f"{self._name} is empty (0 bytes): choose another file.")
        try:
            # An absolute path cannot be taken for an option or an address.
            container = av.open(f"file:{path.resolve()}")
        except PermissionError as error:
            raise SourceError(f"{path} may not be read: check its permissions.") from error
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceError(
                f"{self._name} cannot be read as a video: it is damaged or of another kind."
            ) from error
        self._container: InputContainer | None = container
        stream = _best_video(container)
        if stream is None:
            container.close()
            raise SourceError(f"{self._name} holds no video: choose another file.")
        stream.thread_type = "AUTO"
        self._stream = stream
        aspect = float(stream.sample_aspect_ratio or 1)
        self._pixel_aspect = aspect if 0.1 <= aspect <= 10 else 1.0
        self._start = (container.start_time or 0) / av.time_base
        self._rate = float(stream.average_rate) if stream.average_rate else None
        self._last = -(1 / self._rate if self._rate else 1 / 30)
        self._decoded = self._decode(container)
        try:
            self._first = next(self._decoded, None)
        except SourceError:
            self.close()
            raise
        if self._first is None:
            self.close()
            raise SourceError(f"{self._name} holds no picture that can be read: it is damaged.")
        height, width = self._first.image.shape[:2]
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=self._rate,
            frames=stream.frames or None,
            duration=container.duration / av.time_base if container.duration else None,
            decoder=f"{stream.codec_context.codec.name} (FFmpeg, CPU)",
        )

    def read(self) -> Picture | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._decoded, None)

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None

    def _decode(self, container: InputContainer) -> Iterator[Picture]:
        count = 0
        damaged = False
        packets = container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                damaged = True
                break
            if packet is None:
                break
            try:
                # The last packet is empty: it flushes what the decoder's threads still hold.
                frames = packet.decode()
            except av.error.FFmpegError:
                # What a decoder makes of the data behind a gap is not a picture of the scene.
                damaged = True
                break
            for frame in frames:
                count += 1
                yield self._picture(frame)
        self.notice = self._ending(count, damaged)

    def _picture(self, frame: av.VideoFrame) -> Picture:
        if frame.width * self._pixel_aspect * frame.height > MAX_PIXELS:
            raise SourceError(
                f"{self._name} has pictures of {frame.width}×{frame.height},"
                " more than this program takes (8192×8192)."
            )
        step = 1 / self._rate if self._rate else 1 / 30
        time = self._last + step if frame.time is None else frame.time - self._start
        self._last = time
        # Pixels that are not square are made so: they are shown, and recorded, as they look.
        width = max(1, round(frame.width * self._pixel_aspect))
        pixels = np.asarray(frame.to_ndarray(format="rgb24", width=width), np.uint8)
        if frame.rotation:
            pixels = np.rot90(pixels, frame.rotation // 90)
        return Picture(np.ascontiguousarray(pixels), time)

    def _ending(self, count: int, damaged: bool) -> str:
        """What to tell about the end: that parts were unreadable, or that frames are missing."""
        stated = self._stream.frames
        short = bool(stated) and count < stated
        if not short and not damaged:
            duration = self._container.duration if self._container else None
            step = 1 / self._rate if self._rate else 1 / 30
            # Sound may last a little longer than the picture, and counts in the duration.
            audio = self._container is not None and bool(self._container.streams.audio)
            slack = max(1.0 if audio else 0.3, 3 * step)
            if duration and duration / av.time_base - (self._last + step) > slack:
                return f"{self._name} ended early, after {count} frames: the file is not complete."
            return ""
        of = f" of {stated}" if short else ""
        return f"{self._name} is damaged: {count}{of} frames could be read."
