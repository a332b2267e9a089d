"""Privacy: regions of chosen classes without their detail, in all that is drawn of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.labels import ClassTable

Picture = NDArray[np.uint8]
Labels = tuple[NDArray[np.uint8], ClassTable]

_BLOCKS = 40
"""Blocks in the short side of a picture; what is hidden keeps the mean of each, and no more."""


class PrivacyFilter:
    """Blurs regions, and those of the frame before: a class that vanishes for a frame stays hidden.

    Whole blocks are hidden, and those around them: a margin of at least one, a fortieth of the
    picture's short side, since labels are not exact at their edges. Where a network does not know
    one of the classes, nothing tells where it is, and all of the picture is hidden.
    """

    def __init__(self) -> None:
        self._frame: object = None
        self._scene: object = None
        self._now: NDArray[np.uint8] | None = None
        self._before: NDArray[np.uint8] | None = None

    def hide(
        self,
        image: Picture,
        seen: Sequence[Labels],
        names: tuple[str, ...],
        *,
        scene: object,
        frame: object,
    ) -> Picture:
        """Return a picture in which classes are hidden; the image itself where there is nothing.

        Args:
            image: RGB uint8 H×W×3; it is not written to.
            seen: labels of every pass of a network, with their classes: what one of them says is
                hidden.
            names: of the classes and groups to hide.
            scene: the same for frames that follow each other, another after a cut.
            frame: tells frames apart; the same frame may come again.
        """
        numbers = [numbers_known(classes, names) for _, classes in seen]
        if not names:
            self._frame = self._now = self._before = None
            return image
        if not seen or None in numbers:
            return cover(image)
        each = [
            _blocks(labels, chosen or frozenset())
            for (labels, _), chosen in zip(seen, numbers, strict=True)
        ]
        found = np.bitwise_or.reduce(each)
        found = np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.uint8)
        if frame != self._frame:
            follows = scene == self._scene and self._now is not None
            self._before = self._now if follows else None
            self._frame, self._scene = frame, scene
        self._now = found
        if self._before is not None and self._before.shape == found.shape:
            found = found | self._before
        return _without(image, found) if found.any() else image


def _without(image: Picture, found: NDArray[np.uint8]) -> Picture:
    """Return a copy without the detail of some blocks; only the part that has them is worked on."""
    side = _side(image)
    rows, columns = (np.flatnonzero(found.any(axis=axis)) for axis in (1, 0))
    # The colours run from block to block: one more of them all around.
    top, left = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
    blocks = found[top : rows[-1] + 2, left : columns[-1] + 2]
    place = np.s_[
        top * side : (top + blocks.shape[0]) * side, left * side : (left + blocks.shape[1]) * side
    ]
    out = image.copy()
    part = out[place]
    mask = cv2.resize(blocks, None, fx=side, fy=side, interpolation=cv2.INTER_NEAREST)
    mask = np.ascontiguousarray(mask[: part.shape[0], : part.shape[1]], np.uint8)
    out[place] = cv2.copyTo(_cover(part, side), mask, part.copy())
    return out


def cover(image: Picture) -> Picture:
    """Return a picture of which nothing but the mean of each block is left."""
    return _cover(image, _side(image))


def _cover(image: Picture, side: int) -> Picture:
    height, width = image.shape[:2]
    # Whole blocks throughout: OpenCV then takes a quarter of the time.
    edges = 0, -height % side, 0, -width % side
    whole = cv2.copyMakeBorder(image, *edges, cv2.BORDER_REPLICATE) if any(edges) else image
    size = whole.shape[1], whole.shape[0]
    small = cv2.resize(whole, (size[0] // side, size[1] // side), interpolation=cv2.INTER_AREA)
    out = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(out[:height, :width], np.uint8)


@lru_cache(maxsize=32)
def numbers_known(classes: ClassTable, names: tuple[str, ...]) -> frozenset[int] | None:
    """Return the numbers of classes by their names; ``None`` where one of them is not known."""
    try:
        return classes.numbers_of(names)
    except ValueError:
        return None


def _side(image: NDArray[np.uint8]) -> int:
    """Return the side of a block in pixels."""
    height, width = image.shape[:2]
    return max(2, round(int(min(height, width)) / _BLOCKS))


def _blocks(labels: NDArray[np.uint8], numbers: frozenset[int]) -> NDArray[np.uint8]:
    """Return rows×columns uint8: 1 for blocks in which any pixel is of one of the classes."""
    table = np.zeros(256, np.uint8)
    table[list(numbers)] = 1
    side = _side(labels)
    # From its corner on each pixel looks over a block: an eighth of the time of numpy's reduceat.
    kernel = np.ones((side, side), np.uint8)
    within = cv2.dilate(cv2.LUT(labels, table), kernel, anchor=(0, 0))
    return np.ascontiguousarray(within[::side, ::side], np.uint8)
