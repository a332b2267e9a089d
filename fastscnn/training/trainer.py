"""Trainer: the steps of one run and its state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fastscnn.checkpoints.checkpoint import CheckpointError, atomic_save
from fastscnn.segmenter import pick_device
from fastscnn.training.device_batches import DeviceBatches
from fastscnn.training.distributed import World
from fastscnn.training.initial_weights import STATE_NAME, InitialWeights, read_state
from fastscnn.training.optimisation import Average, Stepper, pick_amp
from fastscnn.training.recipe import Recipe
from fastscnn.training.task import Task


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return parameters with L2 and those without: depthwise convolutions (§4.1), vectors."""
    free: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    for layer in module.modules():
        depthwise = isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1
        for parameter in layer.parameters(recurse=False):
            (free if depthwise or parameter.ndim < 2 else decayed).append(parameter)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]


class Trainer:
    """Trainer of one run: resumable, and repeatable from its recipe and data.

    Args:
        task: what is trained.
        recipe: how.
        folder: where the run's files go.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        start: weights to start from; ``None`` draws them at random.
        workers: threads that prepare samples ahead.
        world: the processes that share the run.

    Attributes:
        step: steps made.
        elapsed: seconds that the run took so far, for a recipe that counts time.
        best: the best figure of a validation so far; ``None`` before the first.
        started: a sentence on what was taken from ``start``, else empty.

    Raises:
        DataError: a data set cannot be used.
        DeviceError: the device is not there, or the batch cannot be divided.
    """

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        folder: Path,
        *,
        device: str = "auto",
        start: InitialWeights | None = None,
        workers: int = 1,
        world: World | None = None,
    ) -> None:
        self.task, self.folder, self.world = task, folder, world or World()
        self.recipe = recipe = recipe.resolved(task.epoch)
        self.device = pick_device(device)
        self.amp = pick_amp(recipe.amp, self.device)
        self.step, self.elapsed = 0, 0.0
        self.best: float | None = None
        self.batches = task.batches(
            recipe,
            lambda step: self.world.places(recipe.at(step).batch),
            self.device,
            workers,
        )
        self._on_device = isinstance(self.batches, DeviceBatches)
        self.trainee = task.module(recipe, self.world.mean)
        self.started = start.fill(self.trainee) if start else ""
        self.trainee.to(device=self.device)
        self.trainee.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._parallel = self._distribute()
        self.optimizer = torch.optim.SGD(
            parameter_groups(self.trainee, recipe.weight_decay),
            lr=recipe.rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            # Fused it rounds otherwise: on a CPU, which never waits, runs stay as they were.
            fused=self._on_device or self.device.type != "cpu",
        )
        self._stepper = Stepper(
            self.trainee, self.optimizer, amp=self.amp, device=self.device, clip=recipe.clip
        )
        self.average = Average(self._network, recipe.ema) if recipe.ema else None
        self._refused = torch.zeros((), device=self.device)
        mean, std = task.normalisation
        # (x / 255 - mean) / std in one multiplication and one addition
        self._scale = (1 / (255 * torch.tensor(std))).view(1, 3, 1, 1).to(self.device)
        self._shift = (-torch.tensor(mean) / torch.tensor(std)).view(1, 3, 1, 1).to(self.device)

    def _distribute(self) -> nn.Module:
        if self.world.size == 1:
            return self.trainee
        on_gpu = self.device.type == "cuda"
        if on_gpu and not self.recipe.freeze_bn:
            convert: Callable[[nn.Module], nn.Module] = nn.SyncBatchNorm.convert_sync_batchnorm
            self.trainee = convert(self.trainee)
        return nn.parallel.DistributedDataParallel(
            self.trainee,
            device_ids=[self.device.index] if on_gpu else None,
            # with the skip connection off its convolution has no gradient
            find_unused_parameters=self.recipe.skip_drop > 0,
        )

    @property
    def _network(self) -> nn.Module:
        network = self.trainee.network
        assert isinstance(network, nn.Module)
        return network

    @property
    def state_path(self) -> Path:
        """File of the run's state, from which it resumes."""
        return self.folder / STATE_NAME

    @property
    def weights(self) -> dict[str, Tensor]:
        """The network's state as it is used: averaged where the recipe says so."""
        return self.average.state if self.average else self._network.state_dict()

    @property
    def refused(self) -> int:
        """Number of steps that were left out because their gradient was not finite."""
        return int(self._refused)

    @property
    def rate(self) -> float:
        """Learning rate of the next step."""
        return self.recipe.rate_at(self.step, self.elapsed)

    @property
    def progress(self) -> float:
        """Share of the run that is done."""
        return self.recipe.progress(self.step, self.elapsed)

    def train_step(self) -> Tensor:
        """Make one optimiser step, left out if its gradient is not finite.

        Nothing in it waits for the device.

        Returns:
            Two numbers, on the device: the loss, and how many steps were left out so far.
        """
        recipe = self.recipe.at(self.step)
        self._parallel.train()
        if recipe.freeze_bn:
            for layer in self.trainee.modules():
                if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                    layer.eval()
        rng = np.random.default_rng((recipe.seed, 3, self.step))
        skip = bool(rng.random() >= recipe.skip_drop)
        places = self.world.places(recipe.batch)
        seeds = rng.integers(2**31, size=recipe.batch)[places.start : places.stop].tolist()
        if self._on_device:
            del seeds[1:]
        images, targets = (part.to(self.device) for part in self.batches(self.step))
        x = torch.addcmul(self._shift, images.permute(0, 3, 1, 2).float(), self._scale)
        x = x.contiguous(memory_format=torch.channels_last)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        self._stepper.begin()
        with self._stepper.autocast():
            loss: Tensor = self._parallel(x, targets, skip, seeds)
        self._refused += self._stepper.finish(loss)
        self.step += 1
        if self.average is not None:
            self.average.update(self.step)
        return torch.stack([self.world.mean(loss).float(), self._refused])

    def save_state(self) -> None:
        """Save everything a resumed run needs, in one step that a kill cannot half do."""
        atomic_save(
            {
                "kind": self.task.kind,
                "task": self.task.to_dict(),
                "recipe": self.recipe.to_dict(),
                "step": self.step,
                "elapsed": self.elapsed,
                "refused": self.refused,
                "best": self.best,
                "trainee": self.trainee.state_dict(),
                "average": self.average.state if self.average else None,
                "optimizer": self.optimizer.state_dict(),
                "scaler": self._stepper.state_dict(),
            },
            self.state_path,
        )

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue where a saved state ended; task and recipe must be the state's own.

        Raises:
            CheckpointError: it does not fit.
        """
        try:
            self.trainee.load_state_dict(state["trainee"])
            self.optimizer.load_state_dict(state["optimizer"])
            self._stepper.load_state_dict(state["scaler"])
            if self.average is not None:
                self.average.load(state["average"])
            self.step, self.elapsed = int(state["step"]), float(state["elapsed"])
            self._refused.fill_(int(state["refused"]))
            self.best = None if state["best"] is None else float(state["best"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise _does_not_fit(self.state_path, error) from error

    def save_checkpoint(self, name: str, info: dict[str, Any] | None = None) -> Path:
        """Write the network as it is used, whole or not at all.

        Args:
            name: of the file in the run's folder.
            info: facts for people beside the recipe and the step.
        """
        path = self.folder / name
        facts = {"recipe": self.recipe.to_dict(), "step": self.step, **(info or {})}
        self.task.save(self.weights, facts, path)
        return path


def saved_run(folder: Path, kind: str) -> tuple[dict[str, Any], Recipe]:
    """Return state and recipe of the run in a folder.

    Raises:
        CheckpointError: there is none, or it cannot be used.
    """
    path = folder / STATE_NAME
    state = read_state(path)
    try:
        if state["kind"] != kind:
            raise CheckpointError(f"{path} is the state of a {state['kind']}, not of a {kind}.")
        return state, Recipe.from_dict(state["recipe"])
    except (KeyError, TypeError, ValueError) as error:
        raise _does_not_fit(path, error) from error


def _does_not_fit(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path} does not fit this program ({error}): begin a new run from it by --start."
    )
