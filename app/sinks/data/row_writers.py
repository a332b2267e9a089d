"""Row writers: JSON Lines, CSV and Parquet. A new kind is a class and a line in ``ROW_WRITERS``."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

from app.core.events import EventBus
from app.core.frame import Result
from app.sinks.data.frame_row import RowMaker, Value, as_text
from app.sinks.data.line_file import as_line
from app.sinks.data.writer_sink import Writer, Writers, WriterSink
from fastscnn.labels import ClassTable
from fastscnn.provenance import as_comment


class JsonLinesWriter(Writer):
    """One JSON object a line."""

    tabular = False

    def __init__(self, path: Path, maker: RowMaker, *, overwrite: bool) -> None:
        super().__init__(path, overwrite=overwrite)
        self.maker = maker

    def write(self, result: Result) -> None:
        self.lines.write(as_line(self.maker.row(result).as_json()))


class CsvWriter(JsonLinesWriter):
    """Comma-separated values under a header; what there is none of is empty."""

    tabular = True
    _begun = False

    def write(self, result: Result) -> None:
        columns = self.maker.row(result).columns()
        text = io.StringIO(newline="")
        table = csv.writer(text, lineterminator="\n")
        if not self._begun:
            table.writerow(columns)
        self._begun = True
        table.writerow(map(_cell, columns.values()))
        self.lines.write(text.getvalue().encode())


class ParquetWriter(JsonLinesWriter):
    """Apache Parquet, which can be read only once its end is written."""

    needs = ("pyarrow",)
    whole = tabular = True

    def __init__(self, path: Path, maker: RowMaker, *, overwrite: bool) -> None:
        super().__init__(path, maker, overwrite=overwrite)
        self._first: dict[str, Value] = {}

    def write(self, result: Result) -> None:
        row = self.maker.row(result)
        self._first = self._first or row.columns()
        self.lines.write(as_line(row.as_json()))

    def convert(self, rows: Path, draft: Path) -> None:
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
        # What a network has none of, skip connection or confidence, others may have.
        none = {"skip": pa.bool_(), "confidence": pa.float64()}
        schema = pa.schema(
            ((name, none.get(name) or kinds[type(v)]) for name, v in self._first.items()),
            metadata={"provenance": as_comment(self.provenance("data"))},
        )
        options = arrow_json.ParseOptions(explicit_schema=schema)
        # Opened here: a path need not be Unicode.
        with (
            rows.open("rb") as lines,
            draft.open("wb") as file,
            parquet.ParquetWriter(file, schema) as out,
        ):
            for batch in arrow_json.open_json(lines, parse_options=options):
                out.write_batch(batch)


_KINDS: dict[str, type[JsonLinesWriter]] = {
    ".jsonl": JsonLinesWriter,
    ".csv": CsvWriter,
    ".parquet": ParquetWriter,
}
ROW_WRITERS: Writers = _KINDS


class DataSink(WriterSink):
    """File with a row per frame; a table has the classes' names in its header."""

    shared = True

    def __init__(self, path: Path, events: EventBus, *, overwrite: bool = False) -> None:
        super().__init__(path, events, "data", overwrite=overwrite)
        self._maker = RowMaker()

    def _make(self, path: Path, classes: ClassTable) -> Writer:
        return _KINDS[path.suffix.lower()](path, self._maker, overwrite=self._overwrite)


def _cell(value: Value) -> str | int | float | None:
    """Return a value as CSV has it: truth in the words of JSON, which tables read too."""
    text = as_text(value)
    return str(text).lower() if isinstance(text, bool) else text
