"""Settings of a run: every option declared once, in the group that it belongs to.

A field made by ``option`` is a flag of the command line, a row of docs/flags.md and, where it says
so, a value that the window keeps between runs. ``…Arguments`` are what only the command line knows;
rules of ``app.cli`` resolve them to options. ``Settings`` is what the program runs by.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from app.config.data_options import AlertOptions, ObjectOptions
from app.config.value_parsers import (
    PATTERN,
    Address,
    format_input_size,
    is_public,
    parse_address,
    parse_count,
    parse_merging,
    parse_rate,
    parse_size_choice,
)
from app.rendering.view_options import (
    ViewOptions,
)
from app.sources.source_spec import SourceSpec
from fastscnn.ignored_regions import Polygon, format_polygon, parse_polygon
from fastscnn.option_fields import option
from fastscnn.paths import expand_user

OnSwitch = Literal["close", "continue"]
"""Fate of a recording where its source ends or is changed."""


Content = Literal["view", "train_ids", "label_ids"]


Suffix = Literal[".png", ".jpg"]


@dataclass(frozen=True, slots=True)
class ImageFolderOptions:
    """A folder of pictures to be written.

    Attributes:
        folder: where they go; made where it is missing.
        content: ``view`` as it is shown; ``train_ids`` or ``label_ids`` as 8-bit grey PNG, as the
            official evaluation takes the latter.
        suffix: ``.png`` or ``.jpg``, which labels never are.
    """

    folder: Path
    content: Content = "view"
    suffix: Suffix = ".png"


Codec = Literal["h264", "hevc", "av1"]


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """Encoder that the user asks for.

    Attributes:
        codec: the kind of video.
        encoder: FFmpeg's name of one, or ``auto``: NVENC where there is an NVIDIA driver and it
            works, else the one for the CPU.
        crf: constant quality, lower is better; ``None`` is the encoder's usual one.
        bitrate: bits per second in place of constant quality.
        preset: the encoder's own word for its speed.
    """

    codec: Codec = "h264"
    encoder: str = "auto"
    crf: int | None = None
    bitrate: int | None = None
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Options of reading, for any source.

    Attributes:
        patience: seconds to wait for a stream that broke off; ``None`` waits for ever in the
            window, a minute without one.
    """

    max_frames: int | None = option(
        None, "end the source after N frames", group="source", parse=parse_count, metavar="N"
    )
    hwaccel: str = option(
        "auto",
        "where to decode; default: auto, on the graphics card where that works and is faster",
        group="source",
        choices={"auto": "Automatic", "none": "Processor", "cuda": "NVIDIA card"},
        show_default=False,
    )
    patience: float | None = option(
        None,
        "how many seconds to wait for a stream that broke off;"
        " default: for ever, without a window 60",
        group="source",
        parse=parse_count,
        metavar="S",
    )
    loop: bool = option(False, "play the file over and over", group="source")
    ignore_region: tuple[Polygon, ...] = option(
        (),
        "leave a polygon out (a bonnet, a logo): no colours, no labels, no share; corners in pixels"
        " or in shares of the size; may be given several times",
        group="source",
        parse=parse_polygon,
        format=format_polygon,
        metavar="X,Y,X,Y,X,Y,…",
        repeats=True,
    )
    labels: Path | None = option(
        None,
        "the true labels of the file or pictures, for --view truth and errors: a PNG for each frame"
        " in the order of their names, or named as its picture; see docs/window.md",
        group="source",
        parse=expand_user,
        format=lambda folder: str(folder.absolute()) if folder else "",
        metavar="DIR",
    )
    merge: str | None = option(
        None,
        "count classes as one when judging, as fastscnn.evaluate does: camvid, idd_lite, a JSON"
        " file, or A+B=C",
        group="source",
        parse=parse_merging,
        format=lambda merging: merging or "",
        metavar="TABLE",
    )
    grid: bool = option(
        False, "run several sources beside each other, not one after the other", group="source"
    )


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Network: its weights, and how it runs.

    Attributes:
        weights: checkpoint, as ``fastscnn.checkpoints.model_zoo.resolve`` takes it; ``None`` is the
            one that ships with the program.
        weights_b: a second checkpoint to compare with, likewise; ``None`` where there is none.
    """

    input_size: str | tuple[int, int] = option(
        "auto",
        "full, half, quarter (short side 1024, 512, 256), exact, HxW, or auto: the largest that"
        " holds the source's rate, without a window or with --grid half",
        group="network",
        parse=parse_size_choice,
        format=format_input_size,
        metavar="SIZE",
        saved=True,
        choices={
            "auto": "the largest that holds the rate",
            "quarter": "short side 256, fastest",
            "half": "short side 512",
            "full": "short side 1024, as published",
            "exact": "the picture's own size",
        },
    )
    target_fps: float | None = option(
        None,
        "frames per second that --input-size auto holds; default: the source's, at most 60",
        group="network",
        parse=parse_rate,
        metavar="FPS",
    )
    record_adaptive: bool = option(
        False, "let --input-size auto change while a live source is recorded", group="network"
    )
    skip: bool = option(True, "disable the skip connection", group="network")
    weights: str | None = option(
        None,
        "a checkpoint: a name of --list-weights, a file (.onnx too), or an http(s) address;"
        " default: the shipped one",
        group="network",
        format=lambda weights: weights or "",
        metavar="WEIGHTS",
        saved=True,
        may_save=is_public,
    )
    device: str = option(
        "auto", "auto, cpu, cuda, cuda:N or mps", group="network", metavar="DEVICE"
    )
    precision: str = option(
        "auto",
        "auto, fp32, fp16 or bf16",
        group="network",
        metavar="PRECISION",
        choices={"auto": "", "fp32": "float32", "bf16": "bfloat16", "fp16": "float16"},
    )
    runtime: str = option(
        "auto",
        "inference runtime: auto, torch, or on the CPU, where installed, onnxruntime or openvino;"
        " default: auto, the fastest of them",
        group="network",
        show_default=False,
        metavar="RUNTIME",
        choices={"auto": "", "torch": "", "onnxruntime": "", "openvino": ""},
    )
    weights_b: str | None = option(
        None, "the second checkpoint, for weights-b", group="view", metavar="WEIGHTS"
    )


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """Recordings: where they go, how they are encoded, when they end.

    Attributes:
        file: MP4 to record from the first frame on.
        each: of sources that run beside each other each is recorded from its first frame on, into
            a file of its own in ``record_dir``.
        labels: file for the labels of the recording from the start.
        begin: time of the source at which the recording begins; ``None`` goes by its first frame.
        encoder: which encoder makes recordings, and how.
    """

    overwrite: bool = option(False, "replace FILE where it exists", group="output")
    record_dir: Path | None = option(
        None,
        "folder for recordings named by date and time; with --headless, record there, unless -o"
        " FILE does",
        group="output",
        parse=expand_user,
        format=lambda folder: str(folder or ""),
        metavar="DIR",
        saved=True,
    )
    record_name: str = option(
        PATTERN, "how they are named", group="output", metavar="PATTERN", saved=True
    )
    record_labels: bool = option(
        False, "record labels beside each recording: NAME.labels.mkv", group="output", saved=True
    )
    record_raw: bool = option(
        False,
        "record the picture as it came beside each recording: NAME.raw.mp4",
        group="output",
        saved=True,
    )
    audio: bool = option(True, "record without a file's sound", group="output", saved=True)
    on_switch: OnSwitch = option(
        "close",
        "where the source ends or is changed, close the recording or continue it with the next",
        group="output",
        choices={"close": "Close", "continue": "Continue"},
        saved=True,
    )
    file: Path | None = None
    each: bool = False
    labels: Path | None = None
    begin: float | None = None
    encoder: EncoderChoice = field(default_factory=EncoderChoice)


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """Window: its keys, and the profile that it keeps settings under."""

    keys: Path | None = option(
        None, "other keys, see docs/keys.md", group="window", parse=expand_user, metavar="FILE"
    )
    profile: str | None = option(
        None, "keep settings under this name; each has its own", group="window", metavar="NAME"
    )
    reset_settings: bool = option(False, "forget the settings that were kept", group="window")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Server of a page that shows the run in a browser."""

    serve: Address | None = option(
        None,
        "show the run in a browser: at this port of this machine, or of a host's address",
        group="serve",
        parse=parse_address,
        metavar="[HOST:]PORT",
    )
    serve_control: bool = option(
        False, "let the page control the run, not only show it", group="serve"
    )
    serve_token: str | None = option(
        None,
        "word that clients must know, FASTSCNN_TOKEN too; default: none on this machine alone,"
        " else one that is made and printed",
        group="serve",
        metavar="TOKEN",
        show_default=False,
    )
    serve_clients: int = option(
        16, "most streams that clients may have open", group="serve", parse=parse_count, metavar="N"
    )
    serve_cert: Path | None = option(
        None, "certificate (PEM), for https", group="serve", parse=expand_user, metavar="FILE"
    )
    serve_key: Path | None = option(
        None, "its private key (PEM)", group="serve", parse=expand_user, metavar="FILE"
    )


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Run as a whole: with or without a window, and what it reports."""

    headless: bool = option(False, "run without a window", group="output")
    stats_json: Path | None = option(
        None,
        "write what became of all frames there",
        group="output",
        parse=expand_user,
        metavar="FILE",
    )
    virtual_camera: bool = option(
        False, "give what is shown as a camera for meetings (pyvirtualcam)", group="output"
    )
    log_level: str = option(
        "warning",
        "how much to log on standard error",
        group="output",
        choices={level: level.capitalize() for level in ("debug", "info", "warning", "error")},
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices that a run starts with.

    Attributes:
        sources: what to open, and what plays after it; empty starts an empty window.
        images: folders that get an image per frame.
        streams: addresses that the video is sent to.
        data: files that get a row per frame.
        objects: files that get regions, and of what.
        alerts: rules, and what is done when one holds.
        view: how results are drawn.
        run_file: what ``--config`` named.
        given: names of the arguments that were given on the command line; saved settings stand in
            only for others.
    """

    sources: tuple[SourceSpec, ...] = ()
    source: SourceOptions = field(default_factory=SourceOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    view: ViewOptions = field(default_factory=ViewOptions)
    recording: RecordingOptions = field(default_factory=RecordingOptions)
    images: tuple[ImageFolderOptions, ...] = ()
    streams: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()
    objects: ObjectOptions = field(default_factory=ObjectOptions)
    alerts: AlertOptions = field(default_factory=AlertOptions)
    window: WindowOptions = field(default_factory=WindowOptions)
    serve: ServeOptions = field(default_factory=ServeOptions)
    run: RunOptions = field(default_factory=RunOptions)
    run_file: Path | None = None
    given: frozenset[str] = frozenset()

    @property
    def first_source(self) -> SourceSpec | None:
        """Source to open; ``None`` starts an empty window."""
        return self.sources[0] if self.sources else None

    @property
    def beside(self) -> bool:
        """True where several sources run beside each other."""
        return self.source.grid and len(self.sources) > 1

    def complete(self, spec: SourceSpec, *, display: bool) -> SourceSpec:
        """A source with what it leaves to the settings.

        Args:
            spec: what the user named.
            display: whether somebody watches.
        """
        # Nobody watches a run without a window: it has to end some time.
        patience = self.source.patience if self.source.patience is not None or display else 60.0
        return replace(
            spec,
            hwaccel=spec.hwaccel or self.source.hwaccel,
            patience=patience if spec.patience is None else spec.patience,
        )
