"""Recording sink: annotated frames, with sound and labels, into files that survive a kill."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from app.config.settings import RecordingOptions
from app.core.cancel_token import CancelToken
from app.core.events import Event, EventBus
from app.core.formatting import frames
from app.core.frame import EndOfSource, Frame, Result
from app.core.stats import Stats
from app.errors import AppError, OutputError
from app.sinks.queued_sink import QueuedSink
from app.sinks.recording.file_naming import check_output, labels_path, raw_path, take_names
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


class Recorder(QueuedSink):
    """Encodes results on a thread of its own; the file is made with the first.

    Stamps are those of the source, with its breaks closed (see ``TimestampMapper``). Rate and sound
    come from the session that the frames carry.

    Args:
        path: the file; the same as ``labels`` to record nothing but labels.
        stats: where frames and encoding times are counted.
        events: where its end is reported, and what the user should know meanwhile.
        options: encoder, sound, and whether the end of the source is its end.
        labels: file for the labels, a ``.mkv``.
        raw: file for the pictures as they came.
        overwrite: replace the file where it exists.
        source: what is recorded; its own file is never replaced.
        before: token of frames that were on their way before and are not recorded.
        rename: gives another name where ``path`` is taken when the file is made; what lies
            beside it goes with it.

    Raises:
        UsageError: a name does not end as that of a recording.
        OutputError: the file cannot be written.
    """

    _WAITING = 4, 30
    """Fewest and most frames that may wait: a live source goes on while the encoder starts."""
    _ROOM = 128e6
    """Bytes that they may take, as far as that allows for the fewest."""

    def __init__(
        self,
        path: Path,
        stats: Stats,
        events: EventBus,
        options: RecordingOptions | None = None,
        *,
        labels: Path | None = None,
        raw: Path | None = None,
        overwrite: bool = False,
        source: SourceSpec | None = None,
        before: CancelToken | None = None,
        rename: Callable[[], Path] | None = None,
    ) -> None:
        super().__init__("recorder", events, capacity=self._WAITING[0])
        for kind, file in (("labels", labels), ("raw", raw), ("picture", path)):
            if file is not None and (kind == "labels" or file != labels):
                named = overwrite or rename is not None
                check_output(file, overwrite=named, source=source, labels=kind == "labels")
        self.path, self.labels, self.raw, self._rename = path, labels, raw, rename
        self.frames = 0
        self._options, self._overwrite = options or RecordingOptions(), overwrite
        self._lead_in = source is None or source.start == 0
        self._stats, self._before = stats, before
        self._nbytes = 0
        self._mapper = TimestampMapper(self._options.begin)
        self._writer: RecordingWriter | None = None
        self._words = "starting…"
        self._begin = self._end = self._lost = self._session = 0
        self._shape: tuple[int, ...] | None = None

    def put(self, result: Result, *, wait: bool) -> bool:
        if result.frame.token is self._before:
            return False
        return super().put(result, wait=wait)

    def end_of_source(self, end: EndOfSource) -> None:
        if self._options.on_switch == "close":
            self.finish()

    def info(self) -> RecordingInfo:
        """Return the recording as it stands."""
        seconds = float((self._end - self._begin) * TIME_BASE)
        return RecordingInfo(self.path, self.frames, seconds, self._words, self._lost)

    def _offered(self, result: Result) -> None:
        self._stats.count("offered")
        if result.frame.image.nbytes != self._nbytes:
            self._nbytes = result.frame.image.nbytes
            fewest, most = self._WAITING
            # A result holds the frame, at least one side as large, and the labels.
            self._queue.resize(max(fewest, min(most, int(self._ROOM / (2.4 * self._nbytes)))))

    def _refused(self, *, failed: bool, full: bool) -> None:
        self._lost += full and not failed
        self._stats.not_recorded("failed" if failed else "encoder" if full else "stopped")

    def _report(self) -> None:
        if not self.frames:
            self._events.notice("Nothing was recorded: no frame came in that time.")
            return
        info = self.info()
        lost = f", {info.lost} left out that the encoder had no time for" if info.lost else ""
        both = f", labels: {self.labels}" if self.labels not in {None, self.path} else ""
        both += f", raw: {self.raw}" if self.raw is not None else ""
        text = f"Saved {frames(info.frames)} as {info.encoder}{lost}: {info.path}{both}"
        self._events.put(Event("recorded", text, path=self.path))

    def _open(self, first: Result) -> None:
        self._session = first.frame.segment[0]
        with self._stats.at_work("recorder"):
            taken = self._take_names()
            try:
                self._writer = open_tape(
                    None if self.path == self.labels else self.path,
                    self.labels,
                    self.raw,
                    first,
                    Fraction(max(1.0, _rate_of(first))).limit_denominator(1001),
                    choice=self._options.encoder,
                    heard=self._sound_of(first.frame),
                    say=self._events.notice,
                )
            except BaseException:
                for file in taken:
                    file.unlink(missing_ok=True)
                raise
        self._words = self._writer.words

    def _take_names(self) -> list[Path]:
        """Make the files that replace none; a name that is taken by now may give way to another."""
        while True:
            beside = self.labels == labels_path(self.path)
            renames = self._rename is not None
            named = {self.path: renames, self.raw: renames, self.labels: renames and beside}
            files = [file for file, ours in named.items() if file and (ours or not self._overwrite)]
            try:
                take_names(*files)
            except FileExistsError as error:
                if self._rename is None or not named.get(Path(str(error.filename))):
                    raise
                self.path = self._rename()
                self.labels = labels_path(self.path) if beside else self.labels
                self.raw = raw_path(self.path) if self.raw is not None else None
            else:
                return files

    def _write(self, result: Result) -> None:
        assert self._writer is not None
        started = time.monotonic()
        picture = result.picture  # put together here, not on the worker's thread
        if picture.shape != (self._shape or picture.shape) and self._writer.size is not None:
            self._events.notice(
                f"The pictures are {picture.shape[1]}×{picture.shape[0]} now: they are fitted"
                f" into the recording's {self._writer.size[0]}×{self._writer.size[1]}."
            )
        self._shape = picture.shape
        frame = result.frame
        if frame.segment[0] != self._session:
            self._session = frame.segment[0]
            if self._writer.end_sound():
                self._events.notice(
                    "The recording goes on silently: its sound is the first source's."
                )
        with self._stats.at_work("recorder"):
            place = self._mapper.place(
                frame.segment,
                frame.time,
                length=_length_of(result),
                lead_in=self._leads_in(frame),
            )
            if not self.frames:
                self._begin = place.ticks
            self._writer.write(result, picture, place)
            self._end = place.ticks + round(place.length / TIME_BASE)
        self._stats.spent({"encode": time.monotonic() - started})
        self._stats.count("recorded")
        self.frames += 1

    def _close(self) -> None:
        if self._writer is not None:
            with self._stats.at_work("recorder"):
                self._writer.close()

    def _abandon(self) -> None:
        try:
            if self._writer is not None:
                self._writer.close()
        except (av.error.FFmpegError, OSError) as error:
            _log.info("closing %s after a failure", self.path, exc_info=error)

    def _sound_of(self, first: Frame) -> tuple[Path | str, float] | None:
        """Return the file whose sound belongs to the frames, and the time at which it begins."""
        session = first.session
        if session is None or not self._options.audio:
            return None
        begin = self._mapper.origin(first.time, lead_in=self._leads_in(first))
        if session.spec.kind == "file":
            return Path(session.spec.value), begin
        is_file = session.spec.kind == "stream" and session.source.seekable
        return (session.spec.value, begin) if is_file else None

    def _leads_in(self, frame: Frame) -> bool:
        return self._lead_in and frame.index == 0

    def _in_words(self, error: Exception) -> AppError:
        _log.info("the recording failed", exc_info=error)
        if isinstance(error, FileExistsError):
            taken = error.filename or self.path
            text = f"{taken} exists by now: give another name, or --overwrite to replace it."
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


def _rate_of(result: Result) -> float:
    """Return the source's frames per second as far as they are believed: stamps decide."""
    session = result.frame.session
    stated = session.source.rate if session is not None else None
    return stated if stated and 0 < stated <= 240 else 30.0


def _length_of(result: Result) -> float:
    """Return for how many seconds a frame is shown where nothing follows it."""
    return result.frame.duration or 1 / _rate_of(result)
