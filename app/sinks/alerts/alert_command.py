"""Alert command: a program of the user's that is run for every alert."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from typing import Any

from app.core.events import EventBus
from app.errors import UsageError

LIMIT = 10.0
"""Seconds that it may take."""
_WAITING = 16


class AlertCommand(threading.Thread):
    """Runs a program without a shell, one at a time, with the event as JSON on its input.

    Args:
        words: the program and its arguments.
        events: where it is reported that it failed.
        limit: seconds after which it is ended.
    """

    def __init__(self, words: tuple[str, ...], events: EventBus, *, limit: float = LIMIT) -> None:
        super().__init__(name="alert command")
        self._words, self._events, self._limit = words, events, limit
        self._queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)

    def put(self, event: dict[str, Any]) -> None:
        """Run it for an event as soon as those before it are done; returns at once."""
        try:
            self._queue.put_nowait(json.dumps(event).encode())
        except queue.Full:
            self._events.notice(
                f"{self._words[0]} is slow: {_WAITING} alerts wait for it, and one was left out.",
                "alert command",
            )

    def finish(self) -> None:
        """Run it for what waits, and end."""
        self._queue.put(None)

    def run(self) -> None:
        while (given := self._queue.get()) is not None:
            try:
                done = subprocess.run(
                    self._words,
                    input=given,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=self._limit,
                    check=False,
                )
                trouble = f"ended with {done.returncode}" if done.returncode else ""
            except subprocess.TimeoutExpired:
                trouble = f"took longer than {self._limit:g} s and was ended"
            except OSError as error:
                trouble = f"cannot be run ({error.strerror})"
            if trouble:
                self._events.notice(f"--on-alert: {self._words[0]} {trouble}.", "alert command")


def check_command(words: tuple[str, ...]) -> None:
    """Find out before any work whether there is such a program.

    Raises:
        UsageError: there is none, or it may not be run.
    """
    if shutil.which(words[0]) is None:
        if os.path.dirname(words[0]) and os.path.isfile(words[0]):
            raise UsageError(
                f"--on-alert: {words[0]} may not be run: chmod +x it, or name the program that"
                " runs it."
            )
        raise UsageError(f"--on-alert: there is no program {words[0]}: check its name or path.")
