"""Alert sink: watches rules in every frame, and tells where one begins and ends to hold."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.config.alert_rules import AlertRule
from app.config.data_options import AlertOptions
from app.core.events import Event, EventBus
from app.core.formatting import fine_clock
from app.core.frame import Result, SessionInfo
from app.errors import AppError, OutputError, UsageError
from app.sinks.alerts.alert_command import AlertCommand
from app.sinks.alerts.alert_state import AlertState
from app.sinks.data.frame_row import as_text, shown
from app.sinks.data.line_file import LineFile, as_line
from app.sinks.queued_sink import QueuedSink
from fastscnn.ignored_regions import Polygon, region_mask
from fastscnn.labels import UNKNOWN, ClassTable

_SOURCES = 64
"""Sources whose states are kept."""


_State = tuple[object, list[AlertState], SessionInfo | None]


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Begin or end of an alert.

    Attributes:
        event: ``alert`` or ``clear``.
        rule: the rule as it was written.
        zone: its zone, empty for the whole picture.
        share: of its classes in the zone at this frame, 0–1.
        source: what is open.
        index, time: the frame, and its place in the source in seconds.
        since: time in the source from which on the rule held; of an end that of its begin.
        wall_time: when the frame was captured, UTC.
    """

    event: Literal["alert", "clear"]
    rule: str
    zone: str
    share: float
    source: str
    index: int
    time: float
    since: float
    wall_time: datetime

    def as_json(self) -> dict[str, Any]:
        """The same as ``json.dumps`` takes it, with the time as ISO 8601 text."""
        return {name: as_text(value) for name, value in asdict(self).items()}


class AlertSink(QueuedSink):
    """Sink that looks at labels alone. A file that is shown keeps its pace.

    Args:
        options: rules, zones, and what is done.
        events: where the user is told.
        overwrite: whether a file of events that is there is replaced.
    """

    lossless = False
    shared = True

    def __init__(self, options: AlertOptions, events: EventBus, *, overwrite: bool = False) -> None:
        super().__init__("alerts", events)
        self._options, self._overwrite = options, overwrite
        self._zones = {zone.name: zone.polygon for zone in options.zone}
        # By source: its segment, and the state of every rule.
        self._states: OrderedDict[object, _State] = OrderedDict()
        self._file: LineFile | None = None
        self._command: AlertCommand | None = None
        self.alerts = 0

    def _open(self, first: Result) -> None:
        if self._options.events is not None:
            self._file = LineFile(self._options.events, overwrite=self._overwrite)
        if self._options.on_alert:
            self._command = AlertCommand(self._options.on_alert, self._events)
            self._command.start()

    def _write(self, result: Result) -> None:
        frame, classes = result.frame, result.classes
        session, segment = (frame.segment[0], id(frame.session)), frame.segment
        before, states, _ = self._states.pop(session, (segment, [], None))
        if before != segment or not states:  # time was broken: nothing goes on
            states = [AlertState(rule) for rule in self._options.alert]
        # The source is kept, or one that is opened later could have its number.
        self._states[session] = segment, states, frame.session
        while len(self._states) > _SOURCES:
            self._states.popitem(last=False)
        for rule, state in zip(self._options.alert, states, strict=True):
            polygon = self._zones.get(rule.zone)
            share = share_in(result.labels, _numbers(classes, rule), polygon)
            since = state.since
            change = state.look(frame.time, share)
            if change is not None:
                begun = state.since if state.since is not None else since
                self._tell(result, rule, change, share, begun or 0.0)

    def _tell(
        self,
        result: Result,
        rule: AlertRule,
        change: Literal["alert", "clear"],
        share: float,
        since: float,
    ) -> None:
        frame = result.frame
        event = AlertEvent(
            change,
            rule.text,
            rule.zone,
            round(share, 6),
            shown(frame.session.spec.name if frame.session is not None else ""),
            frame.index,
            round(frame.time, 6),
            round(since, 6),
            datetime.fromtimestamp(frame.wall_time, timezone.utc),
        )
        if self._file is not None:
            self._file.write(as_line(event.as_json()))
        if change == "alert":
            self.alerts += 1
            where = f" of {event.source}" if event.source else ""
            at = fine_clock(frame.time)
            text = f"Alert: {rule.text} ({share:.1%}) at {at}{where}."
            told = frame.session.events if frame.session is not None else None
            notice = Event("notice", text, topic=f"alert {rule.text}", at=frame.time)
            (told or self._events).put(notice)
            if self._command is not None:
                self._command.put(event.as_json())

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._command is not None:
            self._command.finish()
            self._command.join()

    _abandon = _close

    def _report(self) -> None:
        if self._options.events is not None and self._file is not None:
            count = f"{self.alerts} alert{'s' * (self.alerts != 1)}"
            self._events.put(Event("recorded", f"Saved events of {count}: {self._options.events}"))

    def _in_words(self, error: Exception) -> AppError:
        if isinstance(error, FileExistsError):
            words = OutputError(
                f"{error.filename} exists by now: name another file, or add --overwrite."
            )
        elif isinstance(error, OSError):
            words = OutputError(
                f"{self._options.events}: writing events had to end"
                f" ({error.strerror or error}): make room, or name another file."
            )
        else:
            return super()._in_words(error)
        words.__cause__ = error
        return words


_KNOWN = np.full(256, 255, np.uint8)
_KNOWN[UNKNOWN] = 0


def share_in(labels: NDArray[np.uint8], numbers: frozenset[int], polygon: Polygon | None) -> float:
    """Return the share of some classes in a polygon, or in all of the picture, 0–1.

    As everywhere, what is left out of the picture (255) counts for nothing.
    """
    table = np.zeros(256, np.uint8)
    table[list(numbers)] = 255
    chosen, known = cv2.LUT(labels, table), cv2.LUT(labels, _KNOWN)
    if polygon is not None:
        mask = _zone(polygon, labels.shape[0], labels.shape[1])
        chosen, known = cv2.bitwise_and(chosen, mask), cv2.bitwise_and(known, mask)
    return cv2.countNonZero(chosen) / max(1, cv2.countNonZero(known))


@lru_cache(maxsize=64)
def _zone(polygon: Polygon, height: int, width: int) -> NDArray[np.uint8]:
    mask = region_mask((polygon,), height, width)
    if not cv2.hasNonZero(mask):
        raise UsageError(f"A zone lies outside of the picture of {width}×{height}: move it.")
    return mask


@lru_cache(maxsize=64)
def _numbers(classes: ClassTable, rule: AlertRule) -> frozenset[int]:
    try:
        return classes.numbers_of(rule.classes)
    except ValueError as error:
        raise UsageError(f"--alert: {error}") from error
