"""The command line: arguments → Settings → a window or a headless run."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from app import __version__
from app.errors import AppError, UsageError
from app.libraries import check_opencv
from app.pipeline.view import ViewOptions
from app.settings import Settings
from app.sources.spec import SourceSpec, parse_source
from fastscnn.sizes import parse_input_size

_DESCRIPTION = """\
Fast-SCNN Live shows what a small network sees in a street, live: in cameras, videos, or a demo.
With no source an empty window opens: drop a video on it."""

_EXAMPLES = """\
examples:
  fastscnn-live                                 an empty window
  fastscnn-live --camera 0                      the first camera
  fastscnn-live clip.mp4                        a video file
  fastscnn-live --demo                          the built-in demo street
  fastscnn-live clip.mp4 --headless -o out.mp4  no window, annotated copy of every frame
  fastscnn-live clip.mp4 --weights gluoncv      with a public checkpoint, downloaded once

exit codes: 0 done, 2 wrong use, 3 source, 4 weights, 5 output, 130 interrupted"""


def _alpha(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} must be a number from 0 to 1")
    return value


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text} must be a whole number above 0")
    return int(text)


def _index(text: str) -> int:
    if not text.isdecimal() or int(text) > 999:
        raise argparse.ArgumentTypeError(f"{text} must be a camera index: 0, 1, 2, …")
    return int(text)


def _input_size(text: str) -> str | tuple[int, int]:
    try:
        return parse_input_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class _ListWeights(argparse.Action):
    """Prints the zoo and ends, as --version does."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        from app.zoo_table import zoo_table

        print(zoo_table())
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="fastscnn-live",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Fast-SCNN Live {__version__}")

    source = parser.add_argument_group("source")
    which = source.add_mutually_exclusive_group()
    which.add_argument("source", nargs="?", help="a video file, a camera index, or demo")
    which.add_argument("--camera", type=_index, metavar="N", help="camera number N, from 0")
    which.add_argument("--demo", action="store_true", help="the demo street")
    source.add_argument("--width", type=_positive, metavar="PX", help="width to ask a camera for")
    source.add_argument("--height", type=_positive, metavar="PX", help="height to ask for")
    source.add_argument("--fps", type=_positive, metavar="N", help="rate to ask for")
    source.add_argument(
        "--max-frames", type=_positive, metavar="N", help="end the source after N frames"
    )

    network = parser.add_argument_group("network")
    network.add_argument(
        "--input-size",
        type=_input_size,
        default="half",
        metavar="SIZE",
        help="full, half, quarter (short side 1024, 512, 256), exact, or HxW; default: half",
    )
    network.add_argument("--no-skip", action="store_true", help="disable the skip connection")
    network.add_argument(
        "--weights",
        metavar="WEIGHTS",
        help="a checkpoint: a name of --list-weights, a file, or an http(s) address;"
        " default: the shipped one",
    )
    network.add_argument(
        "--list-weights", action=_ListWeights, help="show the checkpoints known by name and exit"
    )
    network.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps; default: auto"
    )
    network.add_argument(
        "--precision", default="auto", help="auto, fp32, fp16 or bf16; default: auto"
    )

    output = parser.add_argument_group("output")
    output.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="record an annotated MP4 from the start"
    )
    output.add_argument("--overwrite", action="store_true", help="replace FILE where it exists")
    output.add_argument(
        "--alpha",
        type=_alpha,
        default=0.5,
        metavar="0..1",
        help="weight of the colours over the picture; default: 0.5",
    )
    output.add_argument("--headless", action="store_true", help="run without a window")
    output.add_argument(
        "--log-level",
        default="warning",
        choices=["debug", "info", "warning", "error"],
        help="how much to log on standard error; default: warning",
    )
    return parser


def settings_from(args: argparse.Namespace) -> Settings:
    """Settings from parsed arguments.

    Raises:
        AppError: the arguments do not go together.
    """
    spec: SourceSpec | None = None
    if args.camera is not None:
        spec = SourceSpec("camera", str(args.camera))
    elif args.demo:
        spec = SourceSpec("demo")
    elif args.source is not None:
        spec = parse_source(args.source)
    mode = {"width": args.width, "height": args.height, "rate": args.fps}
    if any(value is not None for value in mode.values()):
        if spec is None or spec.kind != "camera":
            raise UsageError("--width, --height and --fps are for cameras: add --camera N.")
        spec = SourceSpec("camera", spec.value, args.width, args.height, args.fps)
    return Settings(
        source=spec,
        output=args.output,
        overwrite=args.overwrite,
        headless=args.headless,
        device=args.device,
        precision=args.precision,
        weights=args.weights,
        input_size=args.input_size,
        view=ViewOptions(alpha=args.alpha),
        skip=not args.no_skip,
        max_frames=args.max_frames,
    )


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait_for_captures() -> None:
    """Let a source that is only slow come back: at exit, its C++ code would abort the process."""
    for thread in threading.enumerate():
        if thread.name == "capture":
            thread.join(3.0)


def main(argv: list[str] | None = None) -> int:
    """Run the application; returns the exit code."""
    # torch's threads would otherwise spin while they wait for each other, against the decoder, the
    # encoder and the window: on a busy 2-core machine that was seen to cost a factor of ten.
    # It must be set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    args = build_parser().parse_args(argv)
    logging.basicConfig(
        level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        settings = settings_from(args)
        check_opencv()
        if settings.headless:
            from app.headless import run_headless

            # A service manager ends a run as Ctrl+C does: with a finished file.
            signal.signal(signal.SIGTERM, _interrupt)
            return run_headless(settings)
        from app.gui.preflight import check_display

        check_display()
        from app.gui.run import run_window

        return run_window(settings)
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        _wait_for_captures()


if __name__ == "__main__":
    sys.exit(main())
