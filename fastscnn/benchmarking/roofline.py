"""Roofline model: measured rates of a device, and the work that a network is.

The bound is a roofline, layer by layer: a convolution takes at least as long as its multiplications
at the rate of a large matrix product, and as its data at the rate of a large copy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fastscnn.model.batch_norm_folding import fold_batch_norm
from fastscnn.model.fast_scnn import FastSCNN


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates that a device reaches.

    Attributes:
        flops: floating-point operations per second of a large matrix product.
        bytes: per second of a large copy, read and written counted.
    """

    flops: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Work:
    """Work of one convolution: operations, and bytes of its input, output and weights."""

    flops: int
    bytes: int

    def seconds(self, rates: Rates) -> float:
        """Return the shortest time at these rates."""
        return max(self.flops / rates.flops, self.bytes / rates.bytes)


def _best(run: object, device: torch.device, rounds: int) -> float:
    assert callable(run)
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - started)
    return best


def measure_rates(device: torch.device, dtype: torch.dtype, rounds: int = 20) -> Rates:
    """Measure a device in a second or less; the best of some rounds counts."""
    side = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    product = torch.empty_like(a)
    seconds = _best(lambda: torch.matmul(a, b, out=product), device, rounds)
    source = torch.ones((1 << 30 if device.type == "cuda" else 1 << 27) // 4, device=device)
    target = torch.empty_like(source)
    copying = _best(lambda: target.copy_(source), device, rounds)
    return Rates(2 * side**3 / seconds, 2 * source.numel() * 4 / copying)


@torch.inference_mode()
def network_work(network: FastSCNN, size: tuple[int, int], bytes_per_value: int) -> list[Work]:
    """Return the convolutions that one image of ``size`` takes, batch norm folded into them."""
    layers: list[Work] = []

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        per_value = 2 * module.weight[0].numel()
        values = inputs[0].numel() + output.numel() + module.weight.numel()
        layers.append(Work(per_value * output.numel(), values * bytes_per_value))

    folded = fold_batch_norm(network).cpu().float()
    for module in folded.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    folded(torch.zeros(1, 3, *size))
    return layers
