"""Mixer of pieces of sound into one unbroken AAC track."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

_FRAME = 1024
"""Samples of an AAC frame."""
_LOWEST, _HIGHEST = 1000, 1_000_000
"""Rates that sound can have; what damaged data state beyond them would fill the memory."""


class AudioMixer:
    """Lays pieces of sound on one unbroken AAC track: silence fills gaps, overlaps are cut."""

    _APART = 0.02
    """Seconds that a piece may lie beside the end of the one before it and still follows it."""

    def __init__(self, stream: AudioStream) -> None:
        self._stream = stream
        self._rate = stream.sample_rate
        self._channels = stream.layout.nb_channels
        self._resampler: av.AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None
        self._buffer = np.zeros((self._channels, 0), np.float32)
        self._count = 0

    def begin(self) -> None:
        """A new stretch starts: nothing of the one before is mixed into it."""
        self._resampler = None

    def add(self, frame: av.AudioFrame, at: float) -> Iterator[av.Packet[AudioStream]]:
        """Lay a piece at its time in the recording, in seconds."""
        if not _LOWEST <= frame.sample_rate <= _HIGHEST:
            return
        own = frame.format.name, frame.layout.name, frame.sample_rate
        if self._resampler is None or own != self._format:  # each piece has a format of its own
            if self._resampler is not None:
                yield from self._append(self._samples(self._resampler.resample(None)))
            self._format = own
            self._resampler = av.AudioResampler(
                format="fltp", layout=self._stream.layout.name, rate=self._rate
            )
        frame.pts = None  # the resampler would fill gaps by itself
        samples = self._samples(self._resampler.resample(frame))
        if not samples.shape[1]:
            return
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

    def _samples(self, pieces: Sequence[av.AudioFrame | None]) -> NDArray[np.float32]:
        """Return channels × samples; a resampler with nothing to do gives ``None`` at its end."""
        arrays = [np.asarray(p.to_ndarray(), np.float32) for p in pieces if p is not None]
        return np.concatenate([np.zeros((self._channels, 0), np.float32), *arrays], axis=1)
