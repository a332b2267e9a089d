"""Parsers of option values: text to value, or a sentence."""

from __future__ import annotations

import string

from app.errors import UsageError

PATTERN = "{source}-{date}-{time}.mp4"
"""How recordings are called unless the user says otherwise."""


_FIELDS = frozenset({"source", "date", "time"})


_SUFFIXES = (".mp4", ".m4v", ".mov")


def check_pattern(pattern: str) -> str:
    """The pattern, if recordings can be named by it.

    Raises:
        UsageError: they cannot.
    """
    try:
        parts = string.Formatter().parse(pattern)
        fields = {field or "" for _, field, spec, _ in parts if spec is not None}
        if fields <= _FIELDS:
            pattern.format(**dict.fromkeys(_FIELDS, ""))
    except ValueError as error:
        raise UsageError(f"{pattern} is no pattern for names: {error}.") from error
    if unknown := fields - _FIELDS:
        known = ", ".join(f"{{{field}}}" for field in sorted(_FIELDS))
        raise UsageError(f"{{{min(unknown)}}} means nothing in a name: there are {known}.")
    if "/" in pattern or "\\" in pattern:
        raise UsageError(f"{pattern} names a folder: give that by --record-dir.")
    if not pattern.lower().endswith(_SUFFIXES):
        raise UsageError(f"{pattern} cannot be recorded: the name must end in .mp4.")
    return pattern
