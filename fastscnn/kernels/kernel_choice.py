"""Choice between Triton's kernels and torch's own operations.

A kernel is compiled at its first call, for which Triton needs a C compiler, a folder that it may
write, and a card that it knows. Where that fails, torch's operations take its place for the rest of
the process, and ``refusal`` says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import torch
from torch import Tensor

from fastscnn.model.model_config import FastSCNNConfig

Output = TypeVar("Output")

_log = logging.getLogger(__name__)
_refused: list[str] = []

_FREE = {
    "num_classes", "dropout", "repeats", "pyramid_bins", "pyramid_align_corners",
    "fusion_dilation", "align_corners", "depthwise_activation",
}  # fmt: skip
"""Switches that the network's kernels take any value of."""


def expressible(config: FastSCNNConfig) -> bool:
    """Return whether the network's kernels know all switches of a network."""
    usual = FastSCNNConfig()
    return config.depthwise_activation != "relu6" and all(
        field.name in _FREE or getattr(config, field.name) == getattr(usual, field.name)
        for field in fields(config)
    )


def refusal() -> str:
    """Return a sentence on why Triton's kernels do not run here; empty as long as they do."""
    if not _refused:
        return ""
    compiler = " Install a C compiler, such as gcc." if "ompiler" in _refused[0] else ""
    return (
        f"Triton's kernels do not run here ({_refused[0]}): PyTorch's own operations take their"
        f" place, and labels more time.{compiler}"
    )


def on_card(name: str, plain: Callable[..., Output]) -> Callable[..., Output]:
    """Return ``kernel_or`` for tensors on a card, and ``plain`` for others, by the first argument.

    Args:
        name, plain: as of ``kernel_or``.
    """
    kernel = kernel_or(name, plain)

    def run(first: Tensor, *others: Any) -> Output:
        return (kernel if first.is_cuda else plain)(first, *others)

    return run


def kernel_or(name: str, plain: Callable[..., Output]) -> Callable[..., Output]:
    """Return a function that runs a kernel, and ``plain`` where kernels do not run.

    Args:
        name: a function of ``fastscnn.kernels.triton_kernels``.
        plain: takes the same arguments and gives the same.
    """

    def run(*arguments: Any) -> Output:
        if not _refused:
            try:
                from fastscnn.kernels import triton_kernels  # Triton is not everywhere

                found: Output = getattr(triton_kernels, name)(*arguments)
                return found
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # whatever a compiler, a disk or a driver may come up with
                words = str(error).strip() or type(error).__name__
                _refused.append(words.splitlines()[0].rstrip(".:"))
                _log.info("Triton's kernels are given up", exc_info=error)
        return plain(*arguments)

    return run
