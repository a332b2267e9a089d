"""Compression command: ``python -m fastscnn.compress WEIGHTS -o OUT --int8``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastscnn.checkpoints.checkpoint import Checkpoint, CheckpointError, load, save
from fastscnn.checkpoints.model_zoo import file_of, resolve
from fastscnn.checkpoints.zoo_catalog import ZooError
from fastscnn.compress.pictures import pictures_for
from fastscnn.compress.pruning import prune, tune
from fastscnn.compress.quantisation import quantise
from fastscnn.console import say_error
from fastscnn.data.pair_dataset import DataError
from fastscnn.exporting.agreement import ExportError
from fastscnn.outputs import OutputError, check_apart, check_file, write_output
from fastscnn.paths import expand_user
from fastscnn.segmenter import Segmenter, default_checkpoint
from fastscnn.suggestions import SuggestingParser

_PICTURES, _TUNED_ON, _COMPARED = 32, 400, 8
"""Pictures to calibrate by, to tune on at most, and to compare by."""

EXIT_CODES: dict[type[Exception], int] = {
    DataError: 3,
    CheckpointError: 4,
    ZooError: 4,
    ExportError: ExportError.exit_code,
    OutputError: OutputError.exit_code,
}


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    if not args.int8 and args.prune is None:
        parser.error("say what is to be done: --int8, --prune SHARE, or both.")
    if args.prune is not None and not 0 < args.prune <= 0.9:
        parser.error(f"--prune {args.prune:g} must be above 0 and at most 0.9: 0.3 leaves 70 %.")
    if args.finetune is not None and args.prune is None:
        parser.error("--finetune is for what --prune leaves.")
    if args.steps < 10:
        parser.error("--steps must be at least 10.")
    suffix, kind = (".onnx", "--int8") if args.int8 else (".pth", "--prune")
    if args.output.suffix.lower() != suffix:
        parser.error(f"{kind} writes {suffix} files: name the output so, not {args.output.name}.")
    try:
        _run(args)
    except tuple(EXIT_CODES) as error:
        code = next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
        return say_error(str(error), code)
    except OSError as error:
        reason = error.strerror or error
        sentence = f"{args.output} cannot be written ({reason})."
        return say_error(sentence, OutputError.exit_code)
    return 0


def _run(args: argparse.Namespace) -> None:
    check_file(args.output, args.overwrite)
    check_apart([args.output], [file_of(args.weights)])
    weights = resolve(args.weights) if args.weights else default_checkpoint()
    original = load(weights)
    pictures = pictures_for(args.pictures, _PICTURES)
    made = original
    if args.prune is not None:
        made = prune(original, args.prune, pictures)
        if args.finetune is not None:
            tune(made, original, pictures_for(args.finetune, _TUNED_ON), args.steps)
    if args.int8:
        write_output(
            args.output, lambda draft: quantise(made, pictures, draft), new=not args.overwrite
        )
    else:
        write_output(args.output, lambda draft: save(made, draft), new=not args.overwrite)
    same = _agreement(original, args.output, pictures[:: max(1, len(pictures) // _COMPARED)])
    size, before = (Path(path).stat().st_size / 2**20 for path in (args.output, weights))
    print(
        f"{args.output}: {size:.1f} MiB ({before:.1f} before),"
        f" {100 * same:.1f} % of the labels are the original's"
    )


def _agreement(original: Checkpoint, path: Path, pictures: list[NDArray[np.uint8]]) -> float:
    """Return the share of labels that a file gives as the original does."""
    plain = Segmenter(original, device="cpu", input_size="exact", precision="fp32")
    other = Segmenter.from_checkpoint(path, device="cpu", input_size="exact", precision="fp32")
    return float(np.mean([(plain(one) == other(one)).mean() for one in pictures]))


def _parser() -> argparse.ArgumentParser:
    parser = SuggestingParser(
        prog="python -m fastscnn.compress",
        description="Make a network smaller: whole channels pruned, or its convolutions in 8-bit"
        " integers, or both. What is written is loaded like any checkpoint.",
    )
    parser.add_argument(
        "weights",
        nargs="?",
        metavar="WEIGHTS",
        help="a checkpoint: file, name of the zoo or address; default: the shipped one",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=expand_user,
        metavar="OUT",
        help="the file to write: .pth of a pruned network, .onnx in 8 bits",
    )
    parser.add_argument("--int8", action="store_true", help="convolutions in 8-bit integers")
    parser.add_argument(
        "--prune", type=float, metavar="SHARE", help="share of the channels that go, such as 0.3"
    )
    parser.add_argument(
        "--pictures",
        type=expand_user,
        metavar="DIR",
        help="pictures to calibrate by; default: the demo street",
    )
    parser.add_argument(
        "--finetune",
        type=expand_user,
        metavar="DIR",
        help="tune what pruning left on these pictures, by what the network gave before; labels"
        " are not needed",
    )
    parser.add_argument(
        "--steps", type=int, default=400, metavar="N", help="steps of it; default: 400"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    return parser
