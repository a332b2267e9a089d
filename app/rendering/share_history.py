"""History of a source: shares of its classes and confidence, by its own time."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.rendering.overlay import shares

_STEP = 0.1
"""Seconds of a source that one moment stands for."""
_MOST = 20_000
"""Moments that are kept; behind them each stands for twice as long."""
_APART = 2.0
"""Seconds between two moments of which the network is least sure."""
_SPARSE = 4
"""Every so many rows and columns of the network's grid tell the confidence: enough for a mean."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Shares and confidence at one time.

    Attributes:
        time: place in the source, seconds.
        shares: of the picture, by number of the class, 0–1.
        confidence: mean of the highest probability, 0–1; ``None`` where a network gives none.
        rough: whether it is a first look at what was not played yet.
    """

    time: float
    shares: tuple[float, ...]
    confidence: float | None
    rough: bool = False


def moment_of(
    time: float,
    labels: NDArray[np.uint8],
    logits: NDArray[np.floating[Any]],
    classes: int,
    *,
    rough: bool = False,
) -> Moment:
    """Return what a network saw at a time.

    Args:
        time: place in the source, seconds.
        labels: H×W uint8 numbers of classes.
        logits: classes×h×w; empty where a network gives labels alone.
        classes: how many classes there are.
        rough: see ``Moment``.
    """
    confidence = None
    if logits.size:
        some = logits[:, ::_SPARSE, ::_SPARSE].astype(np.float32)
        odds = np.exp(some - some.max(axis=0)).sum(axis=0)
        confidence = float((1 / odds).mean())
    return Moment(time, shares(labels, classes=classes), confidence, rough)


class ShareHistory:
    """Moments in the order of the source, whatever the order in which they were seen."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self._step = _STEP

    def forget(self) -> None:
        """Begin anew, with another source or other classes."""
        self.moments, self._step = [], _STEP

    def add(self, moment: Moment) -> None:
        """Put in a moment, in place of what was seen there before."""
        slot = int(moment.time / self._step)
        place = bisect.bisect_left(self.moments, slot, key=self._slot)
        if place < len(self.moments) and self._slot(self.moments[place]) == slot:
            if not moment.rough or self.moments[place].rough:
                self.moments[place] = moment
            return
        self.moments.insert(place, moment)
        if len(self.moments) > _MOST:
            self._step *= 2
            self.moments = list({self._slot(each): each for each in self.moments}.values())

    def gap_before(self, place: int) -> bool:
        """Return whether nothing was seen for a while before a moment."""
        if place == 0:
            return True
        before, here = self.moments[place - 1], self.moments[place]
        if before.rough or here.rough:  # of what lies between two looks, the two tell something
            return False
        return here.time - before.time > max(1.5, 3 * self._step)

    def largest(self, count: int) -> list[int]:
        """Return the numbers of the classes with the greatest shares on the whole."""
        if not self.moments:
            return []
        sums = [sum(column) for column in zip(*(each.shares for each in self.moments), strict=True)]
        found = sorted(range(len(sums)), key=lambda number: -sums[number])
        return [number for number in found[:count] if sums[number] > 0]

    def next_with(self, number: int, least: float, after: float) -> float | None:
        """Return the next time at which a class rises above a share; behind the last, the first."""
        seen = [number < len(each.shares) and each.shares[number] > least for each in self.moments]
        begins = [
            each.time
            for place, each in enumerate(self.moments)
            if seen[place] and (place == 0 or not seen[place - 1] or self.gap_before(place))
        ]
        return _behind(begins, after)

    def next_unsure(self, count: int, after: float) -> float | None:
        """Return the next of the least sure times, so many; behind the last, the first."""
        known = [each for each in self.moments if each.confidence is not None]
        found: list[float] = []
        for each in sorted(known, key=lambda each: each.confidence or 0.0):
            if len(found) == count:
                break
            if all(abs(each.time - other) >= _APART for other in found):
                found.append(each.time)
        return _behind(sorted(found), after)

    def _slot(self, moment: Moment) -> int:
        return int(moment.time / self._step)


def _behind(times: Sequence[float], after: float) -> float | None:
    later = [time for time in times if time > after + _STEP]
    return next(iter([*later, *times]), None)
