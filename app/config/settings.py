"""What the user chose: one frozen object from the command line to every part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from app.config.value_parsers import PATTERN
from app.rendering.view_options import ViewOptions
from app.sources.source_spec import SourceSpec

OnSwitch = Literal["close", "continue"]
"""What becomes of a recording where its source ends or is changed."""


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
    """What the user asks for.

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
class NetworkOptions:
    """What the user chose for the network besides its weights.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``auto``, ``fp32``, ``fp16`` or ``bf16``.
        input_size: what the network sees, see ``fastscnn.inference.input_size.parse_input_size``.
        runtime: ``auto``, ``torch``, ``onnxruntime`` or ``openvino``.
    """

    device: str = "auto"
    precision: str = "auto"
    input_size: str | tuple[int, int] = "half"
    runtime: str = "auto"


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices a run starts with.

    Attributes:
        source: what to open; ``None`` starts an empty window.
        playlist: what plays after it.
        output: MP4 to record from the first frame on.
        record_dir: folder for recordings that are named by the pattern.
        record_name: pattern of those names, see ``app.config.value_parsers.check_pattern``.
        encoder: which encoder makes recordings, and how.
        save_labels: file for the labels of the recording from the start; recordings begun later
            have theirs beside them.
        audio: whether the sound of a file is recorded with it.
        stats_json: file for the counts and figures of the run.
        on_switch: whether a recording is closed or goes on where its source ends or is changed.
        overwrite: replace ``output`` where it exists.
        headless: run without a window.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``auto``, ``fp32``, ``fp16`` or ``bf16``.
        runtime: ``auto``, ``torch``, ``onnxruntime`` or ``openvino``.
        weights: checkpoint, as ``fastscnn.checkpoints.model_zoo.resolve`` takes it;
            ``None`` is the one that ships with the program.
        weights_b: a second checkpoint to compare with, likewise; ``None`` where there is none.
        input_size: what the network sees, see ``fastscnn.segmenter.parse_input_size``.
        view: how results are drawn.
        skip: whether the skip connection contributes.
        max_frames: end after so many frames.
        loop: play the source over and over.
        pictures: folders that get a picture per frame.
        patience: seconds to wait for a stream that broke off; ``None`` waits for ever in the
            window, a minute without one.
        hwaccel: what decodes files and streams: ``auto``, ``none`` or a kind of device.
        keys: file of other keys for the window.
        profile: name that the window keeps settings under.
        reset: whether the window forgets the settings that it kept.
        given: names of the arguments that were given on the command line; kept settings stand
            in only for others.
    """

    source: SourceSpec | None = None
    playlist: tuple[SourceSpec, ...] = ()
    output: Path | None = None
    record_dir: Path | None = None
    record_name: str = PATTERN
    encoder: EncoderChoice = field(default_factory=EncoderChoice)
    save_labels: Path | None = None
    audio: bool = True
    stats_json: Path | None = None
    on_switch: OnSwitch = "close"
    overwrite: bool = False
    headless: bool = False
    device: str = "auto"
    precision: str = "auto"
    runtime: str = "auto"
    weights: str | None = None
    weights_b: str | None = None
    input_size: str | tuple[int, int] = "half"
    view: ViewOptions = field(default_factory=ViewOptions)
    skip: bool = True
    max_frames: int | None = None
    loop: bool = False
    pictures: tuple[ImageFolderOptions, ...] = ()
    hwaccel: str = "auto"
    patience: float | None = None
    keys: Path | None = None
    profile: str | None = None
    reset: bool = False
    given: frozenset[str] = frozenset()

    def complete(self, spec: SourceSpec, *, display: bool) -> SourceSpec:
        """A source with what it leaves to the settings.

        Args:
            spec: what the user named.
            display: whether somebody watches.
        """
        # Nobody watches a run without a window: it has to end some time.
        patience = self.patience if self.patience is not None or display else 60.0
        return replace(
            spec,
            hwaccel=spec.hwaccel or self.hwaccel,
            patience=patience if spec.patience is None else spec.patience,
        )
