"""Sound of a file, packet by packet, with stamps that go on where the file's clock begins anew."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from itertools import dropwhile
from typing import TYPE_CHECKING, Any

import av

from app.sinks.recording.timestamps import TimestampMapper
from app.sources.decoding.joined_files import is_joined

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

_log = logging.getLogger(__name__)

_ERRORS = 100
"""Reading errors in a row after which a file is given up."""
_HELD = 256
"""Packets of sound that may wait for the picture to say how the clock goes on."""


class AudioReader:
    """Packets of one stream of sound; its stamps count from the file's beginning.

    Files that were joined begin their clock anew in the middle, picture and sound alike. The
    pictures then follow one another at the usual distance, and the sound keeps its distance from
    them: each break of the pictures' clock is one of the sound's too.

    Args:
        container: the open file; closed by ``close``.
        stream: its sound.
        video: what the sound belongs to.
    """

    def __init__(
        self, container: InputContainer, stream: AudioStream, video: VideoStream | None
    ) -> None:
        self.stream = stream
        self._container, self._video = container, video
        self._zero = (container.start_time or 0) / av.time_base
        self._packets = self._on_one_clock()
        self._end = 0.0
        """End of the packet that was read last, in seconds."""

    def next(self) -> tuple[av.Packet[AudioStream], float] | None:
        """Return the next packet and its time in seconds; ``None`` at the end."""
        packet = next(self._packets, None)
        if packet is None:
            return None
        begin, base = self._end, packet.time_base
        if packet.pts is not None and base is not None:
            begin = float(packet.pts * base)
        self._end = begin + float((packet.duration or 0) * (base or 0))
        return packet, begin

    def seek(self, seconds: float) -> None:
        """Let the next packet be one shortly before a time.

        Raises:
            av.error.FFmpegError, OverflowError: the file cannot be gone about in.
        """
        base = self.stream.time_base
        begin = max(0.0, seconds - 0.1)
        joined = self._video is not None and is_joined(self._container, self._video)
        if joined:  # a stamp may stand in several parts
            self._container.seek(0, unsupported_byte_offset=True)
        elif base is not None:
            self._container.seek(int((begin + self._zero) / base), stream=self.stream)
        self.stream.codec_context.flush_buffers()
        self._packets, self._end = self._on_one_clock(), 0.0 if joined else seconds
        if joined:
            self._packets = dropwhile(lambda p: _stamp(p) < begin, self._packets)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _demux(self) -> Iterator[av.Packet[Any]]:
        """Read on behind whatever cannot be read."""
        streams = [self.stream] if self._video is None else [self.stream, self._video]
        errors = 0
        while errors < _ERRORS:
            try:
                for packet in self._container.demux(*streams):
                    errors = 0
                    if packet.size:  # the last ones are empty
                        yield packet
                return
            except (av.error.FFmpegError, OSError) as error:
                _log.info("a part of the file cannot be read for its sound", exc_info=error)
                errors += 1

    def _on_one_clock(self) -> Iterator[av.Packet[AudioStream]]:
        """Move the stamps behind every break of the clock, which the pictures decide about."""
        seen, heard = _Clock(), _Clock()
        shifts = [-self._zero]
        part = 0
        held: deque[av.Packet[AudioStream]] = deque()
        for packet in self._demux():
            if packet.stream is self._video:
                if seen.breaks(packet):
                    shifts.append(shifts[-1] + seen.end - _stamp(packet))
                seen.follow(packet)
            else:
                held.append(packet)
            while held:
                if heard.breaks(held[0]) and self._video is not None:
                    if part + 1 == len(shifts) and len(held) < _HELD:
                        break  # the picture has not come that far
                    part = _nearest(shifts, part, heard.end, _stamp(held[0]))
                heard.follow(held[0])
                yield _moved(held.popleft(), shifts[part])
        for packet in held:
            if heard.breaks(packet):
                part = _nearest(shifts, part, heard.end, _stamp(packet))
            heard.follow(packet)
            yield _moved(packet, shifts[part])


class _Clock:
    """A stream's stamps as far as they were read."""

    def __init__(self) -> None:
        self.end = 0.0
        """End of the latest picture or of the last piece of sound, by the file's own clock."""
        self._last: float | None = None

    def breaks(self, packet: av.Packet[Any]) -> bool:
        """Return whether the clock begins anew with a packet."""
        if self._last is None or packet.dts is None:
            return False
        ahead = float(packet.dts * packet.time_base) - self._last
        return not -TimestampMapper.WAVER <= ahead <= TimestampMapper.LEAP

    def follow(self, packet: av.Packet[Any]) -> None:
        """Take note of a packet."""
        if packet.dts is None:
            return
        end = _stamp(packet) + float((packet.duration or 0) * packet.time_base)
        self.end = end if self.breaks(packet) else max(self.end, end)
        self._last = float(packet.dts * packet.time_base)


def _stamp(packet: av.Packet[Any]) -> float:
    """Return when a packet, which has a time of decoding, is shown or heard."""
    pts = packet.pts if packet.pts is not None else packet.dts
    return float(pts * packet.time_base) if pts is not None else 0.0


def _nearest(shifts: list[float], part: int, end: float, stamp: float) -> int:
    """Return the later part, if there is one, in which a piece of sound best follows the last."""
    expected = end + shifts[part]
    later = range(part + 1, len(shifts))
    return min(later, key=lambda n: abs(stamp + shifts[n] - expected), default=part)


def _moved(packet: av.Packet[AudioStream], shift: float) -> av.Packet[AudioStream]:
    """Return a packet with its stamps moved by seconds."""
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is not None and packet.time_base is not None:
        packet.pts = packet.dts = stamp + round(shift / packet.time_base)
    return packet
