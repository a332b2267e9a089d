"""Class probabilities of one pixel, from the logits at 1/8 size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def probabilities_at(
    logits: NDArray[np.floating[Any]],
    size: tuple[int, int],
    row: int,
    column: int,
    align_corners: bool = False,
) -> NDArray[np.float32]:
    """Return the class probabilities (*prob*) of one pixel, without those of all others.

    Args:
        logits: classes×h×w.
        size: height and width of the image.
        row, column: the pixel in it.
        align_corners: as the network interpolates.

    Returns:
        classes float32: what ``fastscnn.upsampling.upsample.probabilities`` gives at this pixel.
    """
    top, low, down = _neighbours(logits.shape[1], size[0], row, align_corners)
    left, right, across = _neighbours(logits.shape[2], size[1], column, align_corners)
    corners = logits[:, (top, top, low, low), (left, right, left, right)].astype(np.float32)
    weights = np.array(
        [
            (1 - down) * (1 - across),
            (1 - down) * across,
            down * (1 - across),
            down * across,
        ],
        np.float32,
    )
    values = corners @ weights
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum(), np.float32)


def _neighbours(
    logits: int, pixels: int, place: int, align_corners: bool
) -> tuple[int, int, float]:
    """Return the logits before and after a pixel, and the weight of the latter."""
    if align_corners:
        position = place * (logits - 1) / (pixels - 1) if pixels > 1 else 0.0
    else:
        position = max(0.0, (place + 0.5) * logits / pixels - 0.5)
    first = min(int(position), logits - 1)
    return first, min(first + 1, logits - 1), position - first
