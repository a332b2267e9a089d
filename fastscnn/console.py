"""Console of a command: standard streams that take all signs and may go away; its exit code."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from fastscnn.paths import closed_folder

_CONTROLS = re.compile(r"(?!\x1b\[[\d;]*m)[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters but tab, end of line and return, and but colours, as argparse writes them."""


def run_command(main: Callable[[], int]) -> NoReturn:
    """Run a command as a process of its own, which ends with its exit code."""
    secure_streams()
    try:
        code = main()
    except OSError as error:
        code = say_error(refusal(error), 2)
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def say_error(sentence: str, code: int) -> int:
    """Print an error as every command says it, and return the exit code that it ends with."""
    print(f"Error: {sentence}", file=sys.stderr)
    return code


def refusal(error: OSError) -> str:
    """Return in a sentence what was not foreseen of a file: a name too long for any, an odd place.

    What was foreseen is said where it happens, with what to do about it.
    """
    name = error.filename if isinstance(error.filename, str) else "A file"
    if isinstance(error, PermissionError):
        where = closed_folder(Path(name)) or name
        return f"{name} may not be used: check the permissions of {where}."
    return f"{name} cannot be used ({error.strerror or error}): give another name."


def secure_streams() -> None:
    """Let printing never fail, whatever standard output and standard error are.

    A sign that they cannot show, or that would steer a terminal, is replaced. What a reader that
    went away, a full disk or a stream that was closed from the start does not take is lost; the
    work and its exit code are not.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Takes the lowest number, which is this one: no file of ours may get it, since
            # libraries write their warnings there.
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        secured = _Shown(
            io.BufferedWriter(_Lasting(stream)),
            stream.encoding,
            errors="replace",
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, secured)


class _Shown(io.TextIOWrapper):
    """Text side of a stream: the name of a file cannot steer the terminal that shows it."""

    def write(self, text: str, /) -> int:
        super().write(_CONTROLS.sub("?", text))
        return len(text)


class _Lasting(io.RawIOBase):
    """Raw side of a stream, to which writing always succeeds."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream  # closed otherwise, once nobody has it
        self._raw = getattr(stream.buffer, "raw", stream.buffer)  # unbuffered, it is raw itself

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        return bool(self._raw.isatty())

    def write(self, data: Any, /) -> int | None:
        try:
            written: int | None = self._raw.write(data)
            return written
        except OSError:
            return len(data)
