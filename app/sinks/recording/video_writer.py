"""An MP4 that grows in fragments, so that any end leaves it readable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app.sinks.recording.audio_track import AudioTrack
from app.sinks.recording.crash_safe_file import mp4_skipped
from app.sinks.recording.encoders import Encoder, encodable, ordinary_scheduling
from app.sinks.recording.fragmented_muxer import FragmentedMuxer
from app.sinks.recording.timestamps import TIME_BASE, MappedTime

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream


MP4_OPTIONS = {
    # With delay_moov the index of the fragments knows when each track begins; without, all tracks
    # would begin at 0.
    "movflags": "hybrid_fragmented+frag_keyframe+delay_moov",
    # Pictures do not wait for sound that has ended before them: a kill would lose them.
    "max_interleave_delta": "1000000",
}
"""Options of the muxer."""


class VideoWriter:
    """A video file under way; used on one thread.

    While it grows, every group of pictures is a fragment that reaches the disk at once; closed in
    order it becomes an ordinary MP4. Colours are BT.709, converted and named in the file.

    Args:
        path: the file.
        encoder: makes the video, at its own size.
        rate: pictures per second: sets the distance of key frames.
        sound: is recorded with the pictures; closed at the end.
        comment: how they were made, for the file to carry.

    Raises:
        OSError, av.error.FFmpegError: the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoder: Encoder,
        rate: Fraction,
        sound: AudioTrack | None = None,
        comment: str = "",
    ) -> None:
        self.encoder = encoder
        self._sound = sound
        self._length = 0.0
        """Seconds for which the picture that came last is shown."""
        self._lengths: dict[int, int] = {}
        """The same in ticks, by the places of those that the encoder holds."""
        self._container = FragmentedMuxer(path, "mp4", mp4_skipped, MP4_OPTIONS)
        muxer = self._container.muxer
        muxer.metadata["comment"] = comment
        self._video = cast("VideoStream", muxer.add_stream(encoder.name, rate=rate))
        encoder.prepare(self._video.codec_context, rate)
        if sound is not None:
            sound.add_to(muxer)

    @property
    def words(self) -> str:
        """Description of the encoder, and of the sound's fate."""
        return self.encoder.words + (f", {self._sound.words}" if self._sound is not None else "")

    def write(self, picture: NDArray[np.uint8], place: MappedTime) -> None:
        """Add a picture.

        Args:
            picture: RGB uint8 H×W×3; of another size than the first, it is fitted in.
            place: where it stands, later than those before it.

        Raises:
            OSError, av.error.FFmpegError: it cannot be written.
        """
        self._container.look()
        frame = encodable(fit(picture, self.encoder.size), place.ticks)
        self._lengths[place.ticks] = round(place.length / TIME_BASE)
        opens = not self._video.codec_context.is_open  # as the first picture does
        with ordinary_scheduling() if opens else nullcontext():
            packets = self._video.encode(frame)
        self._container.mux(self._timed(packets))
        if self._sound is not None:
            self._mux_sound(self._sound.follow(place, self._length))
        self._length = place.length

    def end_sound(self) -> bool:
        """Let the pictures go on without the sound; whether there was any."""
        if self._sound is None or self._sound.over:
            return False
        self._mux_sound(self._sound.finish(self._length))
        return True

    def close(self) -> None:
        """Write what the encoder still holds and the index, and close the file.

        Raises:
            OSError, av.error.FFmpegError: not all could be written; the file is closed and
                readable up to there.
        """
        failure = self._container.close(self._flush)
        if self._sound is not None:
            self._sound.close()
        if failure is not None:
            raise failure

    def _mux_sound(self, packets: Iterator[av.Packet[AudioStream]]) -> None:
        try:
            self._container.mux(packets)
        except (av.error.FFmpegError, ValueError) as error:
            if self._sound is None or self._container.failed:
                raise
            self._sound.end(error)

    def _flush(self) -> None:
        self._container.mux(self._timed(self._video.encode(None)))
        self.end_sound()

    def _timed(self, packets: list[av.Packet[VideoStream]]) -> list[av.Packet[VideoStream]]:
        """Give packets the lengths of their pictures: of the last one none follows to tell it."""
        for packet in packets:
            packet.duration = self._lengths.pop(packet.pts or 0, packet.duration)
        return packets


def fit(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a picture to a size: by one repeated row or column, or scaled between black bars.

    Args:
        picture: RGB uint8 H×W×3.
        size: width and height.
    """
    height, width = picture.shape[:2]
    right, below = size[0] - width, size[1] - height
    if not right and not below:
        return picture
    if right in {0, 1} and below in {0, 1}:
        return np.asarray(
            cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
        )
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    out = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    out[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        picture, inner, interpolation=way
    )
    return out
