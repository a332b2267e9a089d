"""The recipe: everything but the data that decides what a training run ends with.

Every value is one field of ``Recipe``, with its meaning, and where the paper gives it, its source.
The command's options, the presets, the config file and the checkpoints all come from these fields.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from fastscnn.option_fields import option


def _same(*values: str) -> dict[str, str]:
    return dict(zip(values, values, strict=True))


def _schedule(default: Any, meaning: str, source: str = "", **more: Any) -> Any:
    return option(default, meaning, source=source, group="schedule and optimiser", **more)


def _loss(default: Any, meaning: str, source: str = "", **more: Any) -> Any:
    return option(default, meaning, source=source, group="loss and network", **more)


def _vary(default: Any, meaning: str, source: str = "", **more: Any) -> Any:
    return option(default, meaning, source=source, group="augmentation", **more)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Choices that decide the result of a training run; by default the paper's (preset ``paper``).

    What each field means stands in its metadata, which ``--help`` shows. Fields that the paper
    knows nothing of are off by default, those that it names without a figure have one of ours.

    Raises:
        ValueError: a value cannot be meant; the message names the option.
    """

    epochs: float = _schedule(1000.0, "times that each stored picture is seen, about", "§4.1")
    steps: int = _schedule(0, "optimiser steps instead of epochs")
    batch: int = _schedule(12, "samples per step, over all processes", "§4.1")
    rate: float = _schedule(0.045, "base learning rate of the poly schedule", "§4.1")
    power: float = _schedule(0.9, "exponent of the poly schedule", "§4.1")
    momentum: float = _schedule(0.9, "of stochastic gradient descent", "§4.1")
    weight_decay: float = _schedule(
        4e-5, "L2 on everything but depthwise convolutions and vectors", "§4.1"
    )
    warmup: int = _schedule(0, "steps over which the rate rises first, at most a fifth of all")
    clip: float = _schedule(0.0, "largest norm of the gradient, 0: any", metavar="NORM")
    ema: float = _schedule(
        0.0, "decay per step of averaged weights, which are what is saved", metavar="DECAY"
    )
    amp: str = _schedule(
        "none",
        "mixed precision; auto: bfloat16 or float16 on CUDA, none elsewhere",
        choices=_same("auto", "none", "bf16", "fp16"),
    )
    seed: int = _schedule(1, "of the weights, the data order and the augmentation")

    dropout: float = _loss(0.1, "rate before the last layer", "§4.1 names no figure")
    skip_drop: float = _loss(
        0.0, "share of steps without the skip connection, to see without it", metavar="SHARE"
    )
    freeze_bn: bool = _loss(False, "leave batch norm's statistics as they are")
    class_balance: str = _loss(
        "none",
        "weigh pixels by 1/ln(c + share of their classes), as ENet does",
        choices=_same("none", "enet"),
    )
    balance_c: float = _loss(1.02, "that c: the closer to 1, the more rare classes weigh")
    ohem: float = _loss(1.0, "average over this share of the pixels, the hardest", metavar="SHARE")
    loss_stride: int = _loss(1, "judge every n-th pixel of every n-th row")

    crop: tuple[int, int] = _vary(
        (1024, 2048), "what the network is trained on", "Table 1's input", metavar="HxW"
    )
    scale: tuple[float, float] = _vary(
        (0.5, 2.0), "random resizing by a factor", "§4.1", metavar="LOW-HIGH"
    )
    short_side: tuple[int, int] = _vary(
        (0, 0),
        "random resizing to a short side instead, for pictures stored at several sizes",
        metavar="LOW-HIGH",
    )
    aspect: float = _vary(1.0, "width is scaled by up to this factor either way")
    color: float = _vary(0.12, "largest gain of one colour channel", "§4.1 names no figure")
    brightness: float = _vary(0.4, "largest gain of all channels", "§4.1 names no figure")
    noise: float = _vary(
        6.0, "largest deviation of the channels' noise, grey levels", "§4.1 names no figure"
    )
    gamma: float = _vary(0.0, "largest logarithm of the channels' exponent")
    blur: float = _vary(0.0, "share of pictures that lose sharpness", metavar="SHARE")
    augment: str = _vary(
        "auto",
        "where samples are varied; auto: on a CUDA GPU, which then keeps the data, else host",
        choices=_same("auto", "host", "device"),
    )

    def __post_init__(self) -> None:
        wrong = {
            "--steps and --loss-stride must be positive": self.steps < 0 or self.loss_stride < 1,
            "--epochs must be positive": not 0 < self.epochs < 1e6,
            "--rate must be positive": not 0 < self.rate < 1e3,
            "--batch must be at least 2: batch norm needs more than one sample": self.batch < 2,
            "--power and --momentum must be 0 to 10 and 0 to below 1": not (
                0 <= self.power <= 10 and 0 <= self.momentum < 1
            ),
            "--weight-decay, --warmup and --clip must not be negative": min(
                self.weight_decay, self.warmup, self.clip
            )
            < 0,
            "--amp must be auto, none, bf16 or fp16": self.amp
            not in {"auto", "none", "bf16", "fp16"},
            "--seed must not be negative": self.seed < 0,
            "--dropout must be at least 0 and below 1": not 0 <= self.dropout < 1,
            "--skip-drop and --blur must be 0 to 1": not (
                0 <= self.skip_drop <= 1 and 0 <= self.blur <= 1
            ),
            "--class-balance must be none or enet": self.class_balance not in {"none", "enet"},
            "--balance-c must be above 1, or a frequent class would weigh less than nothing": not (
                1 < self.balance_c < 10
            ),
            "--ohem must be above 0 and at most 1": not 0 < self.ohem <= 1,
            "--ema must be at least 0 and below 1": not 0 <= self.ema < 1,
            "--crop must be at least 32x32": min(self.crop) < 32,
            "--scale must be LOW-HIGH, LOW above 0": not 0 < self.scale[0] <= self.scale[1] <= 100,
            "--short-side must be LOW-HIGH, LOW at least 32": self.short_side != (0, 0)
            and not 32 <= self.short_side[0] <= self.short_side[1],
            "--augment must be auto, host or device": self.augment
            not in {"auto", "host", "device"},
            "--aspect must be at least 1": not 1 <= self.aspect < 10,
            "--color, --brightness, --gamma and --noise must not be negative": min(
                self.color, self.brightness, self.gamma, self.noise
            )
            < 0,
        }
        for sentence, is_so in wrong.items():
            if is_so:
                raise ValueError(f"{sentence}.")

    def resolved(self, epoch: float) -> Recipe:
        """The recipe with its number of steps, for data whose epoch has so many samples."""
        if self.steps:
            return self
        return replace(self, steps=max(1, round(self.epochs * epoch / self.batch)))

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0; the number of steps must be resolved."""
        warmup = min(self.warmup, self.steps // 5)
        ramp = min(1.0, (step + 1) / warmup) if warmup else 1.0
        falling: float = max(0.0, 1 - step / self.steps) ** self.power
        return ramp * self.rate * falling

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, as JSON and checkpoints hold them."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any], base: Recipe | None = None) -> Recipe:
        """The inverse of ``to_dict``, for values from a file.

        Args:
            values: plain values by field.
            base: what holds for fields that are missing; ``None`` refuses that.

        Raises:
            ValueError: a value is missing, of another kind or cannot be meant.
        """
        names = {f.name for f in fields(cls)}
        if strange := sorted(set(values) - names):
            raise ValueError(f"{strange[0]!r} is no part of a recipe")
        if base is None and (missing := sorted(names - set(values))):
            raise ValueError(f"{missing[0]!r} is missing in its recipe")
        base = base or cls()
        found = {name: _like(getattr(base, name), value, name) for name, value in values.items()}
        return replace(base, **found)


def _like(default: Any, value: Any, name: str) -> Any:
    """A value from a file as the kind of ``default``."""
    if isinstance(default, tuple):
        if isinstance(value, list | tuple) and len(value) == len(default):
            return tuple(_like(d, v, name) for d, v in zip(default, value, strict=True))
    elif isinstance(default, bool) or isinstance(value, bool):
        if isinstance(value, type(default)):
            return value
    elif isinstance(default, float) and isinstance(value, int | float):
        return float(value)
    elif isinstance(value, type(default)):
        return value
    raise ValueError(f"{name} cannot be {value!r}")


PRESETS = {
    "paper": Recipe(),
    # What two CPU cores can do in an hour or two: fewer and smaller pictures from all data sets at
    # one range of sizes, a rise before the rate, and half the pixels of half the rows in the loss.
    "cpu": Recipe(
        steps=4000,
        batch=8,
        rate=0.03,
        warmup=200,
        clip=5.0,
        ema=0.995,
        skip_drop=0.1,
        loss_stride=2,
        crop=(384, 512),
        short_side=(288, 800),
        aspect=1.15,
        gamma=0.3,
        blur=0.25,
    ),
}
