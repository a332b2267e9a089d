"""Packet reader: packets of a file's video, on one clock, past whatever cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import av
from av.format import Flags

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_ERRORS = 100
"""Reading errors in a row after which a file is given up."""
_WAVER, _LEAP = 0.2, 600.0
"""Seconds by which stamps may go back, and on, without being taken for a clock that begins anew."""
_CONTIGUOUS = frozenset({"matroska", "flv"})
"""Formats in which one packet follows the other, with a few bytes between them."""
_BETWEEN = 512
"""Bytes between two packets that need no explanation."""
_FOLLOWING = 2
"""Packets that are still read of a part before it shows that another was joined to it."""


class PacketReader:
    """Packets of one video stream in the order of the file, each with data in it.

    Where the clock begins anew, as in files that were joined, the stamps go on behind what came
    before.

    Args:
        container: the open file, at any place.
        stream: of which packets are wanted.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container, self._stream = container, stream
        self._base = float(stream.time_base or 1)
        self.formats = frozenset(container.format.name.split(","))
        """Names of the format."""
        self._contiguous = bool(self.formats & _CONTIGUOUS)
        self.clocked = Flags.no_timestamps not in Flags(container.format.flags)
        """True where the format has stamps of its own: a raw stream has none."""
        self.seen = 0
        """Packets so far."""
        self.restarted = False
        """True where the clock has begun anew."""
        self.unread = 0
        """Bytes behind the packet that was read last, in formats that have few between packets."""
        self.broken_off = False
        """True where the packet that was read last, of any stream, is there in part only."""
        self.suspect = self.damaged = False
        """True where something may be, and is, missing before the latest packet or in it."""
        self._flagged = -1
        self.shown = 0
        """Stamp at which the last of the frames so far ends."""
        self.end = 0
        """The same by the table of lengths that a format may have."""
        self._place: int | None = None
        self._delay = 0
        self._shift = 0
        self._decoded: int | None = None

    def __iter__(self) -> Iterator[Packet[Any]]:
        errors = 0
        while errors < _ERRORS:
            try:
                for packet in self._container.demux():
                    errors = 0
                    if not packet.size:  # one stands for the end of every stream
                        continue
                    self._look_at(packet)
                    if packet.stream_index != self._stream.index:
                        continue
                    self._follow_clock(packet)
                    self._follow_flag(packet)
                    self.seen += 1
                    yield packet
                    self.suspect = self.damaged = False
                return
            except av.error.ExitError:
                self.damaged = self.broken_off = True  # a server has fallen silent
                return
            except av.error.FFmpegError:
                errors += 1
                self.damaged = True
        self.broken_off = True

    def _look_at(self, packet: Packet[Any]) -> None:
        """Note whether a packet is whole and follows the one before it."""
        self.broken_off = packet.is_corrupt
        place = packet.pos
        if self._contiguous and place is not None:
            if self._place is not None and place - self._place > _BETWEEN:
                self.suspect = True
            self._place = place + packet.size
            self.unread = max(0, self._container.size - self._place)

    def _follow_flag(self, packet: Packet[Any]) -> None:
        """Suspect what a format says to be incomplete, unless another part is joined there."""
        if packet.is_corrupt:
            self._flagged = _FOLLOWING
        elif self._flagged >= 0:
            self._flagged -= 1
            self.damaged |= self._flagged < 0
        self.suspect |= self._flagged >= 0

    def _follow_clock(self, packet: Packet[Any]) -> None:
        """Move a packet's stamps behind what came before where the clock begins anew."""
        if not self.clocked:
            return
        if packet.dts is not None and self._decoded is not None:
            ahead = (packet.dts - self._decoded) * self._base
            if not -_WAVER <= ahead <= _LEAP:
                first = packet.pts if packet.pts is not None else packet.dts
                self._shift = self.shown - first
                self.restarted = True
                self._flagged = -1
        self._decoded = packet.dts if packet.dts is not None else self._decoded
        if self._shift:
            packet.pts = packet.pts + self._shift if packet.pts is not None else None
            packet.dts = packet.dts + self._shift if packet.dts is not None else None
        shown = packet.pts if packet.pts is not None else packet.dts
        if shown is not None:
            self.shown = max(self.shown, shown + (packet.duration or 0))
        if packet.dts is not None and shown is not None and "mp4" in self.formats:
            # Lengths there are distances of decoding: the last one stored need not be shown last.
            self._delay = shown - packet.dts if packet.is_keyframe else self._delay
            self.end = max(self.end, packet.dts + (packet.duration or 0) + self._delay)
