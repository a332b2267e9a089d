"""Facts of a drive for the report: shares of the classes over its time, and pictures of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.core.events import EventBus
from app.core.frame import Result
from app.rendering.overlay import shares
from app.sinks.queued_sink import QueuedSink

THUMBNAIL = "thumbnail.jpg"
"""Picture from the middle of a drive."""

_POINTS = 60
"""Points of a plot, at most; they are half as many where a drive is longer than was stated."""
_STRIDE = 4
"""Every so many-th row and column is enough for shares in a plot."""
_WIDTH, _QUALITY = 240, 80


class FactSink(QueuedSink):
    """Looks at some frames of a drive: about as many as its plot has points.

    Args:
        events: where an error is reported.
        folder: gets the picture.
    """

    def __init__(self, events: EventBus, folder: Path) -> None:
        super().__init__("facts", events)
        self._folder = folder
        self._times: list[float] = []
        self._shares: list[list[float]] = []
        self._classes: dict[str, str] = {}
        self._step = self._next = 0.0
        self._middle = math.inf
        self._pictured = False
        self._first = self._end = 0.0

    @property
    def length(self) -> float:
        """Seconds of video so far."""
        return max(0.0, self._end - self._first)

    def facts(self) -> dict[str, Any]:
        """Return what was seen, as JSON can hold it, of classes that were there at all."""
        seen = [i for i in range(len(self._classes)) if any(row[i] for row in self._shares)]
        names = list(self._classes)
        return {
            "times": self._times,
            "shares": {names[i]: [row[i] for row in self._shares] for i in seen},
            "colors": {names[i]: self._classes[names[i]] for i in seen},
        }

    def _open(self, first: Result) -> None:
        frame = first.frame
        self._first = self._next = frame.time
        session = frame.session
        duration = (session.source.duration if session is not None else None) or 60.0
        end = session.spec.end if session is not None else None
        length = max((end if end is not None else duration) - frame.time, 1.0)
        self._step, self._middle = length / _POINTS, frame.time + length / 2
        table = first.classes
        self._classes = {row.name: "#{:02x}{:02x}{:02x}".format(*row.color) for row in table.rows}
        self._keep_picture(first)

    def _write(self, result: Result) -> None:
        time = result.frame.time
        self._end = time + result.frame.duration
        if time >= self._middle and not self._pictured:
            self._keep_picture(result)
            self._pictured = True
        if time < self._next:
            return
        self._next = time + self._step
        labels = np.ascontiguousarray(result.labels[::_STRIDE, ::_STRIDE])
        self._times.append(round(time, 2))
        self._shares.append([round(s, 4) for s in shares(labels, classes=len(self._classes))])
        if len(self._times) > 2 * _POINTS:
            self._times, self._shares = self._times[::2], self._shares[::2]
            self._step *= 2

    def _keep_picture(self, result: Result) -> None:
        picture = result.picture
        size = _WIDTH, max(1, round(_WIDTH * picture.shape[0] / picture.shape[1]))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        ok, data = cv2.imencode(
            ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        )
        if ok:
            (self._folder / THUMBNAIL).write_bytes(data.tobytes())

    def _close(self) -> None:
        """The picture is written, the facts are asked for."""

    def _report(self) -> None:
        """The report is another one's."""
