"""Frame decoder: the frames of a video with their times, past whatever cannot be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import av
from av.codec.context import ThreadType

from app.sources.decoding.frame_ledger import FrameLedger, Loss
from app.sources.decoding.packet_reader import PacketReader

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_HOPELESS = 1000
"""Packets without a single frame after which a video is given up."""
_BROADCAST = frozenset({"mpegts", "mpeg"})
"""Formats that a receiver begins to read anywhere."""
_QUIET = frozenset({"hevc", "vvc", "mpeg1video", "mpeg2video"})
"""Codecs whose decoders pass over damaged frames without an error."""


class DecodedFrame(NamedTuple):
    """A frame with its time and the length for which it is shown, in seconds.

    The length is 0 where the file does not state one.
    """

    frame: VideoFrame
    time: float
    length: float


class FrameDecoder:
    """Frames of one pass through a video, from wherever its container stands.

    Args:
        container: the open file.
        stream: the video in it.
        start: what its times count from, in seconds.
        step: the usual distance of two frames, in seconds.
    """

    def __init__(
        self, container: InputContainer, stream: VideoStream, start: float, step: float
    ) -> None:
        self._stream, self._start = stream, start
        self._base = float(stream.time_base or 1)
        self._codec = stream.codec_context
        self.packets = PacketReader(container, stream)
        self._ledger = FrameLedger(
            max(1, round(step / self._base)),
            clocked=self.packets.clocked,
            joins=bool(self.packets.formats & _BROADCAST),
            quiet=self._codec.codec.canonical_name in _QUIET,
        )
        self.cut_short = False
        """True where frames at the end are missing that threads of the decoder held."""

    @property
    def seekable(self) -> bool:
        """True where the file's stamps tell where a frame is."""
        return (
            self.packets.clocked and not self.packets.restarted and self._ledger.order != "decoding"
        )

    def take_losses(self) -> list[Loss]:
        """Return what was found to be missing since the last call."""
        losses, self._ledger.losses = self._ledger.losses, []
        return losses

    def seconds(self, stamp: int) -> float:
        """Return a stamp in seconds of the source."""
        return stamp * self._base - self._start

    def __iter__(self) -> Iterator[DecodedFrame]:
        last: DecodedFrame | None = None
        for timed in self._in_order():
            if last is not None:
                yield last
            last = timed
        if last is not None:  # its packet's length may be that of another one
            length = self.seconds(self.packets.end) - last.time
            yield last._replace(length=max(last.length, length))

    def _in_order(self) -> Iterator[DecodedFrame]:
        held: list[VideoFrame] = []
        for frame in self._frames():
            held.append(frame)
            if self._ledger.settled(held, reorders=self._codec.has_b_frames):
                yield from self._timed(held)
                held = []
        yield from self._timed(held)
        if not self.cut_short:
            self._ledger.close()

    def _frames(self) -> Iterator[VideoFrame]:
        fruitless = 0
        for packet in self.packets:
            self._ledger.expect(packet)
            if self.packets.suspect or self.packets.damaged:
                self._ledger.suspect(certain=self.packets.damaged)
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self._ledger.suspect(certain=True)
                frames = []
            yield from frames
            fruitless = -1 if frames or fruitless < 0 else fruitless + 1
            if fruitless == _HOPELESS:
                return
        try:
            yield from self._codec.decode(None)
        except av.error.FFmpegError:
            self._ledger.suspect(certain=True)
            # Frames that other threads hold behind an error cannot be had any more.
            self.cut_short = bool(self._codec.thread_type & ThreadType.FRAME)

    def _timed(self, frames: list[VideoFrame]) -> Iterator[DecodedFrame]:
        for frame in frames:
            time = self.seconds(self._ledger.place(frame))
            yield DecodedFrame(frame, time, self._ledger.length(frame) * self._base)
