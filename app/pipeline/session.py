"""Session: one opened source, how it is played, and the thread that reads it."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Literal

from app.core.cancel_token import CancelToken
from app.core.channel import Channel
from app.core.events import Event, EventBus
from app.core.frame import EndOfSource, Frame, Result
from app.core.stats import DropCause, Stats
from app.pipeline.capture import Capture
from app.pipeline.capture_policy import CapturePolicy, Resume
from app.pipeline.playback import Loop, Playback, SeekRequest
from app.sources.base import SourceInfo
from app.sources.source_spec import SourceSpec

State = Literal["empty", "opening", "playing", "paused", "ended", "failed"]
"""State of a session."""


@dataclass(frozen=True, slots=True)
class SessionParts:
    """Parts of the pipeline that all sessions share."""

    inbox: Channel[Frame | EndOfSource]
    policy: CapturePolicy
    stats: Stats
    events: EventBus


class Session:
    """One opened source. All methods may be called from the user's thread and return at once.

    Args:
        id: number, rising within a run.
        spec: what to open; ``None`` is a session of nothing, whose commands do nothing.
        parts: shared with other sessions.
        speed, loop: how files are played.
        resume: what to go on with where the source does not open.
    """

    def __init__(
        self,
        id: int,
        spec: SourceSpec | None,
        parts: SessionParts,
        *,
        speed: float = 1.0,
        loop: Loop = None,
        resume: Resume | None = None,
    ) -> None:
        self.id, self.resume = id, resume
        self._parts, self._spec = parts, spec
        self._lock = threading.Lock()
        self._whole = CancelToken()
        self.token = CancelToken(self._whole)
        """Token of the frames to come."""
        self.playback = Playback(self._begin_move, speed=speed, loop=loop)
        self.state: State = "opening" if spec is not None else "empty"
        self.source: SourceInfo | None = None
        self.position = spec.start if spec is not None else 0.0
        """Time of the newest frame in seconds; after a seek the time sought."""
        self.capture: Capture | None = None
        self.cut = False
        """True where it has ended before the source did."""
        self.begun = False
        """True once the network has seen a frame of it, or none is awaited."""

    @property
    def spec(self) -> SourceSpec:
        """Source that is open, or being opened.

        Raises:
            AssertionError: it is the session of nothing.
        """
        assert self._spec is not None
        return self._spec

    @property
    def opened_spec(self) -> SourceSpec | None:
        """Source that is open, or being opened, if there is one."""
        return self._spec

    @property
    def offline_for(self) -> float | None:
        """Seconds since when a live source has given nothing; ``None`` while frames come."""
        return self.capture.offline_for if self.capture is not None else None

    @property
    def is_seekable(self) -> bool:
        """True where the user may go about in the open source."""
        return self.source is not None and self.source.seekable

    # Commands

    def start(self, previous: Capture | None) -> None:
        """Open the source once the device of the capture before it is free."""
        parts = self._parts
        self.capture = Capture(self, parts.inbox, parts.policy, parts.stats, parts.events, previous)
        self.capture.start()

    def pause(self) -> None:
        """Hold a file, or the picture of a live source."""
        with self._lock:
            if self.state == "playing":
                self.state = "paused"
                self.playback.playing = False
                self.playback.wake()

    def play(self) -> bool:
        """Go on after a pause; a file that has ended starts again.

        Returns:
            ``False`` where the source has ended and has to be opened anew.
        """
        with self._lock:
            state = self.state
            again = state == "ended" and self.source is not None and self.source.seekable
            if state == "paused" or again:
                self.state = "playing"
                self.playback.playing = True
                self.playback.wake()
            loop = self.playback.loop
        if isinstance(loop, tuple) and (again or state == "paused") and self._outside(loop):
            self.playback.move(SeekRequest(loop[0]))
        elif again:
            self.playback.move(SeekRequest(self.spec.start))
        return again or state != "ended"

    def seek(self, seconds: float) -> None:
        """Show the frame of a time, exactly, and go on from there.

        What plays plays on; what is paused or has ended stands at the frame sought. Where the
        source is not seekable nothing happens. Before the beginning and behind the end it is the
        first and the last frame.

        Raises:
            ValueError: the time is no finite number.
        """
        if not math.isfinite(seconds):
            raise ValueError(f"cannot seek to {seconds}")
        with self._lock:
            if not self._movable():
                return
            duration = self.source.duration if self.source is not None else None
            self.position = max(0.0, min(seconds, duration or seconds))
            if self.state == "ended":
                self._stand()
        self.playback.move(SeekRequest(seconds))

    def step(self, frames: int) -> None:
        """Pause, and go so many frames further, or back where negative."""
        with self._lock:
            if self.source is None or not self._movable() or frames == 0:
                return
            # What plays is ahead of what is seen: the step counts from that.
            seen = self.state == "playing" and not self.playback.moving
            move = SeekRequest(self.position if seen else None, frames)
            self._stand()
        self.playback.move(move)

    def set_speed(self, factor: float) -> None:
        """Play files at a multiple of their own pace, 0.25 to 4; others come at theirs."""
        self.playback.speed = min(max(factor, 0.25), 4.0)
        self.playback.wake()

    def set_loop(self, loop: Loop) -> None:
        """Play a part (seconds from, to), or ``"whole"``, over and over; ``None`` plays on.

        Who stands elsewhere stays there, to go to the part once it plays.

        Raises:
            ValueError: the part is empty.
        """
        if isinstance(loop, tuple):
            begin, end = loop
            if not 0 <= begin < end:
                raise ValueError(f"cannot repeat from {begin} to {end}")
            self.playback.loop = loop
            if self.state == "playing" and self._outside(loop):
                self.seek(begin)
        self.playback.loop = loop
        self.playback.wake()

    def play_from_here(self) -> None:
        """Deliver the frame that is seen once more, then those behind it; at the end, all anew."""
        if self.state == "ended":
            self.play()
        elif self.state == "paused":
            self.playback.move(SeekRequest(None))
        elif self.state == "playing":
            self.playback.move(SeekRequest(self.position))

    def ask_to_stop(self) -> None:
        """Let the capture thread end soon."""
        if self.capture is not None:
            self.capture.ask_to_stop()

    def close(self) -> None:
        """Close the source, or cancel opening it: no frame of it is wanted any more."""
        self.ask_to_stop()
        self.playback.close()  # none of its moves may begin behind the end
        self._whole.cancel("switched")
        self._make_room("switched")

    # For capture and worker

    def opened(self, info: SourceInfo, *, resumed: bool) -> None:
        """Learn that the source is open, or what goes on in place of it."""
        with self._lock:
            if self._whole.cause is not None:
                return
            self.source = info
            resume, self.resume = self.resume, None
            if resume is not None and resumed:
                self._spec, self.position = resume.spec, resume.position
                self.playback.playing = resume.playing
            ended = resume is not None and resumed and resume.ended
            standing: State = "ended" if ended else "paused"
            self.state = "playing" if self.playback.playing else standing
        self.playback.opened(seekable=info.seekable)
        if resume is not None and resumed and not resume.playing:
            # A picture that stands needs to come once.
            self.playback.move(SeekRequest(resume.position))
        self._parts.events.put(Event("opened", info.name))

    def deliver(self, result: Result) -> None:
        """Follow the frames that were processed."""
        if not self.playback.asked:
            self.position = result.frame.time
        self.begun = self.begun or not result.repeated  # a preview is repeated
        self.playback.settled(result.frame.token)

    def end_of_source(self, end: EndOfSource) -> None:
        """Follow the end of the source, and report it."""
        with self._lock:
            if end.stale:
                return
            self.state, self.cut = "failed" if end.error else "ended", end.cut
        self.begun = True
        self.playback.settled(end.token)

    def interrupted(self) -> None:
        """Await no frame in progress any more."""
        self.begun = True
        self.playback.settled()

    def _begin_move(self, following: bool) -> CancelToken:
        with self._lock:
            self.token.cancel("seek", keep_finished=following)
            self.token = token = CancelToken(self._whole)
        self._make_room("seek")
        return token

    def _make_room(self, cause: DropCause) -> None:
        """Discard what waits: a capture that waits for room would not come to anything else."""
        waiting = self._parts.inbox.drain()
        self._parts.stats.drop(cause, sum(isinstance(item, Frame) for item in waiting))

    def _movable(self) -> bool:
        if self.source is None:
            return self.state == "opening"
        return self.source.seekable and self.state != "failed"

    def _outside(self, part: tuple[float, float]) -> bool:
        """Return whether the frame that is seen lies outside a part that repeats."""
        return not part[0] <= self.position < part[1] - 1e-3

    def _stand(self) -> None:
        if self.state != "opening":
            self.state = "paused"
        self.playback.playing = False
