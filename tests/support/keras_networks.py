"""Literal second implementations of the public Keras networks, and files as Keras writes them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Arrays = dict[str, NDArray[Any]]
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


class KerasLike:
    """A network that draws its layers when it first runs, kernels in TensorFlow's order of axes."""

    def __init__(self, whose: str, classes: int = 19, auxiliary: bool = False) -> None:
        self.whose, self.classes, self.auxiliary = whose, classes, auxiliary
        self.layers: list[tuple[str, Arrays]] = []
        self._at = 0
        self._rng = np.random.default_rng(len(whose))

    def __call__(self, x: Tensor) -> Tensor:
        self._at = 0
        with torch.inference_mode():
            high = self._norm(self._conv(x, 32, 3, 2))
            high = self._norm(self._separable(self._norm(self._separable(high, 48, 2)), 64, 2))
            low = high
            for channels, stride in ((64, 2), (96, 2), (128, 1)):
                for number in range(3):
                    low = self._bottleneck(low, channels, 1 if number else stride, number > 0)
            logits = (self._plain if self.whose == "rachthree" else self._strided)(high, low)
        assert self._at == len(self.layers)
        return logits

    def _plain(self, high: Tensor, low: Tensor) -> Tensor:
        levels = [low]
        for bins in (1, 2, 3, 6):
            cells = self._norm(self._conv(self._windows(low, bins), 32, 1, bias=False))
            levels.append(F.interpolate(cells, low.shape[2:], mode="bilinear"))
        low = torch.cat(levels, 1)
        left = self._conv(high, 128, 1)
        x = self._depthwise(F.interpolate(low, high.shape[2:], mode="bilinear"), 1, dilation=4)
        x = self._norm(left + self._conv(self._norm(x), 128, 1))
        x = self._norm(self._separable(self._norm(self._separable(x, 128)), 128))
        logits = self._norm(self._conv(x, self.classes, 1), relu=False)
        for side in (high, low) if self.auxiliary else ():
            x = self._norm(self._separable(side, 128))
            self._norm(self._conv(x, self.classes, 1), relu=False)
        return logits

    def _strided(self, high: Tensor, low: Tensor) -> Tensor:
        levels = [low]
        for bins in (2, 4, 6, 8):
            cells = self._conv(self._windows(low, bins), 128, 3, 2)
            levels.append(F.interpolate(cells, low.shape[2:], mode="bilinear"))
        left = self._norm(self._conv(high, 128, 1), relu=False)
        x = torch.cat(levels, 1).repeat_interleave(4, 2).repeat_interleave(4, 3)
        x = x[:, :, : high.shape[2], : high.shape[3]]
        separable = self.whose == "kshitizrimal"
        x = self._separable(x, 128, dilation=4) if separable else self._depthwise(x, 1)
        x = self._norm(left + self._conv(self._norm(x), 128, 1))
        for number in (1, 2):
            x = self._norm(self._separable(x, 128, name=f"DSConv{number}_classifier"))
        return self._norm(self._conv(x, self.classes, 1), relu=False)

    def _bottleneck(self, x: Tensor, channels: int, stride: int, residual: bool) -> Tensor:
        y = self._norm(self._conv(x, 6 * x.shape[1], 1))
        y = self._norm(self._depthwise(y, stride))
        y = self._norm(self._conv(y, channels, 1), relu=False)
        return x + y if residual else y

    @staticmethod
    def _windows(x: Tensor, bins: int) -> Tensor:
        return F.avg_pool2d(x, (x.shape[2] // bins, x.shape[3] // bins))

    def _layer(self, kind: str, make: dict[str, Any]) -> dict[str, Tensor]:
        if self._at == len(self.layers):
            self.layers.append((kind, {k: v().astype(np.float32) for k, v in make.items()}))
        self._at += 1
        return {k: torch.from_numpy(v) for k, v in self.layers[self._at - 1][1].items()}

    def _kernel(self, *shape: int) -> Any:
        fan = shape[0] * shape[1] * (1 if shape[3] == 1 else shape[2])
        return lambda: self._rng.normal(0, (2 / fan) ** 0.5, shape)

    def _shift(self, size: int) -> Any:
        return lambda: self._rng.normal(0, 0.3, size)

    def _conv(self, x: Tensor, channels: int, k: int, stride: int = 1, bias: bool = True) -> Tensor:
        made = {"kernel": self._kernel(k, k, x.shape[1], channels)}
        layer = self._layer("conv2d", made | ({"bias": self._shift(channels)} if bias else {}))
        kernel = layer["kernel"].permute(3, 2, 0, 1)
        return F.conv2d(_same(x, k, stride), kernel, layer.get("bias"), stride)

    def _depthwise(self, x: Tensor, stride: int, dilation: int = 1) -> Tensor:
        channels = x.shape[1]
        made = {
            "depthwise_kernel": self._kernel(3, 3, channels, 1),
            "bias": self._shift(channels),
        }
        layer = self._layer("depthwise_conv2d", made)
        return _each(x, layer["depthwise_kernel"], layer["bias"], stride, dilation)

    def _separable(
        self, x: Tensor, channels: int, stride: int = 1, dilation: int = 1, name: str = ""
    ) -> Tensor:
        made = {
            "depthwise_kernel": self._kernel(3, 3, x.shape[1], 1),
            "pointwise_kernel": self._kernel(1, 1, x.shape[1], channels),
            "bias": self._shift(channels),
        }
        layer = self._layer(name or "separable_conv2d", made)
        x = _each(x, layer["depthwise_kernel"], None, stride, dilation)
        return F.conv2d(x, layer["pointwise_kernel"].permute(3, 2, 0, 1), layer["bias"])

    def _norm(self, x: Tensor, relu: bool = True) -> Tensor:
        size = x.shape[1]
        spread = lambda: self._rng.uniform(0.5, 1.5, size)  # noqa: E731
        made = dict(zip(NORM, (spread, self._shift(size), self._shift(size), spread), strict=True))
        layer = self._layer("batch_normalization", made)
        gamma, beta, mean, variance = (layer[name].view(1, -1, 1, 1) for name in NORM)
        y = gamma * (x - mean) / torch.sqrt(variance + 1e-3) + beta
        return y.clamp(min=0) if relu else y

    def numbered(self, first: int = 0) -> dict[str, Arrays]:
        """Layers by the names that Keras gives when they are made, numbers from ``first`` on."""
        found: dict[str, Arrays] = {}
        counts: dict[str, int] = {}
        for kind, arrays in self.layers:
            number = counts[kind] = counts.get(kind, first - 1) + 1
            own = kind.startswith("DS")
            found[kind if own or not number else f"{kind}_{number}"] = arrays
        return found

    def by_depth(self) -> dict[str, Arrays]:
        """Layers by the names that newer files give them, sorted by their depth."""
        layers = [("separable_conv2d" if k.startswith("DS") else k, a) for k, a in self.layers]
        norms = [place for place, (kind, _) in enumerate(layers) if kind == "batch_normalization"]
        order = list(range(len(norms)))
        if self.whose != "rachthree":
            order[30], order[31] = 31, 30
        elif self.auxiliary:
            order[38:] = [39, 41, 38, 40, 42]
        kept = list(layers)
        for place, other in zip(norms, order, strict=True):
            layers[place] = kept[norms[other]]
        renumbered = KerasLike(self.whose)
        renumbered.layers = layers
        return renumbered.numbered()


def _same(x: Tensor, kernel: int, stride: int, dilation: int = 1) -> Tensor:
    pads: list[int] = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def _each(x: Tensor, kernel: Tensor, bias: Tensor | None, stride: int, dilation: int) -> Tensor:
    padded = _same(x, 3, stride, dilation)
    kernel = kernel.permute(2, 3, 0, 1)
    return F.conv2d(padded, kernel, bias, stride, dilation=dilation, groups=len(kernel))


def write_legacy(path: Path, layers: dict[str, Arrays], *, whole: bool, end: str = ":0") -> None:
    """Write HDF5 as ``model.save`` or ``save_weights`` did, groups by the layers' names."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        for name, arrays in layers.items():
            for what, array in arrays.items():
                root[f"{name}/{name}/{what}{end}"] = array
        if whole:
            file["optimizer_weights/SGD/conv2d/kernel/momentum:0"] = np.zeros((3, 3, 3, 32))


def write_weights(path: Any, layers: dict[str, Arrays]) -> None:
    """Write HDF5 as ``save_weights`` does now, variables by their numbers."""
    with h5py.File(path, "w") as file:
        for name, arrays in layers.items():
            for number, array in enumerate(arrays.values()):
                file[f"layers/{name}/vars/{number}"] = array
        file["optimizer/vars/0"] = np.zeros(3)


def write_keras(path: Path, layers: dict[str, Arrays]) -> None:
    """Write a ``.keras``."""
    data = io.BytesIO()
    write_weights(data, layers)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Functional"}))
        archive.writestr("model.weights.h5", data.getvalue())
