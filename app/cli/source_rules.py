"""The part of the command line that names the source and what is made of pictures."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from app.cli.listings import camera_table
from app.cli.printing import Prints
from app.errors import SourceError, UsageError
from app.sources.playlist import sources_in
from app.sources.source_spec import SourceSpec, parse_source


def positive(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"{text} must be a whole number above 0")
    return int(text)


def _time(text: str) -> float:
    """Seconds, or hours, minutes and seconds."""
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    plain = all(part.isdecimal() for part in parts[:-1]) and not text.startswith(("-", "+"))
    plain = plain and all(number < 60 for number in numbers[1:])
    seconds = 0.0
    for number in numbers:
        seconds = 60 * seconds + number
    if not plain or not 0 < len(numbers) <= 3 or not 0 <= seconds < 1e7:
        raise argparse.ArgumentTypeError(f"{text} must be a time: 90, 1:30 or 0:01:30.5")
    return seconds


def _index(text: str) -> int:
    if not text.isdecimal() or int(text) > 999:
        raise argparse.ArgumentTypeError(f"{text} must be a camera index: 0, 1, 2, …")
    return int(text)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the group of arguments that name the source."""
    source = parser.add_argument_group("source")
    which = source.add_mutually_exclusive_group()
    which.add_argument(
        "source",
        nargs="*",
        default=[],
        help="a video file, pictures (a folder or pattern), an address, a camera index, or demo;"
        " in the window also several, or a folder of videos: they play one after the other",
    )
    which.add_argument("--camera", type=_index, metavar="N", help="camera number N, from 0")
    source.add_argument(
        "--list-cameras",
        action=Prints,
        text=camera_table,
        help="show the cameras that there are and exit",
    )
    which.add_argument("--demo", action="store_true", help="the demo street")
    source.add_argument("--width", type=positive, metavar="PX", help="width to ask a camera for")
    source.add_argument("--height", type=positive, metavar="PX", help="height to ask for")
    source.add_argument(
        "--fps", type=positive, metavar="N", help="rate to ask for; of pictures, 10 unless said"
    )
    source.add_argument(
        "--max-frames", type=positive, metavar="N", help="end the source after N frames"
    )
    source.add_argument(
        "--start", type=_time, metavar="TIME", help="begin a file there: seconds, or [h:]mm:ss"
    )
    source.add_argument("--end", type=_time, metavar="TIME", help="end a file before this time")
    source.add_argument(
        "--video-stream",
        type=_index,
        metavar="N",
        help="which of a file's video streams to play, from 0; default: the largest",
    )
    source.add_argument(
        "--hwaccel",
        default="auto",
        choices=["auto", "none", "cuda"],
        help="where to decode; default: auto, on the graphics card where that works",
    )
    source.add_argument(
        "--patience",
        type=positive,
        metavar="S",
        help="how many seconds to wait for a stream that broke off;"
        " default: for ever, without a window 60",
    )
    source.add_argument("--loop", action="store_true", help="play the file over and over")


def sources_from(args: argparse.Namespace) -> tuple[SourceSpec, ...]:
    """The sources that the arguments name, in the order in which they play.

    Raises:
        AppError: they do not go together.
    """
    named: list[SourceSpec] = []
    if args.camera is not None:
        named.append(SourceSpec("camera", str(args.camera)))
    elif args.demo:
        named.append(SourceSpec("demo"))
    for text in args.source:
        spec = parse_source(text)
        folder = Path(text).expanduser()
        is_folder = spec.kind == "images" and folder.is_dir()
        named += (_inside(folder) or [spec]) if is_folder else [spec]
    if len(named) > 1 and args.headless:
        raise UsageError("Without a window one source is processed at a time: name one of them.")
    if args.loop and args.headless and args.max_frames is None:
        raise UsageError("--headless --loop would never end: add --max-frames N.")
    nothing: list[SourceSpec | None] = [None]  # what other arguments say of it is wrong then
    asked = [_as_asked(spec, args) for spec in named or nothing]
    return tuple(spec for spec in asked if spec is not None)


def _inside(folder: Path) -> list[SourceSpec]:
    try:
        return sources_in(folder)
    except OSError as error:
        raise SourceError(f"{folder} cannot be read ({error.strerror}).") from error


def _as_asked(spec: SourceSpec | None, args: argparse.Namespace) -> SourceSpec | None:
    """A source with what other arguments say of it."""
    if args.width is not None or args.height is not None:
        if spec is None or spec.kind != "camera":
            raise UsageError("--width and --height are for cameras: add --camera N.")
        spec = replace(spec, width=args.width, height=args.height)
    if args.fps is not None:
        if spec is None or spec.kind not in {"camera", "images"}:
            raise UsageError("--fps is for cameras and pictures: add --camera N or name a folder.")
        spec = replace(spec, rate=args.fps)
    if args.start is not None or args.end is not None:
        if spec is None or spec.kind not in {"file", "images", "demo"}:
            raise UsageError("--start and --end are for files: name one.")
        if args.end is not None and args.end <= (args.start or 0):
            raise UsageError("--end must lie behind --start.")
        spec = replace(spec, start=args.start or 0.0, end=args.end)
    if args.video_stream is not None:
        if spec is None or spec.kind != "file":
            raise UsageError("--video-stream is for files: name one.")
        spec = replace(spec, video_stream=args.video_stream)
    return spec
