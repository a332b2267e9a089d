"""Joined files: several recordings in one, each of which begins the clock anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from av.format import Flags

from app.sources.decoding.packet_reader import PacketReader

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_LOOKS = 16
"""Places at which a file is looked into."""
_LARGEST = 4 << 30
"""Bytes above which a file is not read through for its length."""


def is_joined(container: InputContainer, stream: VideoStream) -> bool:
    """Return whether the clock goes back somewhere; broadcasts alone may have that.

    The container stands anywhere afterwards.
    """
    flags = Flags(container.format.flags)
    if Flags.ts_discont not in flags or Flags.no_timestamps in flags:
        return False
    latest: int | None = None
    for look in range(_LOOKS):
        try:
            container.seek(container.size * look // _LOOKS, unsupported_byte_offset=True)
            packet = next(container.demux(stream))
        except (av.error.FFmpegError, StopIteration):
            continue
        if packet.dts is None:
            continue
        if latest is not None and packet.dts < latest:
            return True
        latest = packet.dts
    return False


def joined_length(container: InputContainer, stream: VideoStream, start: float) -> float | None:
    """Return how many seconds a joined file lasts; ``None`` where that would take too long.

    Args:
        container: the open file.
        stream: the video in it.
        start: what its times count from, in seconds.
    """
    if container.size > _LARGEST:
        return None
    container.seek(0, unsupported_byte_offset=True)
    packets = PacketReader(container, stream)
    for _ in packets:
        pass
    return packets.shown * float(stream.time_base or 1) - start
