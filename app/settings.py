"""What the user chose: one frozen object from the command line to every part."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app.pipeline.view import ViewOptions
from app.sources.spec import SourceSpec


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices a run starts with.

    Attributes:
        source: what to open; ``None`` starts an empty window.
        output: MP4 to record from the first frame on.
        overwrite: replace ``output`` where it exists.
        headless: run without a window.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``auto``, ``fp32``, ``fp16`` or ``bf16``.
        weights: checkpoint, as ``fastscnn.zoo.resolve`` takes it; ``None`` is the one that ships
            with the program.
        input_size: what the network sees, see ``fastscnn.segmenter.parse_input_size``.
        view: how results are drawn.
        skip: whether the skip connection contributes.
        max_frames: end after so many frames.
    """

    source: SourceSpec | None = None
    output: Path | None = None
    overwrite: bool = False
    headless: bool = False
    device: str = "auto"
    precision: str = "auto"
    weights: str | None = None
    input_size: str | tuple[int, int] = "half"
    view: ViewOptions = field(default_factory=ViewOptions)
    skip: bool = True
    max_frames: int | None = None
