"""Arguments that only the command line knows; rules of app.cli resolve them to options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.config.data_options import AlertOptions, ObjectOptions
from app.config.settings import (
    Codec,
    NetworkOptions,
    RecordingOptions,
    RunOptions,
    ServeOptions,
    SourceOptions,
    WindowOptions,
)
from app.config.value_parsers import (
    parse_bitrate,
    parse_count,
    parse_crf,
    parse_index,
    parse_names,
    parse_rate,
    parse_share,
    parse_split,
    parse_time,
)
from app.rendering.palettes import parse_palette
from app.rendering.view_options import (
    VIEWS,
    Measure,
    Side,
    View,
    parse_side,
)
from fastscnn.option_fields import option
from fastscnn.paths import expand_user


@dataclass(frozen=True, slots=True)
class SourceArguments:
    """Source on the command line; ``source_rules.sources_from`` resolves it."""

    source: tuple[str, ...] = option(
        (),
        "a video file, pictures (a folder or pattern), an address, a camera index, or demo;"
        " in the window also several, or a folder of videos: they play one after the other",
        group="source",
        flags=("source",),
        nargs="*",
    )
    camera: tuple[int, ...] = option(
        (),
        "camera number N, from 0; several, by one --camera each, run beside each other",
        group="source",
        parse=parse_index,
        repeats=True,
        metavar="N",
    )
    demo: bool = option(False, "the demo street", group="source")
    width: int | None = option(
        None, "width to ask a camera for", group="source", parse=parse_count, metavar="PX"
    )
    height: int | None = option(
        None, "height to ask for", group="source", parse=parse_count, metavar="PX"
    )
    fps: float | None = option(
        None,
        "rate to ask for, 29.97 or 30000/1001 too; of pictures, 10 unless said",
        group="source",
        parse=parse_rate,
        metavar="RATE",
    )
    start: float | None = option(
        None,
        "begin a file there: seconds, or [h:]mm:ss",
        group="source",
        parse=parse_time,
        metavar="TIME",
    )
    end: float | None = option(
        None, "end a file before this time", group="source", parse=parse_time, metavar="TIME"
    )
    video_stream: int | None = option(
        None,
        "which of a file's video streams to play, from 0; default: the largest",
        group="source",
        parse=parse_index,
        metavar="N",
    )


@dataclass(frozen=True, slots=True)
class ViewArguments:
    """View on the command line; ``view_rules.view_from`` resolves it to ``ViewOptions``."""

    view: View | None = option(
        None,
        "overlay, labels, confidence, raw; truth or errors, by --labels; side (two pictures next to"
        " each other) or wipe (two under a divider); default: overlay",
        group="view",
        choices={view: view.capitalize() for view in VIEWS},
        metavar="VIEW",
    )
    left: Side | None = option(
        None,
        "left of side or wipe: overlay, labels, confidence, raw, truth or errors, skip-on or"
        " skip-off,"
        " steady-on or steady-off, weights-a or weights-b, joined by + (labels+skip-off);"
        " default: raw",
        group="view",
        parse=parse_side,
        metavar="WHAT",
    )
    right: Side | None = option(
        None, "right of it; default: overlay", group="view", parse=parse_side, metavar="WHAT"
    )
    split: float | str | None = option(
        None,
        "where the divider of the wipe is, or sweep: it goes to and fro; default: 0.5",
        group="view",
        parse=parse_split,
        metavar="0..1",
    )
    alpha: float = option(
        0.5,
        "weight of the colours over the picture",
        group="view",
        parse=parse_share,
        metavar="0..1",
    )
    contours: bool = option(False, "draw borders between classes", group="view")
    class_names: bool = option(
        False, "write the names of the classes on their large regions", group="view"
    )
    steady: bool = option(
        False,
        "hold labels steady from frame to frame: where the picture does not change, its labels do"
        " not",
        group="view",
    )
    palette: str = option(
        "cityscapes",
        "colours of the classes: cityscapes, colour-blind, or a JSON file of them",
        group="view",
        parse=parse_palette,
        metavar="PALETTE",
    )
    hide: tuple[str, ...] | None = option(
        None,
        "leave out the colours of classes or groups, with commas: sky,vegetation",
        group="view",
        parse=parse_names,
        metavar="CLASSES",
        exclusive="classes",
    )
    only: tuple[str, ...] | None = option(
        None,
        "leave out all others",
        group="view",
        parse=parse_names,
        metavar="CLASSES",
        exclusive="classes",
    )
    blur: tuple[str, ...] = option(
        (),
        "blur these classes or groups in the picture, with commas: person,rider,car;"
        " see docs/privacy.md",
        group="view",
        parse=parse_names,
        format=",".join,
        metavar="CLASSES",
    )
    confidence: Measure = option(
        "probability",
        "what confidence shows: the highest probability (default), or the entropy of all",
        group="view",
        choices={"probability": "Probability", "entropy": "Entropy"},
        show_default=False,
    )


@dataclass(frozen=True, slots=True)
class OutputArguments:
    """Outputs on the command line; ``output_rules`` and ``encoder_rules`` resolve them."""

    output: str | None = option(
        None,
        "record an annotated MP4 from the start; FOLDER/ takes a picture per frame, with"
        " --grid an MP4 of each source; rtsp://…, udp://… or srt://… is sent the video"
        " live",
        group="output",
        flags=("-o", "--output"),
        metavar="FILE",
    )
    save_labels: Path | None = option(
        None,
        "write labels there: FILE.mkv records train ids without loss, a folder gets an 8-bit"
        " PNG of them per frame",
        group="output",
        parse=expand_user,
        metavar="WHERE",
    )
    label_ids: bool = option(
        False,
        "in a folder, write Cityscapes label ids instead, as its server wants them",
        group="output",
    )
    picture_format: str = option(
        "png",
        "of pictures that go to a FOLDER/",
        group="output",
        choices={"png": "PNG", "jpg": "JPEG"},
    )
    data: tuple[Path, ...] = option(
        (),
        "write a row of values per frame there, see docs/data.md: .jsonl, .csv or .parquet;"
        " may be given several times",
        group="output",
        parse=expand_user,
        metavar="FILE",
        repeats=True,
    )
    codec: Codec | None = option(
        None,
        "kind of video to record; default: h264",
        group="output",
        choices={"h264": "H.264", "hevc": "HEVC", "av1": "AV1"},
        saved=True,
    )
    encoder: str = option(
        "auto",
        "auto (NVENC where it works, else the CPU), or FFmpeg's name: libx264, h264_nvenc, …",
        group="output",
        metavar="NAME",
        show_default=False,
        saved=True,
    )
    crf: int | None = option(
        None,
        "quality of recordings, lower is better; libx264: 20",
        group="output",
        parse=parse_crf,
        metavar="N",
        saved=True,
    )
    bitrate: int | None = option(
        None,
        "bits per second instead: 4M, 2500k",
        group="output",
        parse=parse_bitrate,
        metavar="RATE",
        saved=True,
    )
    preset: str | None = option(
        None,
        "the encoder's speed in its own words; libx264: superfast",
        group="output",
        metavar="WORD",
        saved=True,
    )


ARGUMENTS: tuple[type, ...] = (
    SourceArguments,
    SourceOptions,
    NetworkOptions,
    ViewArguments,
    OutputArguments,
    RecordingOptions,
    ObjectOptions,
    AlertOptions,
    WindowOptions,
    ServeOptions,
    RunOptions,
)
"""All that is declared, in the order of ``--help``."""
