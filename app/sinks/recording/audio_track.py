"""The sound of a video file, for its recording."""

from __future__ import annotations

import io
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import av

from app.sinks.recording.audio_mixer import AudioMixer
from app.sinks.recording.audio_reader import AudioReader
from app.sinks.recording.timestamps import TIME_BASE, MappedTime
from app.sources.urls import redact

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

    Sound: TypeAlias = av.Packet[AudioStream]

_log = logging.getLogger(__name__)

_MP4_TAKES = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac"})
"""Codecs that are copied where the muxer takes them; everything else becomes AAC."""
_SELF_DESCRIBING = frozenset({"mp3", "ac3", "eac3"})
"""Of them, those whose packets say themselves of which rate they are."""
_MAY_CHANGE = frozenset({"mpegts", "mpeg"})
"""Formats of broadcasts, whose sound may go over to another rate or layout on the way."""
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
_SILENCE = 5.0
"""Seconds after which an address that does not answer is given up."""
_TRIED = 4
"""Packets that are tried out on the muxer."""
_PROMPT = 0.1
"""Seconds behind the first picture by which copied sound has begun: an index that describes packets
cannot be written without one."""


class AudioTrack:
    """Follows the pictures of a recording through the file that they come from.

    It reads the file by itself, on the recorder's thread. Where the user goes elsewhere in the
    source, so does the sound: what is heard belongs to what is seen. What cannot be read, decoded
    or written of it is left out; it never ends the recording.

    Args:
        reader: the open file; closed by ``close``.
        at: time of the source, in seconds, at which the recording begins.
        copies: whether packets are copied as they are where MP4 takes them.
        say: told when the sound ends before the pictures do.
    """

    def __init__(
        self, reader: AudioReader, at: float, *, copies: bool, say: Callable[[str], None]
    ) -> None:
        self._reader, self._from, self._say = reader, at, say
        self._name = reader.stream.codec_context.codec.canonical_name
        self._rate = reader.stream.sample_rate
        self._pending: deque[tuple[Sound, float]] = deque()
        self._first: Sound | None = None
        self._out: AudioStream | None = None
        self._mixer: AudioMixer | None = None
        self._offset = 0.0
        self._last: float | None = None
        self._written = -1.0
        self.over = False
        """True where nothing more comes."""
        if at > 1.0:  # else it stands at the beginning
            self._seek(at)
        self._copied = copies and self._name in _MP4_TAKES and self._is_taken()

    @property
    def words(self) -> str:
        """Description for the user."""
        return f"sound copied ({self._name})" if self._copied else f"sound as AAC ({self._name})"

    def add_to(self, container: OutputContainer) -> None:
        """Make the track; all tracks must be there before anything is written.

        Raises:
            av.error.FFmpegError, ValueError: the file does not take it.
        """
        if self._copied:
            self._out = container.add_stream_from_template(self._reader.stream)
            return
        given = self._reader.stream.codec_context
        rate = given.sample_rate if given.sample_rate in _AAC_RATES else 48000
        out = container.add_stream("aac", rate=rate)
        out.layout = "mono" if given.layout.nb_channels == 1 else "stereo"
        self._out, self._mixer = out, AudioMixer(out)

    def follow(self, place: MappedTime, step: float) -> Iterator[Sound]:
        """Write the sound up to a frame.

        Args:
            place: the picture's.
            step: seconds for which the picture before a break is shown.
        """
        ticks = float(place.ticks * TIME_BASE)
        if self._last is None:
            self._offset = place.offset
        elif place.cut:
            yield from self._up_to(self._last + step)
            self._offset, self._from = place.offset, place.time
            if self._mixer is not None:
                self._mixer.begin()
            self._seek(place.time)
        # By the recording's clock, which goes on where that of the file begins anew.
        self._last = ticks - self._offset
        yield from self._up_to(self._last)

    def finish(self, step: float) -> Iterator[Sound]:
        """Write the sound of the last frame; nothing comes after it."""
        if self._last is not None:
            yield from self._up_to(self._last + step)
        if not self.over and self._mixer is not None:
            yield from self._mixer.flush()
        self.over = True

    def end(self, error: BaseException) -> None:
        """Let the pictures go on without the sound, and say so."""
        if not self.over:
            _log.info("the sound ends", exc_info=error)
            self.over = True
            self._say(
                f"The recording goes on silently: its sound ({self._name}) can no longer be"
                f" recorded ({getattr(error, 'strerror', None) or error})."
            )

    def close(self) -> None:
        """Close the file."""
        self.over = True
        self._reader.close()

    def _seek(self, time: float) -> None:
        self._pending.clear()
        if self.over:
            return
        try:
            self._reader.seek(time)
        except (av.error.FFmpegError, OverflowError) as error:
            self.end(error)

    def _is_taken(self) -> bool:
        """Return whether MP4 takes the packets from the beginning on as they are."""
        while len(self._pending) < _TRIED and (timed := self._reader.next()) is not None:
            if not self._is_before(*timed):
                self._pending.append(timed)
        if not self._pending:
            return False
        self._first = _copy(self._pending[0][0])
        late = self._pending[0][1] > self._from + _PROMPT
        if self._name in _SELF_DESCRIBING and late:
            return False
        return self._fits([packet for packet, _ in self._pending])

    def _fits(self, packets: Sequence[Sound]) -> bool:
        """Return whether MP4 takes packets as they are; tried out, not believed."""
        try:
            with av.open(io.BytesIO(), "w", format="mp4") as container:
                out = container.add_stream_from_template(self._reader.stream)
                for packet in packets:
                    tried = _copy(packet)
                    tried.stream = out
                    container.mux(tried)
        except (av.error.FFmpegError, ValueError, OSError) as error:
            _log.info("MP4 does not take %s as it is", self._name, exc_info=error)
            return False
        return True

    def _is_before(self, packet: Sound, begin: float) -> bool:
        """Return whether most of a packet is heard before the stretch begins."""
        return begin + _length(packet) / 2 < self._from

    def _up_to(self, time: float) -> Iterator[Sound]:
        while not self.over:
            timed = self._pending.popleft() if self._pending else self._reader.next()
            if timed is None:
                return  # the sound is shorter than the pictures; a seek may lead back into it
            if timed[1] >= time:
                self._pending.appendleft(timed)
                return
            yield from self._mixed(*timed) if self._mixer is not None else self._passed(*timed)

    def _mixed(self, packet: Sound, begin: float) -> Iterator[Sound]:
        assert self._mixer is not None
        for frame in _decoded(packet) or ():
            at = frame.time if frame.time is not None else begin
            if at + frame.samples / max(1, frame.sample_rate) > self._from:
                try:
                    yield from self._mixer.add(frame, at + self._offset)
                except (av.error.FFmpegError, ValueError) as error:
                    _log.info("a piece of sound cannot be converted", exc_info=error)

    def _passed(self, packet: Sound, begin: float) -> Iterator[Sound]:
        # Of two packets that would be heard at once behind a break, the later one goes.
        start = begin + self._offset
        if self._is_before(packet, begin) or start < self._written - 1e-3:
            return
        frames = _decoded(packet)
        if frames is None:
            return
        if self._name in _SELF_DESCRIBING:
            if frames and frames[0].sample_rate != self._rate:
                self.end(ValueError(f"it is of {frames[0].sample_rate} Hz from here on"))
            if self.over or self._first is None or not self._fits([self._first, packet]):
                return
        self._written = start + _length(packet)
        assert self._out is not None  # add_to comes first
        if packet.time_base is not None:
            packet.pts = packet.dts = round(start / packet.time_base)
        packet.stream = self._out
        yield packet


def open_sound(
    file: Path | str, at: float = 0.0, say: Callable[[str], None] = _log.info
) -> AudioTrack | None:
    """Open the sound of a file.

    Args:
        file: its path, or its address.
        at: time in seconds at which its recording begins.
        say: told why sound that is there is left out.

    Returns:
        ``None`` where it has none, or none that can be decoded.
    """
    name = file.name if isinstance(file, Path) else redact(file)
    try:
        if isinstance(file, Path):
            container = av.open(f"file:{file.resolve()}")
        else:
            container = av.open(file, timeout=_SILENCE)
    except (av.error.FFmpegError, OSError, ValueError):
        if not isinstance(file, Path):  # where the pictures come from, by another connection
            say(f"{name} does not open once more for its sound: it is recorded without.")
        return None
    stream = cast("AudioStream | None", container.streams.best("audio"))
    # Sound of an unknown kind has no context, which PyAV's own types do not know.
    known = stream is not None and getattr(stream, "codec_context", None) is not None
    if stream is None or not known or not stream.sample_rate:
        container.close()
        if stream is not None:
            say(f"The sound of {name} cannot be decoded here: it is recorded without.")
        return None
    reader = AudioReader(
        container, stream, cast("VideoStream | None", container.streams.best("video"))
    )
    changes = bool(_MAY_CHANGE & set(container.format.name.split(",")))
    return AudioTrack(reader, at, copies=not changes, say=say)


def _decoded(packet: Sound) -> Sequence[av.AudioFrame] | None:
    """Return what a packet gives at once; ``None`` where it is damaged."""
    try:
        return packet.decode()
    except (av.error.FFmpegError, ValueError) as error:
        _log.info("a packet of sound cannot be decoded", exc_info=error)
        return None


def _length(packet: Sound) -> float:
    return float((packet.duration or 0) * (packet.time_base or 0))


def _copy(packet: Sound) -> Sound:
    made = cast("Sound", av.Packet(bytes(packet)))
    made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
    made.time_base = packet.time_base
    return made
