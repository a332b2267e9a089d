"""Arguments that print something and end the program, as --version does."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence


class Prints(argparse.Action):
    """Prints what a function gives, and ends.

    Args:
        text: that function; what it needs is best imported in it, since it may take long to load.
    """

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        text: Callable[[], str],
        help: str | None = None,
    ) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)
        self._text = text

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        print(self._text())
        parser.exit()
