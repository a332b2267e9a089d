"""Errors in the user's words.

Each error carries one sentence that says what is wrong and what to do; the cause is chained for the
log. The exit code is what a headless run ends with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import ClassVar

from fastscnn import outputs

INTERRUPTED = 130
"""Exit code of a run that was ended by Ctrl+C or a termination signal."""


class AppError(Exception):
    """An error of our own; its text is meant for the user."""

    exit_code: ClassVar[int] = 1


class UsageError(AppError):
    """The command line asks for what is not possible, a name with a wrong ending among that."""

    exit_code = 2


class SourceError(AppError):
    """A source cannot be opened or read."""

    exit_code = 3


class WeightsError(AppError):
    """The weights cannot be loaded."""

    exit_code = 4


class OutputError(AppError):
    """An output (recording, folder, report) cannot be written where it is to go."""

    exit_code = 5


def unforeseen(error: BaseException) -> str:
    """Return what is said of an error that nobody foresaw, without its full stop.

    Libraries may have a line to say of every part of a network: only the log has them all.
    """
    text = shorten(str(error), 200, placeholder=" …")
    return f"Something unforeseen went wrong ({type(error).__name__}: {text})"


@contextmanager
def outputs_of_app() -> Iterator[None]:
    """Turn the library's errors of outputs into the program's.

    Raises:
        OutputError: an output cannot be written.
    """
    try:
        yield
    except outputs.OutputError as error:
        raise OutputError(str(error)) from error
