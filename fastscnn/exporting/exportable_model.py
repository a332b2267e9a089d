"""Exportable model: the network in a form that exports exactly, for any batch, height and width.

Exporters write a graph once, for all sizes. What in the network depends on the size in a way that
they cannot express is written here with operations that they can; the rest is the network's own.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.model.batch_norm_folding import fold_batch_norm
from fastscnn.model.blocks import FeatureFusion, PyramidPooling, resize
from fastscnn.upsampling import upsample

Output = Literal["cls", "prob", "logits", "logits8"]
Skip = Literal["on", "off", "input"]
Layout = Literal["nhwc", "nchw"]


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """Signature of an exported model: what goes in and what comes out.

    Attributes:
        output: ``cls`` labels N×H×W uint8; ``prob`` or ``logits`` N×classes×H×W float32 at the
            input's size; ``logits8`` the logits at 1/8 size, as the network gives them.
        skip: the skip connection is on, off, or a second input, one bool.
        layout: the pixels, uint8 RGB, come as N×H×W×3 or as N×3×H×W.
    """

    output: Output = "cls"
    skip: Skip = "on"
    layout: Layout = "nhwc"


def _averaging(size: int, bins: int, like: Tensor) -> Tensor:
    """Return the matrix bins×size that averages ``size`` values into overlapping cells.

    Cell i holds the values from ⌊i·size/bins⌋ to before ⌈(i+1)·size/bins⌉.
    """
    cell = torch.arange(bins, device=like.device)[:, None]
    first = cell * size // bins
    end = ((cell + 1) * size + bins - 1) // bins
    place = torch.arange(size, device=like.device)
    inside = (place >= first) & (place < end)
    return inside.to(like.dtype) / (end - first).to(like.dtype)


def average_pool(x: Tensor, bins: int) -> Tensor:
    """``F.adaptive_avg_pool2d`` as two matrix products: N×C×H×W → N×C×bins×bins.

    The size may be symbolic: the matrices are made from it inside the graph.
    """
    if bins == 1:
        return x.mean((2, 3), keepdim=True)
    rows = _averaging(x.shape[2], bins, x)
    columns = _averaging(x.shape[3], bins, x)
    return rows @ x @ columns.T


class ExportablePyramid(nn.Module):
    """A pyramid pooling module whose pooling exports for any size."""

    def __init__(self, pyramid: PyramidPooling) -> None:
        super().__init__()
        self.bins, self.align_corners = pyramid.bins, pyramid.align_corners
        self.branches, self.out = pyramid.branches, pyramid.out

    def forward(self, x: Tensor) -> Tensor:
        size = (x.shape[2], x.shape[3])
        pyramid = [x]
        for bins, branch in zip(self.bins, self.branches, strict=True):
            pyramid.append(resize(branch(average_pool(x, bins)), size, self.align_corners))
        out: Tensor = self.out(torch.cat(pyramid, dim=1))
        return out


class SwitchedFusion(nn.Module):
    """A feature fusion whose skip connection is switched by a tensor of one bool."""

    def __init__(self, fusion: FeatureFusion) -> None:
        super().__init__()
        self.fusion = fusion

    def forward(self, high: Tensor, low: Tensor, skip: Tensor) -> Tensor:
        fusion = self.fusion
        fused: Tensor = fusion.low(fusion.low_depthwise(fusion.upsampled(low, high)))
        high = fusion.high(high)
        return F.relu(fused + torch.where(skip, high, torch.zeros_like(high)))


class Exportable(nn.Module):
    """Exportable network: pixels in, labels, probabilities or logits out.

    The normalisation is inside. The checkpoint's own network is left as it is.

    Args:
        checkpoint: the network with its normalisation.
        signature: what goes in and comes out.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, checkpoint: Checkpoint, signature: Signature) -> None:
        super().__init__()
        self.signature = signature
        self.align_corners = checkpoint.model.config.align_corners
        network = fold_batch_norm(checkpoint.model)
        deep = network.global_feature_extractor
        pyramid = deep[-1]
        assert isinstance(pyramid, PyramidPooling)
        deep[-1] = ExportablePyramid(pyramid)
        self.high, self.low, self.classifier = (
            network.learning_to_downsample,
            deep,
            network.classifier,
        )
        fusion = network.feature_fusion
        self.fusion = SwitchedFusion(fusion) if signature.skip == "input" else fusion
        mean, std = torch.tensor(checkpoint.mean), torch.tensor(checkpoint.std)
        # (x / 255 - mean) / std in one multiplication and one addition
        self.register_buffer("scale", (1 / (255 * std)).view(1, 3, 1, 1))
        self.register_buffer("shift", (-mean / std).view(1, 3, 1, 1))
        self.eval()

    def forward(self, pixels: Tensor, skip: Tensor | None = None) -> Tensor:
        """Run the network; see ``Signature`` for the shapes."""
        x = pixels.permute(0, 3, 1, 2) if self.signature.layout == "nhwc" else pixels
        size = (x.shape[2], x.shape[3])
        high = self.high(x.float() * self.scale + self.shift)
        switch = self.signature.skip == "on" if skip is None else skip
        logits: Tensor = self.classifier(self.fusion(high, self.low(high), switch))
        if self.signature.output == "cls":
            return upsample.labels_reference(logits, size, self.align_corners)
        if self.signature.output == "prob":
            return upsample.probabilities_reference(logits, size, self.align_corners)
        if self.signature.output == "logits":
            return resize(logits, size, self.align_corners)
        return logits
