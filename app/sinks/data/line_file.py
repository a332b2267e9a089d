"""Line file: a file whose every line is on its way to the disk when it is written."""

from __future__ import annotations

import contextlib
import json
from io import FileIO
from pathlib import Path
from typing import Any


class LineFile:
    """File of lines.

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


def as_line(values: Any) -> bytes:
    """Return a value as one line of JSON in UTF-8."""
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def rows_beside(path: Path) -> Path:
    """Return the file of lines beside one that can only be written whole, at the end."""
    return path.with_name(f"{path.name}.jsonl")
