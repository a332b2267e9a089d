"""Training task: the network, its samples and its loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.checkpoints.public_formats import IMAGENET_MEAN, IMAGENET_STD
from fastscnn.data.augmentation import Augmentation
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet, class_set
from fastscnn.data.dataset_check import check
from fastscnn.data.dataset_mix import Mix, repeat_factors
from fastscnn.data.label_sets import TargetSets
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from fastscnn.training.batch_loader import BatchLoader, BatchSource
from fastscnn.training.device_batches import DeviceBatches, NoRoomError
from fastscnn.training.loss import Mean, Trainee, class_shares, enet_weights
from fastscnn.training.recipe import Recipe

Normalisation = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Mean and deviation of RGB values in 0–1."""


def normalisation_of(values: Any) -> Normalisation:
    """Return a normalisation from a file's values.

    Raises:
        TypeError, ValueError: it is none.
    """
    mean, std = ((float(a), float(b), float(c)) for a, b, c in values)
    if not min(std) > 0:
        raise ValueError("a deviation is not positive")
    return mean, std


class Task(Protocol):
    """Task of a ``Trainer``: what it needs to know of what it trains."""

    kind: str
    """Name in a run's state."""
    normalisation: Normalisation
    epoch: float
    """Samples after which every stored image was seen once, about."""

    def batches(
        self, recipe: Recipe, places: Callable[[int], range], device: torch.device, workers: int
    ) -> BatchSource:
        """Return the source of batches; of each step's batch only these places."""

    def module(self, recipe: Recipe, mean: Mean) -> nn.Module:
        """Return the network, as ``network``, in a module that gives the loss.

        It is called with normalised images, targets, whether the skip connection is on, and the
        samples' seeds.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return what a run's state holds of it, as plain values."""

    def save(self, state: dict[str, Tensor], info: dict[str, Any], path: Path) -> None:
        """Write a trained network's checkpoint."""


class Segmentation:
    """Segmentation task: labels for every pixel, which Fast-SCNN is for.

    Args:
        data: specs of the data sets, see ``fastscnn.data.dataset_mix``.
        config: of the network.
        normalisation: mean and deviation that the network is used to.
        shares: how much of the area each class covers; ``None`` measures where it is needed.
        classes: what the network is to tell apart.

    Raises:
        DataError: a data set cannot be used.
    """

    kind = "segmentation"

    def __init__(
        self,
        data: list[str],
        config: FastSCNNConfig | None = None,
        normalisation: Normalisation = (IMAGENET_MEAN, IMAGENET_STD),
        shares: list[float] | None = None,
        classes: ClassSet = CITYSCAPES_SET,
    ) -> None:
        self.data, self.normalisation, self.shares = data, normalisation, shares
        self.classes = classes
        self.config = config or FastSCNNConfig(num_classes=len(classes))
        sets = TargetSets(classes)
        self.mix = Mix(data, sets)
        self._contents = check(self.mix.datasets)
        self.members, self._weights = sets.members(), sets.weights()
        self.epoch = self.mix.epoch

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Segmentation:
        """Return the inverse of ``to_dict``.

        Raises:
            DataError: a data set cannot be used any more.
            KeyError, TypeError, ValueError: the values cannot be meant.
        """
        shares = values["shares"]
        return cls(
            [str(spec) for spec in values["data"]],
            FastSCNNConfig.from_dict(values["config"]),
            normalisation_of(values["normalisation"]),
            None if shares is None else [float(share) for share in shares],
            class_set(values["classes"]) if "classes" in values else CITYSCAPES_SET,
        )

    def batches(
        self, recipe: Recipe, places: Callable[[int], range], device: torch.device, workers: int
    ) -> BatchSource:
        """Return the source of batches: on the GPU where there is one, else on the host."""
        if recipe.repeat_rare:
            for dataset, contents in enumerate(self._contents):
                if contents is not None:
                    self.mix.favour(dataset, repeat_factors(contents, recipe.repeat_rare))

        def augment(step: int) -> Augmentation:
            return augmentation_of(recipe.at(step))

        seed, about = recipe.seed, ""
        if recipe.augment == "device" or (recipe.augment == "auto" and device.type == "cuda"):
            try:
                return DeviceBatches(
                    self.mix, self._contents, augment, device, seed=seed, places=places
                )
            except NoRoomError as error:
                if recipe.augment == "device":
                    raise
                about = f"Samples are varied on the host: {error}"
        return BatchLoader(
            lambda rng, step: augment(step)(self.mix.sample(rng), rng),
            seed=seed,
            places=places,
            steps=recipe.steps,
            workers=workers,
            about=about,
        )

    def module(self, recipe: Recipe, mean: Mean) -> Trainee:
        """Return the network with its auxiliary heads and its loss."""
        weight = None
        if bool((self._weights != 1).any()):
            weight = F.pad(self._weights, (0, 256 - len(self._weights)))
        if recipe.class_balance == "enet":
            self.shares = self.shares or class_shares(self.mix, self.members, recipe.seed)
            balance = enet_weights(self.shares, self.members, recipe.balance_c)
            weight = balance if weight is None else weight * balance
        torch.manual_seed(recipe.seed)
        return Trainee(
            FastSCNN(self.config),
            self.members,
            weight=weight,
            hardest=recipe.ohem,
            stride=recipe.loss_stride,
            dropout=recipe.dropout,
            mean=mean,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what a run's state holds of the task."""
        return {
            "data": self.data,
            "shares": self.shares,
            "config": self.config.to_dict(),
            "normalisation": [list(values) for values in self.normalisation],
            "classes": self.classes.to_dict(),
        }

    def checkpoint(self, state: dict[str, Tensor], info: dict[str, Any]) -> Checkpoint:
        """Return a trained network, ready to be used or saved."""
        network = FastSCNN(self.config)
        network.load_state_dict({name: tensor.cpu() for name, tensor in state.items()})
        mean, std = self.normalisation
        facts = {"data": self.data, "shares": self.shares, **info}
        return Checkpoint(network.eval(), mean, std, self.classes, facts)

    def save(self, state: dict[str, Tensor], info: dict[str, Any], path: Path) -> None:
        """Write a trained network's checkpoint."""
        save(self.checkpoint(state, info), path)


def augmentation_of(recipe: Recipe) -> Augmentation:
    """Return the augmentation that a recipe asks for."""
    return Augmentation(
        crop=recipe.crop,
        scale=recipe.scale,
        short_side=recipe.short_side if any(recipe.short_side) else None,
        aspect=recipe.aspect,
        color=recipe.color,
        brightness=recipe.brightness,
        gamma=recipe.gamma,
        noise=recipe.noise,
        blur=recipe.blur,
        saturation=recipe.saturation,
        contrast=recipe.contrast,
    )
