"""Argument parser of the program, and settings from what it parsed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, get_args

from app import __version__
from app.cli.output_rules import outputs_from
from app.cli.printing import Prints
from app.cli.source_rules import add_source_arguments, sources_from
from app.cli.view_rules import add_view_arguments, view_from
from app.config.settings import Codec, OnSwitch, Settings
from app.config.value_parsers import PATTERN, check_pattern
from app.sinks.recording.encoder_rules import encoder_choice
from fastscnn.inference.input_size import parse_input_size

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
    from app.cli.listings import zoo_table

    return zoo_table()


def _diagnostics() -> str:
    from app.diagnostics import diagnostics

    return diagnostics()


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong; the usage, which is a page, is what --help is for."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"Error: {message} (--help shows all arguments).\n")


def add_window_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the group of arguments that only the window has."""
    group = parser.add_argument_group("window")
    group.add_argument("--keys", type=Path, metavar="FILE", help="other keys, see docs/keys.md")
    group.add_argument(
        "--profile", metavar="NAME", help="keep settings under this name; each has its own"
    )
    group.add_argument(
        "--reset-settings", action="store_true", help="forget the settings that were kept"
    )


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


def given_arguments(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None, parsed: argparse.Namespace
) -> frozenset[str]:
    """Names of the arguments that the user gave, whatever their values.

    Args:
        parser: the parser.
        argv: what it parsed, ``None`` for the process's own arguments.
        parsed: what came of it.
    """
    unset = object()
    # The parser gives defaults only to what a namespace does not have yet.
    again = parser.parse_args(argv, argparse.Namespace(**dict.fromkeys(vars(parsed), unset)))
    return frozenset(name for name, value in vars(again).items() if value is not unset)


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
