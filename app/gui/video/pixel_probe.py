"""Pixel inspector: class and probabilities of one pixel, in words; no Qt in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core.frame import Result
from fastscnn.labels import CITYSCAPES, UNKNOWN, ClassTable
from fastscnn.upsampling.pixel_probabilities import probabilities_at


@dataclass(frozen=True, slots=True)
class PixelInfo:
    """Pixel with its class and probabilities.

    Attributes:
        train_id: number of its class; ``None`` where it has none, or where no network ran.
        probability: probability of that class, 0–1; ``None`` where the network gives none.
        runner_up: the next likely class, where it is likely enough to be shown.
        column, row: position of the pixel.
        classes: the classes that are numbered so.
        listed: number of the class in the legend, which may be of another network.
        truth: name of the true class, where that is known and another.
    """

    train_id: int | None
    probability: float | None
    runner_up: tuple[int, float] | None
    column: int
    row: int
    classes: ClassTable = CITYSCAPES
    listed: int | None = None
    truth: str = ""

    @property
    def color(self) -> tuple[int, int, int] | None:
        """Colour of the class."""
        return self.classes.rows[self.train_id].color if self.train_id is not None else None

    @property
    def lines(self) -> tuple[str, str]:
        """Class with its probability, and pixel with the next best classes."""
        where = f"x {self.column}  y {self.row}"
        if self.truth:
            where = f"truth: {self.truth}  ·  {where}"
        if self.train_id is None:
            return "no class", where
        first = self.classes.names[self.train_id]
        if self.probability is not None:
            first += f"  {_percent(self.probability)}"
        if self.runner_up is None:
            return first, where
        other, share = self.runner_up
        return first, f"{where}  ·  {self.classes.names[other]} {_percent(share)}"


def probe_pixel(result: Result, side: int, column: int, row: int) -> PixelInfo:
    """Return class and probabilities of one pixel of a side; only that pixel is computed."""
    found = _seen(result, side, column, row)
    judgement, verdict = result.judgement, result.verdict_at(side)
    if judgement is not None and verdict is not None and verdict.wrong[row, column]:
        return replace(found, truth=judgement.classes.names[int(judgement.truth[row, column])])
    return found


def _seen(result: Result, side: int, column: int, row: int) -> PixelInfo:
    seen = result.prediction_at(side)
    if seen is None:
        return PixelInfo(None, 0.0, None, column, row)
    train_id = int(seen.labels[row, column])
    if train_id == UNKNOWN or train_id >= len(seen.classes):
        return PixelInfo(None, 0.0, None, column, row)
    listed, name = result.classes.names, seen.classes.names[train_id]
    place = listed.index(name) if name in listed else None
    if not seen.logits.size:
        return PixelInfo(train_id, None, None, column, row, seen.classes, place)
    size = (seen.labels.shape[0], seen.labels.shape[1])
    shares = probabilities_at(seen.logits, size, row, column, seen.aligned)
    others = shares.copy()
    others[train_id] = 0
    runner_up = int(others.argmax())
    notified = (runner_up, float(others[runner_up])) if others[runner_up] >= 0.05 else None
    return PixelInfo(
        train_id,
        float(shares[train_id]),
        notified,
        column,
        row,
        seen.classes,
        place,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 0.995 else "> 99 %"
