"""Dataset specifications of the command line: ``KIND:PATH?OPTION=VALUE&OPTION=VALUE``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from fastscnn.data.pair_dataset import DataError
from fastscnn.paths import expand_user
from fastscnn.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class DataSpec:
    """Specification of one data set as named on the command line.

    Attributes:
        text: as it was given.
        name: what stands before the question mark.
        kind: of that, what stands before the colon, such as ``folder``.
        path: what stands behind it.
        options: what stands behind the question mark.
    """

    text: str
    name: str
    kind: str
    path: str
    options: dict[str, str]

    def allow(self, *names: str) -> None:
        """Check that no option is given but these.

        Raises:
            DataError: another one is.
        """
        unknown = sorted(set(self.options) - set(names))
        if unknown:
            raise DataError(
                f"{self.text}: {unknown[0]!r} is no option, there are {', '.join(names)}."
                f"{did_you_mean(unknown[0], names)}"
            )


def read_spec(text: str) -> DataSpec:
    """Take a data set's name apart.

    Raises:
        DataError: an option has no value or is given twice.
    """
    # No parse_qsl: it reads the + of fine+coarse as a space.
    name, query = _split(text)
    kind, _, path = name.partition(":")
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        if not value or key in options:
            trouble = "is given twice" if value else "has no value"
            raise DataError(f"{text}: the option {key!r} {trouble}.")
        options[key] = unquote(value)
    return DataSpec(text, name, kind, path and str(expand_user(path)), options)


def tables_of(texts: Iterable[str]) -> list[Path]:
    """Return the tables of sets that data sets name, whether they are files or not.

    Raises:
        DataError: a name of a data set is malformed.
    """
    named = (read_spec(text).options.get("sets") for text in texts)
    return [expand_user(table) for table in named if table]


def _split(text: str) -> tuple[str, str]:
    """Part the name from the options; what is there as it is written is a name with its marks."""
    marks = [place for place, sign in enumerate(text) if sign == "?"]
    for place in [len(text), *reversed(marks)]:
        name = text[:place]
        paths = filter(None, (name, name.partition(":")[2]))
        if any(os.path.exists(expand_user(path)) for path in paths):
            return name, text[place + 1 :]
    return text.partition("?")[::2]
