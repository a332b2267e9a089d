"""From the stamps of a source to those of a recording, which always rise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

TIME_BASE = Fraction(1, 90000)
"""The clock of recordings: fine enough that stamps of any usual rate are kept exactly."""


@dataclass(frozen=True, slots=True)
class MappedTime:
    """Place of a frame in a recording.

    Attributes:
        time: its time in the source, in seconds.
        ticks: its time in the recording, in units of ``TIME_BASE``.
        offset: seconds to add to a time of the source for the time in the recording.
        length: seconds for which it is shown, as far as nothing follows it.
        cut: whether another segment begins with this frame: the source was made to go elsewhere.
    """

    time: float
    ticks: int
    offset: float
    length: float
    cut: bool


class TimestampMapper:
    """Keeps the distances between a source's stamps, and closes the gaps where its time breaks.

    Time is broken where another segment begins (a seek, a loop, a pause of a live source, another
    source), and where stamps go back or leap as only damaged ones do. The next frame then follows
    when the one before it has been shown for its length; a running offset holds from there on.

    Stamps that merely stand still or waver are moved on by a tick, with no offset: the source
    catches up with them.

    Args:
        begin: time of the source at which the recording begins; ``None`` goes by its first frame.
    """

    WAVER = 0.2
    """Seconds by which stamps may go back without being taken for a break."""
    LEAD = 5.0
    """Seconds by which a first frame may be later than its source's zero and keep the distance."""
    LEAP = 600.0
    """Seconds by which stamps may go on without being taken for damaged, and which a frame lasts at
    most."""

    def __init__(self, begin: float | None = None) -> None:
        self._begin = begin
        self._offset = 0.0
        self._segment: tuple[int, int] | None = None
        self._source = 0.0
        self._ticks = -1
        self._length = 0.0

    @classmethod
    def origin(cls, time: float, *, lead_in: bool) -> float:
        """Return the time of the source at which a recording begins.

        Args:
            time: the first frame's, in seconds.
            lead_in: see ``place``.
        """
        if not math.isfinite(time):
            return 0.0
        return 0.0 if lead_in and 0 <= time <= cls.LEAD else time

    def place(
        self, segment: tuple[int, int], time: float, *, length: float, lead_in: bool = False
    ) -> MappedTime:
        """Find the place of the next frame.

        Args:
            segment: what names the unbroken stretch of time that the frame belongs to.
            time: its stamp in seconds.
            length: seconds for which the frame is shown, as its source says.
            lead_in: whether a first frame keeps its distance from the source's zero, as a file that
                is recorded from its start does; else the recording begins with it.
        """
        first = self._segment is None
        if not math.isfinite(time):
            time = self._source + (0.0 if first else self._length)
        if first:
            begin = self._begin
            self._offset = -(begin if begin is not None else self.origin(time, lead_in=lead_in))
        cut = not first and segment != self._segment
        if cut or (not first and not -self.WAVER <= time - self._source <= self.LEAP):
            self._offset = float(self._ticks * TIME_BASE) + self._length - time
        ticks = max(round((time + self._offset) / TIME_BASE), self._ticks + 1)
        self._segment, self._source, self._ticks = segment, time, ticks
        self._length = min(length, self.LEAP)
        return MappedTime(time, ticks, self._offset, self._length, cut)
