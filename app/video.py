"""Videos in a program: a source in, one result per frame out.

Example:
    >>> from app.video import segment_video
    >>> for result in segment_video("demo", input_size="quarter", most=2):
    ...     print(f"{result.time:.2f} s, {result.labels.shape}")
    0.00 s, (512, 1024)
    0.03 s, (512, 1024)
"""

from __future__ import annotations

import logging
import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from app.config.settings import NetworkOptions
from app.inference.network_loader import NetworkLoader
from app.rendering.overlay import draw, shares
from app.rendering.view_options import ViewOptions
from app.sources.base import Picture, Source
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec, parse_source
from fastscnn.inference.input_size import InputSize
from fastscnn.labels import ClassTable

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VideoResult:
    """A frame and its labels. A notebook shows it as the overlay.

    Attributes:
        image: the frame: RGB uint8 H×W×3.
        labels: H×W uint8 numbers of ``classes``; train ids where these are the 19 of Cityscapes.
        index: how many results came before it.
        time: its place in the source in seconds.
        name: what it is called in a folder of pictures, else empty.
        classes: what the labels' numbers mean.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    index: int
    time: float
    name: str
    classes: ClassTable

    @property
    def overlay(self) -> NDArray[np.uint8]:
        """The colours of the classes over the frame: RGB uint8 H×W×3."""
        view = ViewOptions(numbering=self.classes.names)
        return draw(self.image, "overlay", view, self.labels, classes=self.classes)

    @property
    def shares(self) -> dict[str, float]:
        """The part of the picture that each class has, 0–1, by its name."""
        parts = shares(self.labels, classes=len(self.classes))
        return dict(zip(self.classes.names, parts, strict=True))

    def mask(self, *names: str) -> NDArray[np.bool_]:
        """Return H×W bool: where any of the classes, or groups of them, of these names is.

        Raises:
            ValueError: the network knows no class of such a name.
        """
        return np.isin(self.labels, list(self.classes.numbers_of(names)))

    def _repr_png_(self) -> bytes:
        data = cv2.imencode(".png", cv2.cvtColor(self.overlay, cv2.COLOR_RGB2BGR))[1]
        return data.tobytes()


def segment_video(
    source: str | Path | int | SourceSpec,
    *,
    weights: str | Path | Segmenter | None = None,
    skip: bool = True,
    start: float = 0.0,
    end: float | None = None,
    every: float = 0.0,
    most: int | None = None,
    input_size: InputSize = "half",
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
) -> Generator[VideoResult]:
    """Segment a source frame by frame; nothing is opened, loaded or kept before it is asked for.

    Where the iteration ends – at the source's end, by ``break``, by an error – what was opened is
    closed. Notices of the source, such as of damage, are logged.

    Args:
        source: whatever the program opens: a file, a folder or pattern of pictures, an address, the
            index of a camera, or ``"demo"``.
        weights: as ``--weights`` takes them: a file, a name, an address; or a segmenter that is
            there already, which then says how it runs; ``None`` is the shipped checkpoint.
        skip: whether the skip connection contributes.
        start, end: the part of a file, in seconds.
        every: seconds of the source between two results at least; 0 takes every frame.
        most: how many results at most.
        input_size, device, precision, runtime: see ``Segmenter``.

    Raises:
        ValueError: a time or number is negative.
        AppError: while iterating; the source or the weights cannot be had, in a sentence.
    """
    for name, value in (("start", start), ("end", end), ("every", every), ("most", most)):
        if value is not None and not value >= 0:  # not a number is neither
            raise ValueError(f"{name} must be 0 or more, not {value}.")
    spec = source if isinstance(source, SourceSpec) else parse_source(str(source))
    options = NetworkOptions(
        input_size=input_size,
        weights=str(weights) if isinstance(weights, str | Path) else None,
        device=device,
        precision=precision,
        runtime=runtime,
    )
    given = None if isinstance(weights, str | Path) else weights
    spec = replace(spec, start=start, end=end)
    return _results(spec, given, options, skip=skip, every=every, most=most)


def _results(
    spec: SourceSpec,
    segmenter: Segmenter | None,
    options: NetworkOptions,
    *,
    skip: bool,
    every: float,
    most: int | None,
) -> Generator[VideoResult]:
    opened = open_source(spec)
    try:
        if segmenter is None:
            segmenter = NetworkLoader(say=_log.warning, watch=lambda download: None).load(options)
        opened.listen(_log.warning)
        classes = segmenter.table
        for index, picture in enumerate(islice(_pictures(opened, spec, every), most)):
            labels = segmenter(picture.image, skip=skip)
            yield VideoResult(picture.image, labels, index, picture.time, picture.name, classes)
        if opened.notice:
            _log.warning(opened.notice)
    finally:
        opened.close()


def _pictures(source: Source, spec: SourceSpec, every: float) -> Generator[Picture]:
    due = -math.inf
    if spec.start > 0:
        source.seek(spec.start)
    while (picture := source.read()) is not None:
        if spec.end is not None and picture.time >= spec.end:
            return
        if picture.time >= due - 1e-6:
            due = picture.time + every
            yield picture
