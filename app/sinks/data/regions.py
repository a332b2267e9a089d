"""Regions: connected parts of the picture that are of one class.

A region is no instance: two people who overlap are one, one behind a pole is two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A connected region of one class.

    Attributes:
        number: of its class.
        box: left, top, width, height in pixels.
        area: its pixels.
        mask: height×width bool within the box.
    """

    number: int
    box: tuple[int, int, int, int]
    area: int
    mask: NDArray[np.bool_]

    def run_lengths(self, height: int, width: int) -> list[int]:
        """Return COCO's run lengths, not compressed: column by column, pixels outside first."""
        left, top, _, tall = self.box
        inside = np.flatnonzero(self.mask.T)
        places = (inside // tall + left) * height + inside % tall + top
        breaks = np.flatnonzero(np.diff(places) != 1)
        starts = places[np.concatenate(([0], breaks + 1))]
        ends = places[np.concatenate((breaks, [-1]))] + 1
        edges = np.empty(2 * len(starts) + 2, np.int64)
        edges[0], edges[-1] = 0, height * width
        edges[1:-1:2], edges[2:-1:2] = starts, ends
        runs: list[int] = np.diff(edges).tolist()
        return runs if runs[-1] else runs[:-1]

    def polygons(self) -> list[list[list[list[int]]]]:
        """Return polygons of [x, y] pixels: of each its outline, then its holes, all closed."""
        mask = np.pad(self.mask.astype(np.uint8), 1)
        found, order = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        shift = np.array(self.box[:2]) - 1
        rings = [(contour[:, 0] + shift).tolist() for contour in found]
        return [
            [_closed(ring), *(_closed(rings[hole]) for hole in _holes(order[0], place))]
            for place, ring in enumerate(rings)
            if order[0][place][3] < 0
        ]


def find_regions(
    labels: NDArray[np.uint8], numbers: Iterable[int], *, min_area: int = 1
) -> list[Region]:
    """Find the connected regions of some classes; pixels that touch at a corner are connected.

    Args:
        labels: H×W uint8 numbers of classes.
        numbers: of the classes.
        min_area: pixels that a region has at least.

    Returns:
        Regions by the number of their class, then from top to bottom.
    """
    found = []
    for number in sorted(numbers):
        mask = np.asarray(cv2.inRange(labels, number, number), np.uint8)
        if not cv2.hasNonZero(mask):
            continue
        _, parts, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for part, (x, y, wide, tall, area) in enumerate(stats.tolist()):
            if part and area >= min_area:  # the first is what is of no such class
                inside = parts[y : y + tall, x : x + wide] == part
                found.append(Region(number, (x, y, wide, tall), area, inside))
    return found


def _closed(ring: list[list[int]]) -> list[list[int]]:
    if len(ring) < 3:  # no wider than a pixel: as a polygon it is the box around it
        (left, top), (right, low) = np.min(ring, axis=0).tolist(), np.max(ring, axis=0).tolist()
        ring = [[left, top], [left, low + 1], [right + 1, low + 1], [right + 1, top]]
    return [*ring, ring[0]]


def _holes(order: NDArray[np.int32], outline: int) -> Iterator[int]:
    hole = int(order[outline][2])
    while hole >= 0:
        yield hole
        hole = int(order[hole][0])
