"""What travels through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.pipeline.view import ViewOptions


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture with its place in time.

    Attributes:
        image: RGB uint8 H×W×3, contiguous; nobody writes to it.
        index: position in its source, from 0.
        time: presentation time in seconds, from its source.
        captured: monotonic time at which it was captured.
        generation: which opening of a source it belongs to.
        read_seconds: how long the source took to deliver it.
        lossless: whether no stage may drop it.
    """

    image: NDArray[np.uint8]
    index: int
    time: float
    captured: float
    generation: int
    read_seconds: float = 0.0
    lossless: bool = False


@dataclass(frozen=True, slots=True)
class EndOfSource:
    """Follows the last frame of a source.

    Attributes:
        generation: which opening of a source it belongs to.
        notice: what the user should know about the end.
        error: why the source failed, if it did.
    """

    generation: int
    notice: str = ""
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A frame and what the network saw in it.

    Attributes:
        frame: the frame.
        labels: H×W uint8 train ids, of the frame's size.
        picture: what is shown and recorded: RGB uint8, drawn by ``view``.
        view: the options that it was drawn with.
        skip: whether the skip connection contributed.
        stages: seconds spent on this frame by stage.
        repeated: the same frame drawn again because an option changed.
    """

    frame: Frame
    labels: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    view: ViewOptions
    skip: bool
    stages: dict[str, float] = field(default_factory=dict)
    repeated: bool = False
