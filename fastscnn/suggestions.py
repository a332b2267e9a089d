"""Suggestions: the name that somebody meant who wrote another, and parsers that make them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from fastscnn.paths import closed_folder

_MOST_FILES = 5000


def did_you_mean(text: str, names: Iterable[str]) -> str:
    """Return a question with the name that comes closest; empty where none comes close.

    Example:
        >>> did_you_mean("mmsge", ["tramac", "mmseg"])
        ' Did you mean mmseg?'
    """
    known = {name.lower(): name for name in names}
    close = get_close_matches(str(text).lower(), known, n=1, cutoff=0.7)
    return f" Did you mean {known[close[0]]}?" if close and known[close[0]] != text else ""


def did_you_mean_file(path: Path) -> str:
    """Return the same for a file or folder that is not there, with a name from its folder."""
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _MOST_FILES)]
    except OSError:
        return ""
    return did_you_mean(path.name, names)


def why_missing(path: Path, kind: str = "file") -> str:
    """Return in a sentence why a path that somebody named is not found, and what to do.

    Args:
        path: as it was named.
        kind: of what it should be, in a word; empty where it may be several.
    """
    if (closed := closed_folder(path)) is not None:
        return f"{path} may not be read: check the permissions of {closed}."
    if os.path.islink(path):
        return f"{path} is a link to {os.readlink(path)}, which is not there: check where it leads."
    name = f"{kind} {path}".lstrip()
    return f"There is no {name}: check the path.{did_you_mean_file(path)}"


class SuggestingParser(argparse.ArgumentParser):
    """Parser that says in one line what is wrong, and what comes close to what it does not know.

    The usage, which is a page for some, is what the help is for.
    """

    help_flag = "--help"
    """Flag that shows all arguments."""

    def error(self, message: str) -> NoReturn:
        sentence = message.removesuffix(".")
        self.exit(2, f"Error: {sentence} ({self.help_flag} shows all arguments).\n")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = self.parse_known_args(args, namespace)
        many = next((a for a in self._get_positional_actions() if a.nargs in {"*", "+"}), None)
        if unknown and many is not None and not any(word.startswith("-") for word in unknown):
            # Options stand between names: argparse takes those before alone.
            names = getattr(found, many.dest, ())
            setattr(found, many.dest, [*names, *self._values(many, unknown)])
        elif unknown:
            known = [flag for action in self._actions for flag in action.option_strings]
            meant = (did_you_mean(each.partition("=")[0], known) for each in unknown)
            close = next(filter(None, meant), "")
            self.error(f"unrecognized arguments: {' '.join(unknown)}{'.' if close else ''}{close}")
        return found

    def _values(self, action: argparse.Action, words: list[str]) -> list[Any]:
        try:
            return list(self._get_values(action, words))
        except argparse.ArgumentError as error:
            self.error(str(error))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            close = did_you_mean(str(value), map(str, action.choices or ()))
            error.message += f".{close}" if close else ""
            raise
