"""Triton kernels of the network itself: convolutions with what surrounds them, in one pass each.

Activations are h×w×C, contiguous, in float16 or bfloat16; sums are float32. Batch norm is folded
into weights and biases before (``fused_network``). Sizes are not compiled for; of channels only
whether they are multiples of 16, which wide loads need. Offsets are 32 bits wide,
which inputs of up to 4096×4096 do not fill.

Checked on the CPU by Triton's interpreter, each against torch's own operations.
"""

from __future__ import annotations

import triton
import triton.language as tl

NO_FLOOR = -3.0e38
"""Floor of what has no ReLU."""

_SIZES = ["height", "width", "out_height", "out_width", "count", "stride", "dilation"]


@triton.jit
def _at(x, row, column, width, channel, channels):  # type: ignore[no-untyped-def]
    return x + (row * width + column)[:, None] * channels + channel[None, :]


@triton.jit
def _neighbourhood(  # type: ignore[no-untyped-def]
    x, taps, bias, place, inside, channel, channels, height, width, out_width,
    stride, dilation, floor,
):  # fmt: skip
    """Weighted sums of 3×3 values around places, float32, at least ``floor``."""
    top = place // out_width * stride - dilation
    left = place % out_width * stride - dilation
    has = channel < channels
    total = tl.zeros((place.shape[0], channel.shape[0]), tl.float32)
    for tap in tl.static_range(9):
        row = top + tap // 3 * dilation
        column = left + tap % 3 * dilation
        there = inside & (row >= 0) & (row < height) & (column >= 0) & (column < width)
        at = _at(x, row, column, width, channel, channels)
        value = tl.load(at, mask=there[:, None] & has[None, :], other=0.0).to(tl.float32)
        total += value * tl.load(taps + tap * channels + channel, mask=has, other=0.0)[None, :]
    total += tl.load(bias + channel, mask=has, other=0.0)[None, :]
    return tl.maximum(total, floor)


@triton.jit
def _weights(weights, channel, channels, output, padded):  # type: ignore[no-untyped-def]
    mask = (channel < channels)[:, None] & (output < padded)[None, :]
    return tl.load(weights + channel[:, None] * padded + output[None, :], mask=mask, other=0.0)


@triton.jit  # type: ignore[untyped-decorator]
def _product(  # type: ignore[no-untyped-def]
    total, x, weights, place, inside, channels, output, padded, IN: tl.constexpr
):  # fmt: skip
    for first in range(0, channels, IN):
        channel = first + tl.arange(0, IN)
        mask = inside[:, None] & (channel < channels)[None, :]
        values = tl.load(x + place[:, None] * channels + channel[None, :], mask=mask, other=0.0)
        total = tl.dot(values, _weights(weights, channel, channels, output, padded), total)
    return total


@triton.jit  # type: ignore[untyped-decorator]
def _between(position, size, bins, ALIGNED: tl.constexpr):  # type: ignore[no-untyped-def]
    """Two of ``bins`` values that a position lies between, and how far past the first it is."""
    if ALIGNED:
        at = position.to(tl.float32) * ((bins - 1) / tl.maximum(size - 1, 1))
    else:
        at = (position.to(tl.float32) + 0.5) * (bins / size) - 0.5
    at = tl.maximum(at, 0.0)
    low = tl.minimum(at.to(tl.int32), bins - 1)
    return low, tl.minimum(low + 1, bins - 1), at - low.to(tl.float32)


@triton.jit  # type: ignore[untyped-decorator]
def _interpolated(  # type: ignore[no-untyped-def]
    x, y, column, height, width, out_height, out_width, channel, channels, mask,
    ALIGNED: tl.constexpr,
):  # fmt: skip
    """Bilinear values of h×w×C at pixels of a larger picture, float32."""
    top, low, down = _between(y, out_height, height, ALIGNED)
    left, right, across = _between(column, out_width, width, ALIGNED)
    a = tl.load(_at(x, top, left, width, channel, channels), mask=mask, other=0.0).to(tl.float32)
    b = tl.load(_at(x, top, right, width, channel, channels), mask=mask, other=0.0).to(tl.float32)
    p = tl.load(_at(x, low, left, width, channel, channels), mask=mask, other=0.0).to(tl.float32)
    q = tl.load(_at(x, low, right, width, channel, channels), mask=mask, other=0.0).to(tl.float32)
    across, down = across[:, None], down[:, None]
    first = a * (1.0 - across) + b * across
    second = p * (1.0 - across) + q * across
    return first * (1.0 - down) + second * down


@triton.jit  # type: ignore[untyped-decorator]
def _finish(  # type: ignore[no-untyped-def]
    total, bias, residual, out, place, inside, output, outputs, floor, RESIDUAL: tl.constexpr
):  # fmt: skip
    has = output < outputs
    mask = inside[:, None] & has[None, :]
    total += tl.load(bias + output, mask=has, other=0.0)[None, :]
    at = place[:, None] * outputs + output[None, :]
    if RESIDUAL:
        total += tl.load(residual + at, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + at, tl.maximum(total, floor).to(out.dtype.element_ty), mask=mask)


@triton.jit(  # type: ignore[untyped-decorator]
    do_not_specialize=_SIZES, do_not_specialize_on_alignment=["pixels"]
)
def _stem(  # type: ignore[no-untyped-def]
    pixels, scale, shift, weights, bias, out,
    height, width, out_width, count, outputs, padded, floor,
    BLOCK: tl.constexpr, OUT: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    part = tl.arange(0, 32)  # 27 bytes around a pixel: row, column, colour
    colour = part % 3
    row = (place // out_width * 2 - 1)[:, None] + (part // 9)[None, :]
    column = (place % out_width * 2 - 1)[:, None] + (part % 9 // 3)[None, :]
    there = inside[:, None] & (part < 27)[None, :]
    there = there & (row >= 0) & (row < height) & (column >= 0) & (column < width)
    at = (row * width + column) * 3 + colour[None, :]
    value = tl.load(pixels + at, mask=there, other=0).to(tl.float32)
    value = value * tl.load(scale + colour)[None, :] + tl.load(shift + colour)[None, :]
    # What lies outside is zero after the normalisation, not before.
    values = tl.where(there, value, 0.0).to(weights.dtype.element_ty)
    output = tl.arange(0, OUT)
    total = tl.dot(values, _weights(weights, part, 32, output, padded))
    _finish(total, bias, out, out, place, inside, output, outputs, floor, False)


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator]
def _depthwise(  # type: ignore[no-untyped-def]
    x, taps, bias, out, channels, height, width, out_width, count, stride, dilation, floor,
    BLOCK: tl.constexpr, IN: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    channel = tl.program_id(1) * IN + tl.arange(0, IN)
    inside = place < count
    total = _neighbourhood(
        x, taps, bias, place, inside, channel, channels, height, width, out_width,
        stride, dilation, floor,
    )  # fmt: skip
    mask = inside[:, None] & (channel < channels)[None, :]
    at = place[:, None] * channels + channel[None, :]
    tl.store(out + at, total.to(out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator]
def _pointwise(  # type: ignore[no-untyped-def]
    x, weights, bias, side, side_weights, residual, cells, bins, out,
    channels, side_channels, outputs, padded, count, height, width, floor,
    SIDE: tl.constexpr, RESIDUAL: tl.constexpr, LEVELS: tl.constexpr, ALIGNED: tl.constexpr,
    BLOCK: tl.constexpr, IN: tl.constexpr, OUT: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    output = tl.program_id(1) * OUT + tl.arange(0, OUT)
    inside = place < count
    total = tl.zeros((BLOCK, OUT), tl.float32)
    total = _product(total, x, weights, place, inside, channels, output, padded, IN)
    if SIDE:
        total = _product(
            total, side, side_weights, place, inside, side_channels, output, padded, IN
        )
    first = 0
    for level in tl.static_range(LEVELS):
        side_cells = tl.load(bins + level)
        mask = inside[:, None] & (output < outputs)[None, :]
        total += _interpolated(
            cells + first * outputs, place // width, place % width, side_cells, side_cells,
            height, width, output, outputs, mask, ALIGNED,
        )  # fmt: skip
        first += side_cells * side_cells
    _finish(total, bias, residual, out, place, inside, output, outputs, floor, RESIDUAL)


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator]
def _depthwise_pointwise(  # type: ignore[no-untyped-def]
    x, taps, taps_bias, weights, bias, side, side_weights, out,
    channels, side_channels, outputs, padded, height, width, out_width, count, stride, dilation,
    taps_floor, floor, SIDE: tl.constexpr, BLOCK: tl.constexpr, IN: tl.constexpr, OUT: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    output = tl.arange(0, OUT)
    inside = place < count
    total = tl.zeros((BLOCK, OUT), tl.float32)
    if SIDE:
        total = _product(
            total, side, side_weights, place, inside, side_channels, output, padded, IN
        )
    for first in range(0, channels, IN):
        channel = first + tl.arange(0, IN)
        values = _neighbourhood(
            x, taps, taps_bias, place, inside, channel, channels,
            height, width, out_width, stride, dilation, taps_floor,
        )  # fmt: skip
        part = _weights(weights, channel, channels, output, padded)
        total = tl.dot(values.to(x.dtype.element_ty), part, total)
    _finish(total, bias, out, out, place, inside, output, outputs, floor, False)


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator]
def _pool(  # type: ignore[no-untyped-def]
    x, cells, out, channels, height, width, BLOCK: tl.constexpr, IN: tl.constexpr
):  # fmt: skip
    cell = tl.program_id(0)
    channel = tl.program_id(1) * IN + tl.arange(0, IN)
    bins = tl.load(cells + 3 * cell)
    y = tl.load(cells + 3 * cell + 1)
    x_ = tl.load(cells + 3 * cell + 2)
    top = y * height // bins
    left = x_ * width // bins
    tall = ((y + 1) * height + bins - 1) // bins - top
    wide = ((x_ + 1) * width + bins - 1) // bins - left
    has = channel < channels
    total = tl.zeros((BLOCK, IN), tl.float32)
    for first in range(0, tall * wide, BLOCK):
        place = first + tl.arange(0, BLOCK)
        at = (top + place // wide) * width + left + place % wide
        mask = (place < tall * wide)[:, None] & has[None, :]
        values = tl.load(x + at[:, None] * channels + channel[None, :], mask=mask, other=0.0)
        total += values.to(tl.float32)
    mean = tl.sum(total, axis=0) / (tall * wide)
    tl.store(out + cell * channels + channel, mean, mask=has)


@triton.jit(do_not_specialize=["levels"])  # type: ignore[untyped-decorator]
def _branch(  # type: ignore[no-untyped-def]
    means, cells, bins, first, first_bias, second, out, channels, inner, outputs, levels,
    IN: tl.constexpr, INNER: tl.constexpr, OUT: tl.constexpr,
):  # fmt: skip
    cell = tl.program_id(0)
    level = 0
    start = 0
    for i in range(levels):  # which level the cell is of
        side = tl.load(bins + i)
        start += side * side
        level += (cell >= start).to(tl.int32)
    k = tl.arange(0, IN)
    j = tl.arange(0, INNER)
    n = tl.arange(0, OUT)
    value = tl.load(means + cell * channels + k, mask=k < channels, other=0.0)
    at = level * channels * inner + k[:, None] * inner + j[None, :]
    weights = tl.load(first + at, mask=(k < channels)[:, None] & (j < inner)[None, :], other=0.0)
    branch = tl.sum(value[:, None] * weights, axis=0)
    branch += tl.load(first_bias + level * inner + j, mask=j < inner, other=0.0)
    branch = tl.maximum(branch, 0.0)
    at = level * inner * outputs + j[:, None] * outputs + n[None, :]
    weights = tl.load(second + at, mask=(j < inner)[:, None] & (n < outputs)[None, :], other=0.0)
    tl.store(out + cell * outputs + n, tl.sum(branch[:, None] * weights, axis=0), mask=n < outputs)


@triton.jit(do_not_specialize=_SIZES)  # type: ignore[untyped-decorator]
def _enlarge(  # type: ignore[no-untyped-def]
    x, out, channels, height, width, out_height, out_width, count,
    ALIGNED: tl.constexpr, BLOCK: tl.constexpr, IN: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    channel = tl.program_id(1) * IN + tl.arange(0, IN)
    mask = (place < count)[:, None] & (channel < channels)[None, :]
    value = _interpolated(
        x, place // out_width, place % out_width, height, width, out_height, out_width,
        channel, channels, mask, ALIGNED,
    )  # fmt: skip
    at = place[:, None] * channels + channel[None, :]
    tl.store(out + at, value.to(out.dtype.element_ty), mask=mask)
