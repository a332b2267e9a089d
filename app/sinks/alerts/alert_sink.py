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

from app.config.data_options import AlertOptions
from app.core.events import Event, EventBus
from app.core.formatting import fine_clock
from app.core.frame import Result, SessionInfo
from app.core.watch import AlertRule, Watch, Watches
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


_States = dict[AlertRule, AlertState]
_Followed = tuple[object, _States, SessionInfo | None]


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
        options: what is done.
        events: where the user is told.
        watches: zones and rules, read anew for every frame.
        overwrite: whether a file of events that is there is replaced.
    """

    lossless = False
    shared = True

    def __init__(
        self,
        options: AlertOptions,
        events: EventBus,
        watches: Watches,
        *,
        overwrite: bool = False,
    ) -> None:
        super().__init__("alerts", events)
        self._options, self._watches, self._overwrite = options, watches, overwrite
        # By source: its segment, and the state of every rule.
        self._states: OrderedDict[object, _Followed] = OrderedDict()
        self._waiting: set[tuple[AlertRule, str]] = set()
        self._file: LineFile | None = None
        self._command: AlertCommand | None = None
        self.alerts = 0

    def put(self, result: Result, *, wait: bool) -> bool:
        if self._states or self._watch(result).rules:
            return super().put(result, wait=wait)
        return True  # nothing is looked for

    def _watch(self, result: Result) -> Watch:
        session = result.frame.session
        return self._watches.all_in(session.spec if session is not None else None)

    def _open(self, first: Result) -> None:
        if self._options.events is not None:
            self._file = LineFile(self._options.events, overwrite=self._overwrite)
        if self._options.on_alert:
            self._command = AlertCommand(self._options.on_alert, self._events)
            self._command.start()

    def _write(self, result: Result) -> None:
        frame, watch = result.frame, self._watch(result)
        session, segment = (frame.segment[0], id(frame.session)), frame.segment
        before, kept, _ = self._states.pop(session, (segment, {}, None))
        old = kept if before == segment else {}  # where time was broken nothing goes on
        states = {rule: old.get(rule) or AlertState(rule) for rule in watch.rules}
        if states:
            # The source is kept, or one that is opened later could have its number.
            self._states[session] = segment, states, frame.session
        while len(self._states) > _SOURCES:
            self._states.popitem(last=False)
        for rule, state in states.items():
            share = self._share(result, rule, watch)
            if share is None:
                continue
            since = state.since
            change = state.look(frame.time, share)
            if change is not None:
                begun = state.since if state.since is not None else since
                self._tell(result, rule, change, share, begun or 0.0)

    def _share(self, result: Result, rule: AlertRule, watch: Watch) -> float | None:
        """Return the share that a rule is about; ``None``, said once, where there is no such.

        Raises:
            UsageError: the rule is one of the command line.
        """
        zone = watch.zone(rule.zone)
        try:
            if zone is None and rule.zone:
                raise UsageError(f"there is no zone {rule.zone} in this source.")
            numbers = _numbers(result.classes, rule)
            return share_in(result.labels, numbers, zone.polygon if zone is not None else None)
        except UsageError as error:
            if rule in self._watches.common.rules:
                raise UsageError(f"--alert: {error}") from error
            if (said := (rule, str(error))) not in self._waiting:
                self._waiting.add(said)
                self._bus(result).notice(f"The alert {rule.text} waits: {error}")
            return None

    def _bus(self, result: Result) -> EventBus:
        """Return where the user is told of a source."""
        session = result.frame.session
        return (session.events if session is not None else None) or self._events

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
            shown(frame.source),
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
            notice = Event("notice", text, topic=f"alert {rule.text}", at=frame.time)
            self._bus(result).put(notice)
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
        raise UsageError(f"a zone lies outside of the picture of {width}×{height}: move it.")
    return mask


@lru_cache(maxsize=64)
def _numbers(classes: ClassTable, rule: AlertRule) -> frozenset[int]:
    try:
        return classes.numbers_of(rule.classes)
    except ValueError as error:
        raise UsageError(str(error)) from error
