"""Rules by which a source is read, and the place to go back to where it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.sources.source_spec import SourceSpec


@dataclass(frozen=True, slots=True)
class Resume:
    """Place to go on at where another source does not open.

    Attributes:
        spec: the source that played before.
        position: its time in seconds.
        playing: whether it played or stood.
        ended: whether it stood at its end.
    """

    spec: SourceSpec
    position: float
    playing: bool
    ended: bool = False


@dataclass(frozen=True, slots=True)
class CapturePolicy:
    """Rules by which a source is read.

    Attributes:
        paced: whether a file keeps its own pace and waits at its end.
        lossless: asked for each frame of a file: must it get through?
        max_frames: end after so many.
    """

    paced: bool
    lossless: Callable[[], bool]
    max_frames: int | None
