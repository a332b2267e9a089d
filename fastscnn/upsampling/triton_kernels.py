"""Triton kernel for labels in one pass: each pixel interpolates and keeps the largest logit.

Needs Triton, which torch brings on Linux; elsewhere ``row_strips`` does the same. Not yet
measured, and run on no GPU so far: checked by Triton's interpreter on the CPU.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 256


@triton.jit  # type: ignore[untyped-decorator]
def _labels(  # type: ignore[no-untyped-def]
    logits, out, classes, height, width, out_width,
    stride_c, stride_y, stride_x, step_y, step_x,
    ALIGNED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    x = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    y = tl.program_id(1)
    inside = x < out_width
    if ALIGNED:
        at_y = y.to(tl.float32) * step_y
        at_x = x.to(tl.float32) * step_x
    else:
        at_y = step_y * (y.to(tl.float32) + 0.5) - 0.5
        at_x = step_x * (x.to(tl.float32) + 0.5) - 0.5
    at_y = tl.maximum(at_y, 0.0)
    at_x = tl.maximum(at_x, 0.0)
    top = tl.minimum(at_y.to(tl.int32), height - 1)
    left = tl.minimum(at_x.to(tl.int32), width - 1)
    low = tl.minimum(top + 1, height - 1)
    right = tl.minimum(left + 1, width - 1)
    down = at_y - top.to(tl.float32)
    across = at_x - left.to(tl.float32)
    best = tl.full((BLOCK,), float("-inf"), tl.float32)
    winner = tl.zeros((BLOCK,), tl.int32)
    for c in range(classes):
        upper = logits + c * stride_c + top * stride_y
        lower = logits + c * stride_c + low * stride_y
        a = tl.load(upper + left * stride_x, mask=inside, other=0.0).to(tl.float32)
        b = tl.load(upper + right * stride_x, mask=inside, other=0.0).to(tl.float32)
        p = tl.load(lower + left * stride_x, mask=inside, other=0.0).to(tl.float32)
        q = tl.load(lower + right * stride_x, mask=inside, other=0.0).to(tl.float32)
        first = a * (1.0 - across) + b * across
        second = p * (1.0 - across) + q * across
        value = first * (1.0 - down) + second * down
        larger = value > best  # the lowest class keeps a tie
        best = tl.where(larger, value, best)
        winner = tl.where(larger, c, winner)
    tl.store(out + y * out_width + x, winner.to(tl.uint8), mask=inside)


def labels_by_kernel(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Return the labels of one image, any size.

    Args:
        logits: C×h×w, any float dtype and strides, on the device that Triton runs on.
        size: height and width of the labels.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Returns:
        H×W uint8, equal to ``labels_reference`` but where two classes lie within float32 rounding
        of each other.
    """
    classes, height, width = logits.shape
    out = torch.empty(size, dtype=torch.uint8, device=logits.device)
    steps = [
        ((small - 1) / (large - 1) if large > 1 else 0.0) if align_corners else small / large
        for small, large in zip((height, width), size, strict=True)
    ]
    _labels[triton.cdiv(size[1], _BLOCK), size[0]](
        logits, out, classes, height, width, size[1], *logits.stride(), *steps,
        ALIGNED=align_corners, BLOCK=_BLOCK,
    )  # fmt: skip
    return out
