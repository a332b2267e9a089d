"""Batch norm folding into the convolutions before it, for the network as it runs."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fastscnn.model.blocks import ConvBNReLU
from fastscnn.model.fast_scnn import FastSCNN


def fold_batch_norm(network: FastSCNN) -> FastSCNN:
    """Return a copy of a network in evaluation mode whose convolutions carry their batch norm.

    It gives the same logits to rounding, in fewer passes over memory, and cannot be trained.
    """
    folded = copy.deepcopy(network).eval()
    for block in folded.modules():
        if isinstance(block, ConvBNReLU):
            convolution, norm = block[0], block[1]
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            block[0] = fuse_conv_bn_eval(convolution, norm)
            block[1] = nn.Identity()
    return folded
