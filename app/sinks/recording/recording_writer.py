"""All that one recording writes: the picture with its sound, the labels, or both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
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
from fastscnn.provenance import as_comment


class RecordingWriter:
    """The open files of a recording; used on one thread.

    Args:
        movie: the picture and its sound.
        labels: the labels.
        raw: the picture as it came.
    """

    def __init__(
        self,
        movie: VideoWriter | None,
        labels: LabelWriter | None,
        raw: VideoWriter | None = None,
    ) -> None:
        self._movie, self._labels, self._raw = movie, labels, raw

    @property
    def words(self) -> str:
        """Description of encoder and sound."""
        kinds = [self._movie.words] if self._movie is not None else []
        kinds += ["labels (ffv1, CPU)"] * (self._labels is not None)
        return ", ".join(kinds + ["raw beside"] * (self._raw is not None))

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
        if self._raw is not None:
            self._raw.write(result.frame.image, place)

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
        for part in (self._movie, self._labels, self._raw):
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
    raw: Path | None,
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
        raw: for the picture as it came, silent.
        first: sets the sizes.
        rate: pictures per second.
        choice: which encoder the user asks for.
        heard: path or address of the file to take sound from, and the time in it at which the
            recording begins.
        say: told what the user should know.

    Raises:
        OutputError, OSError, av.error.FFmpegError: they cannot be made.
    """
    movie = track = unaltered = None
    with ExitStack() as made:  # what is made before another fails is closed
        if labels is not None:
            height, width = first.labels.shape
            track = LabelWriter(
                labels,
                size=(width, height),
                rate=rate,
                classes=first.classes,
                comment=as_comment(first.provenance("labels")),
            )
            made.callback(_close, track)
        if path is not None:
            sound = open_sound(*heard, say) if heard is not None else None
            encoder = choose(choice, _size_of(first.picture), say)
            said = as_comment(first.provenance(first.view.view))
            movie = VideoWriter(path, encoder=encoder, rate=rate, sound=sound, comment=said)
            made.callback(_close, movie)
        if raw is not None:
            encoder = choose(choice, _size_of(first.frame.image), lambda _: None)  # said above
            said = as_comment(replace(first, predictions=()).provenance("raw"))
            unaltered = VideoWriter(raw, encoder=encoder, rate=rate, comment=said)
        made.pop_all()
    return RecordingWriter(movie, track, unaltered)


def _size_of(picture: NDArray[np.uint8]) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _close(part: VideoWriter | LabelWriter) -> None:
    with suppress(av.error.FFmpegError, OSError):
        part.close()
