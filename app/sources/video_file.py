"""Video files, through PyAV (FFmpeg)."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.format import Flags

from app.errors import SourceError
from app.sources.base import Damage, Picture, Source, SourceInfo
from app.sources.color_conversion import HDR, MAX_PIXELS, check_size, shown_size, to_rgb
from app.sources.decoding.completeness import breaks_off
from app.sources.decoding.damage_record import DamageRecord
from app.sources.decoding.frame_decoder import DecodedFrame, FrameDecoder
from app.sources.decoding.joined_files import is_joined, joined_length
from app.sources.decoding.packet_reader import PacketReader
from app.sources.hardware_decoding import decoder_name, decoding_for, open_container
from app.sources.source_spec import SourceSpec
from fastscnn.suggestions import did_you_mean, why_missing

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_SAME = 5e-4
"""Seconds by which a time may lie before a frame's stamp and still mean this frame."""
_BACK = (0.0, 1.0, 5.0, 25.0)
"""Seconds to land ahead of a sought frame, tried in turn; after them the file is read anew."""
_KEPT = 8
"""Decoded frames that are kept at once on the way back."""
_SLACK = 1.0
"""Seconds by which a file's length may be misstated."""
_INDEX = 1000, 0.05
"""Bytes, and part of a file, that the index at its end may take."""
_FASTEST = 300
"""Frames per second above which a raw stream states its clock, and no rate."""
_HEAD = 5.0
"""Seconds that the first bytes of a file at an address may take."""


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


def _stated_rate(container: InputContainer, stream: VideoStream) -> float | None:
    """Return the frames per second that a video states.

    A raw stream has no clock: what it says itself wins over what its reader takes it for.
    """
    raw = Flags.no_timestamps in Flags(container.format.flags)
    own = stream.codec_context.framerate if raw else None
    if own and own <= _FASTEST:
        return float(own)
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None


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
        self._ahead: deque[DecodedFrame] = deque()
        self._decoded: Iterator[DecodedFrame] = iter(())
        self._record = DamageRecord(self._name)
        self._count: int | None = 0
        """Frames read since the beginning; ``None`` once the user has gone elsewhere."""
        self._threads = "AUTO"
        self._decoding: str = spec.hwaccel or "auto"
        self._seekable = True
        """True where the stamps tell where a frame is; else the file is counted through."""
        try:
            container = self._rewind()
            stream = self._stream
            self._duration = container.duration / av.time_base if container.duration else None
            first = next(self._decoded, None)
            if first is None:
                raise SourceError(f"{self._name} holds no picture that can be read: it is damaged.")
            self._ahead.append(first)
            self._look_for_joints(container)
            width, height = shown_size(first.frame, self._pixel_aspect)
            if first.frame.color_trc in HDR:
                kind = HDR[first.frame.color_trc]
                self.tell(
                    f"{self._name} is HDR ({kind}): it is shown in the range of an ordinary screen."
                )
        except BaseException:
            self.close()
            raise
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=self._rate,
            frames=stream.frames or None,
            duration=self._duration,
            decoder=decoder_name(stream.codec_context, *self._device),
            seekable=True,
        )

    def read(self) -> Picture | None:
        timed = self._ahead.popleft() if self._ahead else next(self._decoded, None)
        if timed is None:
            return None
        self._count = self._count + 1 if self._count is not None else None
        return self._picture(timed)

    def seek(self, seconds: float, *, before: int = 0) -> None:
        self._count = None
        while before > _KEPT:  # in several goes, so that memory stays bounded
            self._seek(seconds, _KEPT)
            seconds, before = self._ahead[0].time, before - _KEPT
        self._seek(seconds, before)

    def times(self) -> list[float]:
        """Return when each frame is shown, in order; none is decoded for that.

        What is read afterwards begins anew.
        """
        packets = PacketReader(self._rewind(), self._stream)
        stamps = [
            packet.pts if packet.pts is not None else packet.dts
            for packet in packets
            if not packet.is_discard
        ]
        self._rewind()
        if not packets.clocked:
            return [number * self._step for number in range(len(stamps))]
        base = float(self._stream.time_base or 1)
        return sorted(stamp * base - self._start for stamp in stamps if stamp is not None)

    def close(self) -> None:
        # Decoder and frames are freed with the last that holds them.
        self._ahead.clear()
        self._decoded = iter(())
        if self._container is not None:
            self._container.close()
            self._container = None

    def _find(self, spec: SourceSpec) -> None:
        path = Path(spec.value)
        self._name = path.name
        if not os.path.exists(path):
            if close := did_you_mean(spec.value, ["demo"]):
                raise SourceError(f"There is no file {path}: check the path.{close}")
            raise SourceError(why_missing(path))
        if not path.is_file():
            raise SourceError(f"{path} is not a file: name a video file, a camera index or demo.")
        if path.stat().st_size == 0:
            raise SourceError(f"{self._name} is empty (0 bytes): choose another file.")
        self._path = path

    def _address(self) -> str:
        # An absolute path cannot be taken for an option or an address.
        return f"file:{self._path.resolve()}"

    def _open(self) -> tuple[InputContainer, str, str]:
        """The container, the device that decodes (empty: the CPU), why it is not another one."""
        try:
            if self._decoding == "auto":
                self._decoding = decoding_for(self._address(), self._prepared)
            container, device, reason = open_container(self._address(), self._decoding)
            left = self._decoding == "none" and self._spec.hwaccel != "none"
            return container, device, "faster here than the graphics card" if left else reason
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
            kept: deque[DecodedFrame] = deque(maxlen=before + 1)
            following: list[DecodedFrame] = []
            for timed in self._decoded:
                if timed.time > seconds + _SAME:
                    following.append(timed)
                    break
                kept.append(timed)
            if (len(kept) > before and self._seekable) or whole:
                self._ahead = deque([*kept, *following])
                return

    def _land(self, seconds: float) -> bool:
        """Go to a key frame before a time; ``False`` where only the beginning can be had."""
        container, stream = self._container, self._stream
        if container is None or not self._seekable or seconds <= 0 or stream.time_base is None:
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
        self._stream = stream = self._prepared(container)
        self._device = device, reason
        self._pixel_aspect = pixel_aspect(stream)
        self._start = (container.start_time or 0) / av.time_base
        self._rate = _stated_rate(container, stream)
        self._ahead.clear()
        self._decoded = self._decode(container)
        return container

    def _prepared(self, container: InputContainer) -> VideoStream:
        stream = self._choose_whole(videos(container))
        check_size(self._name, stream.width or 0, stream.height or 0)
        # The decoder itself must not be talked into more either.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        stream.thread_type = self._threads
        return stream

    def _choose_whole(self, streams: list[VideoStream]) -> VideoStream:
        """Return the stream to play, which is no part of a picture.

        Raises:
            SourceError: there is none.
        """
        chosen = self._choose(streams)
        if chosen.disposition & av.stream.Disposition.dependent:
            raise SourceError(
                f"{self._name} holds its picture in {len(streams)} tiles, which cannot be put"
                " together here: pip install 'fastscnn-live[heic]', or convert it to JPEG."
            )
        return chosen

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

    def _decode(self, container: InputContainer) -> Iterator[DecodedFrame]:
        decoder = FrameDecoder(container, self._stream, self._start, self._step)
        last = None
        for last in decoder:
            self._note(decoder)
            yield last
        if decoder.cut_short and last is not None:
            # Once more from there on, with threads of which none holds a frame back.
            self._threads = "SLICE"
            self._rewind()
            self._land(last.time)
            yield from (timed for timed in self._decoded if timed.time > last.time + _SAME)
        elif last is not None:
            self._note(decoder, last)

    def _note(self, decoder: FrameDecoder, last: DecodedFrame | None = None) -> None:
        """Keep what a pass through the file has found until now, or until its last frame."""
        self._seekable = self._seekable and decoder.seekable
        losses = decoder.take_losses()
        for loss in losses:
            start = round(decoder.seconds(loss.start), 6)
            end = round(decoder.seconds(loss.end), 6) if loss.end is not None else None
            self._record.add(Damage(start, end, loss.missing, loss.incomplete))
        if last is not None and self._breaks_off(decoder, last):
            end = round(last.time + (last.length or self._step), 6)
            absent = self._stream.frames - decoder.packets.seen
            if self._count is None or "mp4" not in decoder.packets.formats:
                # Without a table of all frames their number is a guess of whoever wrote it.
                absent = self._stream.frames - round(end / self._step)
            self._record.break_off(
                end, count=self._count, stated=self._duration or 0.0, absent=max(0, absent)
            )
        if losses or last is not None:
            self.damage, self.unreadable = self._record.places(), self._record.unreadable
            self.notice = self._record.words(self._count if last is not None else None)

    def _breaks_off(self, decoder: FrameDecoder, last: DecodedFrame) -> bool:
        if decoder.packets.broken_off:
            return True
        # What is found at the end of a whole file is its index: nothing that would last.
        short = (self._duration or 0.0) - last.time - max(_SLACK, last.length)
        if self._container is None:
            return False
        unread, size = decoder.packets.unread, self._container.size
        if short > 0 and unread > max(_INDEX[0], _INDEX[1] * size):
            return True
        return breaks_off(self._container, self._head())

    def _head(self) -> bytes:
        """Return the file's first bytes, by the way on which it is read as a video."""
        try:
            with av.open(self._address(), format="data", timeout=_HEAD) as container:
                return bytes(next(container.demux()))
        except (av.error.FFmpegError, OSError, StopIteration):
            return b""

    def _look_for_joints(self, container: InputContainer) -> None:
        """Learn how long a file lasts whose clock begins anew in it."""
        if Flags.ts_discont not in Flags(container.format.flags):
            return
        with av.open(self._address()) as other:
            stream = other.streams.video[container.streams.video.index(self._stream)]
            if is_joined(other, stream):
                self._seekable = False
                self._duration = joined_length(other, stream, self._start)

    def _picture(self, timed: DecodedFrame) -> Picture:
        frame = timed.frame
        check_size(self._name, round(frame.width * self._pixel_aspect), frame.height)
        return Picture(to_rgb(frame, self._pixel_aspect), timed.time, duration=timed.length)
