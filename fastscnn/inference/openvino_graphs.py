"""OpenVINO on the CPU: graphs compiled, and run by several threads at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from fastscnn.inference.processor import cpu_threads

_first_inference = threading.Lock()


@cache
def _settled_core() -> Any:
    import openvino
    from openvino import opset1

    core = openvino.Core()
    given = opset1.parameter([1, 1], np.uint8)
    graph = openvino.Model([opset1.convert(given, "f32")], [given], "settling")
    request = core.compile_model(graph, "CPU").create_infer_request()
    request.infer({0: np.zeros((1, 1), np.uint8)})
    _ = request.get_output_tensor(0).data
    return core


def openvino_core() -> Any:
    """Return the core of OpenVINO, whose binding has met arrays once.

    At its first inference the binding makes tables of number formats. Two threads that do so
    together each hold what the other waits for (the table's guard, the interpreter's lock), for
    ever: so one thread does it, on a graph of one number, before any other can.

    Raises:
        ImportError: OpenVINO does not load.
    """
    with _first_inference:
        return _settled_core()


def openvino_name() -> str:
    """Return OpenVINO with its version, to be shown."""
    import openvino

    return f"OpenVINO {openvino.__version__.partition('-')[0]}"


def compiled(graph: Any, precision: str, beside: int) -> Callable[[Mapping[Any, Any]], Any]:
    """Return what runs a graph, each calling thread by a request of its own.

    Args:
        graph: as the core read it.
        precision: ``f32`` or ``bf16``.
        beside: how many threads call it at the same time.

    Returns:
        Inputs in, the request that has run them out; the next call of that thread writes to the
        same memory.
    """
    options = {
        "INFERENCE_NUM_THREADS": cpu_threads(),
        "NUM_STREAMS": min(beside, cpu_threads()),
        "INFERENCE_PRECISION_HINT": precision,
    }
    model = openvino_core().compile_model(graph, "CPU", options)
    own = threading.local()

    def run(inputs: Mapping[Any, Any]) -> Any:
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()
        own.request.infer(inputs)
        return own.request

    return run
