"""The building blocks of Fast-SCNN (paper Tables 1–3), one class each.

Shapes are written N×C×H×W. Every convolution is followed by batch norm, and batch norm stands
before every non-linearity (§4.1), so no convolution carries a bias of its own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvBNReLU(nn.Sequential):
    """Convolution, batch norm and, unless ``relu=False``, ReLU; the size is kept but for stride."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        relu: bool = True,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(
                in_channels,
                out_channels,
                kernel,
                stride=stride,
                padding=dilation * (kernel - 1) // 2,
                dilation=dilation,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(out_channels),
        ]
        if relu:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class DSConv(nn.Sequential):
    """Depthwise separable convolution with no non-linearity between its two steps (§3.2.1)."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__(
            ConvBNReLU(in_channels, in_channels, 3, stride=stride, groups=in_channels, relu=False),
            ConvBNReLU(in_channels, out_channels),
        )


class Bottleneck(nn.Module):
    """Bottleneck residual block (Table 2): expand, depthwise, linear projection.

    The residual is added where input and output have the same size (§3.2.2).
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, expansion: int = 6, stride: int = 1
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.has_residual = stride == 1 and in_channels == out_channels
        self.layers = nn.Sequential(
            ConvBNReLU(in_channels, hidden),
            ConvBNReLU(hidden, hidden, 3, stride=stride, groups=hidden),
            ConvBNReLU(hidden, out_channels, relu=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return x + out if self.has_residual else out


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear interpolation of N×C×h×w to ``size`` (H, W) with half-pixel centres."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class PyramidPooling(nn.Module):
    """Pyramid pooling module (PSPNet's, as Table 1 uses it).

    The input is averaged into 1×1, 2×2, 3×3 and 6×6 cells, each reduced to a quarter of the
    channels, brought back to the input's size, concatenated behind it and mixed by a 1×1.
    """

    BINS = (1, 2, 3, 6)

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        branch = in_channels // len(self.BINS)
        self.branches = nn.ModuleList(ConvBNReLU(in_channels, branch) for _ in self.BINS)
        self.out = ConvBNReLU(in_channels + branch * len(self.BINS), out_channels)

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[2], x.shape[3])
        pyramid = [x]
        for bins, branch in zip(self.BINS, self.branches, strict=True):
            pyramid.append(resize(branch(F.adaptive_avg_pool2d(x, bins)), size))
        out: Tensor = self.out(torch.cat(pyramid, dim=1))
        return out


class FeatureFusion(nn.Module):
    """Feature fusion module (Table 3).

    The low-resolution side is upsampled to the *size* of the other side, not by a factor, so that
    any input size works, then passes a depthwise 3×3 with dilation 4 (the ratio of the two
    resolutions) and ReLU, and a linear 1×1. The high-resolution side, the skip connection, passes
    a linear 1×1. Both are added, then ReLU.
    """

    DILATION = 4

    def __init__(self, high_channels: int, low_channels: int, out_channels: int) -> None:
        super().__init__()
        self.low_depthwise = ConvBNReLU(
            low_channels, low_channels, 3, dilation=self.DILATION, groups=low_channels
        )
        self.low = ConvBNReLU(low_channels, out_channels, relu=False)
        self.high = ConvBNReLU(high_channels, out_channels, relu=False)

    def forward(self, high: Tensor, low: Tensor, skip: bool = True) -> Tensor:
        """Fuse ``high`` N×C1×H×W and ``low`` N×C2×h×w into N×C×H×W.

        With ``skip=False`` the high-resolution side adds nothing to the sum (§4.2).
        """
        fused: Tensor = self.low(self.low_depthwise(resize(low, (high.shape[2], high.shape[3]))))
        if skip:
            fused = fused + self.high(high)
        return F.relu(fused)
