"""Options of a batch, beside those of a headless run."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.config.value_parsers import parse_count, parse_time
from fastscnn.option_fields import option


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
