"""All that one recording writes: the picture with its sound, the labels, or both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from app.config.settings import EncoderChoice
from app.core.frame import Result
from app.sinks.recording.audio_track import open_sound
from app.sinks.recording.encoders import choose
from app.sinks.recording.label_writer import LabelWriter
from app.sinks.recording.timestamps import MappedTime
from app.sinks.recording.video_writer import VideoWriter


class RecordingWriter:
    """The open files of a recording; used on one thread.

    Args:
        movie: the picture and its sound.
        labels: the labels.
    """

    def __init__(self, movie: VideoWriter | None, labels: LabelWriter | None) -> None:
        self._movie, self._labels = movie, labels

    @property
    def words(self) -> str:
        """Description of encoder and sound."""
        kinds = [self._movie.words] if self._movie is not None else []
        return ", ".join(kinds + ["labels (ffv1, CPU)"] * (self._labels is not None))

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) that pictures of another size are fitted into."""
        return self._movie.encoder.size if self._movie is not None else None

    def write(self, result: Result, picture: NDArray[np.uint8], place: MappedTime) -> None:
        """Add a result.

        Args:
            result: has the labels.
            picture: is shown, RGB uint8 H×W×3.
            place: where it stands, later than those before it.

        Raises:
            OSError, av.error.FFmpegError: it cannot be written.
        """
        if self._movie is not None:
            self._movie.write(picture, place)
        if self._labels is not None:
            self._labels.write(result.labels, place)

    def end_sound(self) -> bool:
        """Let the pictures go on without the sound; whether there was any."""
        return self._movie is not None and self._movie.end_sound()

    def close(self) -> None:
        """Close all files.

        Raises:
            OSError, av.error.FFmpegError: not all could be written; the files are closed and
                readable up to there.
        """
        failure: Exception | None = None
        for part in (self._movie, self._labels):
            try:
                if part is not None:
                    part.close()
            except (av.error.FFmpegError, OSError) as error:
                failure = failure or error
        if failure is not None:
            raise failure


def open_tape(
    path: Path | None,
    labels: Path | None,
    first: Result,
    rate: Fraction,
    *,
    choice: EncoderChoice,
    heard: tuple[Path | str, float] | None,
    say: Callable[[str], None],
) -> RecordingWriter:
    """Make the files of a recording.

    Args:
        path: for the picture.
        labels: for the labels.
        first: sets the sizes.
        rate: pictures per second.
        choice: which encoder the user asks for.
        heard: path or address of the file to take sound from, and the time in it at which the
            recording begins.
        say: told what the user should know.

    Raises:
        OutputError, OSError, av.error.FFmpegError: they cannot be made.
    """
    encoder = sound = track = None
    if path is not None:
        height, width = first.picture.shape[:2]
        encoder = choose(choice, (width, height), say)
        sound = open_sound(*heard, say) if heard is not None else None
    if labels is not None:
        height, width = first.labels.shape
        track = LabelWriter(labels, size=(width, height), rate=rate, classes=first.classes)
    if path is None or encoder is None:
        return RecordingWriter(None, track)
    try:
        movie = VideoWriter(path, encoder=encoder, rate=rate, sound=sound)
    except BaseException:
        if track is not None:
            with suppress(av.error.FFmpegError, OSError):
                track.close()
        raise
    return RecordingWriter(movie, track)
