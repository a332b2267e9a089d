"""Splits by drive: frames of one drive resemble each other, so they belong on one side."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastscnn.data.pair_dataset import DataError, Pair
from fastscnn.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class Split:
    """Split of a data set: the drives whose frames are meant.

    Attributes:
        drives: these alone; empty stands for all.
        without: all but these.
        fold: (k, n): of n equal parts of all drives the k-th, counted from 0; ``None`` for all.
        inverse: all parts but the k-th.
    """

    drives: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    fold: tuple[int, int] | None = None
    inverse: bool = False

    def holds(self, drive: str) -> bool:
        """Return whether a drive's frames belong to the split."""
        if (self.drives and drive not in self.drives) or drive in self.without:
            return False
        return self.fold is None or (fold_of(drive, self.fold[1]) == self.fold[0]) != self.inverse

    def choose(self, pairs: list[Pair], where: Path) -> list[Pair]:
        """Return the pairs that belong to the split.

        Raises:
            DataError: a named drive is not there, or nothing is left.
        """
        there = {pair.drive for pair in pairs}
        strange = [drive for drive in (*self.drives, *self.without) if drive not in there]
        if strange:
            some = sorted(there)[:8]
            more = ", …" if len(there) > len(some) else ""
            raise DataError(
                f"{where} has no drive {strange[0]!r}, there are {', '.join(some)}{more}."
                f"{did_you_mean(strange[0], there)}"
            )
        chosen = [pair for pair in pairs if self.holds(pair.drive)]
        if not chosen:
            raise DataError(f"No drive of {where} is left: its {len(there)} are all excluded.")
        return chosen


EVERYTHING = Split()
OPTIONS = ("drives", "without", "fold")
"""Options that ``read_split`` understands."""


def fold_of(drive: str, parts: int) -> int:
    """Return which of so many equal parts a drive belongs to: the same everywhere.

    Example:
        >>> fold_of("0016E5", 10)
        2
    """
    return int(hashlib.sha256(drive.encode("utf-8", "surrogateescape")).hexdigest(), 16) % parts


def read_split(options: Mapping[str, str]) -> Split:
    """Read a split from options ``drives=A,B``, ``without=A,B``, ``fold=K/N`` or ``!K/N``.

    Raises:
        DataError: the fold is malformed.
    """
    fold = None
    text = options.get("fold")
    if text is not None:
        parts = re.fullmatch(r"!?(\d{1,4})/(\d{1,4})", text)
        if parts is None or not int(parts[1]) < int(parts[2]) >= 2:
            raise DataError(
                f"fold={text} is no fold: use K/N for the K-th of N parts of all drives, counted"
                " from 0, or !K/N for all others."
            )
        fold = int(parts[1]), int(parts[2])
    drives, without = (
        tuple(filter(None, options.get(key, "").split(","))) for key in ("drives", "without")
    )
    return Split(drives, without, fold, inverse=bool(text and text.startswith("!")))
