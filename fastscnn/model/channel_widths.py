"""Channel widths of pruned networks: layers made as wide as the weights that they get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fastscnn.model.fast_scnn import FastSCNN


def take_widths(model: FastSCNN, weights: Mapping[Any, Any]) -> bool:
    """Make layers narrower where weights have fewer channels; return whether any is.

    No layer becomes wider than in the published network. Whether the layers fit each other is told
    by running the network.
    """
    changed = False
    for name, layer in model.named_modules():
        given = weights.get(f"{name}.weight")
        if not isinstance(given, Tensor):
            continue
        if isinstance(layer, nn.Conv2d) and _narrower(given.shape, layer.weight.shape):
            depthwise = layer.groups == layer.in_channels and layer.groups > 1
            layer.out_channels = given.shape[0]
            layer.in_channels = given.shape[0] if depthwise else given.shape[1]
            layer.groups = given.shape[0] if depthwise else 1
            layer.weight = nn.Parameter(torch.empty(given.shape))
            if layer.bias is not None:
                layer.bias = nn.Parameter(torch.empty(given.shape[0]))
        elif isinstance(layer, nn.BatchNorm2d) and _narrower(given.shape, layer.weight.shape):
            layer.num_features = given.shape[0]
            layer.weight = nn.Parameter(torch.empty(given.shape))
            layer.bias = nn.Parameter(torch.empty(given.shape))
            layer.running_mean = torch.zeros(given.shape)
            layer.running_var = torch.ones(given.shape)
        else:
            continue
        changed = True
    return changed


def _narrower(given: torch.Size, usual: torch.Size) -> bool:
    """Return whether a shape has fewer channels, and is otherwise the same."""
    if given == usual or len(given) != len(usual) or given[2:] != usual[2:]:
        return False
    return all(0 < have <= most for have, most in zip(given, usual, strict=True))
