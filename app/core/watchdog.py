"""Notices stages that make no progress, and names them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from app.core.stats import Stats, Task
from app.sources.source_spec import Kind

_log = logging.getLogger(__name__)

LIMITS: dict[Task, float] = {
    "opening": 10.0,
    "capture": 5.0,
    "network": 10.0,
    "recorder": 5.0,
    "display": 5.0,
}
"""Seconds at one piece of work after which a stage counts as stuck.

Opening and the first frames of a network take long on some machines.
"""

_WORDS: dict[Task, str] = {
    "opening": "The source has not opened for {0:.0f} s: {1}.",
    "capture": "The source has given no picture for {0:.0f} s: {1}.",
    "network": "The network has worked on one frame for {0:.0f} s: the device may be busy.",
    "recorder": "The recorder has been writing one frame for {0:.0f} s: the disk may be slow or"
    " gone.",
    "display": "The window has not answered for {0:.0f} s.",
}
_DISK = "the disk that it is on may be slow or gone"
_WHY: dict[Kind, str] = {
    "camera": "another program may use it, or its cable is loose",
    "stream": "its address, or the network that it is on, does not answer",
    "file": _DISK,
    "images": _DISK,
    "demo": "the computer may be busy with other things",
}
_AGAIN: dict[Task, str] = {
    "opening": "The source has answered after {0:.0f} s.",
    "capture": "The source goes on after {0:.0f} s.",
    "network": "The network goes on after {0:.0f} s.",
    "recorder": "The recorder goes on after {0:.0f} s.",
    "display": "The window goes on after {0:.0f} s.",
}


class Watchdog(threading.Thread):
    """Looks twice a second at what every stage is working on, and for how long.

    Args:
        stats: where stages record what they work on.
        say: told once when a stage is stuck, and once when it goes on.
        kind: returns which kind of source is open or being opened.
        excused: returns whether the user knows already why a stage waits.
        limits: seconds by stage.
    """

    _LOOK = 0.5

    def __init__(
        self,
        stats: Stats,
        say: Callable[[str], None],
        *,
        kind: Callable[[], Kind],
        excused: Callable[[Task], bool] = lambda task: False,
        limits: Mapping[Task, float] = LIMITS,
    ) -> None:
        # It holds nothing that has to be put in order, so it may end with the process.
        super().__init__(name="watchdog", daemon=True)
        self._stats, self._say = stats, say
        self._kind, self._excused, self._limits = kind, excused, limits
        self._stop_asked = threading.Event()
        self._since: dict[Task, float] = {}

    @property
    def stuck(self) -> dict[str, float]:
        """Stages that are stuck now, with the seconds for which they are."""
        now = time.monotonic()
        return {task: now - since for task, since in self._since.copy().items()}

    def ask_to_stop(self) -> None:
        """End soon."""
        self._stop_asked.set()

    def run(self) -> None:
        while not self._stop_asked.wait(self._LOOK):
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        busy = self._stats.at_work_since()
        for task, limit in self._limits.items():
            since = busy.get(task)
            known = self._since.get(task)
            if known is not None and since != known:
                del self._since[task]
                self._tell(_AGAIN[task].format(now - known))
            late = since is not None and since != known and now - since > limit
            if since is not None and late and not self._excused(task):
                self._since[task] = since
                self._tell(_WORDS[task].format(now - since, _WHY[self._kind()]))

    def _tell(self, text: str) -> None:
        _log.warning(text)
        self._say(text)
