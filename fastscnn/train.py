"""Training: ``python -m fastscnn.train``.

The paper's loss and optimiser (§4.1): stochastic gradient descent with momentum 0.9, the poly rate,
no L2 on depthwise convolutions, cross entropy with two auxiliary losses at 0.4.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from fastscnn.blocks import resize
from fastscnn.checkpoint import (
    Checkpoint,
    CheckpointError,
    atomic_save,
    load,
    save,
)
from fastscnn.data.augment import Augmentation
from fastscnn.data.folder import DataError
from fastscnn.data.mix import Mix
from fastscnn.data.targets import TargetSets
from fastscnn.formats import IMAGENET_MEAN, IMAGENET_STD
from fastscnn.labels import UNKNOWN
from fastscnn.model import AuxiliaryHeads, FastSCNN
from fastscnn.segmenter import DeviceError, pick_device


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the result of a training run; stored in its checkpoints.

    Attributes:
        steps: optimiser steps; the rate falls to zero over them.
        batch: samples per step (12 in the paper).
        rate: base rate of the poly schedule (0.045).
        power: exponent of the poly schedule (0.9).
        momentum: of SGD (0.9).
        weight_decay: L2 on everything but depthwise convolutions (4e-5).
        warmup: steps over which the rate rises first; a short run from scratch needs it.
        clip: largest norm of the gradient.
        skip_drop: share of steps in which the skip connection is off, so that the network still
            sees without it.
        loss_stride: the loss looks at every n-th pixel of every n-th row.
        seed: of the weights, the data order and the augmentation.
        crop: height and width that the network is trained on.
    """

    steps: int = 4000
    batch: int = 12
    rate: float = 0.045
    power: float = 0.9
    momentum: float = 0.9
    weight_decay: float = 4e-5
    warmup: int = 200
    clip: float = 5.0
    skip_drop: float = 0.1
    loss_stride: int = 1
    seed: int = 1
    crop: tuple[int, int] = (384, 512)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        ramp = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        falling: float = max(0.0, 1 - step / self.steps) ** self.power
        return ramp * self.rate * falling


def set_cross_entropy(logits: Tensor, target: Tensor, members: Tensor) -> Tensor:
    """Cross entropy with targets that may be sets of classes: −log of the summed softmax.

    Args:
        logits: N×C×H×W.
        target: N×H×W integer numbers of sets (0 to C−1 are the classes themselves), 255 ignored.
        members: sets×C bool, see ``TargetSets.members``.

    Returns:
        The mean over the labelled pixels, zero where there is none.
    """
    logits = logits.float()
    target = target.long()
    exact = target < logits.shape[1]
    single = F.cross_entropy(
        logits,
        torch.where(exact, target, UNKNOWN),
        ignore_index=UNKNOWN,
        reduction="sum",
    )
    several = (~exact) & (target != UNKNOWN)
    chosen = logits.permute(0, 2, 3, 1)[several]
    inside = chosen.masked_fill(~members[target[several]], -math.inf)
    sets = (chosen.logsumexp(1) - inside.logsumexp(1)).sum()
    return (single + sets) / (target != UNKNOWN).sum().clamp(min=1)


class Trainee(nn.Module):
    """The network with its auxiliary heads and its loss, as one module."""

    def __init__(self, network: FastSCNN, members: Tensor, loss_stride: int) -> None:
        super().__init__()
        self.network = network
        self.auxiliary = AuxiliaryHeads(network.config.num_classes)
        self.loss_stride = loss_stride
        self.members: Tensor
        self.register_buffer("members", members, persistent=False)

    def forward(self, images: Tensor, targets: Tensor, skip: bool) -> Tensor:
        """The training loss of normalised N×3×H×W images and N×H×W targets."""
        high, low = self.network.features(images)
        loss = self._loss(self.network.head(high, low, skip), targets, self.loss_stride)
        high_logits, low_logits = self.auxiliary(high, low)
        # The auxiliary heads steer features at 1/8 and 1/32, so they are judged at 1/8.
        for logits in (high_logits, low_logits):
            loss = loss + AuxiliaryHeads.WEIGHT * self._loss(logits, targets, 8)
        return loss

    def _loss(self, logits: Tensor, targets: Tensor, stride: int) -> Tensor:
        middle = stride // 2
        targets = targets[:, middle::stride, middle::stride]
        size = (targets.shape[1], targets.shape[2])
        return set_cross_entropy(resize(logits, size), targets, self.members)


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters with L2 and those without: depthwise convolutions (§4.1) and all vectors."""
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
    """One training run: resumable, and repeatable from its recipe and data.

    Every step draws its samples and its randomness from (seed, step) alone, so a resumed run sees
    what the uninterrupted one would have seen.

    Raises:
        DataError: a data set cannot be used.
        DeviceError: the device is not there.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: list[str],
        folder: Path,
        *,
        device: str = "auto",
        start: FastSCNN | None = None,
    ) -> None:
        self.recipe, self.data, self.folder = recipe, data, folder
        self.device = pick_device(device)
        sets = TargetSets()
        self.mix = Mix(data, sets)
        self.augment = Augmentation(crop=recipe.crop)
        torch.manual_seed(recipe.seed)
        self.trainee = Trainee(start or FastSCNN(), sets.members(), recipe.loss_stride)
        self.trainee.to(device=self.device)
        self.trainee.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.SGD(
            parameter_groups(self.trainee, recipe.weight_decay),
            lr=recipe.rate,
            momentum=recipe.momentum,
        )
        self.step = 0
        self.refused = 0
        self._mean = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1).to(self.device)
        self._std = torch.tensor(IMAGENET_STD).view(1, 3, 1, 1).to(self.device)

    @property
    def state_path(self) -> Path:
        """Where the run's state lies, from which it resumes."""
        return self.folder / "state.pth"

    def train(self, *, save_every: float = 60.0, report: Callable[[float], None]) -> None:
        """Run to the end of the recipe, leaving the state every ``save_every`` seconds.

        Args:
            save_every: seconds between two saved states.
            report: called with the loss after every step.
        """
        saved = time.monotonic()
        self.trainee.train()
        while self.step < self.recipe.steps:
            loss = self.train_step()
            report(loss)
            if time.monotonic() - saved > save_every:
                self.save_state()
                saved = time.monotonic()
        self.save_state()

    def train_step(self) -> float:
        """One optimiser step; its loss. A step with a gradient that is not finite is left out."""
        rng = np.random.default_rng((self.recipe.seed, self.step))
        torch.manual_seed(int(rng.integers(2**31)))  # dropout
        samples = [self.augment(self.mix.sample(rng), rng) for _ in range(self.recipe.batch)]
        images = torch.from_numpy(np.stack([image for image, _ in samples])).to(self.device)
        targets = torch.from_numpy(np.stack([target for _, target in samples])).to(self.device)
        x = (images.permute(0, 3, 1, 2).float() / 255 - self._mean) / self._std
        x = x.contiguous(memory_format=torch.channels_last)
        skip = bool(rng.random() >= self.recipe.skip_drop)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate_at(self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss: Tensor = self.trainee(x, targets, skip)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.trainee.parameters(), self.recipe.clip)
        if bool(torch.isfinite(norm)):
            self.optimizer.step()
        else:
            self.refused += 1
        self.step += 1
        return float(loss.detach())

    def save_state(self) -> None:
        """Leave everything a resumed run needs, in one step that a kill cannot half do."""
        atomic_save(
            {
                "recipe": asdict(self.recipe),
                "data": self.data,
                "step": self.step,
                "refused": self.refused,
                "trainee": self.trainee.state_dict(),
                "optimizer": self.optimizer.state_dict(),
            },
            self.state_path,
        )

    def resume(self) -> None:
        """Go on from the saved state.

        Raises:
            CheckpointError: there is none, it cannot be read, or it is another recipe's.
        """
        try:
            state = torch.load(self.state_path, map_location=self.device, weights_only=True)
        except FileNotFoundError as error:
            raise CheckpointError(f"There is nothing to resume in {self.folder}.") from error
        except Exception as error:  # a damaged file fails in many ways and means one thing
            raise CheckpointError(f"{self.state_path} cannot be read.") from error
        if state["recipe"] != asdict(self.recipe) or state["data"] != self.data:
            raise CheckpointError(
                f"{self.folder} holds a run with another recipe or other data:"
                " resume it with its own arguments."
            )
        self.trainee.load_state_dict(state["trainee"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.refused = int(state["step"]), int(state["refused"])

    def checkpoint(self) -> Checkpoint:
        """The trained network, ready to be saved."""
        recipe = asdict(self.recipe) | {"crop": list(self.recipe.crop)}
        info = {"recipe": recipe, "data": self.data, "step": self.step}
        return Checkpoint(self.trainee.network, info=info)


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    default = Recipe()
    parser = argparse.ArgumentParser(
        prog="python -m fastscnn.train",
        description="Train Fast-SCNN with the paper's loss and optimiser.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="SPEC",
        help="folder:PATH or street, each with ?weight=N and, for a folder with groups/,"
        " &sets=NAME; may be given several times",
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of the run's files")
    parser.add_argument("--steps", type=int, default=default.steps, help="optimiser steps")
    parser.add_argument("--batch", type=int, default=default.batch, help="samples per step")
    parser.add_argument("--rate", type=float, default=default.rate, help="base learning rate")
    parser.add_argument(
        "--loss-stride",
        type=int,
        default=default.loss_stride,
        help="judge every n-th pixel of every n-th row (2 saves a CPU a third of its time)",
    )
    parser.add_argument("--seed", type=int, default=default.seed, help="of weights and data order")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--start", type=Path, help="checkpoint whose weights to start from")
    parser.add_argument("--resume", action="store_true", help="go on from the run's saved state")
    args = parser.parse_args(argv)
    if min(args.steps, args.loss_stride) < 1 or not args.rate > 0:
        parser.error("--steps, --loss-stride and --rate must be positive")
    if args.batch < 2:
        parser.error("--batch must be at least 2: batch norm needs more than one sample")
    recipe = Recipe(
        steps=args.steps,
        batch=args.batch,
        rate=args.rate,
        loss_stride=args.loss_stride,
        seed=args.seed,
    )
    try:
        start = load(args.start).model if args.start else None
        trainer = Trainer(recipe, args.data, args.run, device=args.device, start=start)
        if args.resume:
            trainer.resume()
        elif trainer.state_path.exists():
            raise CheckpointError(
                f"{args.run} holds a run already:"
                " go on with it by --resume, or choose another folder."
            )
        else:
            trainer.save_state()  # before the first step: a folder that refuses it would cost hours
        _run(trainer)
    except (CheckpointError, DataError, DeviceError) as error:
        print(f"fastscnn.train: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"fastscnn.train: {args.run} cannot be written: {error.strerror}.", file=sys.stderr)
        return 5
    except KeyboardInterrupt:
        print("fastscnn.train: interrupted; --resume goes on from the last state.", file=sys.stderr)
        return 130
    return 0


def _run(trainer: Trainer) -> None:
    recipe = trainer.recipe
    smooth = math.nan
    with tqdm(total=recipe.steps, initial=trainer.step, unit="step", smoothing=0.05) as bar:

        def report(loss: float) -> None:
            nonlocal smooth
            smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
            rate = recipe.rate_at(trainer.step - 1)
            bar.set_postfix_str(f"loss {smooth:.3f}, rate {rate:.4f}", refresh=False)
            bar.update()

        trainer.train(report=report)
    path = trainer.folder / "last.pth"
    save(trainer.checkpoint(), path)
    refused = f", {trainer.refused} steps with no finite gradient left out" * bool(trainer.refused)
    print(f"{recipe.steps} steps{refused}: {path}")


if __name__ == "__main__":
    sys.exit(main())
