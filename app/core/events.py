"""Events: messages of any thread to whoever tells the user."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from app.errors import AppError, unforeseen

_log = logging.getLogger(__name__)


EventKind = Literal["opened", "ended", "recorded", "notice", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """Message to the user.

    Attributes:
        kind: ``opened``, ``ended``, ``recorded`` and ``notice`` inform; ``error`` is an error.
        text: one sentence, may be empty where there is nothing to say.
        exit_code: exit code of a headless run, for errors.
        topic: what it is about, where a newer one on the same makes it worthless; empty elsewhere.
        path: file that was written, if one was.
        at: place in the source that it marks, in seconds, if it marks one.
        common: whether it is about what serves several sources, and so about none of them.
    """

    kind: EventKind
    text: str = ""
    exit_code: int = 0
    topic: str = ""
    path: Path | None = None
    at: float | None = None
    common: bool = False


class EventBus(queue.SimpleQueue[Event]):
    """Queue of events: any thread puts, the window or the progress bar takes.

    Attributes:
        listener: told of every event besides, on the thread that puts it.
    """

    listener: Callable[[Event], None] | None = None

    def put(self, item: Event, block: bool = True, timeout: float | None = None) -> None:
        super().put(item)
        if self.listener is not None:
            self.listener(item)

    def notice(self, text: str, topic: str = "") -> None:
        """Tell the user something, in place of what was said on the same topic."""
        self.put(Event("notice", text, topic=topic))

    def failure(self, error: BaseException) -> None:
        """Tell the user of an error, in a sentence."""
        self.put(failure_of(error))


class CommonEvents(EventBus):
    """Bus of what serves several sources; its events reach the user by the bus of one of them.

    Args:
        carrier: that bus.
    """

    def __init__(self, carrier: EventBus) -> None:
        self._carrier = carrier

    def put(self, item: Event, block: bool = True, timeout: float | None = None) -> None:
        self._carrier.put(replace(item, common=True))


def failure_of(error: BaseException) -> Event:
    """Return an error in the user's words; the log gets it as it is."""
    if isinstance(error, AppError):
        _log.info("%s", error, exc_info=error)
        return Event("error", str(error), error.exit_code)
    _log.info("unexpected error", exc_info=error)
    text = f"{unforeseen(error)}: run again with --log-level info and report what it prints."
    return Event("error", text, AppError.exit_code)
