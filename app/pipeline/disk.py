"""The file that a muxer writes into: it stays readable when the disk fails."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

LOOK = 1.0
"""Seconds between two looks whether a file is still in its place."""


class RecordingFile:
    """A file that keeps what was whole when writing fails.

    FFmpeg's muxer would go on after a failed write and, when it closes, turn what is on the disk
    into the head of an index that was never written. Here the first failed write ends all writing,
    and the file is cut back to its last ``mark``.

    Args:
        path: the file.
        overwrite: whether a file there is replaced; else it is an error, even where it appeared
            only just now.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self._path = path
        self._file = path.open("wb" if overwrite else "xb", buffering=0)
        self._whole = 0
        self._end = 0
        self.error: OSError | None = None
        """Why writing ended, if it did."""

    def write(self, data: bytes) -> int:
        """Write all of the data; after a failure, pretend to."""
        if self.error is None:
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError as error:
                self.error = error
            self._end = max(self._end, self._file.tell())
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the file."""
        return self._file.tell()

    def mark(self) -> None:
        """What is written up to here is whole.

        Raises:
            OSError: writing has failed before, or the file is not where it was.
        """
        if self.error is not None:
            raise self.error
        self._whole = self._end

    def check_place(self) -> None:
        """Find out whether the file is still to be found by its name.

        Raises:
            FileNotFoundError: it was moved or deleted.
        """
        there = self._path.stat()
        if os.name != "nt" and not os.path.samestat(there, os.fstat(self._file.fileno())):
            raise FileNotFoundError(2, "another file has taken its name", str(self._path))

    def close(self) -> None:
        """Close the file; after a failure, cut back to what was whole."""
        if self.error is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(self._whole)
        with contextlib.suppress(OSError):
            self._file.close()
