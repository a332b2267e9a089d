"""The recipe: everything but the data that decides what a training run ends with.

Every value is one field of ``Recipe``, with its meaning, and where the paper gives it, its source.
The command's options, the presets, the config file and the checkpoints all come from these fields.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

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
    minutes: float = _schedule(
        0.0,
        "time instead of epochs, by which the rate falls too; reading the data is not in it",
    )
    batch: int = _schedule(12, "samples per step, over all processes", "§4.1")
    rate: float = _schedule(0.045, "base learning rate of the poly schedule", "§4.1")
    power: float = _schedule(0.9, "exponent of the poly schedule", "§4.1")
    momentum: float = _schedule(0.9, "of stochastic gradient descent", "§4.1")
    nesterov: bool = _schedule(False, "look ahead along the momentum")
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
    repeat_rare: float = _loss(
        0.0,
        "draw frames more often for classes that less than this share of a data set's frames hold",
        metavar="SHARE",
    )

    crop: tuple[int, int] = _vary(
        (1024, 2048), "what the network is trained on", "Table 1's input", metavar="HxW"
    )
    small_crop: tuple[int, int] = _vary(
        (0, 0),
        "a second crop that steps take in turn, with resizing as much smaller and as many more"
        " samples as its pixels allow",
        metavar="HxW",
    )
    small_share: float = _vary(0.4, "share of steps with that one", metavar="SHARE")
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
    saturation: float = _vary(0.0, "largest logarithm of the factor of the colours' strength")
    contrast: float = _vary(0.0, "largest logarithm of the factor of the contrast")
    blur: float = _vary(0.0, "share of pictures that lose sharpness", metavar="SHARE")
    augment: str = _vary(
        "auto",
        "where samples are varied; auto: on a CUDA GPU, which then keeps the data, else host",
        choices=_same("auto", "host", "device"),
    )

    def __post_init__(self) -> None:
        wrong = {
            "--steps must be at least 0": self.steps < 0,
            "--loss-stride must be at least 1": self.loss_stride < 1,
            "--minutes must be at least 0 and below 1000000": not 0 <= self.minutes < 1e6,
            "--epochs must be above 0 and below 1000000": not 0 < self.epochs < 1e6,
            "--rate must be above 0 and below 1000": not 0 < self.rate < 1e3,
            "--batch must be at least 2: batch norm needs more than one sample": self.batch < 2,
            "--power must be 0 to 10": not 0 <= self.power <= 10,
            "--momentum must be at least 0 and below 1": not 0 <= self.momentum < 1,
            "--weight-decay, --warmup and --clip must be at least 0 and finite": not _sizes(
                self.weight_decay, self.warmup, self.clip
            ),
            "--amp must be auto, none, bf16 or fp16": self.amp
            not in {"auto", "none", "bf16", "fp16"},
            "--seed must not be negative": self.seed < 0,
            "--dropout must be at least 0 and below 1": not 0 <= self.dropout < 1,
            "--skip-drop, --blur, --small-share and --repeat-rare must be 0 to 1": not all(
                0 <= share <= 1
                for share in (self.skip_drop, self.blur, self.small_share, self.repeat_rare)
            ),
            "--nesterov needs a --momentum": self.nesterov and not self.momentum,
            "--class-balance must be none or enet": self.class_balance not in {"none", "enet"},
            "--balance-c must be above 1, or a frequent class would weigh less than nothing, and"
            " below 10": not 1 < self.balance_c < 10,
            "--ohem must be above 0 and at most 1": not 0 < self.ohem <= 1,
            "--ema must be at least 0 and below 1": not 0 <= self.ema < 1,
            "--crop must be at least 32x32": min(self.crop) < 32,
            "--small-crop must be at least 32x32 and smaller than --crop": self.small_crop != (0, 0)
            and not (min(self.small_crop) >= 32 and self.small_crop < self.crop),
            "--scale must be LOW-HIGH, LOW above 0 and HIGH at most 100": not (
                0 < self.scale[0] <= self.scale[1] <= 100
            ),
            "--short-side must be LOW-HIGH, LOW at least 32": self.short_side != (0, 0)
            and not 32 <= self.short_side[0] <= self.short_side[1],
            "--augment must be auto, host or device": self.augment
            not in {"auto", "host", "device"},
            "--aspect must be at least 1 and below 10": not 1 <= self.aspect < 10,
            "--color, --brightness, --gamma, --saturation, --contrast and --noise must be at least"
            " 0 and finite": not _sizes(
                *(self.color, self.brightness, self.gamma),
                *(self.saturation, self.contrast, self.noise),
            ),
        }
        for sentence, is_so in wrong.items():
            if is_so:
                raise ValueError(f"{sentence}.")

    def resolved(self, epoch: float) -> Recipe:
        """The recipe with its number of steps, for data whose epoch has so many samples.

        There is none where time decides.
        """
        if self.steps or self.minutes:
            return self
        batch = self.batch + self.small_share * (self.turns[-1].batch - self.batch)
        return replace(self, steps=max(1, round(self.epochs * epoch / batch)))

    @property
    def turns(self) -> list[Recipe]:
        """The recipes that steps take in turn: with the crop, and with the small one if any."""
        return [self, _smaller(self)] if any(self.small_crop) else [self]

    def at(self, step: int) -> Recipe:
        """The recipe of one step, which does not depend on what came before."""
        turns = self.turns
        if len(turns) == 1:
            return self
        rng = np.random.default_rng((self.seed, 4, step))
        return turns[rng.random() < self.small_share]

    def progress(self, step: int, elapsed: float = 0.0) -> float:
        """The share of the run that is done, after so many steps or seconds."""
        return elapsed / (60 * self.minutes) if self.minutes else step / self.steps

    def rate_at(self, step: int, elapsed: float = 0.0) -> float:
        """The learning rate of a step, counted from 0; the number of steps must be resolved."""
        done = self.progress(step, elapsed)
        warmup = self.warmup if self.minutes else min(self.warmup, self.steps // 5)
        ramp = min(1.0, (step + 1) / warmup) if warmup else 1.0
        if self.minutes:
            ramp = min(1.0, max(ramp, 5 * done))
        falling: float = max(0.0, 1 - done) ** self.power
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


@lru_cache
def _smaller(recipe: Recipe) -> Recipe:
    """The recipe of a step with the second crop: as many pixels or fewer, scaled alike."""
    (height, width), (small_height, small_width) = recipe.crop, recipe.small_crop
    ratio = small_height * small_width / (height * width)
    low, high = recipe.short_side
    return replace(
        recipe,
        crop=recipe.small_crop,
        small_crop=(0, 0),
        batch=recipe.batch * int(1 / ratio),
        scale=(recipe.scale[0] * ratio**0.5, recipe.scale[1] * ratio**0.5),
        short_side=(max(32, round(low * ratio**0.5)), round(high * ratio**0.5)) if high else (0, 0),
    )


def _sizes(*values: float) -> bool:
    """Return whether all are at least 0, and neither infinite nor no numbers at all."""
    return all(0 <= value < float("inf") for value in values)


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
    # What one H100 or H200 does in nine minutes, from weights that see already.
    "gpu": Recipe(
        minutes=8.7,
        batch=24,
        rate=0.1,
        nesterov=True,
        warmup=300,
        clip=5.0,
        ema=0.9995,
        amp="auto",
        skip_drop=0.08,
        class_balance="enet",
        balance_c=1.1,
        loss_stride=2,
        repeat_rare=0.3,
        crop=(512, 1024),
        small_crop=(288, 576),
        short_side=(410, 1024),
        aspect=1.13,
        color=0.13,
        brightness=0.28,
        gamma=0.3,
        saturation=0.4,
        contrast=0.25,
        blur=0.2,
        augment="device",
    ),
}
