"""Fast-SCNN by Triton's kernels: each convolution with bias, ReLU and sums in one pass.

The network of the paper, of any width: most switches that public checkpoints need are PyTorch's
(``kernel_choice.expressible``). On a card it is one of the ways that are measured and compared by
``fastscnn.inference.card_ways``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from fastscnn.kernels import convolution_launchers as kernels
from fastscnn.kernels.convolution_launchers import Branches, Depthwise, Pointwise, Stem
from fastscnn.kernels.network_kernels import NO_FLOOR
from fastscnn.model.blocks import Bottleneck, ConvBNReLU, DSConv, PyramidPooling
from fastscnn.model.fast_scnn import FastSCNN

FUSE_FROM = 8192
"""Pixels of a layer's output from which a depthwise convolution and the 1×1 behind it are one
kernel. Where there are fewer, two kernels keep more of a card busy."""

_COMPILERS = 8
"""Kernels that are compiled at the same time."""


class FusedNetwork:
    """Network from pixels to logits by kernels.

    Args:
        model: with its batch norm folded, in float32, ``expressible``.
        scale, shift: 3 float32: bytes × scale + shift are the network's input.
        device, dtype: of the work; float16 or bfloat16.
        fuse_from: see ``FUSE_FROM``.
    """

    def __init__(
        self,
        model: FastSCNN,
        scale: Tensor,
        shift: Tensor,
        device: torch.device,
        dtype: torch.dtype,
        fuse_from: int = FUSE_FROM,
    ) -> None:
        to = _Converter(device, dtype)
        self._fuse_from = fuse_from
        self._aligned = model.config.align_corners
        self._pyramid_aligned = model.config.pyramid_align_corners
        first, *rest = model.learning_to_downsample
        self._stem = to.stem(first, scale, shift)
        self._down = [to.separable(block) for block in rest]
        *blocks, pyramid = model.global_feature_extractor
        self._blocks = [to.bottleneck(block) for block in blocks]
        self._mix, self._branches = to.pyramid(pyramid)
        fusion = model.feature_fusion
        self._low_depthwise = to.depthwise(fusion.low_depthwise)
        # The ReLU of the sum of both sides.
        self._low = replace(to.pointwise(fusion.low), floor=0.0)
        self._high = to.pointwise(fusion.high)
        # Both biases are added where both sides are summed.
        self._both = self._low.plus(self._high)
        one, two, _dropout, last = model.classifier
        self._classifier = [to.separable(one), to.separable(two)]
        self._last = to.pointwise(nn.Sequential(last))

    def __call__(self, pixels: Tensor, skips: Sequence[bool]) -> tuple[Tensor, ...]:
        """Return logits for each setting of the skip connection.

        Args:
            pixels: h×w×3 uint8 RGB, contiguous.
            skips: settings of the skip connection.

        Returns:
            For each, 1×classes×⌈h/8⌉×⌈w/8⌉, channels last.
        """
        x = kernels.stem(pixels, self._stem)
        for depthwise, pointwise in self._down:
            x = self._separable(x, depthwise, pointwise)
        high = x
        for expand, depthwise, project, residual in self._blocks:
            hidden = kernels.pointwise(x, expand)
            x = self._separable(hidden, depthwise, project, residual=x if residual else None)
        low = kernels.enlarged(self._pyramid(x), (high.shape[0], high.shape[1]), self._aligned)
        return tuple(self._head(high, low, skip) for skip in skips)

    def compile(self) -> None:
        """Compile all kernels, several at a time, so that no frame of any size waits for one."""

        def blank(channels: int) -> Tensor:
            return self._last.weights.new_zeros((8, 8, channels))

        expand, depthwise, project, _residual = self._blocks[0]
        hidden, low = blank(project.channels), blank(self._low.channels)
        side = blank(self._high.channels), self._high
        calls: list[Callable[[], object]] = [
            partial(kernels.depthwise_pointwise, blank(first.taps.shape[1]), first, second, beside)
            for first, second, beside in (
                (self._low_depthwise, self._low, side),
                (*self._classifier[0], None),
                (*self._down[0], None),
            )
        ]
        calls += [
            partial(self._pyramid, blank(self._mix.channels)),
            partial(kernels.stem, low.new_zeros((16, 16, 3), dtype=torch.uint8), self._stem),
            partial(kernels.pointwise, low, self._low, None, side),
            partial(kernels.pointwise, hidden, project, blank(project.outputs)),
            partial(kernels.pointwise, blank(expand.channels), expand),
            partial(kernels.pointwise, blank(self._last.channels), self._last),
            partial(kernels.depthwise, hidden, depthwise),
            partial(kernels.enlarged, low, (16, 16), self._aligned),
        ]
        with ThreadPoolExecutor(_COMPILERS) as pool:
            for done in [pool.submit(call) for call in calls]:  # the longest first
                done.result()

    def _pyramid(self, x: Tensor) -> Tensor:
        cells = kernels.branches(kernels.pooled(x, self._branches), self._branches)
        return kernels.pyramid_mix(x, self._mix, cells, self._branches, self._pyramid_aligned)

    def _head(self, high: Tensor, low: Tensor, skip: bool) -> Tensor:
        side = (high, self._high) if skip else None
        low_layer = self._both if skip else self._low
        x = self._separable(low, self._low_depthwise, low_layer, side=side)
        for depthwise, pointwise in self._classifier:
            x = self._separable(x, depthwise, pointwise)
        return kernels.pointwise(x, self._last).permute(2, 0, 1).unsqueeze(0)

    def _separable(
        self,
        x: Tensor,
        depthwise: Depthwise,
        pointwise: Pointwise,
        *,
        residual: Tensor | None = None,
        side: tuple[Tensor, Pointwise] | None = None,
    ) -> Tensor:
        height, width = depthwise.size_of(x)
        enough = height * width >= self._fuse_from
        if enough and residual is None and pointwise.is_narrow:
            return kernels.depthwise_pointwise(x, depthwise, pointwise, side)
        return kernels.pointwise(kernels.depthwise(x, depthwise), pointwise, residual, side)


class _Converter:
    """Converter of PyTorch's layers to what the kernels take."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype

    def stem(self, block: nn.Module, scale: Tensor, shift: Tensor) -> Stem:
        convolution = _convolution(block)
        weights = convolution.weight.detach()  # out×3×3×3 → (row, column, colour)×out
        rows = weights.permute(2, 3, 1, 0).reshape(27, -1)
        padded = torch.cat([rows, rows.new_zeros(5, rows.shape[1])])
        layer = self._matrix(padded, convolution, _floor(block))
        return Stem(layer, self._float(scale.flatten()), self._float(shift.flatten()))

    def depthwise(self, block: nn.Module) -> Depthwise:
        convolution = _convolution(block)
        taps = convolution.weight.detach().reshape(-1, 9).T
        return Depthwise(
            self._float(taps),
            self._float(_bias(convolution)),
            convolution.stride[0],
            convolution.dilation[0],
            _floor(block),
        )

    def pointwise(self, block: nn.Module) -> Pointwise:
        convolution = _convolution(block)
        rows = convolution.weight.detach()[:, :, 0, 0].T
        return self._matrix(rows, convolution, _floor(block))

    def separable(self, block: nn.Module) -> tuple[Depthwise, Pointwise]:
        assert isinstance(block, DSConv)
        return self.depthwise(block[0]), self.pointwise(block[1])

    def bottleneck(self, block: nn.Module) -> tuple[Pointwise, Depthwise, Pointwise, bool]:
        assert isinstance(block, Bottleneck)
        expand, depthwise, project = block.layers
        return (
            self.pointwise(expand),
            self.depthwise(depthwise),
            self.pointwise(project),
            block.has_residual,
        )

    def pyramid(self, module: nn.Module) -> tuple[Pointwise, Branches]:
        assert isinstance(module, PyramidPooling)
        # The mixing 1×1 is linear: of a level it may be taken before the level is enlarged.
        convolution = _convolution(module.out)
        rows = convolution.weight.detach()[:, :, 0, 0].T
        firsts = [_convolution(branch) for branch in module.branches]
        inner = firsts[0].out_channels
        channels = firsts[0].in_channels
        parts = rows[channels:].reshape(len(firsts), inner, -1)
        cells = [(n, y, x) for n in module.bins for y in range(n) for x in range(n)]
        branches = Branches(
            torch.tensor(module.bins, dtype=torch.int32, device=self._device),
            torch.tensor(cells, dtype=torch.int32, device=self._device),
            self._float(torch.stack([one.weight.detach()[:, :, 0, 0].T for one in firsts])),
            self._float(torch.stack([_bias(one) for one in firsts])),
            self._float(parts),
        )
        return self._matrix(rows[:channels], convolution, _floor(module.out)), branches

    def _matrix(self, rows: Tensor, convolution: nn.Conv2d, floor: float) -> Pointwise:
        outputs = rows.shape[1]
        padded = nn.functional.pad(rows, (0, -outputs % 16)).to(self._device, self._dtype)
        bias = self._float(_bias(convolution))
        return Pointwise(padded.contiguous(), bias, rows.shape[0], outputs, floor)

    def _float(self, values: Tensor) -> Tensor:
        return values.detach().to(self._device, torch.float32).contiguous()


def _convolution(block: nn.Module) -> nn.Conv2d:
    assert isinstance(block, nn.Sequential)
    convolution = block[0]
    assert isinstance(convolution, nn.Conv2d)
    return convolution


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None  # the folded batch norm's
    return convolution.bias.detach()


def _floor(block: nn.Module) -> float:
    rectifies = isinstance(block, ConvBNReLU) and len(block) > 2
    return 0.0 if rectifies else NO_FLOOR
