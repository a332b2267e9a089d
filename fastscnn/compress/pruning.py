"""Pruning of whole channels, by torch-pruning, and tuning of the rest by the network before it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.exporting.agreement import ExportError

_MULTIPLE = 8
"""Channels are left in multiples of this, which processors compute best."""
_RATE, _CROP, _BATCH = 1e-3, 256, 4
"""Of the tuning: its highest learning rate, the side of its crops, and their number in a batch."""


def prune(
    checkpoint: Checkpoint, share: float, pictures: Sequence[NDArray[np.uint8]]
) -> Checkpoint:
    """Return a network without the weakest channels of every layer.

    The statistics of batch norm are taken anew, from pictures; no labels are needed.

    Args:
        checkpoint: the network.
        share: of the channels that go, above 0 and below 1.
        pictures: as the network sees them.

    Raises:
        ExportError: torch-pruning is not installed.
    """
    if find_spec("torch_pruning") is None:
        raise ExportError("Pruning needs torch-pruning: install with pip install torch-pruning.")
    import torch_pruning

    model = copy.deepcopy(checkpoint.model).float().eval().requires_grad_(True)
    outputs = [layer for layer in model.classifier.modules() if isinstance(layer, nn.Conv2d)][-1]
    pruner = torch_pruning.pruner.BasePruner(
        model,
        torch.zeros(1, 3, 256, 256),
        importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=share,
        ignored_layers=[outputs],
        round_to=_MULTIPLE,
    )
    pruner.step()
    pruned = replace(
        checkpoint,
        model=model.requires_grad_(False),
        info={**checkpoint.info, "pruned": share},
    )
    _recalibrate(pruned, pictures)
    return pruned


def tune(
    pruned: Checkpoint,
    teacher: Checkpoint,
    pictures: Sequence[NDArray[np.uint8]],
    steps: int,
    *,
    seed: int = 0,
) -> None:
    """Train a pruned network to give what the network gave before, on pictures without labels.

    Args:
        pruned: trained in place.
        teacher: the network before.
        pictures: as the network sees them.
        steps: batches of random crops.
        seed: of these.
    """
    random = np.random.default_rng(seed)
    student, known = pruned.model.train().requires_grad_(True), teacher.model.eval()
    optimiser = torch.optim.AdamW(student.parameters(), lr=_RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps)
    for _ in tqdm(range(steps), unit="step", leave=False, disable=None):
        batch = torch.stack([_crop(pictures, random) for _ in range(_BATCH)])
        x = _normalised(pruned, batch)
        with torch.no_grad():
            wanted = known(x).softmax(dim=1)
        loss = functional.cross_entropy(student(x), wanted)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    student.eval().requires_grad_(False)


def _crop(pictures: Sequence[NDArray[np.uint8]], random: np.random.Generator) -> Tensor:
    picture = pictures[int(random.integers(len(pictures)))]
    rows, columns = picture.shape[:2]
    top, left = (int(random.integers(max(1, side - _CROP + 1))) for side in (rows, columns))
    crop = picture[top : top + _CROP, left : left + _CROP]
    crop = np.pad(crop, [(0, _CROP - crop.shape[0]), (0, _CROP - crop.shape[1]), (0, 0)], "reflect")
    return torch.from_numpy(crop[:, ::-1].copy() if random.random() < 0.5 else crop)


def _normalised(checkpoint: Checkpoint, pixels: Tensor) -> Tensor:
    """Return N×3×h×w of N×h×w×3 bytes."""
    mean, std = torch.tensor(checkpoint.mean), torch.tensor(checkpoint.std)
    return ((pixels.float() / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()


@torch.no_grad()
def _recalibrate(checkpoint: Checkpoint, pictures: Sequence[NDArray[np.uint8]]) -> None:
    norms = [m for m in checkpoint.model.modules() if isinstance(m, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all pictures
    checkpoint.model.train()
    for layer in checkpoint.model.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()
    for picture in pictures:
        # Two of them: the pyramid's 1×1 level has but one value per picture.
        pixels = torch.from_numpy(np.stack([picture, picture[:, ::-1].copy()]))
        checkpoint.model(_normalised(checkpoint, pixels))
    checkpoint.model.eval()
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
