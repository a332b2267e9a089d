"""Names of the classes on their large regions: where they fit, and calm while the picture moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.labels import ClassTable

_ROWS = 72
"""Rows of the grid that regions are looked for on."""
_WIDER = 3
"""By how much a cell is wider than high: so is room for a word."""
_LEAST = 0.008
"""Share of the picture from which on a region is named."""
_TOLERANCE = 0.6
"""Part of share and room that a region needs which has its name already."""
_INMOST = 0.9
"""Part of the most inner point's room from which on a cell is as good as that."""
_CENTRAL = 0.7
"""Part of the most inner point's room with which a name stays where it is."""
_GLIDE = 0.2
"""Part of the way to its new place that a name goes with each frame."""
_MOST = 60
_FACE = cv2.FONT_HERSHEY_SIMPLEX
_INK, _GROUND = (255, 255, 255), (10, 12, 16)


@dataclass(slots=True)
class _Name:
    """A name in the picture: its class, where it is and where it goes, as shares of the size."""

    number: int
    x: float
    y: float
    goal: tuple[float, float]


class RegionNames:
    """Names on the regions of one side, from frame to frame."""

    def __init__(self) -> None:
        self._names: list[_Name] = []
        self._segment: tuple[int, int] | None = None
        self._index = -1

    def write(
        self,
        picture: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        classes: ClassTable,
        *,
        hidden: frozenset[int] = frozenset(),
        segment: tuple[int, int] = (0, 0),
        index: int = 0,
    ) -> None:
        """Write the names on a picture.

        Args:
            picture: RGB uint8 H×W×3, written to.
            labels: H×W uint8 numbers of the classes.
            classes: those of the network.
            hidden: numbers of classes that are not named.
            segment: of the frame: names do not glide from one to another.
            index: of the frame: one that is drawn again moves no name.
        """
        if segment != self._segment:
            self._names, self._segment = [], segment
        size = max(0.4, picture.shape[0] / 640)
        self._names = list(self._placed(labels, classes, hidden, size))[:_MOST]
        for name in self._names:
            if index != self._index:
                name.x += _GLIDE * (name.goal[0] - name.x)
                name.y += _GLIDE * (name.goal[1] - name.y)
            _write(picture, _text(classes, name.number), name.x, name.y, size)
        self._index = index

    def _placed(
        self, labels: NDArray[np.uint8], classes: ClassTable, hidden: frozenset[int], size: float
    ) -> Iterator[_Name]:
        height, width = labels.shape
        columns = max(1, round(_ROWS * width / height / _WIDER))
        grid = cv2.resize(labels, (columns, _ROWS), interpolation=cv2.INTER_NEAREST)
        for number in np.unique(grid):
            if number >= len(classes) or number in hidden:
                continue
            (wide, tall), _ = cv2.getTextSize(_text(classes, number), _FACE, size, 1)
            # In cells, half of the word in either direction, and a little air.
            need = max(0.8 * tall * _ROWS / height, 0.55 * wide * columns / width)
            mask = cv2.copyMakeBorder((grid == number).astype(np.uint8), 1, 1, 1, 1, 0)
            count, regions, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
            room = cv2.distanceTransform(mask, cv2.DIST_C, 3)
            for region in range(1, count):
                share = stats[region, cv2.CC_STAT_AREA] / grid.size
                if share < _TOLERANCE * _LEAST:
                    continue
                inside = regions == region
                most = float(room[inside].max())
                before = self._before(int(number), inside)
                ease = _TOLERANCE if before is not None else 1.0
                if share < ease * _LEAST or most < ease * need:
                    continue
                row, column = _middle_of((room >= _INMOST * most) & inside)
                goal = (column - 0.5) / columns, (row - 0.5) / _ROWS
                if before is None:
                    yield _Name(int(number), *goal, goal)
                    continue
                stays = room[_cell(*before.goal, inside.shape)] >= _CENTRAL * most
                yield _Name(int(number), before.x, before.y, before.goal if stays else goal)

    def _before(self, number: int, inside: NDArray[np.bool_]) -> _Name | None:
        """Return the name that a region had in the frame before."""
        for name in self._names:
            if name.number == number and inside[_cell(*name.goal, inside.shape)]:
                return name
        return None


def _middle_of(ridge: NDArray[np.bool_]) -> tuple[int, int]:
    """Return row and column of the cell of a ridge that is nearest to the middle of all."""
    rows, columns = np.nonzero(ridge)
    far = (rows - rows.mean()) ** 2 + (_WIDER * (columns - columns.mean())) ** 2
    nearest = int(far.argmin())
    return int(rows[nearest]), int(columns[nearest])


def _cell(x: float, y: float, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return row and column of a place on the grid with its border."""
    rows, columns = shape[0] - 2, shape[1] - 2
    return 1 + min(rows - 1, int(y * rows)), 1 + min(columns - 1, int(x * columns))


def _text(classes: ClassTable, number: int) -> str:
    return classes.names[number].encode("ascii", "replace").decode()  # all that this font has


def _write(picture: NDArray[np.uint8], text: str, x: float, y: float, size: float) -> None:
    """Write a word around a place, light with a dark rim: legible on any ground."""
    height, width = picture.shape[:2]
    line = max(1, round(size * 1.5))
    rim = line + 1
    (wide, tall), below = cv2.getTextSize(text, _FACE, size, line)
    wide, high = wide + 2 * rim, tall + below + 2 * rim
    left = min(max(0, round(x * width - wide / 2)), width - wide)
    top = min(max(0, round(y * height - rim - tall / 2)), height - high)
    if left < 0 or top < 0:  # a picture smaller than the word
        return
    ink = np.zeros((high, wide), np.uint8)
    cv2.putText(ink, text, (rim, rim + tall), _FACE, size, 255, line, cv2.LINE_AA)
    around = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1,) * 2))
    patch = picture[top : top + high, left : left + wide]
    for color, mask in ((_GROUND, around), (_INK, ink)):
        part = mask[:, :, None] / np.float32(255)
        patch[:] = np.round(patch * (1 - part) + np.array(color, np.float32) * part)
