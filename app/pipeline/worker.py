"""The inference worker: takes frames, gives results."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from app.pipeline.channels import Channel, Closed
from app.pipeline.frame import EndOfSource, Frame, Result
from app.pipeline.overlay import draw
from app.pipeline.stats import Stats
from app.pipeline.view import ViewOptions

if TYPE_CHECKING:
    from app.pipeline.engine import Engine, Segmented
    from fastscnn.segmenter import Segmenter


class Choices(Protocol):
    """What the user may change at any time; read anew for every frame."""

    @property
    def view(self) -> ViewOptions: ...
    @property
    def skip(self) -> bool: ...
    @property
    def generation(self) -> int: ...


class Worker(threading.Thread):
    """Runs the network on every frame that arrives and draws the result.

    While nothing arrives and an option changes, the last frame is run or drawn again, so that a
    paused picture answers at once.

    Args:
        load: makes the network to begin with; ``Closed`` from it ends the work.
        inbox: where frames come from.
        stats: where frames and times are counted.
        choices: skip and view.
        ready: told once the network is loaded.
        deliver: given every result, in order.
        ended: given every end of source, after the results before it.
        failed: told of the error that ends the work.
    """

    _IDLE = 0.03

    def __init__(
        self,
        load: Callable[[], Segmenter],
        inbox: Channel[Frame | EndOfSource],
        stats: Stats,
        choices: Choices,
        *,
        ready: Callable[[Segmenter], None],
        deliver: Callable[[Result], None],
        ended: Callable[[EndOfSource], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name="worker")
        self._load, self._inbox, self._stats, self._choices = load, inbox, stats, choices
        self._ready, self._deliver, self._ended, self._failed = ready, deliver, ended, failed
        self._last: Result | None = None
        self._stop_asked = threading.Event()
        self._next: Segmenter | None = None
        self._stale = False

    def use(self, segmenter: Segmenter) -> None:
        """Go on with another network from the next frame on."""
        self._next = segmenter

    def ask_to_stop(self) -> None:
        """End after the frame under way."""
        self._stop_asked.set()

    def run(self) -> None:
        segmenter: Segmenter | None = None
        try:
            segmenter = self._load()
        except Closed:
            return
        except BaseException as error:  # nothing may end this thread silently
            self._failed(error)
            segmenter = self._refuse_all()
        while segmenter is not None:
            segmenter = self._serve(segmenter)

    def _serve(self, segmenter: Segmenter) -> Segmenter | None:
        """Work with a network until another one is there, which is returned, or until the end."""
        from app.pipeline.engine import make_engine  # imports torch

        engine: Engine | None = None
        try:
            engine = make_engine(segmenter)
            self._stale = True
            self._ready(segmenter)
            self._work(engine)
        except Closed:
            pass
        except BaseException as error:  # nothing may end this thread silently
            self._failed(error)
            self._stats.drop("failed", engine.pending if engine is not None else 0)
            return self._refuse_all()
        self._stats.drop("stopped", engine.pending if engine is not None else 0)
        return None if self._stop_asked.is_set() else self._take_next()

    def _take_next(self) -> Segmenter | None:
        segmenter, self._next = self._next, None
        return segmenter

    def _work(self, engine: Engine) -> None:
        """Serve frames until asked to stop or until another network is there."""
        while not self._stop_asked.is_set():
            if self._next is not None:
                while engine.pending:
                    self._finish(engine.collect())
                return
            item = self._inbox.get(timeout=0 if engine.pending else self._IDLE)
            if isinstance(item, Frame) and item.generation == self._choices.generation:
                self._submit(engine, item)
                if engine.pending < engine.depth:
                    continue
            elif isinstance(item, Frame):
                self._stats.drop("switched")
            elif isinstance(item, EndOfSource):
                while engine.pending:
                    self._finish(engine.collect())
                self._ended(item)
            if engine.pending:
                self._finish(engine.collect())
            elif item is None:
                self._repeat(engine)

    def _submit(self, engine: Engine, frame: Frame) -> None:
        try:
            engine.submit(frame, self._choices.skip)
        except BaseException:
            self._stats.drop("failed")
            raise

    def _finish(self, done: Segmented, *, repeated: bool = False) -> None:
        frame = done.frame
        if frame.generation != self._choices.generation:
            if not repeated:
                self._stats.drop("switched")
            return
        started = time.monotonic()
        view = self._choices.view
        picture = draw(frame.image, done.labels, view)
        stages = {
            "capture": frame.read_seconds,
            **done.stages,
            "overlay": time.monotonic() - started,
        }
        result = Result(frame, done.labels, picture, view, done.skip, stages, repeated)
        self._last = result
        self._stale = False
        if not repeated:
            self._stats.spent(stages)
            self._stats.count("processed")
        self._deliver(result)

    def _repeat(self, engine: Engine) -> None:
        """Bring the last result up to date with options that changed since."""
        last = self._last
        if last is None or last.frame.generation != self._choices.generation:
            return
        if self._stale or last.skip != self._choices.skip:
            engine.submit(last.frame, self._choices.skip)
            self._finish(engine.collect(), repeated=True)
        elif last.view != self._choices.view:
            view = self._choices.view
            picture = draw(last.frame.image, last.labels, view)
            self._last = Result(
                last.frame, last.labels, picture, view, last.skip, last.stages, repeated=True
            )
            self._deliver(self._last)

    def _refuse_all(self) -> Segmenter | None:
        """With no network left, account for frames until another one is there, or until the end."""
        while not self._stop_asked.is_set():
            if self._next is not None:
                return self._take_next()
            try:
                item = self._inbox.get(timeout=0.1)
            except Closed:
                break
            if isinstance(item, Frame):
                self._stats.drop("failed")
            elif isinstance(item, EndOfSource):
                self._ended(item)
        return None
