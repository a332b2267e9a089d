"""Reader of Keras' files: HDF5 of weights or whole models, and ``.keras``, a zip that holds one.

Layers have no names of their own there but their kind and a number, so a network is known by how
many of each kind it has, and a layer by its place among them: the order in which they were made, or
in newer files the order of their depth.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_INSIDE = "model.weights.h5"
_MOST_BYTES = 64 * 2**20
_MOST_VALUES = 4 * 10**6
"""Values of all tensors together: a Fast-SCNN has 1.8 million at most."""
_MOST_DATASETS = 2000
_DEEPEST = 8
_KINDS = ("conv2d", "batch_normalization", "depthwise_conv2d", "separable_conv2d")
_WHAT = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "kernel": "weight",
    "depthwise_kernel": "depthwise",
    "pointwise_kernel": "pointwise",
    "bias": "bias",
}
"""Names of variables, and ours."""
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")

Layer = dict[str, NDArray[Any]]

NETWORKS = {
    (28, 43, 10, 6): "rachthree",
    (26, 39, 10, 4): "rachthree",
    (26, 36, 9, 5): "kshitizrimal",
    (26, 36, 10, 4): "SkyWa7ch3r",
}
"""Numbers of layers of each kind → whose network that is; the first has its auxiliary heads."""
_BY_DEPTH = {
    (28, 43, 10, 6): {38: 40},
    (26, 36, 9, 5): {30: 31, 31: 30},
    (26, 36, 10, 4): {30: 31, 31: 30},
}
"""Place of a batch norm among those made → among those sorted by depth, where it differs."""


def looks_like(path: Path) -> bool:
    """Return whether a file is HDF5, or a zip with such a file of weights."""
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) == _SIGNATURE:
            return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return _INSIDE in archive.namelist()


def read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a network that is known, as ``WHOSE/KIND/NUMBER/WHAT``, else none.

    Raises:
        ImportError: h5py is not installed.
        ValueError, OSError: the file is damaged, or larger than any such network.
    """
    import h5py

    with h5py.File(_weights(path), "r") as file:
        layers, by_depth = _layers(file)
    kinds: dict[str, list[tuple[tuple[bool, int, str], Layer]]] = {kind: [] for kind in _KINDS}
    for name, layer in layers.items():
        kind = _kind(name, layer)
        if kind:
            kinds[kind].append((_place(name), layer))
    convs, norms, depthwise, separable = (len(found) for found in kinds.values())
    counts = convs, norms, depthwise, separable
    if counts not in NETWORKS:
        return {}
    tensors: dict[str, Tensor] = {}
    for kind, found in kinds.items():
        ordered = [layer for _, layer in sorted(found, key=lambda one: one[0])]
        moved = _BY_DEPTH.get(counts, {}) if by_depth and kind == "batch_normalization" else {}
        for number in range(len(ordered)):
            for what, array in ordered[moved.get(number, number)].items():
                tensors[f"{NETWORKS[counts]}/{kind}/{number}/{what}"] = torch.from_numpy(array)
    return tensors


def _place(name: str) -> tuple[bool, int, str]:
    """Return what layers of one kind are sorted by; those that were given names come last."""
    base, _, number = name.rpartition("_")
    if base in _KINDS and number.isascii() and number.isdecimal():
        return False, int(number[:9]), name
    return name not in _KINDS, 0, name


def _weights(path: Path) -> Any:
    """Return what h5py opens: the file, or what the zip holds."""
    if not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as archive, archive.open(_INSIDE) as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError("larger than any such network")
    return io.BytesIO(data)


def _layers(file: Any) -> tuple[dict[str, Layer], bool]:
    """Return variables by their layers, and whether these are numbered by their depth."""
    found: dict[str, dict[str, NDArray[Any]]] = {}
    by_depth = False
    for path, array in _datasets(file):
        parts = path[1:] if path[0] == "model_weights" else path
        if "optimizer" in parts[0] or len(parts) < 2:
            continue
        if "vars" in parts[1:-1]:
            by_depth = True
            name, what = parts[parts.index("vars") - 1], parts[-1]
        else:
            name, what = parts[0], parts[-1].partition(":")[0]
        found.setdefault(name, {})[what] = array
    return {name: _named(name, variables) for name, variables in found.items()}, by_depth


def _datasets(file: Any) -> Iterator[tuple[list[str], NDArray[Any]]]:
    """Yield the arrays of numbers in a file with their paths; nothing outside it is followed."""
    import h5py

    waiting: list[tuple[list[str], Any]] = [([], file)]
    values = count = 0
    while waiting:
        path, group = waiting.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            inside = group[name]
            if isinstance(inside, h5py.Group) and len(path) < _DEEPEST:
                waiting.append(([*path, name], inside))
            elif isinstance(inside, h5py.Dataset) and inside.dtype.kind == "f":
                values, count = values + inside.size, count + 1
                if inside.external or inside.is_virtual:
                    raise ValueError("numbers that lie in other files")
                if values > 2 * _MOST_VALUES or count > _MOST_DATASETS:
                    raise ValueError("larger than any such network")
                yield [*path, name], np.asarray(inside[()], np.float32)
        if len(waiting) > _MOST_DATASETS:
            raise ValueError("more groups than any such network has")


def _named(name: str, variables: Layer) -> Layer:
    """Return a layer's arrays in torch's order of axes, by our names."""
    if all(key.isascii() and key.isdecimal() for key in variables):
        ordered = [variables[key] for key in sorted(variables, key=lambda key: int(key[:9]))]
        kernels = sum(array.ndim == 4 for array in ordered)
        names = ("depthwise_kernel", "pointwise_kernel") if kernels == 2 else ("kernel",)
        keys = (*names, "bias") if kernels else _NORM
        variables = dict(zip(keys, ordered, strict=False))
    found: Layer = {}
    for key, array in variables.items():
        what = _WHAT.get(key)
        if what is None:
            continue
        depthwise = what == "depthwise" or (what == "weight" and name.startswith("depthwise"))
        if array.ndim == 4:
            array = array.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
            only = what == "depthwise" and "pointwise_kernel" not in variables
            what = "weight" if only else what
        found[what] = np.ascontiguousarray(array)
    return found


def _kind(name: str, layer: Layer) -> str:
    """Return the kind of a layer by its arrays; empty for one of another kind."""
    if "running_mean" in layer:
        return "batch_normalization"
    if "pointwise" in layer:
        return "separable_conv2d"
    weight = layer.get("weight")
    if weight is None or weight.ndim != 4:
        return ""
    return "depthwise_conv2d" if re.match("depthwise", name) else "conv2d"
