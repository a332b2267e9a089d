"""Checkpoints of other implementations: recognised by their tensors' names, brought into ours.

Each format is a table that renames tensors and the switches of the network that it was trained
with (``public_formats``). What can be folded into the weights is folded: biases before batch norm
into its mean, a batch norm shared over a sum into one on each side, another order of concatenation
into the order of input channels. Nothing is ever loaded with a tensor missing or left over.

The same tables lead back: ``revert`` brings our weights into the naming of another implementation
whose network has the same switches.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from fastscnn.checkpoints.public_formats import GLOBAL, Format, Weights
from fastscnn.model.model_config import FastSCNNConfig

_STAGE = re.compile(rf"{GLOBAL}\.stage(\d)\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Converted:
    """A state dict in our own naming, with what it needs."""

    format: Format
    config: FastSCNNConfig
    weights: Weights


def convert(state: dict[str, Tensor], format_: Format) -> Converted:
    """Bring a state dict of a public format into our naming.

    The result may still not fit: tensors that no rule knows keep their names, so that whoever
    loads it can say which they are.
    """
    weights: Weights = {}
    for name, tensor in state.items():
        if not re.match(format_.dropped, name):
            weights[_rename(name, format_) or name] = tensor
    config = _number_bottlenecks(weights, format_.config)
    format_.finish(weights)
    _fold_biases(weights)
    for name in [n for n in weights if n.endswith("running_mean")]:
        # Only training needs the count, and some formats leave it out.
        weights.setdefault(name.replace("running_mean", "num_batches_tracked"), torch.tensor(0))
    classes = weights.get("classifier.3.weight")
    if classes is not None and 2 <= len(classes) <= 255:
        config = replace(config, num_classes=len(classes))
    return Converted(format_, config, weights)


def revert(
    weights: Weights,
    config: FastSCNNConfig,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    format_: Format,
) -> Weights:
    """Bring our weights into another implementation's naming: the inverse of ``convert``.

    Biases that its convolutions have before batch norm come back as zeros, their effect stands in
    the batch norm's mean. What only training uses (auxiliary heads) is left out.

    Args:
        weights: a network's state dict.
        config, mean, std: what the network was built from and its normalisation.
        format_: one of ``WRITABLE``.

    Raises:
        ValueError: the implementation's network differs; the message names the switches.
    """
    switches = [f.name for f in fields(config) if f.name not in ("num_classes", "dropout")]
    pairs = [(name, getattr(config, name), getattr(format_.config, name)) for name in switches]
    pairs += [("mean", mean, format_.mean), ("std", std, format_.std)]
    differences = [
        f"{name} is {ours}, not {theirs}" for name, ours, theirs in pairs if ours != theirs
    ]
    if differences:
        raise ValueError(f"the network is not that of {format_.name}: {', '.join(differences)}")
    names = _foreign_names(format_, config.repeats)
    reverted = {names[name]: tensor for name, tensor in weights.items()}
    for ours, theirs in names.items():
        if re.fullmatch(format_.biased, theirs):
            mean_name = f"{ours.removesuffix('0.bias')}1.running_mean"
            reverted[theirs] = torch.zeros_like(weights[mean_name])
    return reverted


def _foreign_names(format_: Format, repeats: tuple[int, ...]) -> dict[str, str]:
    """Return our names → theirs, found by renaming every name that their patterns allow."""
    names: dict[str, str] = {}
    for candidate in _candidates(format_):
        renamed = _rename(candidate, format_)
        bottleneck = _STAGE.match(renamed or "")
        if bottleneck:
            stage, number = int(bottleneck[1]), int(bottleneck[2])
            if not (1 <= stage <= len(repeats) and number < repeats[stage - 1]):
                continue
        if renamed:
            names.setdefault(_place(renamed, repeats), candidate)
    return names


def _candidates(format_: Format) -> Iterator[str]:
    """Return every name that a format's patterns allow, numbers up to 9."""
    for pattern, _ in format_.rules:
        # A row of literal, group, literal, …
        parts = re.split(r"\(([^()]*)\)", pattern)
        choices = [
            _alternatives(part) if place % 2 else [part.replace(r"\.", ".")]
            for place, part in enumerate(parts)
        ]
        yield from map("".join, itertools.product(*choices))


def _alternatives(group: str) -> list[str]:
    if group in (r"\d", r"\d+"):
        return list("0123456789")
    return list(group[1:-1]) if group.startswith("[") else group.split("|")


def _rename(name: str, format_: Format) -> str | None:
    """Return a tensor's name by the format's rules, ``None`` where none knows it."""
    for pattern, replacement in format_.rules:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(replacement)
    return None


def _number_bottlenecks(weights: Weights, config: FastSCNNConfig) -> FastSCNNConfig:
    """Give bottlenecks and pyramid their places in our row of layers; returns their repeats."""
    found = [_STAGE.match(name) for name in weights]
    repeats = list(config.repeats)
    for stage in range(3):
        numbers = [int(m[2]) + 1 for m in found if m is not None and m[1] == str(stage + 1)]
        if numbers:
            repeats[stage] = min(max(numbers), 9)
    config = replace(config, repeats=tuple(repeats))
    for name in list(weights):
        weights[_place(name, config.repeats)] = weights.pop(name)
    return config


def _place(name: str, repeats: tuple[int, ...]) -> str:
    """Return a name with its bottleneck's or the pyramid's place in our row of layers."""
    parts = name.split(".")
    bottleneck = _STAGE.match(name)
    if bottleneck:
        place = sum(repeats[: int(bottleneck[1]) - 1]) + int(bottleneck[2])
        parts[1:3] = [str(place)]
    elif parts[0] == GLOBAL and len(parts) > 2:
        if parts[1] == "flat":
            parts[1:3] = [parts[2]]
        elif parts[1] == "pyramid":
            parts[1] = str(sum(repeats))
    return ".".join(parts)


def _fold_biases(weights: Weights) -> None:
    """Fold biases before batch norm into the mean that it subtracts."""
    for name in list(weights):
        mean = f"{name.removesuffix('0.bias')}1.running_mean"
        if name.endswith(".0.bias") and mean in weights:
            bias = weights.pop(name)
            if bias.shape == weights[mean].shape:
                weights[mean] = weights[mean] - bias
