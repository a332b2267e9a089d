"""Evaluation command: ``python -m fastscnn.evaluate``."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

from fastscnn.checkpoints.checkpoint import CheckpointError
from fastscnn.checkpoints.model_zoo import file_of, resolve
from fastscnn.checkpoints.zoo_catalog import ZooError
from fastscnn.console import run_command, say_error
from fastscnn.data.class_sets import CITYSCAPES_SET, read_classes
from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.dataset_spec import tables_of
from fastscnn.data.label_sets import TargetSets, shipped_tables
from fastscnn.data.pair_dataset import DataError, files_of
from fastscnn.evaluation import confusion_plot
from fastscnn.evaluation.class_merging import NONE, ClassMerging, Judging
from fastscnn.evaluation.evaluator import Evaluator, Frames, evaluate_settings
from fastscnn.evaluation.output_files import (
    LabelWriter,
    check_folder,
    figures_json,
    write_worst,
)
from fastscnn.evaluation.score_tables import as_markdown, as_text, by_drive, figures
from fastscnn.evaluation.scores import Report, Setting
from fastscnn.evaluation.video_evaluator import LabelledClip, evaluate_clip
from fastscnn.ignored_regions import Polygon, parse_polygon
from fastscnn.inference.input_size import parse_input_size
from fastscnn.outputs import OutputError, check_apart, check_file, write_json, write_output
from fastscnn.paths import expand_user
from fastscnn.provenance import NetworkUse, provenance
from fastscnn.segmenter import (
    DeviceError,
    Segmenter,
    default_checkpoint,
    pick_device,
    pick_precision,
)
from fastscnn.suggestions import SuggestingParser

EXIT_CODES: dict[type[Exception], int] = {
    DeviceError: 2,
    DataError: 3,
    CheckpointError: 4,
    ZooError: 4,
    OutputError: OutputError.exit_code,
}


EPILOG = """\
data:
  PATH or folder:PATH   a folder with images/ and labels/ (PNGs of train ids, 255 ignored),
                        or groups/ with a table of sets
  cityscapes:PATH       Cityscapes in its official layout: leftImg8bit/, gtFine/, gtCoarse/
  street                the demo street, which labels itself
Options follow a question mark and are separated by &; quote them for the shell:
  sets=TABLE            what the labels' values stand for
  drives=A,B without=A  drives to judge by; a drive is the file's name up to the first _
  fold=K/N fold=!K/N    the K-th of N parts of all drives, or all others
  split=val labels=fine of Cityscapes: train, val, train_extra; fine, coarse, fine+coarse
  seeds=A,B frames=N    of the street

examples:
  python -m fastscnn.evaluate DATA/val --input-size full,half,quarter --skip both
  python -m fastscnn.evaluate 'CAMVID?drives=0006R0' --merge camvid --weights runs/a/last.pth
  python -m fastscnn.evaluate --video drive.mp4 --labels drive/labels --steady both
"""


_SWITCH = {"on": (True,), "off": (False,), "both": (True, False)}
"""Settings that a choice of the command line stands for."""


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    try:
        sizes = [parse_input_size(size) for size in args.input_size.split(",")]
        classes = read_classes(args.classes) if args.classes else None
    except ValueError as error:
        parser.error(str(error))
    if args.limit is not None and args.limit < 1:
        parser.error("--limit must be at least 1.")
    if (args.worst is None) != (args.pictures is None) or (
        args.worst is not None and args.worst < 1
    ):
        parser.error("--worst N and --pictures DIR belong together, N at least 1.")
    if misfit := _misfit(args):
        parser.error(misfit)
    if args.labels and args.merge not in (None, NONE) and not args.video:
        parser.error("--labels writes the classes as they are: leave --merge away.")
    if args.confusion and (trouble := confusion_plot.missing()):
        parser.error(trouble)
    settings = [
        Setting(size, skip, steady)
        for size in dict.fromkeys(sizes)
        for skip in _SWITCH[args.skip]
        for steady in reversed(_SWITCH[args.steady])
    ]
    try:
        for path in filter(None, (args.json, args.confusion)):
            check_file(path, args.overwrite)
        segmenter = _segmenter(args)
        own = segmenter.class_set if segmenter.class_set.values else CITYSCAPES_SET
        try:
            judging = Judging.by(args.merge, classes or own)
        except ValueError as error:
            parser.error(str(error))
        (_run_clip if args.video else _run)(args, settings, segmenter, judging)
    except tuple(EXIT_CODES) as error:
        code = next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
        return say_error(str(error), code)
    except KeyboardInterrupt:
        print("fastscnn.evaluate: interrupted.", file=sys.stderr)
        return 130
    return 0


def _misfit(args: argparse.Namespace) -> str:
    """Return what is wrong with the choice of frames, in a sentence; empty where nothing is."""
    if args.video is None:
        if args.data is None:
            return "name DATA to judge by, or a clip by --video CLIP --labels DIR."
        if args.steady != "off":
            return "--steady is for frames that follow each other: name a clip by --video."
        return ""
    if args.data is not None:
        return "DATA and --video are two ways to name frames: leave one of them away."
    if args.labels is None:
        return "--video needs the labels of its frames: --labels DIR, a PNG for each."
    for name in ("limit", "by_drive", "worst"):
        if getattr(args, name):
            return f"--{name.replace('_', '-')} is for frames that stand alone, not for --video."
    return ""


def _run_clip(
    args: argparse.Namespace, settings: list[Setting], segmenter: Segmenter, judging: Judging
) -> None:
    sets, merging = TargetSets(judging.classes), judging.merging()
    clip = LabelledClip(args.video, args.labels, sets, merging.table)
    read = [file_of(args.weights), clip.clip, *clip.files]
    check_apart(filter(None, (args.json, args.confusion)), read)
    evaluator = _evaluator(args, segmenter, sets, merging)
    reports = evaluate_clip(evaluator, clip, settings, progress=True)
    _tell(args, str(args.video), segmenter, reports)


def _run(
    args: argparse.Namespace, settings: list[Setting], segmenter: Segmenter, judging: Judging
) -> None:
    frames = open_frames(args.data, judging.table, judging.classes)
    merging = judging.merging(None if args.labels else args.data)
    _check_outputs(args, settings, frames)
    evaluator = _evaluator(args, segmenter, frames.sets, merging)
    made_by = partial(_made_by, segmenter, args.data)
    for folder in filter(None, (args.pictures, args.labels)):
        check_folder(folder, args.overwrite)
    reports = evaluate_settings(
        evaluator,
        frames,
        settings,
        limit=args.limit,
        worst=args.worst or 0,
        on_labels=LabelWriter(args.labels, settings, judging.classes, made_by)
        if args.labels
        else None,
        progress=True,
    )
    _tell(args, args.data, segmenter, reports)
    if args.pictures:
        written = write_worst(args.pictures, reports, evaluator, frames)
        print(f"\nPictures of the worst frames in {args.pictures}: {len(written)}")


def _segmenter(args: argparse.Namespace) -> Segmenter:
    pick_precision(args.precision, pick_device(args.device))
    return Segmenter.from_checkpoint(
        resolve(args.weights) if args.weights else default_checkpoint(),
        device=args.device,
        precision=args.precision,
        runtime=args.runtime,
    )


def _evaluator(
    args: argparse.Namespace, segmenter: Segmenter, sets: TargetSets, merging: ClassMerging
) -> Evaluator:
    try:
        return Evaluator(segmenter, sets, merging, args.ignore_region)
    except ValueError as error:
        raise CheckpointError(f"{args.weights or default_checkpoint()}: {error}") from error


def _tell(args: argparse.Namespace, data: str, segmenter: Segmenter, reports: list[Report]) -> None:
    """Print the figures, and write those files of them that were asked for."""
    write = as_markdown if args.markdown else as_text
    print(f"{_describe(args, data, segmenter, reports[0])}\n\n{write(figures(reports), reports)}")
    if args.by_drive:
        print("\nMean IoU of each drive over the classes that occur in it:\n")
        print(write(by_drive(reports), reports, "drive"))
    if args.json:
        about = {
            "data": data,
            "weights": args.weights or "shipped",
            "device": segmenter.device.type,
            "precision": segmenter.precision,
            "runtime": segmenter.runtime,
            "provenance": _made_by(
                segmenter, data, *(report.setting for report in reports), content="figures"
            ),
        }
        write_json(args.json, figures_json(about, reports), new=not args.overwrite)
    if args.confusion:
        write_output(
            args.confusion,
            lambda draft: confusion_plot.draw_confusion(reports, draft),
            new=not args.overwrite,
        )


def _made_by(
    segmenter: Segmenter, data: str, *used: Setting, content: str = "labels"
) -> dict[str, Any]:
    """Return what files carry of how they were made."""
    networks = [
        NetworkUse(
            segmenter.weights,
            one.size_name,
            one.skip if segmenter.has_skip else None,
            one.steady,
        )
        for one in used
    ]
    return provenance(content, data, networks)


def _check_outputs(args: argparse.Namespace, settings: list[Setting], frames: Frames) -> None:
    """Check that no output replaces an input or another output.

    Raises:
        OutputError: one does.
    """
    read = [file_of(args.weights), *files_of([frames]), *tables_of([args.data])]
    read += [expand_user(path) for path in (args.merge, args.classes) if path]
    files, folders = [args.json, args.confusion], [args.pictures, args.labels]
    if args.labels:
        names = [frames.name(index) for index in range(len(frames))]
        writer = LabelWriter(args.labels, settings)
        files += [writer.path(name, setting) for name in names for setting in settings]
    check_apart(filter(None, files), read, filter(None, folders))


def _parser() -> argparse.ArgumentParser:
    parser = SuggestingParser(
        prog="python -m fastscnn.evaluate",
        description="How right a checkpoint is on labelled frames: class IoU, mean IoU, category"
        " IoU and pixel accuracy by the definitions of the Cityscapes benchmark, in per cent.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_judging(parser)
    _add_outputs(parser)
    _add_network(parser)
    return parser


def _add_judging(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA", nargs="?", help="what to judge by, see below")
    parser.add_argument(
        "--video",
        type=expand_user,
        metavar="CLIP",
        help="judge by all frames of a video in place of DATA, and tell how much labels flicker:"
        " the share of pixels whose label changes from frame to frame although the truth does not;"
        " --labels DIR then names the truth, a PNG for each frame in the order of their names",
    )
    parser.add_argument(
        "--steady",
        choices=["on", "off", "both"],
        default="off",
        help="with --video: carry logits over from frame to frame, as --steady of the program does;"
        " both: side by side",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE|NAME|ADDRESS",
        help="a checkpoint: file, name of the zoo or address; default: the shipped one",
    )
    parser.add_argument(
        "--input-size",
        default="half",
        metavar="SIZE,…",
        help="full, half (default), quarter: short side 1024, 512, 256; exact; or HxW; several,"
        " separated by commas, stand side by side",
    )
    parser.add_argument(
        "--skip",
        choices=["on", "off", "both"],
        default="on",
        help="the skip connection; both: side by side",
    )
    parser.add_argument(
        "--classes",
        metavar="FILE",
        help="a JSON of the classes of the labels, as in fastscnn.train; default: those that the"
        " weights carry, or the 19 of Cityscapes",
    )
    parser.add_argument(
        "--merge",
        metavar="TABLE|A+B=C,…",
        help="count classes as one: by a table of sets"
        f" ({', '.join(shipped_tables())} or a JSON file) or by their names; default: the table"
        " that the data name in their option sets; none: the classes as they are",
    )
    parser.add_argument(
        "--ignore-region",
        type=_polygon,
        action="append",
        default=[],
        metavar="X,Y,X,Y,X,Y,…",
        help="judge nothing in a polygon of every frame (a bonnet): corners in pixels, or in shares"
        " of the size; may be given several times",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="judge N frames, evenly spread")


def _polygon(text: str) -> Polygon:
    try:
        return parse_polygon(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}.") from error


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by-drive", action="store_true", help="also the mean IoU of each drive")
    parser.add_argument(
        "--markdown", action="store_true", help="print Markdown tables, as in the model card"
    )
    parser.add_argument(
        "--json", type=expand_user, metavar="FILE", help="write the figures and the confusion there"
    )
    parser.add_argument(
        "--confusion", type=expand_user, metavar="FILE.png", help="draw the confusion matrix there"
    )
    parser.add_argument(
        "--worst", type=int, metavar="N", help="draw the N frames with the fewest right pixels"
    )
    parser.add_argument("--pictures", type=expand_user, metavar="DIR", help="where to draw them")
    parser.add_argument(
        "--labels",
        type=expand_user,
        metavar="DIR",
        help="write what the network sees there, as PNGs of Cityscapes ids for the benchmark's"
        " server; with --video: where the truth is",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--precision", default="auto", help="auto, fp32, fp16 or bf16")
    parser.add_argument(
        "--runtime",
        default="auto",
        help="what runs the network: auto (the fastest that is installed), torch, onnxruntime or"
        " openvino",
    )


def _describe(args: argparse.Namespace, data: str, segmenter: Segmenter, report: Report) -> str:
    labelled = int(report.confusion.sum())
    judged = report.merging.classes.names
    own = [name for name in segmenter.classes if name not in judged]
    unjudged = (
        f"\nThe weights know {len(own)} classes that no labels here have ({', '.join(own[:5])}"
        f"{', …' * (len(own) > 5)}): where these are seen, a pixel counts as wrong."
    )
    return (
        f"{data}: {report.frames} frame{'s' * (report.frames != 1)},"
        f" {labelled / 1e6:.1f} million labelled pixels,"
        f" {report.occurring} of {len(report.merging)} classes occur\n"
        f"{args.weights or 'the shipped weights'}, {segmenter.device.type}, {segmenter.precision},"
        f" {segmenter.runtime}{unjudged if own else ''}"
    )


if __name__ == "__main__":
    run_command(main)
