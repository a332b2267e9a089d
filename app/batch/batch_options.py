"""Options of a batch, beside those of a headless run: on its command line and in a run file."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.config.arguments import ARGUMENTS
from app.config.run_file import with_run_file
from app.config.settings import ServeOptions, WindowOptions
from app.config.value_parsers import parse_count, parse_time
from app.errors import UsageError
from fastscnn.option_fields import add_options, option, options_of, read_options
from fastscnn.paths import expand_user
from fastscnn.suggestions import SuggestingParser

_NOT_HERE = frozenset(
    {
        *("source", "camera", "demo", "width", "height", "patience", "loop", "headless", "split"),
        *("output", "record_dir", "record_name", "on_switch", "overwrite"),
        *("grid", "virtual_camera", "record_adaptive", "target_fps"),
    }
)
"""Arguments of other runs: a batch has its own, or is nothing that they could be for."""

_REFUSED = frozenset({"camera", "demo", "virtual_camera", "serve"})
"""Arguments among these without which a run file would mean something else altogether."""

_EPILOG = """\
exit codes: 0 every drive is done, 3 some failed, 2 wrong use, 4 weights, 5 output (a full disk),
130 interrupted. The same command again does what is new, changed or was cut off; docs/batch.md"""


def parse_length(text: str) -> float:
    """Return seconds from a time, or from a number with ``s``, ``min`` or ``h``."""
    match = re.fullmatch(r"([0-9.]+) ?(s|min|h)", text)
    seconds = parse_time(match[1]) * _UNITS[match[2]] if match else parse_time(text)
    if seconds < 1:
        raise ValueError(f"{text} is too short for a part: give a second or more")
    return seconds


_UNITS = {"s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Choices of a batch: what it takes and makes, and where it runs.

    Attributes:
        video: name of the annotated video in each drive's folder, ``None`` for none.
    """

    source: tuple[str, ...] = option(
        (),
        "videos, folders, text files with a path or address a line, and addresses that fsspec"
        " knows: s3://, gs://, sftp://, …",
        group="batch",
        flags=("source",),
        nargs="*",
        metavar="SOURCE",
    )
    out: str | None = option(
        None,
        "folder or address of all results; each drive gets a folder in it",
        group="batch",
        flags=("-o", "--out"),
        metavar="OUT",
    )
    config: Path | None = option(
        None,
        "a run file with options of a headless run, saved by the window or written by hand; what is"
        " given here wins",
        group="batch",
        parse=expand_user,
        metavar="FILE",
    )
    pattern: str | None = option(
        None,
        "names of the files to take from folders: '*.mkv'; default: all videos",
        group="batch",
        metavar="PATTERN",
    )
    video: str = option(
        "annotated.mp4",
        "the annotated video in a drive's folder; FOLDER/ takes a picture per frame",
        group="batch",
        metavar="NAME",
    )
    no_video: bool = option(False, "make no annotated video", group="batch")
    part_length: float | None = option(
        None,
        "do drives in parts of about this length, cut at key frames and put together without loss:"
        " 10min, 90s, 1:30",
        group="batch",
        flags=("--split",),
        parse=parse_length,
        metavar="TIME",
    )
    workers: int | None = option(
        None,
        "how many processes, each with a network; default: what this machine carries, see"
        " docs/batch.md",
        group="batch",
        parse=parse_count,
        metavar="N",
    )
    ray: str | None = option(
        None,
        "do it on a Ray cluster: auto for the one that this machine is of, ray://HOST:PORT",
        group="batch",
        metavar="ADDRESS",
    )
    cpus_per_worker: int = option(
        2,
        "processors of each worker on a Ray cluster without GPUs",
        group="batch",
        parse=parse_count,
        metavar="N",
    )
    retry_failed: bool = option(False, "do again what failed before", group="batch")
    force: bool = option(False, "do everything again", group="batch")


def build_batch_parser() -> argparse.ArgumentParser:
    """Return the parser of the batch; its namespace holds only what was given."""
    parser = SuggestingParser(
        prog="fastscnn-live batch",
        usage="%(prog)s SOURCE ... -o OUT [ARGUMENTS]",
        description="Annotate many drives: each once, whatever happens on the way. Files that are"
        " written are named inside each drive's folder: --save-labels labels.mkv.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    kinds = (kind for kind in ARGUMENTS if kind not in {WindowOptions, ServeOptions})
    add_options(parser, BatchOptions)
    add_options(parser, *kinds, without=_NOT_HERE)
    return parser


def chosen(given: argparse.Namespace) -> tuple[BatchOptions, dict[str, Any]]:
    """Return the batch's own options, and the arguments of the headless run of each drive.

    Args:
        given: on the command line; a run file that it names is read.

    Raises:
        UsageError: the run file cannot be read, or asks for what a batch cannot do.
    """
    values = vars(given) | _from_file(given)
    own = {each.name for each, _ in options_of(BatchOptions)}
    video = values.pop("output", None)
    if video is not None:
        values.setdefault("video", video)
    batch = read_options(BatchOptions, argparse.Namespace(**values))
    arguments = {name: value for name, value in values.items() if name not in own}
    if not batch.no_video:
        arguments["output"] = batch.video
    return batch, arguments


def _from_file(given: argparse.Namespace) -> dict[str, Any]:
    """Return what a run file says besides what was given, but for what is as always."""
    defaults = {each.name: each.default for kind in ARGUMENTS for each, _ in options_of(kind)}
    said = {
        name: value
        for name, value in vars(with_run_file(given)).items()
        if name not in given and value != defaults[name] and value != []
    }
    if not said:
        return {}
    others = _NOT_HERE | {
        each.name for kind in (WindowOptions, ServeOptions) for each, _ in options_of(kind)
    }
    unfit = [name for name in said if name in others - {"source", "output"}]
    for name in unfit:
        if name in _REFUSED:
            raise UsageError(
                f"{given.config.name}: {_key(name)} makes no sense in a batch, which is of drives"
                " that are recorded: leave it out."
            )
    if unfit:
        listed = ", ".join(map(_key, unfit))
        print(f"{given.config.name}: left out, since a batch has none: {listed}.", file=sys.stderr)
    return {name: value for name, value in said.items() if name not in unfit}


def _key(name: str) -> str:
    return name.replace("_", "-")
