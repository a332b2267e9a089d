"""The file that a muxer writes into: it stays readable when the disk fails or the process dies."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable
from io import FileIO
from pathlib import Path

LOOK = 1.0
"""Seconds between two looks whether a file is still in its place."""

Skipped = Callable[[int], bytes]
"""The header of an element of so many bytes, its own included, that readers pass over."""


def mp4_skipped(length: int) -> bytes:
    """An MP4 box that means nothing."""
    return struct.pack(">I4s", min(length, 2**32 - 1), b"free")


def matroska_skipped(length: int) -> bytes:
    """A Matroska element that means nothing."""
    return b"\xec\x01" + max(0, length - 9).to_bytes(7, "big")


class CrashSafeFile:
    """A file that keeps what was whole when writing ends anywhere.

    FFmpeg's muxer would go on after a failed write and, when it closes, turn what is on the disk
    into the head of an index that was never written. Here the first failed write ends all writing,
    and the file is cut back to its last ``mark``.

    A kill may come in the middle of a fragment, whose missing pictures would be errors to who
    reads the file. What is appended between two marks therefore reaches the disk as an element that
    means nothing, and is given its own beginning last.

    Args:
        path: the file.
        skipped: such an element, in the file's format.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path, *, skipped: Skipped) -> None:
        self._path, self._skipped = path, skipped
        self._file = FileIO(path, "w")
        self._whole = 0
        self._place = 0
        self._end = 0
        """End of the file, without what still waits."""
        self._waiting = bytearray()
        self.error: OSError | None = None
        """Why writing ended, if it did."""

    def write(self, data: bytes) -> int:
        """Write all of the data, or after a failure pretend to; at the end of the file it waits."""
        if self._place == self._end + len(self._waiting):
            self._waiting += data
        else:
            self._settle()
            self._put(self._place, data)
        self._place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place in the file."""
        self._settle()
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """The place in the file."""
        return self._place

    def mark(self) -> None:
        """Mark all that is written up to here as whole.

        Raises:
            OSError: writing has failed, or the file is not where it was.
        """
        self._settle()
        if self.error is not None:
            raise self.error
        self._whole = self._end

    def _settle(self) -> None:
        """Append what waits, its beginning last."""
        data, place = bytes(self._waiting), self._end
        self._waiting.clear()
        skipped = self._skipped(len(data))
        begin = len(skipped)
        if len(data) > begin:
            self._put(place, skipped + data[begin:])
        self._put(place, data[:begin])

    def _put(self, place: int, data: bytes) -> None:
        if self.error is not None:
            return
        rest = memoryview(data)
        try:
            self._file.seek(place)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self.error = error
        self._end = max(self._end, self._file.tell())

    def check_place(self) -> None:
        """Find out whether the file is still to be found by its name.

        Raises:
            FileNotFoundError: it was moved or deleted.
        """
        there = self._path.stat()
        if os.name != "nt" and not os.path.samestat(there, os.fstat(self._file.fileno())):
            raise FileNotFoundError(2, "another file has taken its name", str(self._path))

    def close(self) -> None:
        """Close the file; after a failure, cut back to what was whole, or gone if nothing was."""
        self._settle()
        with contextlib.suppress(OSError):
            if self.error is not None:
                self._file.truncate(self._whole)
                if not self._whole and not self._path.is_symlink():
                    self.check_place()
                    self._path.unlink()
        with contextlib.suppress(OSError):
            self._file.close()
