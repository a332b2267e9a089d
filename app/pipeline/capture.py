"""The capture thread: opens a source, reads it, and feeds the worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.pipeline.channels import Channel
from app.pipeline.frame import EndOfSource, Frame
from app.pipeline.pacer import Pacer
from app.pipeline.stats import Stats
from app.sources.base import Source, SourceInfo
from app.sources.opening import open_source
from app.sources.spec import SourceSpec


class Capture(threading.Thread):
    """Reads one source from opening to end.

    Frames of a live source replace what still waits: old ones are worth nothing. A file that is
    played is paced by its stamps and replaces likewise; where nothing may be lost it waits for
    room instead.

    Args:
        spec: what to open.
        generation: stamped on every frame.
        inbox: where the worker takes frames.
        stats: where frames are counted.
        playing: cleared while the user pauses.
        lossless: asked for each frame of a file: may it be dropped?
        paced: whether a file keeps its own pace.
        max_frames: end after so many.
        opened: told what was opened.
        previous: the capture before this one; its device must be free first.
    """

    def __init__(
        self,
        spec: SourceSpec,
        generation: int,
        inbox: Channel[Frame | EndOfSource],
        stats: Stats,
        *,
        playing: threading.Event,
        lossless: Callable[[], bool],
        paced: bool,
        max_frames: int | None,
        opened: Callable[[int, SourceInfo], None],
        previous: Capture | None,
    ) -> None:
        # A driver may never come back from opening or reading: such a thread must not keep the
        # process alive, so it is a daemon. It runs no torch code, which would abort at exit.
        super().__init__(name="capture", daemon=True)
        self._spec, self._generation = spec, generation
        self._inbox, self._stats = inbox, stats
        self._playing, self._lossless, self._paced = playing, lossless, paced
        self._max_frames, self._opened, self._previous = max_frames, opened, previous
        self._stop_asked = threading.Event()

    def ask_to_stop(self) -> None:
        """End soon; frames read from now on go nowhere."""
        self._stop_asked.set()

    def run(self) -> None:
        end = EndOfSource(self._generation)
        try:
            if self._previous is not None:
                self._previous.join(2.0)
                self._previous = None
            source = open_source(self._spec)
            try:
                if not self._stop_asked.is_set():
                    self._opened(self._generation, source.info)
                    self._read_all(source)
                end = EndOfSource(self._generation, notice=source.notice)
            finally:
                source.close()
        except BaseException as error:  # nothing may end this thread silently
            end = EndOfSource(self._generation, error=error)
        if not self._stop_asked.is_set():
            self._inbox.put(end)

    def _read_all(self, source: Source) -> None:
        pacer = Pacer()
        index = 0
        while not self._stop_asked.is_set() and index != self._max_frames:
            if not source.live and not self._playing.is_set():
                pacer.reset()
                self._playing.wait(0.05)
                continue
            started = time.monotonic()
            picture = source.read()
            if picture is None:
                break
            read_seconds = time.monotonic() - started
            self._stats.count("captured")
            lossless = not source.live and self._lossless()
            late = False
            if self._paced and not source.live:
                late = pacer.wait(picture.time, self._stop_asked, slip=lossless)
            frame = Frame(
                picture.image,
                index,
                picture.time,
                time.monotonic(),  # a paced picture's age starts when it was due
                self._generation,
                read_seconds,
                lossless,
            )
            index += 1
            if source.live and not self._playing.is_set():
                self._stats.drop("paused")
            else:
                self._hand_over(frame, late=late)

    def _hand_over(self, frame: Frame, *, late: bool) -> None:
        if self._stop_asked.is_set():
            self._stats.drop("switched")
        elif frame.lossless:
            if not self._inbox.put(frame):
                self._stats.drop("stopped")
        else:
            lost = self._inbox.replace(frame)
            self._stats.drop("late" if late else "busy", sum(isinstance(x, Frame) for x in lost))
