"""Export of a checkpoint for other programs: ``python -m fastscnn.export``.

Two ways out. A graph (ONNX, an ``ExportedProgram``, TorchScript, OpenVINO) takes images of any
size and needs nothing of this package. A state dict in Tramac's or mmsegmentation's naming goes on
in their code, where the network is one that they have.

A graph's first input is ``pixels``, uint8 RGB N×H×W×3 (or N×3×H×W), any N, H and W; the
normalisation is inside. ``skip``, a scalar bool, is the second one where asked for. What comes out
is ``labels`` (N×H×W uint8), ``prob`` or ``logits`` (N×classes×H×W float32, or at 1/8 size).

Every file is run and compared with the network that it comes from before it gets its name.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import get_args

from fastscnn.checkpoints.checkpoint import Checkpoint, CheckpointError, load
from fastscnn.checkpoints.model_zoo import file_of, resolve
from fastscnn.checkpoints.public_formats import WRITABLE
from fastscnn.checkpoints.zoo_catalog import ZooError
from fastscnn.console import run_command, say_error
from fastscnn.exporting.agreement import (
    SIZES,
    Agreement,
    ExportError,
    Run,
    compare,
)
from fastscnn.exporting.export_writers import open_foreign, write_foreign, write_graph
from fastscnn.exporting.exportable_model import Layout, Output, Signature, Skip
from fastscnn.outputs import OutputError, check_apart
from fastscnn.paths import expand_user
from fastscnn.segmenter import default_checkpoint
from fastscnn.suggestions import SuggestingParser

SUFFIXES = {
    ".onnx": "onnx",
    ".pt2": "exported",
    ".ts": "torchscript",
    ".pt": "torchscript",
    ".xml": "openvino",
}
"""The format meant by a file's name, where none is given."""


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
        OutputError, OSError: the file cannot be written.
    """
    if format_ in WRITABLE:
        signature = Signature("logits8")
    signature = signature or Signature()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        draft = Path(folder) / path.name
        if format_ in WRITABLE:
            write_foreign(checkpoint, draft, format_)
            run: Run = open_foreign(draft)
        else:
            run = write_graph(checkpoint, signature, draft, format_)
        agreement = compare(checkpoint, signature, run)
        # OpenVINO's weights lie in a second file, which must be there before the first.
        for file in sorted(Path(folder).iterdir(), key=lambda file: file == draft):
            with file.open("rb+") as written:
                os.fsync(written.fileno())
            os.replace(file, path.with_name(file.name))
    return agreement


def _parser() -> argparse.ArgumentParser:
    formats = [*dict.fromkeys(SUFFIXES.values()), *WRITABLE]
    parser = SuggestingParser(
        prog="python -m fastscnn.export",
        description="Write a checkpoint for other programs: as a graph that takes uint8 RGB"
        " pictures of any size, or as a state dict in the naming of another implementation."
        " The file is compared with the network before it gets its name.",
    )
    parser.add_argument("file", type=expand_user, help="what to write, such as fastscnn.onnx")
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
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
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
        beside = [args.file.with_suffix(".bin")] if format_ == "openvino" else []
        check_apart([args.file, *beside], [file_of(args.weights)])
        weights = resolve(args.weights) if args.weights else default_checkpoint()
        checkpoint = load(weights)
        agreement = export(checkpoint, args.file, format_, Signature(**chosen))
    except (CheckpointError, ZooError) as error:
        return say_error(str(error), 4)
    except (ExportError, OutputError) as error:
        return say_error(str(error), error.exit_code)
    except OSError as error:
        return say_error(f"{args.file} cannot be written ({error.strerror or error}).", 5)
    sizes = ", ".join(f"{height}×{width}" for _, height, width in SIZES)
    print(f"{args.file}: {format_}, {args.file.stat().st_size / 2**20:.1f} MiB")
    print(f"at {sizes} {agreement}")
    if words := checkpoint.classes.table.in_words:
        print(words)
    return 0


if __name__ == "__main__":
    run_command(main)
