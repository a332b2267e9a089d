"""Confidence of every pixel: its label's probability as a byte, at the image's size.

The definition is ``confidence_reference``: 255 times the largest probability of the softmax over
the interpolated logits, rounded. ``confidence_by_cells`` takes a fraction of its time: where the
logits around a pixel agree on the class, the probabilities themselves are interpolated, one plane
in place of nineteen. In the middle of each cell it is looked up how far that is off; where it is
more than ``TOLERANCE``, or where the corners disagree, all logits are interpolated and the
confidence is exact.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.model.blocks import resize
from fastscnn.upsampling.bilinear_cells import BilinearCells, FloatArray, argmax_first

TOLERANCE = 4.0
"""Levels of 255 by which the middle of a cell may be off before all its pixels are made exact.

On street scenes pixels are then off by 0.3 levels in the mean and by about 12 at most."""


def confidence_reference(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> Tensor:
    """Return confidence by the plain path: the largest of all interpolated probabilities.

    Args:
        logits: N×C×h×w, any float dtype.
        size: height and width of the result.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Returns:
        N×H×W uint8: 255 × the label's probability, rounded.
    """
    largest = resize(logits.float(), size, align_corners).softmax(dim=1).amax(dim=1)
    return (largest * 255).round_().to(torch.uint8)


def confidence_by_cells(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> tuple[Tensor, Tensor]:
    """Return labels and confidence of one image, interpolating all logits only where it matters.

    Args:
        logits: C×h×w on the CPU, any float dtype, C at most 255.
        size: height and width of the result, neither smaller than h and w.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Returns:
        H×W uint8 labels as ``labels_by_cells`` gives them, and H×W uint8 confidence.
    """
    grid = BilinearCells(logits, size, align_corners)
    levels = _levels(grid.padded, grid.best)
    labels = grid.corner_labels()
    confidence = np.empty(size, np.uint8)
    inner = torch.from_numpy(levels[None, None, 1:-1, 1:-1])
    cv2.convertScaleAbs(resize(inner, size, align_corners)[0, 0].numpy(), confidence)
    flat_labels, flat_confidence = labels.reshape(-1), confidence.reshape(-1)
    for places, values in grid.interpolate(grid.mixed | _off(grid, levels)):
        best, winners = argmax_first(values)
        flat_labels[places] = winners
        flat_confidence[places] = np.rint(_levels(values, best))
    return torch.from_numpy(labels), torch.from_numpy(confidence)


def _levels(values: FloatArray, best: FloatArray) -> FloatArray:
    """Return 255 × the largest probability over the first axis, given the largest value there."""
    total = np.zeros_like(best)
    power = np.empty_like(best)
    for plane in values:
        np.subtract(plane, best, out=power)
        cv2.exp(power, power)  # four times faster than numpy's
        np.add(total, power, out=total)
    return np.divide(np.float32(255), total, out=total)


def _off(grid: BilinearCells, levels: FloatArray) -> NDArray[np.bool_]:
    """Return the cells in whose middle interpolated levels are off by more than ``TOLERANCE``."""
    middle = _mean_of_corners(grid.padded)
    exact = _levels(middle, middle.max(axis=0))
    off: NDArray[np.bool_] = np.abs(exact - _mean_of_corners(levels)) > TOLERANCE
    off &= grid.has_pixels
    return off


def _mean_of_corners(x: FloatArray) -> FloatArray:
    above, below = x[..., :-1, :], x[..., 1:, :]
    total: FloatArray = above[..., :-1] + above[..., 1:] + below[..., :-1] + below[..., 1:]
    total *= np.float32(0.25)
    return total
