"""Building blocks of Fast-SCNN (paper Tables 1–3), one class each.

Shapes are written N×C×H×W. Every convolution is followed by batch norm, and batch norm stands
before every non-linearity (§4.1), so no convolution carries a bias of its own. The arguments that
differ from the paper exist for checkpoints of other implementations, see ``FastSCNNConfig``.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Literal["none", "relu", "relu6"]
Padding = Literal["same", "none", "end"]
"""Zeros around a strided 3×3: one on each side, none, or as few as an output of half the size
needs, the odd one at the bottom and right."""


def activation_layers(activation: Activation) -> list[nn.Module]:
    """Return the layer for an activation; none for ``none``."""
    if activation == "none":
        return []
    return [nn.ReLU6(inplace=True) if activation == "relu6" else nn.ReLU(inplace=True)]


class EndPaddedConv2d(nn.Conv2d):
    """Convolution with stride 2 and kernel 3 that pads as ``Padding`` calls ``end``."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        # Even sizes need one row of zeros, which goes to the end; odd ones need two.
        return super().forward(F.pad(x, (width % 2, 1, height % 2, 1)))


class ConvBNReLU(nn.Sequential):
    """Convolution, batch norm and an activation; the size is kept but for the stride."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        activation: Activation = "relu",
        padding: Padding = "same",
    ) -> None:
        convolution = EndPaddedConv2d if padding == "end" else nn.Conv2d
        super().__init__(
            convolution(
                in_channels,
                out_channels,
                kernel,
                stride=stride,
                padding=dilation * (kernel - 1) // 2 if padding == "same" else 0,
                dilation=dilation,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(out_channels),
            *activation_layers(activation),
        )


class DSConv(nn.Sequential):
    """Depthwise separable convolution with no non-linearity between its two steps (§3.2.1)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        between: Activation = "none",
        padding: Padding = "same",
    ) -> None:
        super().__init__(
            ConvBNReLU(
                in_channels,
                in_channels,
                3,
                stride=stride,
                dilation=dilation,
                groups=in_channels,
                activation=between,
                padding=padding if stride > 1 else "same",
            ),
            ConvBNReLU(in_channels, out_channels),
        )


class Bottleneck(nn.Module):
    """Bottleneck residual block (Table 2): expand, depthwise, linear projection.

    The residual is added where input and output have the same size (§3.2.2).
    """

    EXPANSION = 6

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 1,
        activation: Activation = "relu",
        padding: Padding = "same",
    ) -> None:
        super().__init__()
        hidden = in_channels * self.EXPANSION
        self.has_residual = stride == 1 and in_channels == out_channels
        self.layers = nn.Sequential(
            ConvBNReLU(in_channels, hidden, activation=activation),
            ConvBNReLU(
                hidden,
                hidden,
                3,
                stride=stride,
                groups=hidden,
                activation=activation,
                padding=padding if stride > 1 else "same",
            ),
            ConvBNReLU(hidden, out_channels, activation="none"),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return x + out if self.has_residual else out


def resize(x: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Interpolate N×C×h×w bilinearly to ``size`` (H, W), by default with half-pixel centres."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=align_corners)


def window(side: int, bins: int) -> int:
    """Return how long each of equal windows is; there may be more of them than ``bins``."""
    return max(1, side // bins)


class PyramidPooling(nn.Module):
    """Pyramid pooling module (PSPNet's, as Table 1 uses it).

    The input is averaged into 1×1, 2×2, 3×3 and 6×6 cells, each reduced to a quarter of the
    channels, brought back to the input's size, concatenated behind it and mixed by a 1×1.

    Args:
        in_channels, out_channels: of the module.
        bins: cells per side of each level.
        norm: whether the levels' convolutions have batch norm and ReLU.
        kernel: size of the mixing convolution; 0 mixes nothing.
        align_corners: how the levels are brought back to size.
        windows: whether levels average over equal windows and leave out what fills none.
        strided: a 3×3 with stride 2 and batch norm that keeps all channels, for each level.

    Attributes:
        channels: of the output.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        bins: tuple[int, ...] = (1, 2, 3, 6),
        norm: bool = True,
        kernel: int = 1,
        align_corners: bool = False,
        windows: bool = False,
        strided: bool = False,
    ) -> None:
        super().__init__()
        self.bins, self.align_corners, self.windows = bins, align_corners, windows
        branch = in_channels if strided else in_channels // len(bins)

        def level() -> nn.Module:
            if strided:
                return ConvBNReLU(
                    in_channels, branch, 3, stride=2, activation="none", padding="end"
                )
            if norm:
                return ConvBNReLU(in_channels, branch)
            return nn.Sequential(nn.Conv2d(in_channels, branch, 1, bias=False))

        self.branches = nn.ModuleList(level() for _ in bins)
        mixed = in_channels + branch * len(bins)
        self.out = ConvBNReLU(mixed, out_channels, kernel) if kernel else nn.Identity()
        self.channels = out_channels if kernel else mixed

    def cells(self, x: Tensor, bins: int) -> Tensor:
        """Return the means of a level's cells."""
        if not self.windows:
            return F.adaptive_avg_pool2d(x, bins)
        return F.avg_pool2d(x, [window(side, bins) for side in x.shape[2:]])

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[2], x.shape[3])
        pyramid = [x]
        for bins, branch in zip(self.bins, self.branches, strict=True):
            cells = branch(self.cells(x, bins))
            pyramid.append(resize(cells, size, self.align_corners))
        out: Tensor = self.out(torch.cat(pyramid, dim=1))
        return out


class FeatureFusion(nn.Module):
    """Feature fusion module (Table 3).

    The low-resolution side is upsampled to the *size* of the other side, not by a factor, so that
    any input size works, then passes a depthwise 3×3 with dilation 4 (the ratio of the two
    resolutions) and ReLU, and a linear 1×1. The high-resolution side, the skip connection, passes
    a linear 1×1. Both are added, then ReLU.

    Args:
        high_channels, low_channels, out_channels: of the two sides and the sum.
        dilation: of the depthwise convolution.
        dense: a dense 1×1 in place of the depthwise convolution.
        align_corners: how the low-resolution side is upsampled.
        nearest: whether it takes the nearest value instead.
        separable: a DSConv in place of the depthwise convolution.
    """

    def __init__(
        self,
        high_channels: int,
        low_channels: int,
        out_channels: int,
        *,
        dilation: int = 4,
        dense: bool = False,
        align_corners: bool = False,
        nearest: bool = False,
        separable: bool = False,
    ) -> None:
        super().__init__()
        self.align_corners, self.nearest = align_corners, nearest
        self.low_depthwise: nn.Sequential
        if separable:
            self.low_depthwise = DSConv(low_channels, out_channels, dilation=dilation)
            low_channels = out_channels
        elif dense:
            self.low_depthwise = ConvBNReLU(low_channels, low_channels)
        else:
            self.low_depthwise = ConvBNReLU(
                low_channels, low_channels, 3, dilation=dilation, groups=low_channels
            )
        self.low = ConvBNReLU(low_channels, out_channels, activation="none")
        self.high = ConvBNReLU(high_channels, out_channels, activation="none")

    def forward(self, high: Tensor, low: Tensor, skip: bool = True) -> Tensor:
        """Fuse ``high`` N×C1×H×W and ``low`` N×C2×h×w into N×C×H×W.

        With ``skip=False`` the high-resolution side adds nothing to the sum (§4.2).
        """
        fused: Tensor = self.low(self.low_depthwise(self.upsampled(low, high)))
        if skip:
            fused = fused + self.high(high)
        return F.relu(fused)

    def upsampled(self, low: Tensor, high: Tensor) -> Tensor:
        """Return ``low`` at the size of ``high``."""
        size = (high.shape[2], high.shape[3])
        if self.nearest:
            return F.interpolate(low, size=size, mode="nearest")
        return resize(low, size, self.align_corners)
