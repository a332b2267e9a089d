"""The command line: arguments → Settings → a window or a headless run."""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn, get_args

from app import __version__
from app.errors import AppError
from app.libraries import check_opencv
from app.pipeline.encoder_choice import Codec, encoder_choice
from app.pipeline.naming import PATTERN, check_pattern
from app.pipeline.picture_output import check_folder
from app.printing import Prints
from app.settings import OnSwitch, Settings
from app.source_arguments import add_source_arguments, outputs_from, sources_from
from app.view_arguments import add_view_arguments, view_from
from app.window_arguments import add_window_arguments, given_arguments
from fastscnn.sizes import parse_input_size

_DESCRIPTION = """\
Fast-SCNN Live shows what a small network sees in a street, live: in cameras, videos, or a demo.
With no source an empty window opens: drop a video on it."""

_EXAMPLES = """\
examples:
  fastscnn-live                                 an empty window
  fastscnn-live --camera 0                      the first camera
  fastscnn-live clip.mp4                        a video file; several, or a folder: a playlist
  fastscnn-live --demo                          the built-in demo street
  fastscnn-live clip.mp4 --headless -o out.mp4  no window, annotated copy of every frame
  fastscnn-live clip.mp4 --left skip-on --right skip-off    a wipe between the two
  fastscnn-live clip.mp4 --weights gluoncv      with a public checkpoint, downloaded once

exit codes: 0 done (a damaged file too, as far as it could be read: a notice says so),
1 unforeseen, 2 wrong use, 3 source, 4 weights, 5 output, 130 interrupted"""


def _crf(text: str) -> int:
    if not text.isdecimal() or int(text) > 63:
        raise argparse.ArgumentTypeError(f"{text} must be a whole number from 0 to 51 (av1: 63)")
    return int(text)


def _bitrate(text: str) -> int:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([kKmM]?)", text)
    rate = float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()] if match else 0.0
    if not 1e4 <= rate <= 1e9:
        raise argparse.ArgumentTypeError(f"{text} must be bits per second from 10k to 1000M: 4M")
    return round(rate)


def _input_size(text: str) -> str | tuple[int, int]:
    try:
        return parse_input_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _zoo_table() -> str:
    from app.zoo_table import zoo_table

    return zoo_table()


def _diagnostics() -> str:
    from app.diagnostics import diagnostics

    return diagnostics()


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong; the usage, which is a page, is what --help is for."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"Error: {message} (--help shows all arguments).\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = _Parser(
        prog="fastscnn-live",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Fast-SCNN Live {__version__}")
    parser.add_argument(
        "--diagnostics",
        action=Prints,
        text=_diagnostics,
        help="print versions, devices, encoders and settings for a bug report and exit",
    )

    add_source_arguments(parser)

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
        "--list-weights",
        action=Prints,
        text=_zoo_table,
        help="show the checkpoints known by name and exit",
    )
    network.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps; default: auto"
    )
    network.add_argument(
        "--precision", default="auto", help="auto, fp32, fp16 or bf16; default: auto"
    )
    network.add_argument(
        "--runtime",
        default="auto",
        help="what runs the network: auto, torch, or on the CPU, where installed, onnxruntime or"
        " openvino; default: auto, the fastest of them",
    )

    add_view_arguments(parser)

    output = parser.add_argument_group("output")
    output.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="record an annotated MP4 from the start; FOLDER/ takes a picture per frame",
    )
    output.add_argument(
        "--save-labels",
        type=Path,
        metavar="WHERE",
        help="write labels there: FILE.mkv records train ids without loss, a folder gets an 8-bit"
        " PNG of them per frame",
    )
    output.add_argument(
        "--label-ids",
        action="store_true",
        help="in a folder, write Cityscapes label ids instead, as its server wants them",
    )
    output.add_argument(
        "--picture-format",
        choices=["png", "jpg"],
        default="png",
        help="of pictures that go to a FOLDER/; default: png",
    )
    output.add_argument("--overwrite", action="store_true", help="replace FILE where it exists")
    output.add_argument(
        "--record-dir",
        type=Path,
        metavar="DIR",
        help="folder for recordings named by date and time; with --headless, record there",
    )
    output.add_argument(
        "--record-name",
        default=PATTERN,
        metavar="PATTERN",
        help=f"how they are named; default: {PATTERN}",
    )
    output.add_argument(
        "--codec", choices=get_args(Codec), help="kind of video to record; default: h264"
    )
    output.add_argument(
        "--encoder",
        default="auto",
        metavar="NAME",
        help="auto (NVENC where it works, else the CPU), or FFmpeg's name: libx264, h264_nvenc, …",
    )
    output.add_argument(
        "--crf", type=_crf, metavar="N", help="quality of recordings, lower is better; libx264: 20"
    )
    output.add_argument(
        "--bitrate", type=_bitrate, metavar="RATE", help="bits per second instead: 4M, 2500k"
    )
    output.add_argument(
        "--preset", metavar="WORD", help="the encoder's speed in its own words; libx264: superfast"
    )
    output.add_argument("--no-audio", action="store_true", help="record without a file's sound")
    output.add_argument(
        "--on-switch",
        choices=get_args(OnSwitch),
        default="close",
        help="where the source ends or is changed, close the recording or continue it with the"
        " next; default: close",
    )
    add_window_arguments(parser)
    output.add_argument("--headless", action="store_true", help="run without a window")
    output.add_argument(
        "--stats-json", type=Path, metavar="FILE", help="write what became of all frames there"
    )
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
    sources = sources_from(args)
    recording, labels, pictures = outputs_from(args)
    return Settings(
        source=sources[0] if sources else None,
        playlist=sources[1:],
        output=recording,
        pictures=pictures,
        overwrite=args.overwrite,
        record_dir=args.record_dir,
        record_name=check_pattern(args.record_name),
        encoder=encoder_choice(args.codec, args.encoder, args.crf, args.bitrate, args.preset),
        save_labels=labels,
        audio=not args.no_audio,
        stats_json=args.stats_json,
        on_switch=args.on_switch,
        headless=args.headless,
        device=args.device,
        precision=args.precision,
        runtime=args.runtime,
        weights=args.weights,
        input_size=args.input_size,
        weights_b=args.weights_b,
        view=view_from(args),
        skip=not args.no_skip,
        max_frames=args.max_frames,
        loop=args.loop,
        hwaccel=args.hwaccel,
        patience=args.patience,
        keys=args.keys,
        profile=args.profile,
        reset=args.reset_settings,
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
    parser = build_parser()
    args = parser.parse_args(argv)
    logging.basicConfig(
        level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        given = given_arguments(parser, argv, args)
        settings = replace(settings_from(args), given=given)
        check_opencv()
        for output in settings.pictures:
            check_folder(output, overwrite=settings.overwrite, source=settings.source)
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


def run() -> NoReturn:
    """Run the application as a process of its own, which ends with it."""
    code = main()
    if any(thread.name in {"worker", "loader"} for thread in threading.enumerate()):
        # Still importing torch or reading weights, for nobody. All files are closed by now; the
        # interpreter would wait for these threads, for seconds.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
