"""Writer sink: what files of data have in common, whatever they hold of each frame."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.core.events import Event, EventBus
from app.core.formatting import frames
from app.core.frame import Result
from app.errors import AppError, OutputError, UsageError, outputs_of_app
from app.sinks.data.line_file import LineFile, rows_beside
from app.sinks.queued_sink import QueuedSink
from fastscnn import outputs
from fastscnn.labels import ClassTable
from fastscnn.provenance import NetworkUse, provenance
from fastscnn.suggestions import did_you_mean

_log = logging.getLogger(__name__)


class Writer(ABC):
    """Writer of one file of data, for one table of classes.

    Args:
        path: the file.
        overwrite: whether a file there is replaced.
        whole: whether it can only be written at the end: its lines lie beside it until then.

    Raises:
        OSError: it cannot be made.
    """

    needs: tuple[str, ...] = ()
    """Packages without which it cannot write."""
    whole = False
    """True where the file can only be written at the end, from lines that lie beside it."""
    tabular = True
    """True where all that is in a file must be of one network's classes."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self.path, self.overwrite = path, overwrite
        if self.whole and path.exists() and not overwrite:
            raise FileExistsError(17, "it exists by now", str(path))
        self.lines = LineFile(rows_beside(path) if self.whole else path, overwrite=overwrite)
        # In order, each once.
        self._sources: dict[str, None] = {}
        self._networks: dict[NetworkUse, None] = {}

    def take(self, result: Result) -> None:
        """Write what the file holds of a result."""
        if self.whole:
            self._sources[result.frame.source] = None
            self._networks[result.predictions[0].use] = None
        self.write(result)

    def provenance(self, content: str) -> dict[str, Any]:
        """Return how the file was made: its first source, and all ways that networks were used."""
        first, *others = self._sources
        source = f"{first} and {len(others)} more" if others else first
        return provenance(content, source, self._networks)

    @abstractmethod
    def write(self, result: Result) -> None:
        """Write what the file holds of a result."""

    def close(self) -> None:
        """Close the file in order."""
        self.lines.close()
        if self.whole:
            rows = rows_beside(self.path)
            outputs.write_whole(
                self.path, lambda draft: self.convert(rows, draft), new=not self.overwrite
            )
            rows.unlink()

    def convert(self, rows: Path, draft: Path) -> None:
        """Write the file from its lines."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Close the file after an error; the lines in it stay."""
        self.lines.close()


class WriterSink(QueuedSink):
    """File with something of every frame, by a writer.

    A network with other classes begins another file, but of a kind that takes any.

    Args:
        path: the file.
        events: where its end is reported.
        what: what it holds, in a word; the thread is called so too.
        overwrite: whether files that are there are replaced.
    """

    def __init__(self, path: Path, events: EventBus, what: str, *, overwrite: bool = False) -> None:
        super().__init__(what, events)
        self.path, self._overwrite = path, overwrite
        self.frames = 0
        self.left_out = 0
        """Frames of a live source that there was no time for."""
        self._files = [path]
        self._writer: Writer | None = None
        self._classes: tuple[str, ...] = ()

    @abstractmethod
    def _make(self, path: Path, classes: ClassTable) -> Writer:
        """Make a writer for a network's classes."""

    def _open(self, first: Result) -> None:
        self._begin(first)

    def _begin(self, result: Result) -> None:
        try:
            self._writer = self._make(self._files[-1], result.classes)
        except ValueError as error:
            raise UsageError(f"{self._files[-1]}: {error}") from error
        self._classes = result.classes.names

    def _write(self, result: Result) -> None:
        assert self._writer is not None
        if result.classes.names != self._classes and self._writer.tabular:
            self._writer.close()
            self._files.append(self.path.with_stem(f"{self.path.stem}-{len(self._files) + 1}"))
            self._begin(result)
            self._events.notice(
                f"The network has other classes now: its {self.name} goes to {self._files[-1]}."
            )
        self._writer.take(result)
        self.frames += 1

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _abandon(self) -> None:
        if self._writer is not None:
            self._writer.abandon()

    def _refused(self, *, failed: bool, full: bool) -> None:
        self.left_out += full and not failed

    def _report(self) -> None:
        if self.frames:
            left = f", {self.left_out} left out for want of time" if self.left_out else ""
            files = ", ".join(map(str, self._files))
            text = f"Saved {self.name} of {frames(self.frames)}{left}: {files}"
            self._events.put(Event("recorded", text))

    def _in_words(self, error: Exception) -> AppError:
        path = self._files[-1]
        kept = rows_beside(path)
        beside = self._writer is not None and self._writer.whole and kept.exists()
        there = f", which are in {kept}" if beside else ""
        ended = f"{path}: writing {self.name} had to end after {frames(self.frames)}{there}"
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


Writers = Mapping[str, type[Writer]]
"""Writers by the ending of a file's name."""


def files_of(paths: Collection[Path], writers: Writers) -> list[Path]:
    """Return the files that outputs at some paths take, those too that they take for a while."""
    beside = [path for path in paths if _is_whole(path, writers)]
    return [*paths, *map(rows_beside, beside)]


def _is_whole(path: Path, writers: Writers) -> bool:
    writer = writers.get(path.suffix.lower())
    return writer is not None and writer.whole


def check_output_file(flag: str, path: Path, writers: Writers, *, overwrite: bool) -> None:
    """Find out before any work whether data can go to a file.

    Raises:
        UsageError: its name says no kind of data, or a library for it is not there.
        OutputError: it cannot be written.
    """
    suffix = path.suffix.lower()
    writer = writers.get(suffix)
    if writer is None:
        raise UsageError(
            f"{flag} {path} must end in {', '.join(writers)}, which says what is written."
            f"{did_you_mean(suffix, writers)}"
        )
    if missing := [name for name in writer.needs if find_spec(name) is None]:
        raise UsageError(
            f"{flag} {path} needs {missing[0]}, which is not installed: pip install {missing[0]}."
        )
    with outputs_of_app():
        outputs.check_file(path, overwrite)
    rows = rows_beside(path)
    if writer.whole and rows.exists() and not overwrite:
        raise OutputError(
            f"{rows} has the rows of a run that was cut off: give it another name, or add"
            " --overwrite to replace it."
        )
