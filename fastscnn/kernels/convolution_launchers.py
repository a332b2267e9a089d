"""Launchers of the network's kernels: layers as kernels take them, and a function for each.

Activations are h×w×C, contiguous, in the layers' number format.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import triton
from torch import Tensor

from fastscnn.kernels import network_kernels as code
from fastscnn.kernels.triton_kernels import on_device


@dataclass(frozen=True, slots=True)
class Pointwise:
    """1×1 convolution.

    Attributes:
        weights: channels × outputs, the outputs filled up to a multiple of 16 with zeros.
        bias: float32.
        channels, outputs: in and out.
        floor: least sum: 0 where there is a ReLU, else ``NO_FLOOR``.
    """

    weights: Tensor
    bias: Tensor
    channels: int
    outputs: int
    floor: float

    @property
    def is_narrow(self) -> bool:
        """Ask whether one block of sums holds all its outputs."""
        return self.outputs <= 128

    def plus(self, other: Pointwise) -> Pointwise:
        """Return this layer with another's bias added, for the sum of both."""
        return replace(self, bias=self.bias + other.bias)


@dataclass(frozen=True, slots=True)
class Stem:
    """First layer: 3×3 with stride 2 and ReLU, on bytes × ``scale`` + ``shift``.

    Attributes:
        layer: its 27 weights for each output, colour by colour within columns within rows, as a 1×1
            of 32 channels.
        scale, shift: 3 float32.
    """

    layer: Pointwise
    scale: Tensor
    shift: Tensor


@dataclass(frozen=True, slots=True)
class Depthwise:
    """Depthwise 3×3 convolution, surrounded by zeros.

    Attributes:
        taps: 9 × channels, float32.
        bias: float32.
        stride, dilation: in both directions.
        floor: least sum: 0 where there is a ReLU, else ``NO_FLOOR``.
    """

    taps: Tensor
    bias: Tensor
    stride: int
    dilation: int
    floor: float

    def size_of(self, x: Tensor) -> tuple[int, int]:
        """Return height and width of its output."""
        return -(-x.shape[0] // self.stride), -(-x.shape[1] // self.stride)


@dataclass(frozen=True, slots=True)
class Branches:
    """Levels of the pyramid: their 1×1 with ReLU, and their part of the 1×1 that mixes all.

    Attributes:
        bins: cells per side of each level, int32.
        cells: for each cell of all levels: cells per side, row and column, int32.
        first: levels × channels × inner, float32.
        first_bias: levels × inner, float32.
        second: levels × inner × outputs, float32.
    """

    bins: Tensor
    cells: Tensor
    first: Tensor
    first_bias: Tensor
    second: Tensor


_BLOCK = 64
"""Pixels of a block of sums."""

Side = tuple[Tensor, Pointwise]
"""Another picture of the same size, and the 1×1 by which it is added; its bias is not."""


def stem(pixels: Tensor, layer: Stem) -> Tensor:
    """Return the first layer's output, ⌈h/2⌉×⌈w/2⌉, of h×w×3 bytes."""
    height, width = pixels.shape[:2]
    size = -(-height // 2), -(-width // 2)
    matrix = layer.layer
    out = matrix.weights.new_empty((*size, matrix.outputs))
    count = size[0] * size[1]
    block = 128
    with on_device(pixels):
        code._stem[(triton.cdiv(count, block),)](
            pixels, layer.scale, layer.shift, matrix.weights, matrix.bias, out,
            height, width, size[1], count, matrix.outputs, matrix.weights.shape[1], matrix.floor,
            BLOCK=block, OUT=_power(matrix.weights.shape[1]),
        )  # fmt: skip
    return out


def depthwise(x: Tensor, layer: Depthwise) -> Tensor:
    """Return a depthwise convolution."""
    size, channels = layer.size_of(x), x.shape[2]
    out = x.new_empty((*size, channels))
    count = size[0] * size[1]
    block, part = 32, 64
    with on_device(x):
        code._depthwise[triton.cdiv(count, block), triton.cdiv(channels, part)](
            x, layer.taps, layer.bias, out, channels, x.shape[0], x.shape[1], size[1], count,
            layer.stride, layer.dilation, layer.floor, BLOCK=block, IN=part,
        )  # fmt: skip
    return out


def pointwise(
    x: Tensor, layer: Pointwise, residual: Tensor | None = None, side: Side | None = None
) -> Tensor:
    """Return a 1×1 convolution, to which others may be added before its ReLU."""
    return _pointwise(x, layer, residual, side, None, None, False)


def pyramid_mix(
    x: Tensor, layer: Pointwise, cells: Tensor, levels: Branches, align_corners: bool
) -> Tensor:
    """Return a 1×1 convolution of a picture and the cells of its pyramid, enlarged."""
    return _pointwise(x, layer, None, None, cells, levels, align_corners)


def _pointwise(
    x: Tensor,
    layer: Pointwise,
    residual: Tensor | None,
    side: Side | None,
    cells: Tensor | None,
    levels: Branches | None,
    align_corners: bool,
) -> Tensor:
    height, width = x.shape[:2]
    out = x.new_empty((height, width, layer.outputs))
    count, padded = height * width, layer.weights.shape[1]
    part = min(64, _power(padded))
    other, matrix = side or (x, layer)
    with on_device(x):
        code._pointwise[triton.cdiv(count, _BLOCK), triton.cdiv(padded, part)](
            x, layer.weights, layer.bias, other, matrix.weights,
            out if residual is None else residual,
            layer.bias if cells is None else cells,
            layer.bias if levels is None else levels.bins,
            out, layer.channels, matrix.channels, layer.outputs, padded, count,
            height, width, layer.floor,
            SIDE=side is not None, RESIDUAL=residual is not None,
            LEVELS=0 if levels is None else len(levels.bins), ALIGNED=align_corners,
            BLOCK=_BLOCK, IN=64, OUT=part,
        )  # fmt: skip
    return out


def depthwise_pointwise(
    x: Tensor, first: Depthwise, second: Pointwise, side: Side | None = None
) -> Tensor:
    """Return ``pointwise`` of ``depthwise``, in one pass; ``second`` is narrow."""
    size = first.size_of(x)
    out = x.new_empty((*size, second.outputs))
    count, padded = size[0] * size[1], second.weights.shape[1]
    other, matrix = side or (x, second)
    with on_device(x):
        code._depthwise_pointwise[(triton.cdiv(count, _BLOCK),)](
            x, first.taps, first.bias, second.weights, second.bias, other, matrix.weights, out,
            second.channels, matrix.channels, second.outputs, padded,
            x.shape[0], x.shape[1], size[1], count, first.stride, first.dilation,
            first.floor, second.floor, SIDE=side is not None,
            BLOCK=_BLOCK, IN=32, OUT=_power(padded), num_stages=2,
        )  # fmt: skip
    return out


def pooled(x: Tensor, levels: Branches) -> Tensor:
    """Return the means of all cells of the pyramid, cells × channels, float32."""
    channels = x.shape[2]
    out = torch.empty((len(levels.cells), channels), dtype=torch.float32, device=x.device)
    with on_device(x):
        code._pool[len(levels.cells), triton.cdiv(channels, 32)](
            x, levels.cells, out, channels, x.shape[0], x.shape[1], BLOCK=128, IN=32
        )
    return out


def branches(means: Tensor, levels: Branches) -> Tensor:
    """Return what each cell adds to the mix of the pyramid, cells × outputs, float32."""
    _levels, channels, inner = levels.first.shape
    outputs = levels.second.shape[2]
    out = means.new_empty((len(means), outputs))
    with on_device(means):
        code._branch[(len(means),)](
            means, levels.cells, levels.bins, levels.first, levels.first_bias, levels.second, out,
            channels, inner, outputs, len(levels.bins),
            IN=_power(channels), INNER=_power(inner), OUT=_power(outputs),
        )  # fmt: skip
    return out


def enlarged(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Return a picture interpolated bilinearly to a size."""
    channels = x.shape[2]
    out = x.new_empty((*size, channels))
    count = size[0] * size[1]
    with on_device(x):
        code._enlarge[triton.cdiv(count, 32), triton.cdiv(channels, 64)](
            x, out, channels, x.shape[0], x.shape[1], *size, count,
            ALIGNED=align_corners, BLOCK=32, IN=64,
        )  # fmt: skip
    return out


def _power(number: int) -> int:
    return max(16, 1 << (number - 1).bit_length())
