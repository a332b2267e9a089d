"""From logits at 1/8 size to labels or probabilities at the picture's own size.

The logits are interpolated bilinearly with half-pixel centres, then the largest one wins.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fastscnn.blocks import resize


def labels_reference(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Labels by the plain path: interpolate all logits in float32, then argmax (*cls*, §3.2.4).

    Args:
        logits: N×C×h×w, any float dtype.
        size: height and width of the labels.

    Returns:
        N×H×W uint8 class indices; ties go to the lowest class.
    """
    return resize(logits.float(), size).argmax(dim=1).to(torch.uint8)


def probabilities(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Class probabilities (*prob*, §3.2.4): interpolated logits through a softmax.

    Returns:
        N×C×H×W float32, summing to one over C.
    """
    return resize(logits.float(), size).softmax(dim=1)
