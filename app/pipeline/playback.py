"""Playback: the user's commands for the open source on their way to the capture thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.core.cancel_token import CancelToken

Loop = tuple[float, float] | Literal["whole"] | None
"""A part to repeat, in seconds from and to; all that is played; or nothing."""


@dataclass(frozen=True, slots=True)
class SeekRequest:
    """A change of place.

    Attributes:
        seconds: where to go; ``None`` is the frame that capture stands at.
        frames: how many frames further, or back where negative.
    """

    seconds: float | None
    frames: int = 0


class Playback:
    """Commands for one opened source.

    While one move is carried out the next ones wait and become one: a timeline that is dragged
    shows pictures on the way, and the last place is where it ends.

    Args:
        begin: called when a move begins, which cancels all frames so far; returns the token of
            those to come. It is told whether the move follows on another one, whose
            picture is done and may still be shown.
        speed, loop: to start with.
    """

    def __init__(
        self, begin: Callable[[bool], CancelToken], *, speed: float = 1.0, loop: Loop = None
    ) -> None:
        self.playing = True
        self.speed = speed
        self.loop = loop
        self._begin = begin
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._asked: SeekRequest | None = None
        self._awaited: CancelToken | None = None
        self._taken = False
        self._open = self._closed = False

    # For the pipeline

    def move(self, move: SeekRequest) -> None:
        """Go somewhere; a step adds to what was asked for and not begun."""
        with self._lock:
            if self._closed:
                return
            if self._asked is not None and move.frames:
                move = SeekRequest(self._asked.seconds, self._asked.frames + move.frames)
            self._asked = move
            # One that capture has not begun goes to the new place with a token of its own: whoever
            # asks now gets no frame of the token before.
            if self._open and (self._awaited is None or not self._taken):
                self._begin_next(following=False)
        self.wake()

    def opened(self, *, seekable: bool) -> None:
        """The source is open: what was asked for meanwhile begins, or is forgotten."""
        with self._lock:
            if self._closed:
                return
            self._open = seekable
            if not seekable:
                self._asked = None
            elif self._asked is not None:
                self._begin_next(following=False)

    def close(self) -> None:
        """Another source takes the place of this one: no move begins any more."""
        with self._lock:
            self._closed = True
            self._asked = self._awaited = None
        self.wake()

    def settled(self, token: CancelToken | None = None) -> None:
        """Report that the first frame after a seek was processed or dropped.

        Args:
            token: the frame's; ``None`` where nothing that is awaited will come any more.
        """
        with self._lock:
            if self._awaited is None or token not in {None, self._awaited}:
                return
            self._awaited = None
            if self._asked is not None:
                self._begin_next(following=True)
        self.wake()

    @property
    def moving(self) -> bool:
        """Return whether a move is asked for or under way."""
        return self._asked is not None or self._awaited is not None

    @property
    def unsettled(self) -> bool:
        """Return whether the picture of a move is on its way."""
        return self._taken and self._awaited is not None

    @property
    def asked(self) -> bool:
        """Return whether a move is asked for that the capture thread has not begun."""
        return self._asked is not None

    def wake(self) -> None:
        """Let the capture thread look at what has changed."""
        self._woken.set()

    # For the capture thread

    def take(self) -> tuple[SeekRequest, CancelToken] | None:
        """The move to carry out now, if there is one, with the token that its frames get."""
        self._woken.clear()  # whatever is asked for from now on ends the next wait
        with self._lock:
            if self._asked is None or self._awaited is None or self._taken:
                return None
            move, self._asked = self._asked, None
            self._taken = True
            return move, self._awaited

    def wait(self, seconds: float | None = None) -> bool:
        """Wait; ``True`` when something was asked for meanwhile."""
        return self._woken.wait(seconds)

    def _begin_next(self, *, following: bool) -> None:
        self._awaited = self._begin(following)
        self._taken = False
