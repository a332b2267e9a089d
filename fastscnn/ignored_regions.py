"""Ignored regions: polygons of a picture in which nothing is seen or judged, as of a bonnet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Polygon = tuple[tuple[float, float], ...]
"""Corners, x before y: pixels, or where none is above 1 shares of width and height."""

_MOST_CORNERS = 500
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,9})?")


def parse_polygon(text: str) -> Polygon:
    """Return a polygon from its corners: ``x,y,x,y,x,y``.

    Raises:
        ValueError: it is none.

    Example:
        >>> parse_polygon("0,1,0.5,0.8,1,1")
        ((0.0, 1.0), (0.5, 0.8), (1.0, 1.0))
    """
    parts = [part.strip() for part in text.split(",")]
    if any(re.fullmatch(rf"-{_NUMBER.pattern}", part) for part in parts):
        raise ValueError(
            f"{text[:60]!r} is no region: numbers must not be negative; 0,0 is the top left corner"
        )
    if (
        not all(map(_NUMBER.fullmatch, parts))
        or len(parts) % 2
        or not 6 <= len(parts) <= 2 * _MOST_CORNERS
    ):
        raise ValueError(
            f"{text[:60]!r} is no region: use x,y,x,y,x,y,… of three corners or more, in pixels or"
            " in shares of width and height"
        )
    numbers = list(map(float, parts))
    polygon = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    if np.linalg.matrix_rank(np.array(polygon) - polygon[0], tol=1e-6) < 2:
        raise ValueError(
            f"{text[:60]!r} has no area: all corners lie on one line; move one of them off it"
        )
    return polygon


def format_polygon(polygon: Polygon) -> str:
    """Return a polygon as ``parse_polygon`` reads it."""
    return ",".join(f"{number:.6g}" for point in polygon for number in point)


def without_regions(labels: NDArray[np.uint8], polygons: Iterable[Polygon]) -> NDArray[np.uint8]:
    """Return labels (H×W uint8) that are unknown, 255, in some polygons; a new array if any."""
    polygons = tuple(polygons)
    if not polygons:
        return labels
    return np.asarray(
        cv2.bitwise_or(labels, region_mask(polygons, labels.shape[0], labels.shape[1]))
    )


@lru_cache(maxsize=8)
def region_mask(polygons: tuple[Polygon, ...], height: int, width: int) -> NDArray[np.uint8]:
    """Return H×W uint8: 255 in the polygons, 0 elsewhere."""
    mask = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        corners = np.array(polygon)
        if corners.max() <= 1:
            corners = corners * (width, height)
        # OpenCV fills the pixels of the corners too: they are the outermost whose middle is inside.
        pixels = corners - 0.5
        first = corners < corners.mean(axis=0)
        pixels = np.where(first, np.floor(pixels) + 1, np.ceil(pixels) - 1)
        cv2.fillPoly(mask, [pixels.astype(np.int32)], 255)
    mask.setflags(write=False)
    return mask
