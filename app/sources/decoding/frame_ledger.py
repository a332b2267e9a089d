"""Frame ledger: which frame each packet promises, when it is shown, and which never came."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

_REORDERED = 16
"""Frames that a codec may hold back at most to show them in another order than they are stored."""


class Loss(NamedTuple):
    """A place at which frames are missing, or incomplete, in units of the stream's time base.

    Attributes:
        start, end: the first one's stamp, and that of the next frame; ``None`` at the end.
        missing: frames that never came.
        incomplete: frames that came, and of which the decoder made up a part.
    """

    start: int
    end: int | None
    missing: int
    incomplete: int


class _Due(NamedTuple):
    """A frame to come: its stamp, and whether a decoder may pass over it without a word.

    That are frames shown before the key frame that they follow: who begins to read there does not
    have what they depend on.
    """

    stamp: int
    leading: bool


class FrameLedger:
    """Account of one pass through a stream, from wherever it begins.

    Decoders give frames in the order of showing. Where the stamps are in the order of the packets
    nevertheless, as in AVI, the frames get them in turn.

    Args:
        step: the usual distance of two frames.
        clocked: whether the format has stamps; else the frames are counted.
        joins: whether a stream may begin in the middle, as a broadcast does: before its first key
            frame it promises nothing.
        quiet: whether the decoder says nothing of frames that it cannot make.
    """

    def __init__(self, step: int, *, clocked: bool, joins: bool, quiet: bool) -> None:
        self._step, self._clocked, self._joins, self._quiet = step, clocked, joins, quiet
        self.order: Literal["unknown", "showing", "decoding"] = "unknown"
        """Order that the stamps of the packets are in."""
        self.losses: list[Loss] = []
        """Places found; taken away by who keeps them."""
        self._due: list[_Due] = []
        self._key: int | None = None
        self._newest: int | None = None
        self._end: int | None = None
        self._shown: int | None = None
        self._until: int | None = None
        self._certain = self._found = False

    def expect(self, packet: Packet[Any]) -> None:
        """Note the frame that a packet promises."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        if not self._clocked or stamp is None or packet.is_discard:
            return
        if packet.is_keyframe:
            self._key, self._joins = stamp, False
        if self._joins:
            return
        if self._newest is not None and stamp < self._newest:
            self.order = "showing"
        self._newest = max(stamp, self._newest if self._newest is not None else stamp)
        due = _Due(stamp, leading=self._key is not None and stamp < self._key)
        self._due.insert(bisect_left(self._due, due), due)

    def suspect(self, *, certain: bool) -> None:
        """Note that of the frames promised so far some may not come.

        Args:
            certain: something is damaged, even if all of them come.
        """
        if not self._clocked or self.order == "decoding":
            if certain and (self._due or not self._clocked):
                start = self._due.pop(0).stamp if self._due else self._end or 0
                self._end = start + self._step
                self.losses.append(Loss(start, self._end, 1, 0))
            return
        if not self._due:
            return
        if self._until is None:
            self._certain = self._found = False
        self._until = self._due[-1].stamp
        self._certain |= certain

    def settled(self, frames: Sequence[VideoFrame], *, reorders: bool) -> bool:
        """Return whether it is known which stamps frames have, all that came and were not placed.

        Args:
            frames: in the order in which the decoder gave them.
            reorders: whether the codec shows frames in another order than it stores them.
        """
        stamps = [frame.pts for frame in frames if frame.pts is not None]
        if self.order != "unknown" or not stamps or not self._due:
            return True
        if not reorders or len(frames) > _REORDERED:
            self.order = "showing"
        elif any(later < earlier for earlier, later in pairwise(stamps)):
            self.order = "decoding"
        return self.order != "unknown" or (len(frames) == 1 and stamps[0] <= self._due[0].stamp)

    def place(self, frame: VideoFrame) -> int:
        """Return the stamp of the next frame."""
        length = self.length(frame) or self._step
        stamp = frame.pts if self._clocked else None
        if stamp is None or self.order == "decoding":
            stamp = self._due.pop(0).stamp if self._due else self._end or 0
        else:
            at = bisect_left(self._due, (stamp,))
            passed, self._due = self._due[:at], self._due[at:]
            if self._due and self._due[0].stamp == stamp:
                del self._due[0]
            self._judge(stamp, passed)
        if frame.is_corrupt:
            self._record(Loss(stamp, stamp + length, 0, 1))
        # Behind damage a decoder may give a frame that should have come before.
        self._shown = stamp if self._shown is None else max(stamp, self._shown + 1)
        self._end = self._shown + length
        return self._shown

    def length(self, frame: VideoFrame) -> int:
        """Return for how long a frame is shown; 0 where that is not stated."""
        if self._clocked or 0.5 <= frame.duration / self._step <= 3:
            return frame.duration
        return self._step  # a raw stream may have stated a clock in place of a rate

    def close(self) -> None:
        """Note which frames never came: the stream is at its end."""
        if self.order == "decoding":
            return
        lost = self._lost(self._due)
        if lost:
            self._record(Loss(lost[0].stamp, None, len(lost), 0))
        elif self._until is not None:
            self._expire(self._until)
        self._due = []

    def _lost(self, passed: list[_Due]) -> list[_Due]:
        """Return which of the frames that did not come are damage."""
        if self._until is not None:
            return passed
        # Without a word only what lies behind a key frame is: other frames may have no picture.
        begun = self._quiet and self._end is not None
        return [due for due in passed if not due.leading] if begun else []

    def _judge(self, stamp: int, passed: list[_Due]) -> None:
        """Find out what is missing before a frame."""
        lost = self._lost(passed)
        start, missing = lost[0].stamp if lost else stamp, len(lost)
        if self._until is not None and self._end is not None:
            # Of what a reader passed over there are no packets: only time is missing.
            start = min(start, self._end)
            missing = max(missing, round((stamp - self._end) / self._step))
        if missing:
            self._record(Loss(start, stamp, missing, 0))
        if self._until is not None and stamp >= self._until:
            self._expire(stamp)

    def _expire(self, stamp: int) -> None:
        """End a suspicion: all frames that it was about have come, or will not."""
        if self._certain and not self._found:
            self.losses.append(Loss(stamp, stamp + self._step, 0, 1))
        self._until = None

    def _record(self, loss: Loss) -> None:
        self._found = True
        self.losses.append(loss)
