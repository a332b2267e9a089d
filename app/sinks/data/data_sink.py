"""Data sink: a row of values per frame, in a file that other programs read."""

from __future__ import annotations

import logging
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from app.core.events import Event, EventBus
from app.core.formatting import frames
from app.core.frame import Result
from app.errors import AppError, OutputError, UsageError, outputs_of_app
from app.sinks.data.frame_row import RowMaker
from app.sinks.data.row_writers import WRITERS, ParquetWriter, RowWriter
from app.sinks.queued_sink import QueuedSink
from fastscnn import outputs
from fastscnn.suggestions import did_you_mean

_log = logging.getLogger(__name__)


class DataSink(QueuedSink):
    """File with one row per frame; its kind goes by the ending of its name.

    A table has the classes' names in its header: a network with others begins another file.

    Args:
        path: the file.
        events: where its end is reported.
        overwrite: whether files that are there are replaced.
    """

    def __init__(self, path: Path, events: EventBus, *, overwrite: bool = False) -> None:
        super().__init__("data", events)
        self.path, self._overwrite = path, overwrite
        self.rows = 0
        self.left_out = 0
        """Frames of a live source that there was no time for."""
        self._files = [path]
        self._maker = RowMaker()
        self._writer: RowWriter | None = None
        self._classes: tuple[str, ...] = ()

    def _open(self, first: Result) -> None:
        self._begin(first)

    def _begin(self, result: Result) -> None:
        path = self._files[-1]
        self._writer = WRITERS[path.suffix.lower()](path, overwrite=self._overwrite)
        self._classes = result.classes.names

    def _write(self, result: Result) -> None:
        assert self._writer is not None
        if result.classes.names != self._classes and self._writer.tabular:
            self._writer.close()
            self._files.append(self.path.with_stem(f"{self.path.stem}-{len(self._files) + 1}"))
            self._begin(result)
            self._events.notice(
                f"The network has other classes now: its rows go to {self._files[-1]}."
            )
        self._writer.write(self._maker.row(result))
        self.rows += 1

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _abandon(self) -> None:
        if self._writer is not None:
            self._writer.abandon()

    def _refused(self, *, failed: bool, full: bool) -> None:
        self.left_out += full and not failed

    def _report(self) -> None:
        if self.rows:
            left = f", {self.left_out} left out for want of time" if self.left_out else ""
            text = f"Saved data of {frames(self.rows)}{left}: {', '.join(map(str, self._files))}"
            self._events.put(Event("recorded", text))

    def _in_words(self, error: Exception) -> AppError:
        path = self._files[-1]
        kept = WRITERS[path.suffix.lower()].line_path(path)
        there = f", which are in {kept}" if kept != path and kept.exists() else ""
        ended = f"{path}: writing data had to end after {frames(self.rows)}{there}"
        if isinstance(error, FileExistsError):
            text = f"{error.filename} exists by now: name another file, or add --overwrite."
        elif isinstance(error, OSError):
            text = f"{ended} ({error.strerror or error}): make room, or name another file."
        else:
            _log.info("unexpected error", exc_info=error)
            text = f"{ended} ({type(error).__name__}: {error})."
        words = OutputError(text)
        words.__cause__ = error
        return words


def data_files(paths: Collection[Path]) -> list[Path]:
    """Return the files that data at some paths takes, those too that it takes for a while."""
    kinds = ((path, WRITERS.get(path.suffix.lower())) for path in paths)
    lines = [(path, kind.line_path(path)) for path, kind in kinds if kind is not None]
    return [*paths, *(file for path, file in lines if file != path)]


def check_data(path: Path, *, overwrite: bool) -> None:
    """Find out before any work whether data can go to a file.

    Raises:
        UsageError: its name says no kind of data, or a library for it is not there.
        OutputError: it cannot be written.
    """
    suffix = path.suffix.lower()
    writer = WRITERS.get(suffix)
    if writer is None:
        raise UsageError(
            f"--data {path} must end in {', '.join(WRITERS)}, which says what is written."
            f"{did_you_mean(suffix, WRITERS)}"
        )
    if writer is ParquetWriter and find_spec("pyarrow") is None:
        raise UsageError(
            "pyarrow, which writes Parquet, is not installed: pip install pyarrow, or name a .csv."
        )
    with outputs_of_app():
        outputs.check_file(path, overwrite)
    lines = writer.line_path(path)
    if lines != path and lines.exists() and not overwrite:
        raise OutputError(
            f"{lines} has the rows of a run that was cut off: give it another name, or add"
            " --overwrite to replace it."
        )
