"""The sound of a video file, for its recording."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from numpy.typing import NDArray

from app.sinks.recording.timestamps import TIME_BASE, MappedTime

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer

_log = logging.getLogger(__name__)

_MP4_TAKES = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac"})
"""Codecs that are copied as they are; everything else becomes AAC."""
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
_FRAME = 1024
"""Samples of an AAC frame."""


class AudioTrack:
    """Follows the pictures of a recording through the file that they come from.

    It reads the file by itself, on the recorder's thread. Where the source's time breaks, the sound
    breaks at the same place: what is heard belongs to what is seen. Reading errors end the sound,
    not the recording.

    Args:
        container: the open file; closed by ``close``.
        stream: its sound.
    """

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container, self._stream = container, stream
        self._zero = (container.start_time or 0) / av.time_base
        self._name = stream.codec_context.codec.canonical_name
        # Broadcast AAC has a header before every packet, where MP4 wants one for all: the muxer
        # refuses it.
        bare = self._name == "aac" and not stream.codec_context.extradata
        self._copied = self._name in _MP4_TAKES and not bare
        self._packets = self._demux()
        self._pending: av.Packet[AudioStream] | None = None
        self._out: AudioStream | None = None
        self._mixer: _Mixer | None = None
        self._from = self._offset = 0.0
        self._last: float | None = None
        self._written = -1.0
        self.over = False
        """True where nothing more comes."""

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
            self._out = container.add_stream_from_template(self._stream)
            return
        given = self._stream.codec_context
        rate = given.sample_rate if given.sample_rate in _AAC_RATES else 48000
        out = container.add_stream("aac", rate=rate)
        out.layout = "mono" if given.layout.nb_channels == 1 else "stereo"
        self._out, self._mixer = out, _Mixer(out)

    def follow(self, place: MappedTime, step: float) -> Iterator[av.Packet[AudioStream]]:
        """Write the sound up to a frame.

        Args:
            place: the picture's.
            step: seconds for which the picture before a break is shown.
        """
        if self._last is None:
            self._begin(place.time - float(place.ticks * TIME_BASE), place.offset)
        elif place.cut:
            yield from self._up_to(self._last + step)
            self._begin(place.time, place.offset)
        self._last = place.time
        yield from self._up_to(place.time)

    def finish(self, step: float) -> Iterator[av.Packet[AudioStream]]:
        """Write the sound of the last frame; nothing comes after it."""
        if self._last is not None:
            yield from self._up_to(self._last + step)
        if not self.over and self._mixer is not None:
            yield from self._mixer.flush()
        self.over = True

    def close(self) -> None:
        """Let go of the file."""
        self.over = True
        self._container.close()

    def _begin(self, time: float, offset: float) -> None:
        """Start a stretch at a time of the source."""
        self._from, self._offset = time, offset
        if self._mixer is not None:
            self._mixer.begin()
        if self.over or (self._last is None and time <= 1.0):
            return  # it stands at the beginning
        self._pending = None
        base = self._stream.time_base
        try:
            if base is not None:
                self._container.seek(
                    int(max(0.0, time + self._zero - 0.1) / base), stream=self._stream
                )
            self._stream.codec_context.flush_buffers()
            self._packets = self._demux()
        except (av.error.FFmpegError, OverflowError) as error:
            self._end(error)

    def _up_to(self, time: float) -> Iterator[av.Packet[AudioStream]]:
        while not self.over:
            try:
                packet = self._pending or next(self._packets, None)
            except (av.error.FFmpegError, OSError) as error:
                self._end(error)
                return
            if packet is None:
                return  # the sound is shorter than the pictures; a seek may lead back into it
            begin = self._time_of(packet)
            if begin >= time:
                self._pending = packet
                return
            self._pending = None
            yield from self._passed(packet, begin)

    def _passed(
        self, packet: av.Packet[AudioStream], begin: float
    ) -> Iterator[av.Packet[AudioStream]]:
        length = float((packet.duration or 0) * (packet.time_base or 0))
        if self._mixer is not None:
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                _log.info("a packet of sound cannot be decoded", exc_info=error)
                return
            for frame in frames:
                at = frame.time - self._zero if frame.time is not None else begin
                if at + frame.samples / max(1, frame.sample_rate) > self._from:
                    try:
                        yield from self._mixer.add(frame, at + self._offset)
                    except (av.error.FFmpegError, ValueError) as error:
                        _log.info("a piece of sound cannot be converted", exc_info=error)
            return
        # Of two packets that would be heard at once behind a break, the later one goes. A packet
        # that began before the break by less than half its length stays.
        start = begin + self._offset
        if begin + length / 2 < self._from or start < self._written - 1e-3:
            return
        self._written = start + length
        base = packet.time_base
        assert self._out is not None  # add_to comes first
        shift = round((self._offset - self._zero) / base)
        packet.pts = (packet.pts if packet.pts is not None else round(begin / base)) + shift
        packet.dts = packet.pts
        packet.stream = self._out
        yield packet

    def _demux(self) -> Iterator[av.Packet[AudioStream]]:
        for packet in self._container.demux(self._stream):
            if packet.size:  # the last one is empty
                yield packet

    def _time_of(self, packet: av.Packet[AudioStream]) -> float:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or packet.time_base is None:
            return self._written - self._offset if self._written >= 0 else self._from
        return float(stamp * packet.time_base) - self._zero

    def _end(self, error: BaseException) -> None:
        _log.info("the sound ends", exc_info=error)
        self.over = True


def open_sound(path: Path) -> AudioTrack | None:
    """The sound of a file; ``None`` where it has none that can be decoded."""
    try:
        container = av.open(f"file:{path.resolve()}")
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    stream = cast("AudioStream | None", container.streams.best("audio"))
    # Sound of an unknown kind has no context, which PyAV's own types do not know.
    known = stream is not None and getattr(stream, "codec_context", None) is not None
    if stream is None or not known or not stream.sample_rate:
        container.close()
        return None
    return AudioTrack(container, stream)


class _Mixer:
    """Lays pieces of sound on one unbroken AAC track: silence fills gaps, overlaps are cut."""

    _APART = 0.02
    """Seconds that a piece may lie beside the end of the one before it and still follows it."""

    def __init__(self, stream: AudioStream) -> None:
        self._stream = stream
        self._rate = stream.sample_rate
        self._channels = stream.layout.nb_channels
        self._resampler = self._new_resampler()
        self._buffer = np.zeros((self._channels, 0), np.float32)
        self._count = 0

    def begin(self) -> None:
        """A new stretch starts: nothing of the one before is mixed into it."""
        self._resampler = self._new_resampler()

    def add(self, frame: av.AudioFrame, at: float) -> Iterator[av.Packet[AudioStream]]:
        """Lay a piece at its time in the recording, in seconds."""
        frame.pts = None  # the resampler would fill gaps by itself
        try:
            resampled = self._resampler.resample(frame)
        except ValueError:  # damaged and broadcast sound changes its kind on the way
            self._resampler = self._new_resampler()
            resampled = self._resampler.resample(frame)
        pieces = [np.asarray(f.to_ndarray(), np.float32) for f in resampled]
        if not pieces:
            return
        samples = np.concatenate(pieces, axis=1)
        lies = round(at * self._rate)
        gap = lies - self._count - self._buffer.shape[1]
        if abs(gap) <= self._APART * self._rate:
            gap = 0
        while gap > 0:  # a second at a time: memory stays bounded
            silence = min(gap, self._rate)
            yield from self._append(np.zeros((self._channels, silence), np.float32))
            gap -= silence
        yield from self._append(samples[:, -gap:] if gap else samples)

    def flush(self) -> Iterator[av.Packet[AudioStream]]:
        """The rest."""
        if self._buffer.shape[1]:
            yield from self._encode(self._buffer)
        yield from self._stream.encode(None)

    def _append(self, samples: NDArray[np.float32]) -> Iterator[av.Packet[AudioStream]]:
        self._buffer = np.concatenate([self._buffer, samples], axis=1)
        while self._buffer.shape[1] >= _FRAME:
            piece, self._buffer = self._buffer[:, :_FRAME], self._buffer[:, _FRAME:]
            yield from self._encode(piece)

    def _encode(self, samples: NDArray[np.float32]) -> Iterator[av.Packet[AudioStream]]:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format="fltp", layout=self._stream.layout.name
        )
        frame.sample_rate = self._rate
        frame.pts, frame.time_base = self._count, Fraction(1, self._rate)
        self._count += samples.shape[1]
        yield from self._stream.encode(frame)

    def _new_resampler(self) -> av.AudioResampler:
        return av.AudioResampler(format="fltp", layout=self._stream.layout.name, rate=self._rate)
