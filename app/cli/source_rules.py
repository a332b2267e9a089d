"""Source rules: sources from given arguments, and which go together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.config.arguments import SourceArguments
from app.config.settings import SourceOptions
from app.errors import SourceError, UsageError
from app.sources.playlist import sources_in
from app.sources.source_spec import SourceSpec, parse_source
from fastscnn.paths import not_readable

_MOST_BESIDE = 16


def sources_from(
    args: SourceArguments, options: SourceOptions, *, headless: bool
) -> tuple[SourceSpec, ...]:
    """Return the sources that the arguments name, in the order in which they play.

    Raises:
        AppError: they do not go together.
    """
    named = [SourceSpec("camera", str(number)) for number in args.camera]
    if args.demo:
        named.append(SourceSpec("demo"))
    if named and (args.source or (args.camera and args.demo)) and not options.grid:
        raise UsageError(
            "--camera, --demo and named sources exclude each other: name one, or add --grid to run"
            " them beside each other."
        )
    for text in args.source:
        spec = parse_source(text)
        is_folder = spec.kind == "images" and os.path.isdir(spec.value)
        named += (_inside(Path(spec.value)) or [spec]) if is_folder else [spec]
    cameras = [spec.value for spec in named if spec.kind == "camera"]
    if options.grid and len(set(cameras)) < len(cameras):
        raise UsageError("A camera can be opened once: name each --camera once.")
    if len(named) > 1 and headless and not options.grid:
        raise UsageError(
            "Without a window one source is processed at a time: name one of them, or add --grid"
            " for all beside each other."
        )
    if len(named) > _MOST_BESIDE and options.grid:
        raise UsageError(
            f"{len(named)} sources are too many beside each other: name {_MOST_BESIDE} at most."
        )
    _check_labels(named, options)
    return tuple(_as_asked(named, args))


def check_end(options: SourceOptions) -> None:
    """Find out whether a run that nobody watches comes to an end.

    Raises:
        UsageError: it does not.
    """
    if options.loop and options.max_frames is None:
        raise UsageError(
            "--headless --loop would never end: add --max-frames N, or --serve PORT to watch it."
        )


def _check_labels(named: Sequence[SourceSpec], options: SourceOptions) -> None:
    """Find out before any work whether labels can be those of the source.

    Raises:
        AppError: they cannot.
    """
    if options.labels is None:
        return
    if [spec.kind in {"file", "images"} for spec in named] != [True]:
        raise UsageError("--labels DIR are those of one file or folder of pictures: name it.")
    from fastscnn.data.label_folder import LabelFolder
    from fastscnn.data.label_sets import TargetSets
    from fastscnn.data.pair_dataset import DataError
    from fastscnn.evaluation.class_merging import PLAIN, read_merging

    merging = read_merging(options.merge) if options.merge else PLAIN
    try:
        LabelFolder(options.labels, TargetSets(), merging.table)
    except DataError as error:
        raise SourceError(f"--labels: {error}") from error


def _inside(folder: Path) -> list[SourceSpec]:
    try:
        return sources_in(folder)
    except OSError as error:
        raise SourceError(not_readable(error, folder)) from error


def _as_asked(specs: Sequence[SourceSpec], args: SourceArguments) -> Sequence[SourceSpec]:
    """Sources with what other arguments say of those that they fit.

    Raises:
        UsageError: one fits none of them.
    """
    for fits, words, changes in _wishes(args):
        if not any(map(fits, specs)):
            raise UsageError(words)
        specs = [replace(spec, **changes) if fits(spec) else spec for spec in specs]
    return specs


def _wishes(
    args: SourceArguments,
) -> Iterator[tuple[Callable[[SourceSpec], bool], str, dict[str, Any]]]:
    """Wishes: the sources that one fits, the words where there is none of them, and the wish."""

    def is_file(spec: SourceSpec) -> bool:
        return spec.kind == "file" or spec.may_be_remote_file

    if args.width is not None or args.height is not None:
        words = "--width and --height are for cameras: add --camera N."
        size = {"width": args.width, "height": args.height}
        yield lambda spec: spec.kind == "camera", words, size
    if args.fps is not None:
        words = "--fps is for cameras and pictures: add --camera N or name a folder."
        yield lambda spec: spec.kind in {"camera", "images"}, words, {"rate": args.fps}
    if args.start is not None or args.end is not None:
        if args.end is not None and args.end <= (args.start or 0):
            raise UsageError("--end must lie behind --start.")
        part = {"start": args.start or 0.0, "end": args.end}
        words = "--start and --end are for files: name one."
        yield lambda spec: is_file(spec) or spec.kind in {"images", "demo"}, words, part
    if args.video_stream is not None:
        words = "--video-stream is for files: name one."
        yield is_file, words, {"video_stream": args.video_stream}
