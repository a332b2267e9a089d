"""The window on the command line: keys, profiles, and what wins over settings that were kept."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def add_window_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the group of arguments that only the window has."""
    group = parser.add_argument_group("window")
    group.add_argument("--keys", type=Path, metavar="FILE", help="other keys, see docs/keys.md")
    group.add_argument(
        "--profile", metavar="NAME", help="keep settings under this name; each has its own"
    )
    group.add_argument(
        "--reset-settings", action="store_true", help="forget the settings that were kept"
    )


def given_arguments(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None, parsed: argparse.Namespace
) -> frozenset[str]:
    """Names of the arguments that the user gave, whatever their values.

    Args:
        parser: the parser.
        argv: what it parsed, ``None`` for the process's own arguments.
        parsed: what came of it.
    """
    unset = object()
    # The parser gives defaults only to what a namespace does not have yet.
    again = parser.parse_args(argv, argparse.Namespace(**dict.fromkeys(vars(parsed), unset)))
    return frozenset(name for name, value in vars(again).items() if value is not unset)
