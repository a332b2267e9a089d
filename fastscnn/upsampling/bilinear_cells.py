"""Bilinear cells: the pixels of a large image between the logits of a small one.

Between four neighbouring logits every interpolated one is a convex combination of theirs. Where the
four agree on the class, that class wins on every pixel between them, so only the other cells, a
tenth or so of a street scene, need interpolating for labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FloatArray = NDArray[np.float32]
Places = NDArray[np.int64]

_CHUNK = 32768
"""Pixels interpolated at a time: they stay in the processor's cache, and torch does not share so
few out among threads, whose waking would cost more than the work itself."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Axis whose pixels fall into the cells between logits, n + 1 cells for n logits.

    The first and last cell lie outside the outermost logits, where interpolation repeats them.

    Attributes:
        cell: per pixel, its cell; also the place of its first logit among those padded by one.
        share: per pixel, weight of the cell's second logit.
        pixels: k×cells, the pixels of each cell; short cells repeat their last one.
        weight: k×cells, weight of the cell's second logit at these pixels.
        empty: per cell, whether it has no pixel.
    """

    cell: Places
    share: FloatArray
    pixels: Places
    weight: FloatArray
    empty: NDArray[np.bool_]


@lru_cache(maxsize=32)
def axis(logits: int, pixels: int, align_corners: bool) -> Axis:
    """Return the cells of one axis, on the CPU; arguments as of ``torch``'s interpolation."""
    # The same float32 arithmetic as torch's interpolation, so that the weights are the same.
    numbers = np.arange(pixels, dtype=np.float32)
    if align_corners:
        step = np.float32(logits - 1) / np.float32(pixels - 1) if pixels > 1 else np.float32(0)
        position = numbers * step
    else:
        step = np.float32(logits) / np.float32(pixels)
        position = step * (numbers + np.float32(0.5)) - np.float32(0.5)
    cell = np.clip(np.floor(position).astype(np.int64) + 1, 0, logits)
    share = np.where(cell == 0, np.float32(0), position - (cell - 1).astype(np.float32))
    count = np.bincount(cell, minlength=logits + 1)
    first = np.cumsum(count) - count
    offsets = np.arange(count.max())[:, None]
    members = np.minimum(first + np.minimum(offsets, np.maximum(count - 1, 0)), pixels - 1)
    return Axis(cell, share, members, share[members], count == 0)


def argmax_first(values: FloatArray) -> tuple[FloatArray, NDArray[np.uint8]]:
    """Return the largest value over the first axis and the lowest index that has it."""
    # A running maximum over contiguous planes that fit the cache; numpy's loops are several times
    # faster here than torch's, and than argmax over so short an axis.
    best = values[0].copy()
    index = np.zeros(best.shape, np.uint8)
    larger = np.empty(best.shape, np.bool_)
    for number in range(1, len(values)):
        np.greater(values[number], best, out=larger)
        np.copyto(index, number, where=larger)
        np.maximum(best, values[number], out=best)
    return best, index


class BilinearCells:
    """The logits of one image as cells, on the CPU.

    Args:
        logits: C×h×w on the CPU, any float dtype, C at most 255.
        size: height and width of the large image, neither smaller than h and w.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Attributes:
        padded: C×(h+2)×(w+2) float32, the outermost logits repeated.
        best, classes: (h+2)×(w+2), the largest of them and its class (uint8).
        mixed: (h+1)×(w+1), whether the corners of a cell that has pixels disagree on the class.
        has_pixels: (h+1)×(w+1), whether any pixel lies in a cell.
    """

    def __init__(self, logits: Tensor, size: tuple[int, int], align_corners: bool) -> None:
        classes, height, width = logits.shape
        self._rows = axis(height, size[0], align_corners)
        self._columns = axis(width, size[1], align_corners)
        self._width = size[1]
        padded = torch.empty(classes, height + 2, width + 2)
        padded[:, 1:-1, 1:-1] = logits
        padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
        padded[:, :, 0], padded[:, :, -1] = padded[:, :, 1], padded[:, :, -2]
        self.padded = padded.numpy()
        self.best, self.classes = argmax_first(self.padded)
        corner = self.classes[:-1, :-1]
        self.mixed = (corner != self.classes[:-1, 1:]) | (corner != self.classes[1:, :-1])
        self.mixed |= corner != self.classes[1:, 1:]
        self.has_pixels = ~(self._rows.empty[:, None] | self._columns.empty)
        self.mixed &= self.has_pixels

    def corner_labels(self) -> NDArray[np.uint8]:
        """Return H×W: for each pixel the class of its cell's first corner."""
        # Columns first: whole rows are then copied, not single pixels.
        return self.classes.take(self._columns.cell, axis=1).take(self._rows.cell, axis=0)

    def interpolate(self, cells: NDArray[np.bool_]) -> Iterator[tuple[Places, FloatArray]]:
        """Yield interpolated logits of some cells, a part at a time.

        Args:
            cells: (h+1)×(w+1), which.

        Yields:
            n places in the flattened H×W image, and C×n logits there, valid until the next part;
            a place may come more than once, with the same logits.
        """
        rows, columns = self._rows, self._columns
        at_row, at_column = cells.nonzero()
        flat, stride = self.padded.reshape(len(self.padded), -1), self.padded.shape[2]
        ky, kx = rows.weight.shape[0], columns.weight.shape[0]
        chunk = max(1, _CHUNK // (ky * kx))
        buffer = np.empty(len(flat) * ky * kx * min(chunk, len(at_row)), np.float32)
        for part in range(0, len(at_row), chunk):
            # Cells go last everywhere: they are many, and what is last is what vectorises.
            i, j = at_row[part : part + chunk], at_column[part : part + chunk]
            n, start = len(i), i * stride + j
            # take, not [:, j]: that gives the transposed layout
            wx = torch.from_numpy(columns.weight.take(j, axis=1))  # kx×n
            wy = torch.from_numpy(rows.weight.take(i, axis=1)[:, None])  # ky×1×n
            left, right, low_left, low_right = (
                torch.from_numpy(flat.take(start + step, axis=1))
                for step in (0, 1, stride, stride + 1)
            )
            values = buffer[: len(flat) * ky * kx * n].reshape(len(flat), -1)
            for c, out in enumerate(torch.from_numpy(values).view(-1, ky, kx, n)):
                top = torch.lerp(left[c], right[c], wx)
                low = torch.lerp(low_left[c], low_right[c], wx)
                torch.lerp(top, low, wy, out=out)
            lines, at = rows.pixels.take(i, axis=1)[:, None], columns.pixels.take(j, axis=1)
            places = lines * self._width + at
            yield places.reshape(-1), values
