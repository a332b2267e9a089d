"""The capture thread: opens a source, reads it, and feeds the worker."""

from __future__ import annotations

import math
import threading
import time
from typing import NamedTuple, Protocol

from app.core.cancel_token import CancelToken
from app.core.channel import Channel
from app.core.events import EventBus
from app.core.frame import EndOfSource, Frame, SessionInfo
from app.core.memory import return_freed_memory
from app.core.stats import Stats
from app.errors import AppError, SourceError
from app.pipeline.capture_policy import CapturePolicy, Resume
from app.pipeline.pacer import Pacer
from app.pipeline.playback import Playback, SeekRequest
from app.sources.base import Picture, Source, SourceInfo
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec


class _Read(NamedTuple):
    """An image on its way to the worker, with the seconds that reading took."""

    picture: Picture
    seconds: float


class CaptureOwner(Protocol):
    """Session that a capture thread works for."""

    id: int
    token: CancelToken
    playback: Playback
    resume: Resume | None
    begun: bool

    @property
    def spec(self) -> SourceSpec:
        """Source to open."""

    def opened(self, info: SourceInfo, *, resumed: bool) -> None:
        """Learn that the source is open, or what goes on in place of it."""


class Capture(threading.Thread):
    """Reads one source from opening to end.

    Frames of a live source replace what still waits: old ones are worth nothing. A file that is
    played is paced by its stamps and replaces likewise; where nothing may be lost it waits for
    room instead. A file that is played stays open at its end: the user may go back in it.

    Args:
        session: what to open, how the user wants it played, and what to resume where it does not
            open.
        inbox: where the worker takes frames.
        policy: rules of the run.
        stats: where frames are counted.
        events: where sentences of the source go.
        previous: the capture before this one; its device must be free first.
    """

    def __init__(
        self,
        session: CaptureOwner,
        inbox: Channel[Frame | EndOfSource],
        policy: CapturePolicy,
        stats: Stats,
        events: EventBus,
        previous: Capture | None,
    ) -> None:
        # A driver may never come back from opening or reading: such a thread must not keep the
        # process alive, so it is a daemon. It runs no torch code, which would abort at exit.
        super().__init__(name="capture", daemon=True)
        self._session, self._spec = session, session.spec
        self._playback, self._token = session.playback, session.token
        self._inbox, self._policy, self._stats, self._events = inbox, policy, stats, events
        self._previous = previous
        self._stop_asked = threading.Event()
        self._source: Source | None = None
        self._info: SessionInfo | None = None
        self._back = False
        self._pacer = Pacer()
        self._index = self._segment = 0
        self._left = self._limit()
        self._lasts = 0.0
        """Seconds for which it is shown; 0 where that is unknown."""
        self._more = False
        """True where there is something behind the end."""
        self._told = ""
        """Words of the end before."""
        self._standing = -math.inf
        """Stamp of the frame that was handed over last."""

    @property
    def offline_for(self) -> float | None:
        """Seconds since when a live source has given nothing; ``None`` while pictures come."""
        source = self._source
        since = source.offline_since if source is not None else None
        return time.monotonic() - since if since is not None else None

    def _limit(self) -> float:
        most = self._policy.max_frames
        return most if most is not None else math.inf

    def ask_to_stop(self) -> None:
        """End soon; frames read from now on go nowhere."""
        self._stop_asked.set()
        self._playback.wake()
        self._stats.leave(self.ident)

    def run(self) -> None:
        end = self._work()
        return_freed_memory()
        if not self._stop_asked.is_set():
            self._inbox.put(end)

    def _work(self) -> EndOfSource:
        try:
            if self._previous is not None:
                self._previous.join(2.0)
                self._previous = None
            if self._stop_asked.is_set():
                # The user went on before its turn came: opening would only cost others time.
                return EndOfSource(self._token)
            with self._stats.at_work("opening"):
                source = self._open()
            source.stopping = self._stop_asked
            self._source = source
            try:
                if not self._stop_asked.is_set():
                    self._info = SessionInfo(
                        self._session.id, self._spec, source.info, self._events
                    )
                    self._session.opened(source.info, resumed=self._back)
                    source.listen(self._say)
                    self._read_all(source)
                self._stats.count("unreadable", source.unreadable)
                self._stats.damaged(source.info.name, source.damage)
                return EndOfSource(self._token, notice=self._ending(source))
            finally:
                self._source = None
                source.close()
        except BaseException as error:  # nothing may end this thread silently
            return EndOfSource(self._token, error=error)

    def _open(self) -> Source:
        try:
            return open_source(self._spec)
        except AppError as error:
            resume = self._session.resume
            if resume is None or self._stop_asked.is_set():
                raise
            self._events.failure(error)
        self._spec, place = resume.spec, resume.position
        source = open_source(self._spec)
        if source.info.seekable:
            source.seek(place)
        self._back = True
        return source

    def _read_all(self, source: Source) -> None:
        if source.live:
            self._follow(source)
            return
        part = self._spec.start > 0 and not self._back
        self._play(source, self._begin(source) if part else None)

    def _begin(self, source: Source) -> _Read | None:
        """Return the picture that is shown at the beginning of the part to play, from there on."""
        start, duration = self._spec.start, source.info.duration
        source.seek(start)
        read = self._read(source)
        if read is None:
            return None
        picture = read.picture
        end = picture.time + self._length(picture)
        # A stated length is no promise: there may be less, and more.
        if end <= start and duration is not None and start >= duration:
            raise SourceError(
                f"{source.info.name} lasts {end:.1f} s:"
                f" there is nothing at {start:g} s, begin earlier."
            )
        late = start - picture.time
        if 0 < late < picture.duration:
            picture = picture._replace(time=start, duration=picture.duration - late)
        return _Read(picture, read.seconds)

    def _follow(self, source: Source) -> None:
        """Hand over what a live source gives, as it comes."""
        paused = False
        while not self._stop_asked.is_set() and self._left > 0:
            self._playback.take()
            read = self._read(source)
            if read is None:
                break
            if paused:
                self._segment += 1
            paused = not self._playback.playing
            self._hand_over(read, lossless=False, paused=paused)

    def _play(self, source: Source, held: _Read | None) -> None:
        """Play to the end, from a picture on, and on from wherever the user goes then."""
        ended = False
        while not self._stop_asked.is_set():
            asked = self._playback.take()
            if asked is not None:
                move, self._token = asked
                sought, held = self._move(source, move, held), None
                self._left = self._limit()
                if sought is not None:
                    self._hand_over(sought, lossless=self._policy.lossless())
                    self._stand_from_now()
                ended = sought is None and self._end(source)
                continue
            if ended or not self._playback.playing:
                self._pacer.reset()
                self._playback.wait()
                continue
            if self._policy.paced and self._playback.unsettled:
                # The picture sought must be seen: one that came now could take its place.
                self._pacer.reset()
                self._playback.wait(0.1)
                continue
            if held is None:
                held = self._next(source) if self._left > 0 else None
                self._more |= self._left <= 0
            if held is None:
                if self._policy.paced and not self._outlast():
                    continue  # something was asked for meanwhile
                if not (self._policy.paced and source.info.seekable):
                    break
                ended = self._end(source)
                continue
            # The first picture stands until the network has seen it: while that is loaded, and gets
            # ready for its size, as much would be missed as plays.
            standing = math.isfinite(self._standing)
            if self._policy.paced and standing and not self._session.begun:
                self._stand_from_now()
                self._playback.wait(0.01)
                continue
            stamp = held.picture.time
            lossless, late = self._policy.lossless(), False
            if self._policy.paced:
                delay = self._due_in(stamp)
                if delay > 0 and self._playback.wait(delay):
                    continue  # something was asked for meanwhile
                late = self._pacer.passed(stamp, slip=lossless)
            self._hand_over(held, lossless=lossless, late=late)
            held = None

    def _stand_from_now(self) -> None:
        """Let the picture handed over last be seen for as long as it lasts, from here on."""
        self._pacer.reset()
        self._pacer.delay(self._standing, self._playback.speed)
        self._pacer.passed(self._standing, slip=True)

    def _due_in(self, stamp: float) -> float:
        return self._pacer.delay(stamp, self._playback.speed, stated=self._lasts)

    def _outlast(self) -> bool:
        """Let the last picture stand for its length; ``False`` where that is cut short."""
        if not math.isfinite(self._standing):
            return True
        delay = self._due_in(self._standing + self._lasts)
        return delay <= 0 or not self._playback.wait(delay)

    def _end(self, source: Source) -> bool:
        """Say that the end is reached; the source stays open."""
        self._inbox.put(EndOfSource(self._token, notice=self._ending(source), cut=self._more))
        return True

    def _ending(self, source: Source) -> str:
        """Return what the user should know at the end, and was not told at this end before."""
        notice = source.notice if source.notice != self._told else ""
        self._told = source.notice
        return notice

    def _next(self, source: Source) -> _Read | None:
        """The picture to play next: behind the end of a loop it is the loop's first."""
        loop = self._playback.loop
        end = self._spec.end if self._spec.end is not None else math.inf
        begin = self._spec.start
        if isinstance(loop, tuple):
            begin, end = loop
        read = self._read(source)
        self._more = read is not None
        # Who has gone behind the end on purpose is left there.
        if read is not None and not self._standing < end <= read.picture.time:
            return read
        if loop is None or not source.info.seekable:
            if read is not None and source.info.seekable:
                self._stand(source)  # a step goes on from here
            return None
        if notice := self._ending(source):
            self._say(notice)
        last = self._standing
        source.seek(begin)
        read = self._read(source)
        if read is not None:
            gap = end - last if math.isfinite(end) else self._lasts or 1 / 30
            self._pacer.splice(read.picture.time, min(max(gap, 0.01), max(1.0, self._lasts)))
            self._segment += 1
        return read

    def _move(self, source: Source, move: SeekRequest, held: _Read | None) -> _Read | None:
        """Carry out a move; the picture to stand at, which is the last one where there is none."""
        forward = move.seconds is None and move.frames > 0
        if not forward or move.frames > 1:
            self._segment += 1
        if forward:
            read, ahead = held, move.frames - (held is not None)
        else:
            place = self._standing if move.seconds is None else move.seconds
            source.seek(place, before=max(0, -move.frames))
            read, ahead = self._read(source), max(0, move.frames)
        for _ in range(ahead):
            if self._stop_asked.is_set():
                return None
            further = self._read(source)
            if further is None:
                break
            read = further
        return read if read is not None else self._stand(source)

    def _stand(self, source: Source) -> _Read | None:
        """Go to where the picture after the last one handed over is next; returns that last one."""
        source.seek(self._standing)
        return self._read(source)

    def _read(self, source: Source) -> _Read | None:
        started = time.monotonic()
        with self._stats.at_work("capture"):
            picture = source.read()
        for cause, frames in source.missed.items():
            self._stats.count("captured", frames)
            self._stats.drop(cause, frames)
        source.missed.clear()
        if picture is None:
            return None
        return _Read(picture, time.monotonic() - started)

    def _length(self, picture: Picture) -> float:
        """Return for how long a picture is shown where nothing follows it; 0 where unknown."""
        rate = self._info.source.rate if self._info is not None else None
        usual = 1 / rate if rate and rate <= 240 else 0.0
        length = picture.duration or usual
        end = self._spec.end
        return min(length, max(end - picture.time, 1e-3)) if end is not None else length

    def _say(self, text: str) -> None:
        if not self._stop_asked.is_set():
            self._events.notice(text)

    def _hand_over(
        self, read: _Read, *, lossless: bool, late: bool = False, paused: bool = False
    ) -> None:
        self._stats.count("captured")
        frame = Frame(
            read.picture.image,
            self._index,
            read.picture.time,
            time.monotonic(),  # a paced picture's age starts when it was due
            self._token,
            read.seconds,
            lossless,
            (self._session.id, self._segment),
            read.picture.name,
            self._info,
            self._length(read.picture),
            time.time(),
            read.picture.ending,
            read.picture.truth,
        )
        self._lasts = frame.duration
        self._index += 1
        self._left -= 1
        self._standing = frame.time
        if paused:
            self._stats.drop("paused")
        elif self._stop_asked.is_set():
            self._stats.drop("switched")
        elif frame.lossless:
            if not self._inbox.put(frame):
                self._stats.drop("stopped")
        else:
            lost = sum(isinstance(item, Frame) for item in self._inbox.replace(frame))
            self._stats.drop("late" if late else "busy", lost)
            if self._source is not None and self._source.live:
                self._left += lost  # a frame that nobody could look at is none of those wanted
