"""A checkpoint for other programs: ``python -m fastscnn.export``.

Two ways out. A graph (ONNX, an ``ExportedProgram``, TorchScript, OpenVINO) takes pictures of any
size and needs nothing of this package. A state dict in Tramac's or mmsegmentation's naming goes on
in their code, where the network is one that they have.

A graph's first input is ``pixels``, uint8 RGB N×H×W×3 (or N×3×H×W), any N, H and W; the
normalisation is inside. ``skip``, a scalar bool, is the second one where asked for. What comes out
is ``labels`` (N×H×W uint8), ``prob`` or ``logits`` (N×classes×H×W float32, or at 1/8 size).

Every file is run and compared with the network that it comes from before it gets its name.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.export import Dim, ExportedProgram

from fastscnn.checkpoints.checkpoint import Checkpoint, CheckpointError, atomic_save, load
from fastscnn.checkpoints.conversion import revert
from fastscnn.checkpoints.model_zoo import ZooError, resolve
from fastscnn.checkpoints.public_formats import WRITABLE
from fastscnn.data.street import Street
from fastscnn.exporting.exportable_model import Exportable, Layout, Output, Signature, Skip
from fastscnn.inference.input_size import MAX_SIDE
from fastscnn.labels import CLASS_NAMES, PALETTE
from fastscnn.model.blocks import resize
from fastscnn.segmenter import default_checkpoint
from fastscnn.upsampling import upsample

SUFFIXES = {
    ".onnx": "onnx",
    ".pt2": "exported",
    ".ts": "torchscript",
    ".pt": "torchscript",
    ".xml": "openvino",
}
"""The format meant by a file's name, where none is given."""

SIZES = ((2, 128, 256), (1, 187, 333), (1, 360, 640))
"""Pictures, height and width that every file is tried with."""

MIN_LABELS = 0.9999
"""Least share of equal labels."""

MAX_DEVIATION = 1e-3
"""Largest difference of logits or probabilities, in their standard deviation."""

OPSET = 20

EXPORTED_MIN_SIDE = 64
"""Sides below it are refused by an ExportedProgram: a branch one cell wide would need a graph of
its own, and it checks its inputs. The other formats run from ``sizes.MIN_SIDE`` on."""

Pixels = NDArray[np.uint8]
Run = Callable[[Pixels, bool], NDArray[Any]]
"""An exported model: pixels and whether the skip connection contributes → its output."""


class ExportError(Exception):
    """The export cannot be had; the message is one sentence for the user."""

    exit_code = 2


class OutputError(ExportError):
    """The file cannot be written, or what was written does not agree with the network."""

    exit_code = 5


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a file agrees with its network, at worst over all sizes tried.

    Attributes:
        labels: share of equal labels.
        deviation: largest difference of logits or probabilities over their standard deviation, 0
            where labels come out.
    """

    labels: float = 1.0
    deviation: float = 0.0

    def __str__(self) -> str:
        deviation = f", values to {self.deviation:.0e} of their deviation" if self.deviation else ""
        return f"{100 * self.labels:.3f} % of labels are the network's{deviation}"


def export(
    checkpoint: Checkpoint, path: Path, format_: str, signature: Signature | None = None
) -> Agreement:
    """Write a checkpoint's network to a file of another format, compared with the network.

    The file gets its name when all is well; before, and on any error, what had the name keeps it.

    Args:
        checkpoint: the network with its normalisation.
        path: the file; its folder is made if need be.
        format_: ``onnx``, ``exported``, ``torchscript``, ``openvino``, ``tramac`` or ``mmseg``.
        signature: what goes in and comes out of a graph; ``tramac`` and ``mmseg`` have none.

    Raises:
        ExportError: the format needs a package that is not installed, cannot hold this network, or
            the file does not give what the network gives.
        OSError: the file cannot be written.
    """
    if format_ in WRITABLE:
        signature = Signature("logits8")
    signature = signature or Signature()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        draft = Path(folder) / path.name
        if format_ in WRITABLE:
            _write_foreign(checkpoint, draft, format_)
            run: Run = _open_foreign(draft)
        else:
            run = _graph(checkpoint, signature, draft, format_)
        agreement = compare(checkpoint, signature, run)
        # OpenVINO's weights lie in a second file, which must be there before the first.
        for file in sorted(Path(folder).iterdir(), key=lambda file: file == draft):
            with file.open("rb+") as written:
                os.fsync(written.fileno())
            os.replace(file, path.with_name(file.name))
    return agreement


def compare(checkpoint: Checkpoint, signature: Signature, run: Run) -> Agreement:
    """Run an exported model beside the checkpoint's own network, the plain way, at ``SIZES``.

    Raises:
        ExportError: they do not agree.
    """
    skips = {"on": (True,), "off": (False,), "input": (True, False)}[signature.skip]
    worst = Agreement()
    for count, height, width in SIZES:
        pixels = _pictures(count, height, width)
        given = pixels if signature.layout == "nhwc" else np.ascontiguousarray(_planes(pixels))
        for skip in skips:
            ours = reference(checkpoint, pixels, signature.output, skip).numpy()
            theirs = run(given, skip)
            found = _agreement(ours, theirs)
            if found is None or found.labels < MIN_LABELS or not found.deviation <= MAX_DEVIATION:
                what = f"only {found}" if found else f"it gives {theirs.dtype} {theirs.shape}"
                raise OutputError(
                    f"The exported model does not agree with the network at {height}×{width}"
                    f" ({what}): nothing was written."
                )
            worst = Agreement(
                min(worst.labels, found.labels), max(worst.deviation, found.deviation)
            )
    return worst


@torch.inference_mode()
def reference(checkpoint: Checkpoint, pixels: Pixels, output: Output, skip: bool) -> Tensor:
    """What an exported model has to give, from the network as it is, by the plain path.

    Args:
        checkpoint: the network with its normalisation.
        pixels: N×H×W×3 RGB.
        output, skip: see ``Signature``.
    """
    x = torch.from_numpy(pixels).float() / 255
    x = (x - torch.tensor(checkpoint.mean)) / torch.tensor(checkpoint.std)
    logits: Tensor = checkpoint.model(x.permute(0, 3, 1, 2), skip)
    size, align_corners = (pixels.shape[1], pixels.shape[2]), checkpoint.model.config.align_corners
    if output == "cls":
        return upsample.labels_reference(logits, size, align_corners)
    if output == "prob":
        return upsample.probabilities_reference(logits, size, align_corners)
    return resize(logits, size, align_corners) if output == "logits" else logits


def _agreement(ours: NDArray[Any], theirs: NDArray[Any]) -> Agreement | None:
    """``None`` where shape or dtype differ."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return None
    if ours.dtype == np.uint8:
        return Agreement(float((ours == theirs).mean()))
    labels = float((ours.argmax(1) == theirs.argmax(1)).mean())
    return Agreement(labels, float(np.abs(ours - theirs).max() / ours.std()))


def _pictures(count: int, height: int, width: int) -> Pixels:
    """Frames of the demo street, the same every time: N×H×W×3.

    They hold many classes, at any size: of noise a network may see one alone, and any two agree.
    """
    street = Street(7, 512, 256)
    frames = [street.render(3.0 + 4.0 * number)[0] for number in range(count)]
    return np.stack([cv2.resize(frame, (width, height)) for frame in frames])


def _planes(pixels: Pixels) -> Pixels:
    return pixels.transpose(0, 3, 1, 2)


def _graph(checkpoint: Checkpoint, signature: Signature, path: Path, format_: str) -> Run:
    """Write a graph; returns it, read from its file and ready to run."""
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
    """Without the exporters' talk about packages that are not needed and formats grown old."""
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
    """What a user of the file has to know, stored in it."""
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
        "classes": json.dumps(list(checkpoint.classes)),
    }


def _inputs(signature: Signature) -> tuple[tuple[Tensor, ...], tuple[dict[int, Any], ...]]:
    """Inputs to trace with and which of their dimensions may change."""
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
    torch.jit.save(traced, str(path), _extra_files={"about.json": json.dumps(about)})
    model = torch.jit.load(str(path))  # type: ignore[no-untyped-call]
    return _run_by_torch(model, exportable.signature)


def _run_by_torch(model: Callable[..., Any], signature: Signature) -> Run:
    """How a model that torch has read back is run."""

    @torch.inference_mode()
    def run(pixels: Pixels, skip: bool) -> NDArray[Any]:
        output: Tensor = model(*_arguments(signature, pixels, skip))
        return output.numpy()

    return run


def _onnx(exportable: Exportable, path: Path, about: dict[str, str]) -> Run:
    import onnxruntime

    _write_onnx(exportable, path, about)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

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


def _write_foreign(checkpoint: Checkpoint, path: Path, format_: str) -> None:
    model = checkpoint.model
    weights = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    try:
        state = revert(weights, model.config, checkpoint.mean, checkpoint.std, WRITABLE[format_])
    except ValueError as error:
        raise ExportError(f"The format {format_} cannot hold this checkpoint: {error}.") from error
    if format_ == "tramac":
        atomic_save(dict(state), path)
        return
    meta: dict[str, Any] = {"CLASSES": list(checkpoint.classes)}
    if checkpoint.classes == CLASS_NAMES:
        meta["PALETTE"] = PALETTE[: len(CLASS_NAMES)].tolist()
    atomic_save({"meta": meta, "state_dict": state}, path)


def _open_foreign(path: Path) -> Run:
    written = load(path)

    def run(pixels: Pixels, skip: bool) -> NDArray[Any]:
        return reference(written, pixels, "logits8", skip).numpy()

    return run


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    formats = [*dict.fromkeys(SUFFIXES.values()), *WRITABLE]
    parser = argparse.ArgumentParser(
        prog="python -m fastscnn.export",
        description="Write a checkpoint for other programs: as a graph that takes uint8 RGB"
        " pictures of any size, or as a state dict in the naming of another implementation."
        " The file is compared with the network before it gets its name.",
    )
    parser.add_argument("file", type=Path, help="what to write, such as fastscnn.onnx")
    parser.add_argument(
        "--weights", metavar="NAME|FILE|ADDRESS", help="a checkpoint; default: the shipped one"
    )
    parser.add_argument("--format", choices=formats, help="default: by the file's name")
    parser.add_argument(
        "--output",
        choices=get_args(Output),
        help="cls (labels, the default), prob, logits, or logits8 (at 1/8 size)",
    )
    parser.add_argument(
        "--skip", choices=get_args(Skip), help="the skip connection; input: a second input, a bool"
    )
    parser.add_argument(
        "--layout", choices=get_args(Layout), help="of the pixels: nhwc (default) or nchw"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace file where it exists")
    args = parser.parse_args(argv)
    format_ = args.format or SUFFIXES.get(args.file.suffix.lower())
    if format_ is None:
        parser.error(
            f"{args.file.name} does not tell the format: end it in"
            f" {', '.join(SUFFIXES)}, or give --format."
        )
    chosen = {name: getattr(args, name) for name in ("output", "skip", "layout")}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if format_ in WRITABLE and chosen:
        parser.error(f"--{next(iter(chosen))} is for graphs, {format_} holds weights alone.")
    try:
        if args.file.exists() and not args.overwrite:
            raise OutputError(
                f"{args.file} exists: give another name, or --overwrite to replace it."
            )
        if not args.file.absolute().parent.is_dir():
            raise OutputError(
                f"There is no folder {args.file.parent}: make it or export elsewhere."
            )
        weights = resolve(args.weights) if args.weights else default_checkpoint()
        agreement = export(load(weights), args.file, format_, Signature(**chosen))
    except (CheckpointError, ExportError, ZooError) as error:
        print(f"fastscnn.export: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, ExportError) else 4
    except OSError as error:
        reason = error.strerror or error
        print(f"fastscnn.export: {args.file} cannot be written ({reason}).", file=sys.stderr)
        return 5
    sizes = ", ".join(f"{height}×{width}" for _, height, width in SIZES)
    print(f"{args.file}: {format_}, {args.file.stat().st_size / 2**20:.1f} MiB")
    print(f"at {sizes} {agreement}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
