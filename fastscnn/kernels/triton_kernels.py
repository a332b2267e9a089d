"""Triton kernels: labels with their certainty in one pass, and bytes to normalised input in one.

Triton comes with torch on Linux; where there is none, or it cannot compile, torch's own operations
do the same (``kernel_choice``). No argument is specialised: a kernel is compiled once for each
number format, and serves all sizes. What was compiled stays on disk (``~/.triton/cache``, or
``TRITON_CACHE_DIR``). Checked on the CPU by Triton's interpreter.
"""

from __future__ import annotations

import math
import os
from contextlib import AbstractContextManager, nullcontext

import torch
import triton
import triton.language as tl
from torch import Tensor

# Triton 3.9 asks whoever does not say, on standard error. Products and sums are rounded once.
os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")

_BLOCK = 256
_LABELS, _CONFIDENCE, _ENTROPY = range(3)


@triton.jit(  # type: ignore[untyped-decorator]
    do_not_specialize=[
        "classes", "height", "width", "out_width",
        "stride_c", "stride_y", "stride_x", "step_y", "step_x", "per_nat",
    ],
    do_not_specialize_on_alignment=["logits", "out", "levels"],
)  # fmt: skip
def _upsample(  # type: ignore[no-untyped-def]
    logits, out, levels, classes, height, width, out_width,
    stride_c, stride_y, stride_x, step_y, step_x, per_nat,
    ALIGNED: tl.constexpr, MEASURE: tl.constexpr, BLOCK: tl.constexpr,
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
    # Finite, so that its difference to a value is: less than any logit.
    best = tl.full((BLOCK,), -3.0e38, tl.float32)
    winner = tl.zeros((BLOCK,), tl.int32)
    # Over the classes so far, with d = value - best: Σ exp(d) and Σ d·exp(d).
    total = tl.zeros((BLOCK,), tl.float32)
    moment = tl.zeros((BLOCK,), tl.float32)
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
        peak = tl.where(larger, value, best)
        if MEASURE > 0:
            fallen = best - peak  # what the peak has risen by, the earlier d have fallen
            shrink = tl.exp(fallen)
            power = tl.exp(value - peak)
            moment = (moment + total * fallen) * shrink + power * (value - peak)
            total = total * shrink + power
        best = peak
        winner = tl.where(larger, c, winner)
    place = y * out_width + x
    tl.store(out + place, winner.to(tl.uint8), mask=inside)
    if MEASURE > 0:
        if MEASURE == 1:  # noqa: SIM108 (decided when it is compiled)
            share = 1.0 / total
        else:
            share = (tl.log(total) - moment / total) * per_nat
        level = tl.minimum(tl.maximum(share, 0.0), 1.0) * 255.0 + 0.5
        tl.store(levels + place, level.to(tl.int32).to(tl.uint8), mask=inside)


def on_device(tensor: Tensor) -> AbstractContextManager[object]:
    """Make a tensor's device the current one, on which Triton launches."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


def _run(
    logits: Tensor, size: tuple[int, int], align_corners: bool, measure: int
) -> tuple[Tensor, Tensor]:
    classes, height, width = logits.shape
    out = torch.empty(size, dtype=torch.uint8, device=logits.device)
    levels = torch.empty_like(out) if measure else out
    steps = [
        ((small - 1) / (large - 1) if large > 1 else 0.0) if align_corners else small / large
        for small, large in zip((height, width), size, strict=True)
    ]
    with on_device(logits):
        _upsample[triton.cdiv(size[1], _BLOCK), size[0]](
            logits, out, levels, classes, height, width, size[1], *logits.stride(), *steps,
            1 / math.log(max(classes, 2)), ALIGNED=align_corners, MEASURE=measure, BLOCK=_BLOCK,
        )  # fmt: skip
    return out, levels


def labels(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Return the labels of one image, any size.

    Args:
        logits: C×h×w, any float dtype and strides, on the device that Triton runs on.
        size: height and width of the labels.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Returns:
        H×W uint8, equal to ``labels_reference`` but where two classes lie within float32 rounding
        of each other.
    """
    return _run(logits, size, align_corners, _LABELS)[0]


def labels_and_confidence(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> tuple[Tensor, Tensor]:
    """Return ``labels`` and H×W uint8 confidence, that of ``confidence_reference`` to rounding."""
    return _run(logits, size, align_corners, _CONFIDENCE)


def labels_and_entropy(
    logits: Tensor, size: tuple[int, int], align_corners: bool = False
) -> tuple[Tensor, Tensor]:
    """Return ``labels`` and H×W uint8 entropy of all probabilities: 255 where all are equal."""
    return _run(logits, size, align_corners, _ENTROPY)


@triton.jit(  # type: ignore[untyped-decorator]
    do_not_specialize=["count", "stride_c", "stride_pixel"],
    do_not_specialize_on_alignment=["pixels", "scale", "shift", "out"],
)
def _normalise(  # type: ignore[no-untyped-def]
    pixels, scale, shift, out, count, stride_c, stride_pixel, BLOCK: tl.constexpr
):  # fmt: skip
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    for c in tl.static_range(3):
        value = tl.load(pixels + 3 * place + c, mask=inside, other=0).to(tl.float32)
        value = value * tl.load(scale + c) + tl.load(shift + c)
        target = out + c * stride_c + place * stride_pixel
        tl.store(target, value.to(out.dtype.element_ty), mask=inside)


def normalised(
    pixels: Tensor, scale: Tensor, shift: Tensor, dtype: torch.dtype, layout: torch.memory_format
) -> Tensor:
    """Return bytes × ``scale`` + ``shift`` as the network's input.

    Args:
        pixels: h×w×3 uint8, contiguous, on the device that Triton runs on.
        scale, shift: 3 float32.
        dtype, layout: of the result.

    Returns:
        1×3×h×w.
    """
    height, width = pixels.shape[:2]
    out = torch.empty(
        (1, 3, height, width), dtype=dtype, device=pixels.device, memory_format=layout
    )
    count = height * width
    # Pixels lie one after the other in both layouts.
    strides = out.stride(1), out.stride(3)
    with on_device(pixels):
        _normalise[(triton.cdiv(count, _BLOCK),)](
            pixels, scale.flatten(), shift.flatten(), out, count, *strides, BLOCK=_BLOCK
        )
    return out
