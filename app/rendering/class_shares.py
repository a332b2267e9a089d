"""The classes' shares of the picture as a person can read them: calm, and in a calm order."""

from __future__ import annotations

from collections.abc import Sequence

from fastscnn.labels import NUM_CLASSES

_FOLLOW = 0.5
"""Part of a new share that is taken over at each look."""
_MARGIN = 1.25
_LEAST = 0.005
"""By how much a class must lead the one above it to change places: a factor and a share."""


class SteadyShares:
    """Shares that follow those of the pictures without flicker, and an order without jumps.

    Args:
        classes: how many classes there are.
    """

    def __init__(self, classes: int = NUM_CLASSES) -> None:
        self.values: tuple[float, ...] = (0.0,) * classes
        """By number of the class, 0–1."""
        self.order: tuple[int, ...] = tuple(range(classes))
        """Numbers of classes, the largest share first, but for differences too small to see."""
        self._known = False

    def forget(self) -> None:
        """Begin anew, with the next picture as it is."""
        self.values, self._known = (0.0,) * len(self.values), False

    def look(self, shares: Sequence[float]) -> None:
        """Take in the shares of a picture, by number of the class."""
        if self._known:
            pairs = zip(self.values, shares, strict=True)
            self.values = tuple(old + _FOLLOW * (new - old) for old, new in pairs)
            self._settle()
        else:
            self.values, self._known = tuple(shares), True
            self.sort()

    def sort(self) -> None:
        """Put the largest share first as it is now, small differences too."""
        self.order = tuple(sorted(range(len(self.values)), key=lambda i: (-self.values[i], i)))

    def _settle(self) -> None:
        """Let classes rise past those that they clearly lead."""
        order: list[int] = []
        for train_id in self.order:
            place, mine = len(order), self.values[train_id]
            while place and mine > self.values[order[place - 1]] * _MARGIN + _LEAST:
                place -= 1
            order.insert(place, train_id)
        self.order = tuple(order)
