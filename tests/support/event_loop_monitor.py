"""Beats on a thread and notes how long it stood still, and for what."""

from __future__ import annotations

import faulthandler
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from PyQt6.QtCore import Qt, QTimer

LIMIT = 0.05
"""Seconds: pauses that are longer are seen."""


@dataclass(frozen=True)
class Pause:
    """A late beat: seconds in all, on a processor, in line for one, and asleep."""

    wall: float
    work: float
    line: float

    @property
    def asleep(self) -> float:
        """What is neither."""
        return max(0.0, self.wall - self.work - self.line)

    @property
    def own(self) -> float:
        """What is not the fault of others who want the processor."""
        return self.wall - self.line


@dataclass
class Heart:
    """Beats every 5 ms on the thread that it is made on.

    Each late beat is taken apart by what Linux counted meanwhile: time on a processor (the thread's
    own work), time in line for one (other threads and programs), and the rest (asleep: for the GIL,
    a lock or the display). On other systems nothing is known of the line.

    Args:
        stacks: what all threads were at 40 ms after a beat is written there, without waiting for
            the GIL.
    """

    stacks: TextIO | None = None
    pauses: list[Pause] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._last = self._now()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.beat)
        self._timer.start(5)

    def _now(self) -> tuple[float, float, float]:
        line = int(self._schedule.read_text().split()[1]) / 1e9 if self._schedule.exists() else 0.0
        return time.monotonic(), time.thread_time(), line

    def beat(self) -> None:
        """Write down how long ago the last beat was."""
        now = self._now()
        wall, work, line = (b - a for a, b in zip(self._last, now, strict=True))
        self._last = now
        self.pauses.append(Pause(wall, work, line))
        if self.stacks is not None:
            if wall > LIMIT:
                self.stacks.write(f"=== {1000 * wall:.0f} ms, {1000 * work:.0f} of it work\n")
                self.stacks.flush()
            faulthandler.dump_traceback_later(0.04, file=self.stacks)

    def start(self) -> None:
        """Forget the pauses so far."""
        self.beat()
        self.pauses.clear()
