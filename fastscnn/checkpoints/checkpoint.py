"""Checkpoints: one file that holds the weights and all that is needed to use them.

A checkpoint is a ``torch.save`` archive of plain values and tensors, read with
``weights_only=True``, so that a file from a stranger cannot run code. It names the network's
configuration, the classes and the normalisation beside the weights. Checkpoints of other
implementations are recognised and converted, see ``fastscnn.checkpoints.conversion``.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fastscnn.checkpoints import keras_reader, mindspore_reader, paddle_reader
from fastscnn.checkpoints.conversion import convert
from fastscnn.checkpoints.keras_formats import KERAS_FORMATS
from fastscnn.checkpoints.public_formats import FORMATS, IMAGENET_MEAN, IMAGENET_STD
from fastscnn.checkpoints.unwrapping import (
    StateDict,
    class_names,
    placed,
    state_dicts,
)
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet, class_set
from fastscnn.labels import CLASS_NAMES
from fastscnn.model.channel_widths import take_widths
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from fastscnn.provenance import WeightsFile, weights_file
from fastscnn.suggestions import did_you_mean_file

FORMAT = "fastscnn-live"
VERSION = 1
MAX_BYTES = 64 * 2**20
"""Size that no Fast-SCNN checkpoint comes near; anything larger is refused unread."""

_PUBLIC = {format_.marker: format_ for format_ in (*FORMATS, *KERAS_FORMATS)}
_OWN_MARKER = "learning_to_downsample.0.0.weight"


class CheckpointError(Exception):
    """The file cannot be used as a checkpoint; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A network and what belongs to it.

    Attributes:
        model: the network in float32, in evaluation mode, on the CPU.
        mean, std: normalisation of RGB values in 0–1.
        classes: what the logits' channels stand for, in order.
        info: free facts for people (how it was trained, its figures).
        origin: the implementation that it comes from, empty for our own.
        file: where it was read from.
    """

    model: FastSCNN
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    classes: ClassSet = CITYSCAPES_SET
    info: dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    file: WeightsFile = field(default_factory=WeightsFile)


def atomic_save(values: dict[str, Any], path: Path) -> None:
    """``torch.save`` that a kill or a full disk cannot leave half done.

    The data go to a neighbouring file, reach the disk, and take the name in one step.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            torch.save(values, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save(checkpoint: Checkpoint, path: str | Path, *, half: bool = False) -> None:
    """Write a checkpoint.

    Args:
        checkpoint: what to write.
        path: the file; its folder is made if need be, an existing file is replaced.
        half: store float16 (half the size; labels change on well under 0.1 % of pixels).
    """
    weights = {
        name: tensor.detach().cpu().half() if half and tensor.is_floating_point() else tensor.cpu()
        for name, tensor in checkpoint.model.state_dict().items()
    }
    atomic_save(
        {
            "format": FORMAT,
            "version": VERSION,
            "config": checkpoint.model.config.to_dict(),
            **checkpoint.classes.to_dict(),
            "mean": list(checkpoint.mean),
            "std": list(checkpoint.std),
            "info": checkpoint.info,
            "origin": checkpoint.origin,
            "weights": weights,
        },
        Path(path),
    )


_GRAPHS = {".onnx", ".xml", ".pt2", ".ts"}
"""Suffixes of what cannot be turned back into weights."""


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint: one written by ``save``, or that of another implementation.

    Raises:
        CheckpointError: the file is missing, damaged, too large, of another kind, of a later
            version, or its tensors do not fit the network that it names.
    """
    path = Path(path)
    if path.suffix.lower() in _GRAPHS:
        raise CheckpointError(
            f"{path} is a graph, made of a checkpoint for running alone: name that checkpoint."
        )
    found = _from_values(_read(path), path)
    return replace(found, file=weights_file(path))


def _from_values(values: object, path: Path) -> Checkpoint:
    for _, inner in placed(values):
        if isinstance(inner.get("format"), str) and inner["format"] == FORMAT:
            return _own(inner, path)
    state = _only_network(values, path, tuple(_PUBLIC))
    converted = convert(state.tensors, _PUBLIC[state.marker])
    model = FastSCNN(converted.config)
    _fill(model, converted.weights, path)
    format_, count = converted.format, converted.config.num_classes
    names = class_names(values, count)
    if names is None:
        known = (*CLASS_NAMES, *format_.more_classes)
        some = len(CLASS_NAMES) <= count <= len(known)
        names = known[:count] if some else tuple(map(str, range(count)))
    classes = ClassSet(names)
    return Checkpoint(model.eval(), format_.mean, format_.std, classes, origin=format_.name)


def _only_network(values: object, path: Path, markers: tuple[str, ...]) -> StateDict:
    found = state_dicts(values, markers)
    if not found:
        raise CheckpointError(
            f"{path} holds no Fast-SCNN that is known here:"
            " choose a checkpoint of this program or of one of the public implementations."
        )
    if len(found) > 1:
        places = ", ".join(state.place or "the bare names" for state in found[:4])
        raise CheckpointError(
            f"{path} holds {len(found)} networks ({places}): save the one to use alone."
        )
    return found[0]


def _own(values: Mapping[Any, Any], path: Path) -> Checkpoint:
    if values.get("version") != VERSION:
        raise CheckpointError(
            f"{path} has checkpoint version {values.get('version')!r}, this program reads"
            f" version {VERSION}: update the program or choose another file."
        )
    try:
        config = FastSCNNConfig.from_dict(dict(values["config"]))
        mean, std = _three(values["mean"]), _three(values["std"])
        classes = class_set(values)
        info = dict(values.get("info") or {})
        origin = str(values.get("origin", ""))
        weights = dict(values["weights"])
        for state in state_dicts(weights, (_OWN_MARKER,)):
            weights = state.tensors
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is a damaged checkpoint ({error}).") from error
    if len(classes) != config.num_classes:
        raise CheckpointError(
            f"{path} is a damaged checkpoint: it names {len(classes)} classes"
            f" for {config.num_classes} outputs."
        )
    if not min(std) > 0:
        raise CheckpointError(f"{path} is a damaged checkpoint: a deviation is not positive.")
    model = FastSCNN(config)
    pruned = "pruned" in info and take_widths(model, weights)
    _fill(model, weights, path)
    if pruned:
        try:
            with torch.inference_mode():
                model.eval()(torch.zeros(1, 3, 64, 64))
        except RuntimeError as error:
            raise CheckpointError(
                f"{path} does not fit: its layers have widths that do not go together."
            ) from error
    return Checkpoint(model.eval(), mean, std, classes, info, origin)


def _read(path: Path) -> object:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise CheckpointError(f"{path} is not a file: give the path of a checkpoint (.pth).")
        if size > MAX_BYTES:
            raise CheckpointError(
                f"{path} has {size / 2**20:.0f} MiB, more than any Fast-SCNN checkpoint"
                f" (at most {MAX_BYTES // 2**20} MiB): choose another file."
            )
        with warnings.catch_warnings():
            # torch warns of what it is about to refuse; the refusal below says it in our words.
            warnings.simplefilter("ignore")
            for reader in (paddle_reader, mindspore_reader, keras_reader):
                if reader.looks_like(path):
                    return reader.read(path)
            return torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except FileNotFoundError as error:
        raise CheckpointError(
            f"There is no checkpoint {path}: check the path.{did_you_mean_file(path)}"
        ) from error
    except ImportError as error:
        raise CheckpointError(
            f"{path} needs h5py, which is not installed: pip install h5py."
        ) from error
    except PermissionError as error:
        raise CheckpointError(f"{path} may not be read: check its permissions.") from error
    except Exception as error:  # whatever torch makes of a stranger's bytes is the same to the user
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint: it is damaged or of another kind."
        ) from error


def _three(values: Any) -> tuple[float, float, float]:
    a, b, c = (float(v) for v in values)
    return a, b, c


def _fill(model: FastSCNN, weights: dict[Any, Any], path: Path) -> None:
    expected = model.state_dict()
    differences = [f"{name} is missing" for name in expected if name not in weights]
    differences += [f"{name} is not of this network" for name in weights if name not in expected]
    for name, tensor in expected.items():
        given = weights.get(name)
        if given is None:
            continue
        if not isinstance(given, Tensor) or given.shape != tensor.shape:
            shape = list(given.shape) if isinstance(given, Tensor) else type(given).__name__
            differences.append(f"{name} has {shape} where {list(tensor.shape)} belongs")
        elif given.is_floating_point() and not bool(torch.isfinite(given).all()):
            differences.append(f"{name} holds values that are not finite")
    if differences:
        more = f" and {len(differences) - 3} more differences" if len(differences) > 3 else ""
        raise CheckpointError(f"{path} does not fit: {'; '.join(differences[:3])}{more}.")
    model.load_state_dict(weights)
