"""Initial weights of a run, when they are not drawn at random."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fastscnn.checkpoints.checkpoint import CheckpointError, load
from fastscnn.checkpoints.public_formats import IMAGENET_MEAN, IMAGENET_STD
from fastscnn.data.class_sets import class_set
from fastscnn.labels import CLASS_NAMES
from fastscnn.model.model_config import FastSCNNConfig
from fastscnn.training.task import Normalisation, normalisation_of

STATE_NAME = "state.pth"
PRETRAINED = "fastscnn-pretrained"
"""Format of the weights that pre-training writes."""
MAX_STATE_BYTES = 2**30
_LAST = re.compile(r"network\.classifier\.[3-9]\.|auxiliary\.\w+\.1\.")
"""Names of the tensors that have a part for each class."""


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """Weights to start from.

    Attributes:
        path: where they were found.
        tensors: by their names in a ``Trainee``.
        config: of the network that they belong to.
        normalisation: mean and deviation that the network is used to.
        classes: names of its outputs.
    """

    path: Path
    tensors: dict[str, Tensor]
    config: FastSCNNConfig
    normalisation: Normalisation = (IMAGENET_MEAN, IMAGENET_STD)
    classes: tuple[str, ...] = CLASS_NAMES

    def without_classes(self) -> InitialWeights:
        """Return the weights without the layers that have a part for each class."""
        kept = {name: tensor for name, tensor in self.tensors.items() if not _LAST.match(name)}
        return replace(self, tensors=kept)

    def fill(self, trainee: nn.Module) -> str:
        """Copy every tensor that ``trainee`` has under the same name and shape.

        Returns:
            A sentence that says what was taken and what was not.

        Raises:
            CheckpointError: nothing of the network is there.
        """
        own = trainee.state_dict()
        taken = {
            name: tensor
            for name, tensor in self.tensors.items()
            if name in own and own[name].shape == tensor.shape
        }
        if not any(name.startswith("network.") for name in taken):
            raise CheckpointError(f"{self.path} holds nothing that this network could start from.")
        trainee.load_state_dict(taken, strict=False)
        parts = []
        for part, meaning in (("network", "the network"), ("auxiliary", "the auxiliary heads")):
            total = [name for name in own if name.startswith(f"{part}.")]
            if not total:
                continue
            parts.append(f"{sum(n in taken for n in total)} of {len(total)} tensors of {meaning}")
        left = sorted(set(own) - set(taken))
        modules = sorted({".".join(name.split(".")[:2]) for name in left})
        fresh = f"; new are {', '.join(modules)}" if left else ""
        return f"Started from {self.path}: {' and '.join(parts)}{fresh}."


def read_state(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Return the state of a run, checked as far as a stranger's file needs it.

    Raises:
        CheckpointError: it is not there, too large, damaged or of another kind.
    """
    try:
        if path.stat().st_size > MAX_STATE_BYTES:
            raise CheckpointError(f"{path} is too large for the state of a training run.")
        state = torch.load(path, map_location=device, weights_only=True)
    except CheckpointError:
        raise
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no state of a training run in {path.parent}.") from error
    except Exception as error:  # a damaged file fails in many ways and means one thing
        raise CheckpointError(f"{path} cannot be read as the state of a training run.") from error
    if not isinstance(state, dict) or not isinstance(state.get("trainee"), dict):
        raise CheckpointError(f"{path} is not the state of a training run.")
    return state


def read_start(path: Path) -> InitialWeights:
    """Read weights from a checkpoint, a run's folder or its state.

    A run brings the auxiliary heads along, a checkpoint of ``fastscnn.pretrain`` the first modules.

    Raises:
        CheckpointError: there is nothing that fits.
    """
    if path.is_dir():
        path = path / STATE_NAME
    values = _load(path)
    if values.get("format") == PRETRAINED and isinstance(values.get("weights"), dict):
        return InitialWeights(path, _tensors(values["weights"], "network.", path), FastSCNNConfig())
    if not isinstance(values.get("trainee"), dict):
        checkpoint = load(path)
        tensors = {f"network.{k}": v for k, v in checkpoint.model.state_dict().items()}
        return InitialWeights(
            path,
            tensors,
            checkpoint.model.config,
            (checkpoint.mean, checkpoint.std),
            checkpoint.classes.names,
        )
    task = values.get("task", {})
    try:
        config = FastSCNNConfig.from_dict(task.get("config", {}))
        said = task.get("classes")  # of a pre-training a list of what is no class here
        names = class_set(said).names if isinstance(said, dict) else CLASS_NAMES
        normalisation = normalisation_of(task.get("normalisation") or (IMAGENET_MEAN, IMAGENET_STD))
    except (AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is a damaged state ({error}).") from error
    tensors = _tensors(values["trainee"], "", path)
    return InitialWeights(path, tensors, config, normalisation, names)


def _load(path: Path) -> dict[str, Any]:
    """Return what a file holds, nothing where it is none of ours: then ``load`` reports it."""
    try:
        if path.stat().st_size > MAX_STATE_BYTES:
            return {}
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged file fails in many ways
        return {}
    return values if isinstance(values, dict) else {}


def _tensors(values: dict[Any, Any], prefix: str, path: Path) -> dict[str, Tensor]:
    found = {f"{prefix}{name}": v for name, v in values.items() if isinstance(v, Tensor)}
    if not all(bool(v.isfinite().all()) for v in found.values()):
        raise CheckpointError(f"{path} holds weights that are not finite: choose another file.")
    return found
