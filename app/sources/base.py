"""The interface of all sources."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Picture(NamedTuple):
    """One picture of a source.

    Attributes:
        image: RGB uint8 H×W×3, contiguous, not touched again by the source.
        time: presentation time in seconds, from the source's own clock.
    """

    image: NDArray[np.uint8]
    time: float


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of an open source.

    Attributes:
        name: what the window calls it.
        width, height: of its pictures, as shown.
        rate: pictures per second, where the source states it.
        frames: how many pictures it states to have; containers may be wrong.
        duration: its stated length in seconds.
        decoder: what turns its data into pictures.
    """

    name: str
    width: int
    height: int
    rate: float | None = None
    frames: int | None = None
    duration: float | None = None
    decoder: str = ""


class Source(ABC):
    """Delivers pictures one after the other; opened, read and closed on the capture thread."""

    info: SourceInfo
    live: bool
    """A live source does not wait: what is not read in time is gone."""

    notice: str = ""
    """After the end: what the user should know about it (a file that broke off early)."""

    @abstractmethod
    def read(self) -> Picture | None:
        """The next picture, or ``None`` at the end.

        Raises:
            SourceError: the source failed for good.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the device or file; harmless when repeated."""
