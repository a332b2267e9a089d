"""Runtimes of ONNX models: ONNX Runtime, and OpenVINO, which is faster at 8-bit integers."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.checkpoints.checkpoint import CheckpointError
from fastscnn.inference.onnx_model import OnnxModel, open_session, reason_of
from fastscnn.inference.openvino_graphs import compiled, openvino_core, openvino_name
from fastscnn.inference.processor import threads_beside
from fastscnn.inference.runtimes import Runtime, RuntimeMissing
from fastscnn.labels import UNKNOWN

_Run = Callable[[dict[str, NDArray[Any]]], NDArray[Any]]
"""Inputs by their names in, the output that is used out."""


def runtime_for(model: OnnxModel, name: str) -> Runtime:
    """Return the runtime that is named, or for ``auto`` the faster one of those installed.

    Raises:
        RuntimeMissing: the named one is not installed, or not for such networks.
    """
    if name == "auto":
        name = "openvino" if model.quantised and _installed("openvino") else "onnxruntime"
    makers = {"onnxruntime": OnnxModelRuntime, "openvino": OpenVinoModelRuntime}
    if name not in makers:
        raise RuntimeMissing(
            "An ONNX network runs by ONNX Runtime or OpenVINO on the CPU in fp32 here: leave"
            f" --runtime {name} away."
        )
    if not _installed(name):
        raise RuntimeMissing(f"{name} is not installed: pip install {name}, or --runtime auto.")
    return makers[name](model)


def _installed(name: str) -> bool:
    return find_spec(name) is not None


class _ModelRuntime(Runtime):
    """Runtime of such a network."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self._lock = threading.Lock()

    @abstractmethod
    def _ready(self, size: tuple[int, int], beside: int) -> _Run:
        """Return the network for pictures of a size, of which so many run at the same time."""

    def logits(self, pixels: Tensor, skips: Sequence[bool], beside: int = 1) -> tuple[Tensor, ...]:
        model, (height, width) = self._model, pixels.shape[:2]
        found: dict[bool, Tensor] = {}
        try:
            with self._lock:
                run = self._ready((height, width), beside)
            for skip in skips if model.skip else skips[:1]:
                out = run(model.feed(pixels.numpy(), skip))
                found[skip] = torch.from_numpy(_as_logits(model, out))
        except Exception as error:  # whatever the library makes of it is the same to the user
            raise CheckpointError(
                f"{model.path} does not run at {height}×{width} ({reason_of(error)}):"
                " choose another --input-size."
            ) from error
        return tuple(found.get(skip, found[skips[0]]) for skip in skips)


class OnnxModelRuntime(_ModelRuntime):
    """ONNX Runtime on the CPU for such a network."""

    key = "onnxruntime"

    def __init__(self, model: OnnxModel) -> None:
        super().__init__(model)
        self._sessions: dict[int, Any] = {}

    @property
    def name(self) -> str:
        import onnxruntime

        return f"ONNX Runtime {onnxruntime.__version__}"

    def _ready(self, size: tuple[int, int], beside: int) -> _Run:
        if beside not in self._sessions:
            self._sessions[beside] = open_session(self._model.path, threads_beside(beside))
        session, output = self._sessions[beside], self._model.output
        return lambda inputs: np.asarray(session.run([output], inputs)[0])


class OpenVinoModelRuntime(_ModelRuntime):
    """OpenVINO on the CPU for such a network, compiled for each size of picture."""

    key = "openvino"
    _KEPT = 6

    def __init__(self, model: OnnxModel) -> None:
        super().__init__(model)
        self._core = openvino_core()
        self._compiled: OrderedDict[tuple[tuple[int, int], int], _Run] = OrderedDict()

    @property
    def name(self) -> str:
        return openvino_name()

    def _ready(self, size: tuple[int, int], beside: int) -> _Run:
        key = size, beside
        if key not in self._compiled:
            self._compiled[key] = self._compile(size, beside)
            if len(self._compiled) > self._KEPT:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(key)
        return self._compiled[key]

    def _compile(self, size: tuple[int, int], beside: int) -> _Run:
        graph = self._core.read_model(self._model.path)
        given = self._model.feed(np.zeros((*size, 3), np.uint8), True)
        graph.reshape({name: list(value.shape) for name, value in given.items()})
        infer = compiled(graph, "f32", beside)
        output = graph.output(self._model.output)

        def run(inputs: dict[str, NDArray[Any]]) -> NDArray[Any]:
            return np.array(infer(inputs).get_tensor(output).data)

        return run


def _as_logits(model: OnnxModel, out: NDArray[Any]) -> NDArray[Any]:
    """Return an output as 1×classes×h×w logits, or labels as 1×1×h×w bytes."""
    if not model.gives_logits:
        known = (out >= 0) & (out < len(model.classes))
        return np.where(known, out, UNKNOWN).astype(np.uint8).reshape(1, 1, *out.shape[-2:])
    out = np.moveaxis(out, 3, 1) if model.channels_last else out
    numbers = np.ascontiguousarray(out, np.float32)
    # Softmax of the logarithms gives the probabilities back.
    return np.log(np.maximum(numbers, 1e-12)) if model.probabilities else numbers
