"""Session set: the sessions of a run, of which one is current."""

from __future__ import annotations

from app.core.events import Event
from app.core.frame import EndOfSource, Result
from app.pipeline.capture_policy import Resume
from app.pipeline.playback import Loop
from app.pipeline.session import Session, SessionParts
from app.sources.source_spec import SourceSpec


class SessionSet:
    """Opens one source in place of another; told of all results and ends before the sinks are.

    Args:
        parts: shared by all sessions.
        loop: how the first source is played.
        resumes: whether the source before goes on where the next one does not open.
    """

    def __init__(self, parts: SessionParts, *, loop: Loop, resumes: bool) -> None:
        self._parts, self._resumes = parts, resumes
        self.current = Session(0, None, parts, loop=loop)

    def open(self, spec: SourceSpec) -> None:
        """Play a source in place of the current one.

        Where it does not open, the one that played before goes on where it was, after an error.
        """
        before = self.current
        resume = before.resume  # a source that is being opened has only what it would resume
        if before.state != "opening":
            resume = None
        ended = before.state == "ended" and before.is_seekable
        if self._resumes and (ended or before.state in {"playing", "paused"}):
            playing = before.state == "playing"
            resume = Resume(before.spec, before.position, playing, ended)
        before.ask_to_stop()
        before.playback.close()
        # A part to repeat belongs to one file; repeating and speed are a way of playing.
        playback = before.playback
        loop = playback.loop if playback.loop == "whole" else None
        self.current = Session(
            before.id + 1, spec, self._parts, speed=playback.speed, loop=loop, resume=resume
        )
        before.close()
        self.current.start(before.capture)

    def close(self) -> None:
        """Close the current source; none is open then."""
        before = self.current
        self.current = Session(
            before.id + 1, None, self._parts, speed=before.playback.speed, loop=before.playback.loop
        )
        self.current.capture = before.capture  # the next one waits for its device
        before.close()

    def deliver(self, result: Result) -> None:
        """Let the current session follow its frames."""
        if result.frame.segment[0] == self.current.id:
            self.current.deliver(result)

    def end_of_source(self, end: EndOfSource) -> None:
        """Let the current session end, and report it."""
        self.current.end_of_source(end)
        if end.stale:
            return
        if end.error is not None:
            self._parts.events.failure(end.error)
        else:
            self._parts.events.put(Event("ended", end.notice))

    def interrupted(self) -> None:
        """Await no frame in progress any more."""
        self.current.interrupted()
