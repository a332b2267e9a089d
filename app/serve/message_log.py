"""Message log: what the user was told lately, for clients that were not there."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from typing import Any

from app.core.events import Event
from app.serve.bell import Bell


class MessageLog:
    """The last messages, numbered from 1; any thread may add one.

    Args:
        bell: rung at every message.
    """

    _KEPT = 30

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._kept: deque[tuple[int, Mapping[str, Any]]] = deque(maxlen=self._KEPT)
        self._numbers = itertools.count(1)

    def add(self, number: int, event: Event) -> None:
        """Keep what the user is told of the source of a number."""
        if event.text:
            of = None if event.common else number
            said = {"number": of, "kind": event.kind, "text": event.text}
            self._kept.append((next(self._numbers), said))
            self._bell.ring()

    def after(self, number: int) -> list[tuple[int, Mapping[str, Any]]]:
        """Return the messages behind a number, with theirs."""
        return [each for each in self._kept.copy() if each[0] > number]
