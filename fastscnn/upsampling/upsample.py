"""Upsampling of logits at 1/8 size to labels or probabilities at the image's own size.

The logits are interpolated bilinearly with half-pixel centres, then the largest one wins.

``labels_by_cells`` gives the same labels as ``labels_reference`` by interpolating only between
logits that disagree (see ``bilinear_cells``), with no full-size logits ever in memory.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fastscnn.kernels.kernel_choice import on_card
from fastscnn.model.blocks import resize
from fastscnn.upsampling.bilinear_cells import BilinearCells, argmax_first
from fastscnn.upsampling.confidence import confidence_by_cells
from fastscnn.upsampling.row_strips import (
    confidence_by_strips,
    labels_by_strips,
    probabilities_by_strips,
)


def labels_reference(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Return labels by the plain path: all logits interpolated in float32, argmax (*cls*, §3.2.4).

    Args:
        logits: N×C×h×w, any float dtype.
        size: height and width of the labels.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Returns:
        N×H×W uint8 class indices; ties go to the lowest class.
    """
    return resize(logits.float(), size, align_corners).argmax(dim=1).to(torch.uint8)


def probabilities_reference(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> Tensor:
    """Return class probabilities (*prob*, §3.2.4): interpolated logits through a softmax.

    Returns:
        N×C×H×W float32, summing to one over C.
    """
    return resize(logits.float(), size, align_corners).softmax(dim=1)


def entropy(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Return the entropy of the probabilities as a share of the highest possible.

    It is smooth where the labels are not, so where ``size`` is more than twice that of the logits
    it is computed at half of ``size`` and interpolated: a quarter of the work. On street scenes it
    is then off by 0.001 in the mean, on single pixels of the sharpest borders by up to 0.2.

    Returns:
        N×H×W float32, 0–1.
    """
    coarse = (
        max(size[0] // 2, min(size[0], logits.shape[2])),
        max(size[1] // 2, min(size[1], logits.shape[3])),
    )
    values = resize(logits.float(), coarse, align_corners)
    values.sub_(values.amax(dim=1, keepdim=True))
    powers = values.exp()
    total = powers.sum(dim=1, keepdim=True)
    # −Σ p log p with p = powers / total, in one pass less than by its definition
    mean = powers.mul_(values).sum(dim=1, keepdim=True).div_(total)
    share = total.log_().sub_(mean).div_(math.log(logits.shape[1]))
    return resize(share, size, align_corners)[:, 0]


def labels(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Return labels by the device's fastest path; see ``labels_reference``."""
    one = labels_by_cells if _cells_apply(logits, size) else _labels_elsewhere
    return _batch([one(image, size, align_corners) for image in logits])


def labels_and_confidence(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> tuple[Tensor, Tensor]:
    """Return ``labels`` and their confidence by the fastest path for the device.

    Returns:
        N×H×W uint8 labels; N×H×W uint8 confidence as defined by ``confidence_reference``, on the
        CPU within a few levels of it (see ``fastscnn.upsampling.confidence``).
    """
    one = confidence_by_cells if _cells_apply(logits, size) else _confidence_elsewhere
    pairs = [one(image, size, align_corners) for image in logits]
    return _batch([pair[0] for pair in pairs]), _batch([pair[1] for pair in pairs])


def labels_and_entropy(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> tuple[Tensor, Tensor]:
    """Return ``labels`` and their entropy by the fastest path for the device.

    Returns:
        N×H×W uint8 labels; N×H×W uint8, 0–255 for an ``entropy`` of 0–1. On cards with Triton it
        is computed for every pixel.
    """
    pairs = [_labels_and_entropy(image, size, align_corners) for image in logits]
    return _batch([pair[0] for pair in pairs]), _batch([pair[1] for pair in pairs])


def prepare(device: torch.device, dtype: torch.dtype, classes: int, align_corners: bool) -> None:
    """Get ready on a card what the first call of each function here would have to wait for."""
    if device.type == "cuda":
        logits = torch.zeros(1, classes, 2, 2, device=device, dtype=dtype)
        for function in (labels, labels_and_confidence, labels_and_entropy):
            function(logits, (16, 16), align_corners)


def probabilities(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Return ``probabilities_reference`` to rounding, a few rows at a time."""
    return _batch([probabilities_by_strips(one, size, align_corners) for one in logits])


def _batch(results: list[Tensor]) -> Tensor:
    return results[0][None] if len(results) == 1 else torch.stack(results)  # one is not copied


def _entropy_by_interpolation(
    logits: Tensor, size: tuple[int, int], align_corners: bool
) -> tuple[Tensor, Tensor]:
    levels = entropy(logits[None], size, align_corners)[0].mul_(255).round_()
    found = labels(logits[None], size, align_corners)[0]
    return found, levels.clamp_(0, 255).to(torch.uint8)


_labels_elsewhere = on_card("labels", labels_by_strips)
_confidence_elsewhere = on_card("labels_and_confidence", confidence_by_strips)
_labels_and_entropy = on_card("labels_and_entropy", _entropy_by_interpolation)


def _cells_apply(logits: Tensor, size: tuple[int, int]) -> bool:
    enlarges = size[0] >= logits.shape[2] and size[1] >= logits.shape[3]
    return logits.device.type == "cpu" and enlarges


def labels_by_cells(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Return the labels of one image, interpolating only between logits that disagree on the class.

    Args:
        logits: C×h×w on the CPU, any float dtype, C at most 255.
        size: height and width of the labels, neither smaller than h and w.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Returns:
        H×W uint8, equal to ``labels_reference`` but where two classes lie within float32 rounding
        of each other.
    """
    grid = BilinearCells(logits, size, align_corners)
    out = grid.corner_labels()
    flat = out.reshape(-1)
    for places, values in grid.interpolate(grid.mixed):
        flat[places] = argmax_first(values)[1]
    return torch.from_numpy(out)
