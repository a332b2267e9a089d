"""The encoder thread: annotated frames into an MP4 that survives a kill."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from app.config.settings import EncoderChoice
from app.core.channel import Channel, Closed
from app.core.formatting import frames
from app.core.frame import Result
from app.core.stats import Stats
from app.errors import AppError, OutputError
from app.sinks.recording.file_naming import check_output
from app.sinks.recording.recording_writer import RecordingWriter, open_tape
from app.sinks.recording.timestamps import TIME_BASE, TimestampMapper
from app.sources.source_spec import SourceSpec

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """A recording under way: its file, and what is in it so far.

    Attributes:
        path: the file.
        frames: written so far.
        seconds: how long the recording is.
        encoder: what makes it.
        lost: frames of a live source that the encoder had no room for.
    """

    path: Path
    frames: int
    seconds: float
    encoder: str
    lost: int = 0


class Recorder(threading.Thread):
    """Encodes results on a thread of its own; the file is made with the first.

    Stamps are those of the source, with its breaks closed (see ``TimestampMapper``).

    Args:
        path: the file; the same as ``labels`` to record nothing but labels.
        labels: file for the labels, a ``.mkv``.
        rate: asked for the source's pictures per second, which set the distance of key frames,
            the length of the last frame and the step across a break; stamps decide on all else.
        stats: where frames and encoding times are counted.
        closed: called at the end with the recorder, from its thread.
        say: told what the user should know meanwhile.
        choice: which encoder the user asks for.
        sound: asked, with the generation that opened the source, for the file to take sound from.
        overwrite: replace the file where it exists.
        source: what is recorded; its own file is never replaced.

    Raises:
        OutputError: the file cannot be written.
    """

    _WAITING = 4, 30
    """Fewest and most frames that may wait: a live source goes on while the encoder starts."""
    _ROOM = 128e6
    """Bytes that they may take, as far as that allows for the fewest."""

    def __init__(
        self,
        path: Path,
        *,
        rate: Callable[[], float | None],
        stats: Stats,
        closed: Callable[[Recorder], None],
        say: Callable[[str], None] = _log.info,
        choice: EncoderChoice | None = None,
        sound: Callable[[int], Path | None] = lambda opening: None,
        labels: Path | None = None,
        overwrite: bool = False,
        source: SourceSpec | None = None,
    ) -> None:
        super().__init__(name="recorder")
        for kind, file in (("labels", labels), ("picture", path)):
            if file is not None and (kind == "labels" or file != labels):
                check_output(file, overwrite=overwrite, source=source, labels=kind == "labels")
        self.path, self.labels = path, labels
        self.error: AppError | None = None
        self.frames = 0
        self._rate_of_source, self._sound_of = rate, sound
        self._lead_in = source is None or source.start == 0
        self._stats = stats
        self._on_closed, self._say = closed, say
        self._choice, self._overwrite = choice or EncoderChoice(), overwrite
        self._inbox: Channel[Result] = Channel(self._WAITING[0])
        self._nbytes = 0
        self._timeline = TimestampMapper()
        self._words = "starting…"
        self._begin = self._end = 0
        self._lost = 0
        self._finishing = False

    def put(self, result: Result, *, wait: bool) -> bool:
        """Hand over a result; ``False`` when it was not taken, which is counted by cause.

        With ``wait`` the caller is held back until the encoder has room.
        """
        self._stats.count("offered")
        if result.frame.image.nbytes != self._nbytes:
            self._nbytes = result.frame.image.nbytes
            fewest, most = self._WAITING
            # A result holds the frame, at least one side as large, and the labels.
            self._inbox.resize(max(fewest, min(most, int(self._ROOM / (2.4 * self._nbytes)))))
        taken = self._inbox.put(result) if wait else self._inbox.offer(result)
        if not taken:
            # Without room the channel is open; a closed one has ended in order or failed.
            if self.error is not None:
                self._stats.not_recorded("failed")
            elif self._finishing:
                self._stats.not_recorded("stopped")
            else:
                self._lost += 1
                self._stats.not_recorded("encoder")
        return taken

    def finish(self) -> None:
        """Close the file once what waits is written; does not block."""
        self._finishing = True
        self._inbox.close()

    def info(self) -> RecordingInfo:
        """The recording as it stands."""
        seconds = float((self._end - self._begin) * TIME_BASE)
        return RecordingInfo(self.path, self.frames, seconds, self._words, self._lost)

    def summary(self) -> str:
        """What to say of a finished recording."""
        info = self.info()
        lost = f", {info.lost} left out that the encoder had no time for" if info.lost else ""
        both = f", labels: {self.labels}" if self.labels not in {None, self.path} else ""
        return f"Saved {frames(info.frames)} as {info.encoder}{lost}: {info.path}{both}"

    def run(self) -> None:
        try:
            self._record()
        except Exception as error:  # nothing may end this thread silently
            self.error = self._in_words(error)
        finally:
            self._inbox.close()
            self._stats.not_recorded("failed", len(self._inbox.drain()))
            self._on_closed(self)

    def _record(self) -> None:
        try:
            result = self._take()
        except Closed:
            return  # nothing came: no empty file is left behind
        try:
            with self._stats.at_work("recorder"):
                tape = open_tape(
                    None if self.path == self.labels else self.path,
                    self.labels,
                    result,
                    Fraction(self._rate()).limit_denominator(1001),
                    choice=self._choice,
                    heard=self._sound_of(result.frame.segment[0]),
                    overwrite=self._overwrite,
                    say=self._say,
                )
        except Exception:
            self._stats.not_recorded("failed")
            raise
        self._words = tape.words
        try:
            self._write_all(tape, result)
        except Exception:
            self._close_after_failure(tape)
            raise
        with self._stats.at_work("recorder"):
            tape.close()

    def _write_all(self, tape: RecordingWriter, result: Result) -> None:
        shape, opening = None, result.frame.segment[0]
        while True:
            started = time.monotonic()
            picture = result.picture  # put together here, not on the worker's thread
            if picture.shape != (shape or picture.shape) and tape.size is not None:
                self._say(
                    f"The pictures are {picture.shape[1]}×{picture.shape[0]} now: they are fitted"
                    f" into the recording's {tape.size[0]}×{tape.size[1]}."
                )
            shape = picture.shape
            if result.frame.segment[0] != opening:
                opening = result.frame.segment[0]
                if tape.end_sound():
                    self._say("The recording goes on silently: its sound is the first source's.")
            try:
                with self._stats.at_work("recorder"):
                    self._write(tape, result, picture)
            except Exception:
                self._stats.not_recorded("failed")
                raise
            self._stats.spent({"encode": time.monotonic() - started})
            self._stats.count("recorded")
            self.frames += 1
            try:
                result = self._take()
            except Closed:
                return

    def _write(self, tape: RecordingWriter, result: Result, picture: NDArray[np.uint8]) -> None:
        frame = result.frame
        place = self._timeline.place(
            frame.segment,
            frame.time,
            step=1 / self._rate(),
            lead_in=self._lead_in and frame.index == 0,
        )
        if not self.frames:
            self._begin = place.ticks
        tape.write(result, picture, place)
        self._end = place.ticks

    def _close_after_failure(self, tape: RecordingWriter) -> None:
        try:
            tape.close()
        except (av.error.FFmpegError, OSError) as error:
            _log.info("closing %s after a failure", self.path, exc_info=error)

    def _take(self) -> Result:
        item = self._inbox.get()
        assert item is not None  # without a time-out there is an item or Closed
        return item

    def _rate(self) -> float:
        stated = self._rate_of_source()
        return stated if stated and 1 <= stated <= 240 else 30.0

    def _in_words(self, error: Exception) -> AppError:
        if isinstance(error, AppError):
            return error
        _log.info("the recording failed", exc_info=error)
        if isinstance(error, FileExistsError):
            text = f"{self.path} exists by now: give another name, or --overwrite to replace it."
        elif isinstance(error, FileNotFoundError):
            text = (
                f"The recording {self.path} was moved or deleted while it was written: record again"
                " to a folder that stays."
            )
        elif isinstance(error, (av.error.FFmpegError, OSError)):
            reason = error.strerror or str(error)
            full = error.errno in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
            advice = "make room" if full else "record elsewhere"
            text = (
                f"The recording {self.path} had to end at frame {self.frames} ({reason}): {advice}."
            )
        else:
            text = f"The recording {self.path} failed ({type(error).__name__}: {error})."
        words = OutputError(text)
        words.__cause__ = error
        return words
