"""Small ONNX networks that are no Fast-SCNN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FIVE = np.random.default_rng(5).normal(size=(5, 3))
"""Weights of the five classes for red, green and blue."""


def five_classes(
    path: Path,
    *,
    layout: str = "nchw",
    dtype: str = "float",
    channels: str = "first",
    output: str = "logits",
    size: tuple[int, int] | None = None,
    skip: bool = False,
    multiple: int = 0,
    metadata: dict[str, Any] | None = None,
) -> Path:
    """Write a network of stride 4: means of 4×4 blocks, then a 1×1 convolution.

    Args:
        path: the file.
        layout, dtype: of its picture.
        channels: where its numbers have their classes.
        output: ``logits``, ``probabilities`` or ``labels``.
        size: the only one that it takes.
        skip: whether it has such an input, without which one class less is seen.
        multiple: where not 0, pictures that are no squares of this side in number of pixels fail.
        metadata: in place of the names of its classes; ``None`` leaves one out.
    """
    sides: list[Any] = list(size) if size else ["h", "w"]
    shape = [1, 3, *sides] if layout == "nchw" else [1, *sides, 3]
    kind = TensorProto.FLOAT if dtype == "float" else TensorProto.UINT8
    inputs = [helper.make_tensor_value_info("image", kind, shape)]
    weights = FIVE[:, :, None, None].astype(np.float32)
    constants = [numpy_helper.from_array(weights, "weights")]
    nodes = [helper.make_node("Cast", ["image"], ["x0"], to=TensorProto.FLOAT)]
    perm = [0, 1, 2, 3] if layout == "nchw" else [0, 3, 1, 2]
    nodes.append(helper.make_node("Transpose", ["x0"], ["x1"], perm=perm))
    if multiple:
        blocks = np.array([0, 0, -1, multiple, multiple], np.int64)
        constants.append(numpy_helper.from_array(blocks, "s"))
        nodes.append(helper.make_node("Shape", ["x1"], ["whole"]))
        nodes.append(helper.make_node("Reshape", ["x1", "s"], ["x2"]))
        nodes.append(helper.make_node("Reshape", ["x2", "whole"], ["x3"]))
    nodes.append(
        helper.make_node(
            "AveragePool",
            ["x3" if multiple else "x1"],
            ["pooled"],
            kernel_shape=[4, 4],
            strides=[4, 4],
        )
    )
    nodes.append(helper.make_node("Conv", ["pooled", "weights"], ["logits"]))
    last = "logits"
    if skip:
        inputs.append(helper.make_tensor_value_info("skip", TensorProto.BOOL, []))
        minus = np.zeros((1, 5, 1, 1), np.float32)
        minus[0, 0] = -100
        constants.append(numpy_helper.from_array(minus, "minus"))
        nodes.append(helper.make_node("Add", [last, "minus"], ["less"]))
        nodes.append(helper.make_node("Where", ["skip", last, "less"], ["chosen"]))
        last = "chosen"
    out = TensorProto.FLOAT
    if output == "probabilities":
        nodes.append(helper.make_node("Softmax", [last], ["out"], axis=1))
    elif output == "labels":
        nodes.append(helper.make_node("ArgMax", [last], ["out"], axis=1, keepdims=0))
        out = TensorProto.INT64
    else:
        order = [0, 1, 2, 3] if channels == "first" else [0, 2, 3, 1]
        nodes.append(helper.make_node("Transpose", [last], ["out"], perm=order))
    outputs = [helper.make_tensor_value_info("out", out, None)]
    graph = helper.make_graph(nodes, "five", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    said = {"classes": list("abcde"), **(metadata or {})}
    helper.set_model_props(model, {k: json.dumps(v) for k, v in said.items() if v is not None})
    onnx.save(model, path)
    return path
