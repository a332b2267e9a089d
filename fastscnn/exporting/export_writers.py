"""Writers of exported models, one per format."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.export import Dim, ExportedProgram

from fastscnn.checkpoints.checkpoint import Checkpoint, atomic_save, load
from fastscnn.checkpoints.conversion import revert
from fastscnn.checkpoints.public_formats import WRITABLE
from fastscnn.exporting.agreement import (
    ExportError,
    Pixels,
    Run,
    reference,
)
from fastscnn.exporting.exportable_model import Exportable, Signature
from fastscnn.inference.input_size import MAX_SIDE
from fastscnn.outputs import OutputError

OPSET = 20


EXPORTED_MIN_SIDE = 64
"""Least side for an ExportedProgram, which checks its inputs: a branch one cell wide would need a
graph of its own. The other formats run from ``input_size.MIN_SIDE`` on."""


def write_graph(checkpoint: Checkpoint, signature: Signature, path: Path, format_: str) -> Run:
    """Write a graph, and return it read from its file and ready to run.

    Raises:
        ExportError: the format needs a package that is not installed, or the network has a pyramid
            that no format takes for any size.
        OutputError: the format cannot be written.
    """
    if checkpoint.model.config.pyramid_windows:
        raise ExportError(
            f"The network of {checkpoint.origin or 'this checkpoint'} has as many cells in its"
            " pyramid as the picture's size leaves room for, which no format takes for any size:"
            " run it here, or export another network."
        )
    writers: dict[str, Callable[[Exportable, Path, dict[str, str]], Run]] = {
        "onnx": _onnx,
        "exported": _exported,
        "torchscript": _torchscript,
        "openvino": _openvino,
    }
    needs = {"onnx": _ONNX_PACKAGES, "openvino": (*_ONNX_PACKAGES[:2], "openvino")}
    missing = [name for name in needs.get(format_, ()) if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"The format {format_} needs {' and '.join(missing)}:"
            f" install with pip install {' '.join(missing)}."
        )
    try:
        with _quiet():
            exportable = Exportable(checkpoint, signature)
            return writers[format_](exportable, path, _about(checkpoint, signature))
    except (ExportError, OSError):
        raise
    except Exception as error:  # whatever an exporter stumbles over is the same to the user
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OutputError(
            f"The format {format_} cannot be written with torch {torch.__version__}: {reason}"
        ) from error


_ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what exporters print about packages that are not needed and old formats."""
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)


def _about(checkpoint: Checkpoint, signature: Signature) -> dict[str, str]:
    """Return what a user of the file has to know, to be stored in it."""
    channels = "N×H×W×3" if signature.layout == "nhwc" else "N×3×H×W"
    outputs = {
        "cls": "labels: uint8 N×H×W, index of the class",
        "prob": "prob: float32 N×classes×H×W, sum 1 over the classes",
        "logits": "logits: float32 N×classes×H×W",
        "logits8": "logits: float32 N×classes×H/8×W/8",
    }
    switch = ", skip: bool, whether the skip connection contributes"
    return {
        "network": f"Fast-SCNN, weights of {checkpoint.origin or 'Fast-SCNN Live'}",
        "input": f"pixels: uint8 RGB {channels}{switch if signature.skip == 'input' else ''}",
        "output": outputs[signature.output],
        "skip": signature.skip,
        **{key: json.dumps(value) for key, value in checkpoint.classes.to_dict().items()},
    }


def _inputs(signature: Signature) -> tuple[tuple[Tensor, ...], tuple[dict[int, Any], ...]]:
    """Return inputs to trace with and which of their dimensions may change."""
    # Sizes that are no multiple of anything, so that no exporter sees a rule in them
    shape = (2, 130, 195, 3) if signature.layout == "nhwc" else (2, 3, 130, 195)
    row = shape.index(130)
    sides = {
        row + place: Dim(name, min=EXPORTED_MIN_SIDE, max=MAX_SIDE)
        for place, name in enumerate(("height", "width"))
    }
    pixels, changing = torch.zeros(shape, dtype=torch.uint8), {0: Dim("batch", min=1), **sides}
    if signature.skip == "input":
        return (pixels, torch.tensor(True)), (changing, {})
    return (pixels,), (changing,)


def _arguments(signature: Signature, pixels: Pixels, skip: bool) -> tuple[Tensor, ...]:
    given = torch.from_numpy(pixels)
    return (given, torch.tensor(skip)) if signature.skip == "input" else (given,)


def _program(exportable: Exportable) -> ExportedProgram:
    inputs, changing = _inputs(exportable.signature)
    with torch.no_grad():
        program = torch.export.export(exportable, inputs, dynamic_shapes=changing)
    for node in program.graph.nodes:
        # Lines of source with paths of this machine are nobody's business.
        node.meta.pop("stack_trace", None)
    return program


def _exported(exportable: Exportable, path: Path, about: dict[str, str]) -> Run:
    with path.open("wb") as file:
        torch.export.save(_program(exportable), file, extra_files={"about.json": json.dumps(about)})
    with path.open("rb") as written:
        model = torch.export.load(written).module()
    return _run_by_torch(model, exportable.signature)


def _torchscript(exportable: Exportable, path: Path, about: dict[str, str]) -> Run:
    inputs, _ = _inputs(exportable.signature)
    with torch.no_grad():
        traced: Any = torch.jit.trace(  # type: ignore[no-untyped-call]
            exportable, inputs, check_trace=False
        )
    # By open files: torch's own code cannot open all names that a file system knows.
    with path.open("wb") as file:
        torch.jit.save(traced, file, _extra_files={"about.json": json.dumps(about)})
    with path.open("rb") as written:
        model = torch.jit.load(written)  # type: ignore[no-untyped-call]
    return _run_by_torch(model, exportable.signature)


def _run_by_torch(model: Callable[..., Any], signature: Signature) -> Run:
    """Return a function that runs a model that torch has read back."""

    @torch.inference_mode()
    def run(pixels: Pixels, skip: bool) -> NDArray[Any]:
        output: Tensor = model(*_arguments(signature, pixels, skip))
        return output.numpy()

    return run


def _onnx(exportable: Exportable, path: Path, about: dict[str, str]) -> Run:
    import onnxruntime

    _write_onnx(exportable, path, about)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])

    def run(pixels: Pixels, skip: bool) -> NDArray[Any]:
        inputs: dict[str, NDArray[Any]] = {"pixels": pixels}
        if exportable.signature.skip == "input":
            inputs["skip"] = np.array(skip)
        return np.asarray(session.run(None, inputs)[0])

    return run


def _write_onnx(exportable: Exportable, path: Path, about: dict[str, str]) -> None:
    import onnx

    inputs, changing = _inputs(exportable.signature)
    exported = torch.onnx.export(
        _program(exportable),
        (),
        dynamo=True,
        verbose=False,
        opset_version=OPSET,
        dynamic_shapes=changing,
        input_names=["pixels", "skip"][: len(inputs)],
        output_names=[about["output"].partition(":")[0]],
    )
    assert exported is not None
    model = exported.model_proto
    for node in model.graph.node:
        # Lines of source with paths of this machine are nobody's business.
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def _openvino(exportable: Exportable, path: Path, about: dict[str, str]) -> Run:
    import openvino

    if path.suffix != ".xml":
        raise ExportError(f"{path.name} is no name for OpenVINO: end it in .xml.")
    draft = path.with_suffix(".onnx")
    _write_onnx(exportable, draft, about)
    converted = openvino.convert_model(draft)
    draft.unlink()
    for name, text in about.items():
        converted.set_rt_info(text, ["fastscnn", name])
    openvino.save_model(converted, path, compress_to_fp16=False)
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(pixels: Pixels, skip: bool) -> NDArray[Any]:
        inputs: list[NDArray[Any]] = [pixels]
        if exportable.signature.skip == "input":
            inputs.append(np.array(skip))
        return np.asarray(model(inputs)[0])

    return run


def write_foreign(checkpoint: Checkpoint, path: Path, format_: str) -> None:
    """Write a state dict in another implementation's naming, as its programs expect it.

    Raises:
        ExportError: the format cannot hold this checkpoint.
    """
    model = checkpoint.model
    weights = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    try:
        state = revert(weights, model.config, checkpoint.mean, checkpoint.std, WRITABLE[format_])
    except ValueError as error:
        raise ExportError(f"The format {format_} cannot hold this checkpoint: {error}.") from error
    if format_ == "tramac":
        atomic_save(dict(state), path)
        return
    classes = checkpoint.classes.table
    meta = {
        "CLASSES": list(classes.names),
        "PALETTE": classes.palette[: len(classes)].tolist(),
    }
    atomic_save({"meta": meta, "state_dict": state}, path)


def open_foreign(path: Path) -> Run:
    """Read such a file back, ready to run."""
    written = load(path)

    def run(pixels: Pixels, skip: bool) -> NDArray[Any]:
        return reference(written, pixels, "logits8", skip).numpy()

    return run
