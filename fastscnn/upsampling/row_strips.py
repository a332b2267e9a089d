"""Row strips: the plain interpolation a few rows at a time, on any device and at any size.

What ``upsample`` uses where cells do not apply: on other devices than the CPU, and where
the result is smaller than the logits. Memory stays bounded however large the image is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from fastscnn.upsampling.bilinear_cells import axis

STRIP_BYTES = {"cpu": 2 << 20, "cuda": 64 << 20, "mps": 64 << 20}
"""Interpolated logits per strip: what the processor's cache holds; on cards, what fills them."""


@lru_cache(maxsize=32)
def _axis_on(device: torch.device, logits: int, pixels: int, align_corners: bool) -> list[Tensor]:
    """Return per pixel the places of its two logits, and the weight of the second, on a device."""
    along = axis(logits, pixels, align_corners)
    first, last = along.cell - 1, logits - 1
    places = [first.clip(0, last), (first + 1).clip(0, last)]
    return [torch.from_numpy(a).to(device) for a in (*places, along.share)]


def strips(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> Iterator[tuple[slice, Tensor]]:
    """Interpolate the logits of one image strip by strip.

    Args:
        logits: C×h×w, any float dtype, any device.
        size: height and width of the large image.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Yields:
        Rows of the large image, and C×rows×W float32 logits there.
    """
    (height, width), device = size, logits.device
    top, low, down = _axis_on(device, logits.shape[1], height, align_corners)
    left, right, across = _axis_on(device, logits.shape[2], width, align_corners)
    rows = max(1, STRIP_BYTES.get(device.type, 64 << 20) // (4 * len(logits) * width))
    source = logits.float().contiguous()
    for start in range(0, height, rows):
        part = slice(start, min(start + rows, height))
        # Down first: there are fewer columns before they are interpolated than after.
        lines = torch.lerp(source[:, top[part]], source[:, low[part]], down[part, None])
        yield part, torch.lerp(lines[..., left], lines[..., right], across)


def labels_by_strips(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Return the labels of one image, H×W uint8 on the logits' device; arguments as of ``strips``.

    They equal those of ``labels_reference`` but where two classes lie within float32 rounding of
    each other.
    """
    out = torch.empty(size, dtype=torch.uint8, device=logits.device)
    for rows, values in strips(logits, size, align_corners):
        out[rows] = values.argmax(dim=0)
    return out


def confidence_by_strips(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> tuple[Tensor, Tensor]:
    """Return labels and confidence of one image, each H×W uint8; arguments as of ``strips``.

    The confidence is ``confidence_reference``'s to rounding.
    """
    labels = torch.empty(size, dtype=torch.uint8, device=logits.device)
    confidence = torch.empty_like(labels)
    for rows, values in strips(logits, size, align_corners):
        best, winners = values.max(dim=0)
        labels[rows] = winners
        confidence[rows] = values.sub_(best).exp_().sum(dim=0).reciprocal_().mul_(255).round_()
    return labels, confidence


def probabilities_by_strips(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> Tensor:
    """Return the probabilities of one image, C×H×W float32; arguments as of ``strips``."""
    out = torch.empty(len(logits), *size, device=logits.device)
    for rows, values in strips(logits, size, align_corners):
        out[:, rows] = values.softmax(dim=0)
    return out
