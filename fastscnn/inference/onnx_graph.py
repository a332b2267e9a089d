"""ONNX graph of a network for one image of one size, written module by module.

This is what the optional runtimes run (``runtimes``). Nothing is traced and the size is
fixed, so the graph is there within a tenth of a second and holds constants only; files for other
programs, for any size, are ``fastscnn.export``'s matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from fastscnn.model.blocks import (
    Bottleneck,
    EndPaddedConv2d,
    FeatureFusion,
    PyramidPooling,
    window,
)
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.upsampling.bilinear_cells import axis

_OPSET = 18
_IR_VERSION = 10
_Matrix = Callable[[int, int], NDArray[np.float32]]
"""Maker of a matrix to×size along one axis, from both numbers the other way round."""


def network_graph(
    network: FastSCNN,
    scale: NDArray[np.float32],
    shift: NDArray[np.float32],
    size: tuple[int, int],
    skips: Sequence[bool],
) -> bytes:
    """Return the graph, serialised.

    Args:
        network: on the CPU, its batch norm folded (``fastscnn.model.batch_norm_folding``).
        scale, shift: three values each; pixels are normalised as pixel · scale + shift.
        size: height and width that the network sees.
        skips: settings of the skip connection; what they share is computed once.

    Returns:
        A model with one input, ``pixels`` 1×h×w×3 uint8, and for each of ``skips`` one output
        1×classes×⌈h/8⌉×⌈w/8⌉ float32.
    """
    writer = _Writer()
    x = writer.node("Transpose", ["pixels"], (size[0], size[1]), perm=[0, 3, 1, 2])
    x = writer.node("Cast", [x], size, to=TensorProto.FLOAT)
    x = writer.node("Mul", [x, writer.constant(scale.reshape(1, 3, 1, 1))], size)
    x = writer.node("Add", [x, writer.constant(shift.reshape(1, 3, 1, 1))], size)
    high = writer.module(network.learning_to_downsample, x)
    low = writer.module(network.global_feature_extractor, high)
    fused = writer.fusion_low(network.feature_fusion, low, high)
    outputs = []
    for skip in skips:
        y = writer.fusion_sum(network.feature_fusion, fused, high) if skip else fused
        outputs.append(writer.module(network.classifier, writer.node("Relu", [y], writer.size(y))))
    return writer.model(size, outputs)


class _Writer:
    """Writer that collects nodes and constants; knows the size of every value by its name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._sizes: dict[str, tuple[int, int]] = {}

    def size(self, name: str) -> tuple[int, int]:
        """Return height and width of a value."""
        return self._sizes[name]

    def node(self, kind: str, inputs: Sequence[str], size: tuple[int, int], **options: Any) -> str:
        """Add a node; return its output's name."""
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **options))
        self._sizes[name] = size
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """Add a constant; return its name."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def module(self, module: nn.Module, x: str) -> str:
        """Add a module of the network and all that it holds."""
        if isinstance(module, nn.Conv2d):
            return self._convolution(module, x)
        if isinstance(module, nn.ReLU6):
            bounds = [self.constant(np.array(v, np.float32)) for v in (0, 6)]
            return self.node("Clip", [x, *bounds], self.size(x))
        if isinstance(module, nn.ReLU):
            return self.node("Relu", [x], self.size(x))
        if isinstance(module, nn.Identity | nn.Dropout):
            return x
        if isinstance(module, nn.BatchNorm2d):
            return self._batch_norm(module, x)
        if isinstance(module, Bottleneck):
            y = self.module(module.layers, x)
            return self.node("Add", [x, y], self.size(y)) if module.has_residual else y
        if isinstance(module, PyramidPooling):
            return self._pyramid(module, x)
        if isinstance(module, nn.Sequential):
            for child in module:
                x = self.module(child, x)
            return x
        raise TypeError(f"no way to write {type(module).__name__}")

    def fusion_low(self, fusion: FeatureFusion, low: str, high: str) -> str:
        """Add the low-resolution side of the feature fusion, before the sum."""
        matrix = _nearest if fusion.nearest else partial(_interpolation, fusion.align_corners)
        x = self._resize(low, self.size(high), matrix)
        return self.module(fusion.low, self.module(fusion.low_depthwise, x))

    def fusion_sum(self, fusion: FeatureFusion, fused: str, high: str) -> str:
        """Add the sum with the skip connection."""
        return self.node("Add", [fused, self.module(fusion.high, high)], self.size(fused))

    def model(self, size: tuple[int, int], outputs: Sequence[str]) -> bytes:
        """Return the whole as a model."""
        graph = helper.make_graph(
            self._nodes,
            "fastscnn",
            [helper.make_tensor_value_info("pixels", TensorProto.UINT8, [1, *size, 3])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self._constants,
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        return bytes(model.SerializeToString())

    def _convolution(self, module: nn.Conv2d, x: str) -> str:
        height, width = self.size(x)
        (kernel, _), (stride, _), (dilation, _) = module.kernel_size, module.stride, module.dilation
        if isinstance(module, EndPaddedConv2d):
            top, left, bottom, right = height % 2, width % 2, 1, 1
        else:
            assert not isinstance(module.padding, str)
            top, left = bottom, right = module.padding[0], module.padding[1]
        reach = dilation * (kernel - 1)
        size = (
            (height + top + bottom - reach - 1) // stride + 1,
            (width + left + right - reach - 1) // stride + 1,
        )
        inputs = [x, self.constant(module.weight.detach().numpy())]
        if module.bias is not None:
            inputs.append(self.constant(module.bias.detach().numpy()))
        return self.node(
            "Conv",
            inputs,
            size,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            dilations=[dilation, dilation],
            pads=[top, left, bottom, right],
            group=module.groups,
        )

    def _batch_norm(self, module: nn.BatchNorm2d, x: str) -> str:
        assert module.running_mean is not None
        assert module.running_var is not None
        values = (module.weight, module.bias, module.running_mean, module.running_var)
        constants = [self.constant(v.detach().numpy()) for v in values]
        return self.node("BatchNormalization", [x, *constants], self.size(x), epsilon=module.eps)

    def _pyramid(self, module: PyramidPooling, x: str) -> str:
        height, width = size = self.size(x)
        levels = [x]
        for bins, branch in zip(module.bins, module.branches, strict=True):
            # Averaging into cells, which may overlap, is a product with a matrix from each side.
            average = _averaging_windows if module.windows else _averaging
            rows, columns = average(height, bins), average(width, bins)
            cells = self.node("MatMul", [x, self.constant(columns.T)], (height, len(columns)))
            cells = self.node("MatMul", [self.constant(rows), cells], (len(rows), len(columns)))
            matrix = partial(_interpolation, module.align_corners)
            levels.append(self._resize(self.module(branch, cells), size, matrix))
        return self.module(module.out, self.node("Concat", levels, size, axis=1))

    def _resize(self, x: str, size: tuple[int, int], matrix: _Matrix) -> str:
        # As products with matrices as well: small, and exactly torch's weights.
        rows = self.constant(matrix(self.size(x)[0], size[0]))
        columns = matrix(self.size(x)[1], size[1])
        wide = self.node("MatMul", [x, self.constant(columns.T)], (self.size(x)[0], size[1]))
        return self.node("MatMul", [rows, wide], size)


def _averaging(size: int, bins: int) -> NDArray[np.float32]:
    """Return bins×size: cell i averages from ⌊i·size/bins⌋ to before ⌈(i+1)·size/bins⌉."""
    matrix = np.zeros((bins, size), np.float32)
    for i in range(bins):
        first, end = i * size // bins, -(-(i + 1) * size // bins)
        matrix[i, first:end] = 1 / (end - first)
    return matrix


def _averaging_windows(size: int, bins: int) -> NDArray[np.float32]:
    """Return cells×size: each averages over a window of equal length."""
    length = window(size, bins)
    whole = np.zeros((size // length, size), np.float32)
    for i, row in enumerate(whole):
        row[i * length : (i + 1) * length] = 1 / length
    return whole


def _nearest(size: int, to: int) -> NDArray[np.float32]:
    """Return to×size: one where the nearest value stands."""
    matrix = np.zeros((to, size), np.float32)
    matrix[np.arange(to), np.arange(to) * size // to] = 1
    return matrix


def _interpolation(align_corners: bool, size: int, to: int) -> NDArray[np.float32]:
    """Return to×size: bilinear weights along one axis."""
    along = axis(size, to, align_corners)
    matrix = np.zeros((to, size), np.float32)
    pixel = np.arange(to)
    np.add.at(matrix, (pixel, np.clip(along.cell - 1, 0, size - 1)), 1 - along.share)
    np.add.at(matrix, (pixel, np.clip(along.cell, 0, size - 1)), along.share)
    return matrix
