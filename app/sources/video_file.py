"""Video files, through PyAV (FFmpeg)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av

from app.errors import SourceError
from app.sources.base import Picture, Source, SourceInfo
from app.sources.color_conversion import HDR, MAX_PIXELS, check_size, shown_size, to_rgb
from app.sources.hardware_decoding import open_container
from app.sources.source_spec import SourceSpec

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_SAME = 5e-4
"""Seconds by which a time may lie before a frame's stamp and still mean this frame."""
_BACK = (0.0, 1.0, 5.0, 25.0)
"""Seconds to land ahead of a sought frame, tried in turn; after them the file is read anew."""
_KEPT = 8
"""Decoded frames that are kept at once on the way back."""


def videos(container: InputContainer) -> list[VideoStream]:
    """The video streams that are no cover pictures and that FFmpeg has a decoder for."""
    cover = av.stream.Disposition.attached_pic
    return [
        stream
        for stream in container.streams.video
        # PyAV's own types do not know that there may be no context.
        if not stream.disposition & cover and getattr(stream, "codec_context", None) is not None
    ]


def pixel_aspect(stream: VideoStream) -> float:
    """The width of a pixel in its heights; 1 where the stream names none or nonsense."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 0.1 <= aspect <= 10 else 1.0


class _Timed(NamedTuple):
    frame: av.VideoFrame
    time: float


class VideoFileSource(Source):
    """A video file with the stamps that it holds, counted from the container's start.

    Rotation and mirroring that the file asks for are applied.

    Raises:
        SourceError: the file is not there, is no video, or is damaged beyond reading.
    """

    live = False

    def __init__(self, spec: SourceSpec) -> None:
        super().__init__()
        self._spec = spec
        self._find(spec)
        self._container: InputContainer | None = None
        self._ahead: deque[_Timed] = deque()
        self._decoded: Iterator[_Timed] = iter(())
        self._wound = False
        try:
            container = self._rewind()
            stream = self._stream
            first = next(self._decoded, None)
            if first is None:
                raise SourceError(f"{self._name} holds no picture that can be read: it is damaged.")
            # Without stamps of its own a file can only be counted through from its beginning.
            self._stamped = first.frame.time is not None
            self._ahead.append(first)
            width, height = shown_size(first.frame, self._pixel_aspect)
            if first.frame.color_trc in HDR:
                kind = HDR[first.frame.color_trc]
                self.tell(
                    f"{self._name} is HDR ({kind}): it is shown in the range of an ordinary screen."
                )
        except BaseException:
            self.close()
            raise
        duration = container.duration
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=self._rate,
            frames=stream.frames or None,
            duration=duration / av.time_base if duration else None,
            decoder=f"{stream.codec_context.codec.name} (FFmpeg, {self._device})",
            seekable=True,
        )

    def read(self) -> Picture | None:
        timed = self._ahead.popleft() if self._ahead else next(self._decoded, None)
        return self._picture(timed) if timed is not None else None

    def seek(self, seconds: float, *, before: int = 0) -> None:
        self._wound = True
        self.notice = ""
        while before > _KEPT:  # in several goes, so that memory stays bounded
            self._seek(seconds, _KEPT)
            seconds, before = self._ahead[0].time, before - _KEPT
        self._seek(seconds, before)

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None

    def _find(self, spec: SourceSpec) -> None:
        path = Path(spec.value)
        self._name = path.name
        if not path.exists():
            raise SourceError(f"There is no file {path}: check the path.")
        if not path.is_file():
            raise SourceError(f"{path} is not a file: name a video file, a camera index or demo.")
        if path.stat().st_size == 0:
            raise SourceError(f"{self._name} is empty (0 bytes): choose another file.")
        self._path = path

    def _open(self) -> tuple[InputContainer, str, str]:
        """The container, the device that decodes (empty: the CPU), why it is not another one."""
        try:
            # An absolute path cannot be taken for an option or an address.
            return open_container(f"file:{self._path.resolve()}", self._spec.hwaccel or "auto")
        except PermissionError as error:
            raise SourceError(f"{self._path} may not be read: check its permissions.") from error
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceError(
                f"{self._name} cannot be read as a video: it is damaged or of another kind."
            ) from error

    def _seek(self, seconds: float, before: int) -> None:
        """Put the frames from the sought one to the one after ``seconds`` into ``_ahead``."""
        for back in (*_BACK, math.inf):
            whole = not self._land(seconds - back)
            kept: deque[_Timed] = deque(maxlen=before + 1)
            following: list[_Timed] = []
            for timed in self._decoded:
                if timed.time > seconds + _SAME:
                    following.append(timed)
                    break
                kept.append(timed)
            if len(kept) > before or whole:
                self._ahead = deque([*kept, *following])
                return

    def _land(self, seconds: float) -> bool:
        """Go to a key frame before a time; ``False`` where only the beginning can be had."""
        container, stream = self._container, self._stream
        if container is None or not self._stamped or seconds <= 0 or stream.time_base is None:
            self._rewind()
            return False
        try:
            container.seek(int((seconds + self._start) / stream.time_base), stream=stream)
        except (av.error.FFmpegError, OverflowError):
            self._rewind()
            return False
        self._decoded = self._decode(container)
        return True

    def _rewind(self) -> InputContainer:
        """Open the file, again where it is open: every format can be read from its beginning."""
        self.close()
        container, device, reason = self._open()
        self._container = container
        self._stream = stream = self._choose(videos(container))
        check_size(self._name, stream.width or 0, stream.height or 0)
        # The decoder itself must not be talked into more either.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        stream.thread_type = "AUTO"
        self._device = device or (f"CPU, {reason}" if reason else "CPU")
        self._pixel_aspect = pixel_aspect(stream)
        self._start = (container.start_time or 0) / av.time_base
        self._rate = float(stream.average_rate) if stream.average_rate else None
        self._last = -self._step
        self._ahead.clear()
        self._decoded = self._decode(container)
        return container

    def _choose(self, streams: list[VideoStream]) -> VideoStream:
        if not streams:
            raise SourceError(f"{self._name} holds no video: choose another file.")
        number = self._spec.video_stream
        if number is None:
            return max(streams, key=lambda s: (s.width or 0) * (s.height or 0))
        if number >= len(streams):
            there = "one video stream, 0" if len(streams) == 1 else f"0 to {len(streams) - 1}"
            raise SourceError(f"{self._name} has no video stream {number}: it has {there}.")
        return streams[number]

    @property
    def _step(self) -> float:
        return 1 / self._rate if self._rate else 1 / 30

    def _decode(self, container: InputContainer) -> Iterator[_Timed]:
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
                time = frame.time
                self._last = self._last + self._step if time is None else time - self._start
                yield _Timed(frame, self._last)
        self.notice = self._ending(None if self._wound else count, damaged)

    def _picture(self, timed: _Timed) -> Picture:
        frame = timed.frame
        check_size(self._name, round(frame.width * self._pixel_aspect), frame.height)
        return Picture(to_rgb(frame, self._pixel_aspect), timed.time)

    def _ending(self, count: int | None, damaged: bool) -> str:
        """Return the notice at the end: that parts were unreadable, or that frames are missing.

        Args:
            count: frames from the beginning on; ``None`` where not all of it was played.
            damaged: whether reading broke off.
        """
        stated = self._stream.frames
        short = bool(stated) and count is not None and count < stated
        self.unreadable = stated - count if short and count is not None else 0
        if not short and not damaged:
            duration = self._container.duration if self._container else None
            # Sound may last a little longer than the picture, and counts in the duration.
            audio = self._container is not None and bool(self._container.streams.audio)
            slack = max(1.0 if audio else 0.3, 3 * self._step)
            if duration and duration / av.time_base - (self._last + self._step) > slack:
                where = f"at {self._last:.1f} s" if count is None else f"after {count} frames"
                return f"{self._name} ended early, {where}: the file is not complete."
            return ""
        if count is None:
            return f"{self._name} is damaged: it could be read up to {self._last:.1f} s."
        of = f" of {stated}" if short else ""
        return f"{self._name} is damaged: {count}{of} frames could be read."
