"""Distributed training: one run on several processes, started by ``torchrun``.

Every process makes its own part of each batch, gradients are averaged, and the first process
alone writes files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from fastscnn.segmenter import DeviceError


@dataclass(frozen=True, slots=True)
class World:
    """The processes of a run.

    Attributes:
        rank: which of them this is.
        size: how many there are.
        local_rank: which of those on its machine it is, and so its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """True where this process reports and writes for all."""
        return self.rank == 0

    def places(self, batch: int) -> range:
        """Return which samples of each batch are this process's.

        Raises:
            DeviceError: the batch cannot be divided.
        """
        if batch % self.size:
            raise DeviceError(
                f"A batch of {batch} cannot be divided among {self.size} processes:"
                " choose a --batch that can."
            )
        part = batch // self.size
        return range(self.rank * part, (self.rank + 1) * part)

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a value over the processes, without a gradient."""
        if self.size == 1:
            return value.detach()
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.size

    def agree(self, value: float) -> float:
        """Return the first process's value, for what all must decide alike."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values)
        return float(values[0])


def join(device: str) -> tuple[World, str]:
    """Join the processes that ``torchrun`` started; alone, there is nothing to join.

    Args:
        device: as asked for; ``auto`` and ``cuda`` become this process's own GPU.

    Returns:
        The world and the device to use.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size < 2 and "TORCHELASTIC_RUN_ID" not in os.environ:
        return World(), device
    local = int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = device in {"auto", "cuda"} and torch.cuda.is_available()
    if on_gpu:
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    # The others wait while the first one validates.
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=timedelta(hours=2))
    return World(dist.get_rank(), dist.get_world_size(), local), device


def leave() -> None:
    """Leave the other processes, if any."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
