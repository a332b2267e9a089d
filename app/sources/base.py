"""The interface of all sources."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError

Missed = Literal["late", "decode", "frozen"]
"""Why a source did not deliver a picture: the machine was too slow, its data are
damaged, or the camera repeated the one before."""


class Picture(NamedTuple):
    """One picture of a source.

    Attributes:
        image: RGB uint8 H×W×3, contiguous, not touched again by the source.
        time: presentation time in seconds, from the source's own clock.
        name: what it is called in its source; empty where its pictures have no names.
        duration: seconds for which the source says that it is shown; 0 where it does not.
        ending: of its file's name, where it has a name.
        truth: its true labels, H×W uint8 train ids, where the source knows them.
    """

    image: NDArray[np.uint8]
    time: float
    name: str = ""
    duration: float = 0.0
    ending: str = ""
    truth: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Facts of an open source.

    Attributes:
        name: what the window calls it.
        width, height: of its pictures, as shown.
        rate: pictures per second, where the source states it.
        frames: how many pictures it states to have; containers may be wrong.
        duration: its stated length in seconds.
        decoder: what turns its data into pictures.
        seekable: whether ``seek`` works.
    """

    name: str
    width: int
    height: int
    rate: float | None = None
    frames: int | None = None
    duration: float | None = None
    decoder: str = ""
    seekable: bool = False


@dataclass(frozen=True, slots=True)
class Damage:
    """Place in a source that could not be read whole.

    Attributes:
        start, end: seconds in the source; an end of ``None`` is the source's own.
        missing: frames that could not be read, as far as their number is known.
        incomplete: frames that were read, a part of which had to be made up.
    """

    start: float
    end: float | None = None
    missing: int = 0
    incomplete: int = 0


class Source(ABC):
    """Delivers pictures one after the other; opened, read and closed on the capture thread."""

    info: SourceInfo
    live: bool
    """A live source does not wait: what is not read in time is gone."""

    unreadable: int = 0
    """Frames so far that it should have had and could not give."""

    notice: str = ""
    """Words for the user when it ends or is left: a file that broke off early."""

    offline_since: float | None = None
    """Monotonic time since when a live source has given nothing; ``None`` while pictures come."""

    def __init__(self) -> None:
        self.news: list[str] = []
        """Notices for the user so far, while nobody listens."""
        self.missed: Counter[Missed] = Counter()
        """Pictures that came and were not delivered, by cause; taken away by who counts them."""
        self.damage: list[Damage] = []
        """Places so far that could not be read whole, in the order of their times."""
        self.stopping = threading.Event()
        """Set when ``read`` is to give up waiting."""
        self._listener: Callable[[str], None] | None = None

    def listen(self, listener: Callable[[str], None]) -> None:
        """Hand what the user should know to a listener from now on, beginning with the news."""
        self._listener = listener
        for text in self.news:
            listener(text)
        self.news.clear()

    def tell(self, text: str) -> None:
        """Let the user know something, in a sentence."""
        if self._listener is not None:
            self._listener(text)
        else:
            self.news.append(text)

    @abstractmethod
    def read(self) -> Picture | None:
        """The next picture, or ``None`` at the end.

        Raises:
            SourceError: the source failed for good.
        """

    def seek(self, seconds: float, *, before: int = 0) -> None:
        """Let the next ``read`` give the frame that is shown at a time, exactly.

        That is the last one whose stamp is not later; before the first frame it is the first, after
        the last the last. Only for sources whose ``info`` says that they are seekable.

        Args:
            seconds: presentation time.
            before: go on to the frame that lies so many before that one, or to the first.

        Raises:
            SourceError: the source failed for good.
        """
        raise SourceError(f"In {self.info.name} there is no moving about: it only goes on.")

    @abstractmethod
    def close(self) -> None:
        """Release the device or file; harmless when repeated."""
