"""Splitting of a drive: key frames at which a part of it may begin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.format import Flags

from app.batch.units import Part
from app.sinks.recording.timestamps import TimestampMapper
from app.sources.video_file import videos

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_FIRST = 32
"""Packets among which the first picture is found: they come in the order of decoding."""


def cuts(path: Path, length: float) -> tuple[Part, ...]:
    """Return the parts of a drive, each about so many seconds long; none where it stays whole.

    It stays whole where it is short, where its stamps do not tell where a frame is, and where it
    cannot be read, which is said where it is done.
    """
    try:
        with av.open(f"file:{path.resolve()}") as container:
            return _cuts(container, length)
    except (av.error.FFmpegError, OSError, ValueError):
        return ()


def _cuts(container: InputContainer, length: float) -> tuple[Part, ...]:
    kind, streams = Flags(container.format.flags), videos(container)
    unclear = Flags.no_timestamps in kind or Flags.ts_discont in kind
    if unclear or not streams or not container.duration:
        return ()
    # The one that is played.
    stream = max(streams, key=lambda s: (s.width or 0) * (s.height or 0))
    start, duration = (container.start_time or 0) / av.time_base, container.duration / av.time_base
    first = _first(container, stream, start)
    origin = TimestampMapper.origin(first, lead_in=True)
    places, wanted = [0.0], length
    while wanted < duration - length / 2:
        place = _key_frame(container, stream, wanted, start)
        if place is not None and place > places[-1] + length / 2:
            places.append(place)
        wanted += length
    if len(places) == 1:
        return ()
    ends = [*places[1:], None]
    return tuple(
        Part(number, begin, end, begin if number else first, origin)
        for number, (begin, end) in enumerate(zip(places, ends, strict=True))
    )


def _first(container: InputContainer, stream: VideoStream, start: float) -> float:
    """Return the time of the first frame."""
    stamps = []
    for packet in container.demux(stream):
        if packet.pts is not None:
            stamps.append(packet.pts)
        if len(stamps) == _FIRST:
            break
    return min(stamps, default=0) * float(stream.time_base or 1) - start


def _key_frame(
    container: InputContainer, stream: VideoStream, seconds: float, start: float
) -> float | None:
    """Return the time of a key frame at a time or before it, as its frame will have it."""
    base = stream.time_base
    if base is None:
        return None
    container.seek(int((seconds + start) / base), stream=stream)
    for packet in container.demux(stream):
        if packet.pts is not None:
            return packet.pts * float(base) - start if packet.is_keyframe else None
    return None
