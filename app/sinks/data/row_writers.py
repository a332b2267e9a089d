"""Row writers: JSON Lines, CSV and Parquet. A new kind is a class and a line in ``WRITERS``."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from abc import ABC, abstractmethod
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Any, ClassVar

from app.sinks.data.frame_row import FrameRow, Value, as_text
from fastscnn.outputs import write_whole


class LineFile:
    """File of lines, each of which is on its way to the disk when it is written.

    A kill loses at most the line being written. Where the disk fails, the last line is whole.

    Args:
        path: the file, or a pipe.
        overwrite: whether a file there is replaced.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        pipe = path.exists() and not path.is_file()
        self._file = FileIO(path, "w" if overwrite or pipe else "x")
        self._whole = 0

    def write(self, line: bytes) -> None:
        """Write a line, its end included.

        Raises:
            OSError: it cannot be written, and nothing of it is in the file.
        """
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._whole)
            raise
        self._whole += len(line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class RowWriter(ABC):
    """Writer of the rows of one file.

    Args:
        path: the file.
        overwrite: whether a file there is replaced.

    Raises:
        OSError: it cannot be made.
    """

    tabular: ClassVar[bool]
    """True where all rows of a file must have the same columns."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self.path, self.overwrite = path, overwrite
        self.lines = LineFile(self.line_path(path), overwrite=overwrite)

    @classmethod
    def line_path(cls, path: Path) -> Path:
        """Return the file whose lines are written while the run goes on."""
        return path

    @abstractmethod
    def write(self, row: FrameRow) -> None:
        """Write a row."""

    def close(self) -> None:
        """Close the file in order."""
        self.lines.close()

    def abandon(self) -> None:
        """Close the file after an error; the rows in it stay."""
        self.lines.close()


class JsonLinesWriter(RowWriter):
    """One JSON object a line."""

    tabular = False

    def write(self, row: FrameRow) -> None:
        self.lines.write(as_line(row.as_json()))


class CsvWriter(RowWriter):
    """Comma-separated values under a header; what there is none of is empty."""

    tabular = True
    _begun = False

    def write(self, row: FrameRow) -> None:
        columns = row.columns()
        text = io.StringIO(newline="")
        table = csv.writer(text, lineterminator="\n")
        if not self._begun:
            table.writerow(columns)
        self._begun = True
        table.writerow(map(_cell, columns.values()))
        self.lines.write(text.getvalue().encode())


class ParquetWriter(RowWriter):
    """Apache Parquet, which can be read only once its end is written.

    Until then the rows lie as JSON lines in a file beside it, which a kill leaves behind.
    """

    tabular = True

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        if not overwrite and path.exists():
            raise FileExistsError(17, "it exists by now", str(path))
        super().__init__(path, overwrite=overwrite)
        self._first: dict[str, Value] = {}

    @classmethod
    def line_path(cls, path: Path) -> Path:
        return path.with_name(f"{path.name}.jsonl")

    def write(self, row: FrameRow) -> None:
        self._first = self._first or row.columns()
        self.lines.write(as_line(row.as_json()))

    def close(self) -> None:
        super().close()
        rows = self.line_path(self.path)
        write_whole(
            self.path, lambda draft: _convert(rows, draft, self._first), new=not self.overwrite
        )
        rows.unlink()


WRITERS: dict[str, type[RowWriter]] = {
    ".jsonl": JsonLinesWriter,
    ".csv": CsvWriter,
    ".parquet": ParquetWriter,
}
"""Writers by the ending of a file's name."""


def as_line(values: Any) -> bytes:
    """Return a value as one line of JSON in UTF-8."""
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def _cell(value: Value) -> str | int | float | None:
    """Return a value as CSV has it: truth in the words of JSON, which tables read too."""
    text = as_text(value)
    return str(text).lower() if isinstance(text, bool) else text


def _convert(rows: Path, table: Path, first: dict[str, Value]) -> None:
    """Turn JSON lines into Parquet, a group of rows at a time."""
    import pyarrow as pa
    from pyarrow import json as arrow_json
    from pyarrow import parquet

    kinds = {
        bool: pa.bool_(),
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        datetime: pa.timestamp("ms", "UTC"),
    }
    schema = pa.schema(
        # A network without confidence gives none of the numbers that others give.
        (name, kinds[type(value)] if value is not None else pa.float64())
        for name, value in first.items()
    )
    options = arrow_json.ParseOptions(explicit_schema=schema)
    # Opened here: a path need not be Unicode.
    with (
        rows.open("rb") as lines,
        table.open("wb") as file,
        parquet.ParquetWriter(file, schema) as out,
    ):
        for batch in arrow_json.open_json(lines, parse_options=options):
            out.write_batch(batch)
