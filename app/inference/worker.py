"""Inference worker thread: runs the network on frames and renders the results."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.channel import Closed
from app.core.frame import EndOfSource, Frame, Prediction, Result
from app.core.memory import return_freed_memory
from app.core.stats import DropCause
from app.inference.feed import Feed, Turns
from app.inference.overview import Overview
from app.inference.result_drawing import drawn, ignored_in
from app.rendering.privacy import cover
from app.rendering.view_options import InferencePass, ViewOptions

if TYPE_CHECKING:
    from app.inference.adaptive_size import AdaptiveSize
    from app.inference.engine import Engine, Segmented
    from app.inference.network_manager import NetworkManager
    from fastscnn.segmenter import Segmenter


class Worker(threading.Thread):
    """Runs the network on every frame that arrives and draws the result.

    While nothing arrives and an option changes, the last frame is run or drawn again, so that a
    paused picture answers at once. While the first network is being loaded, frames are shown as
    they are.

    Args:
        networks: the network to begin with, and others that the user chooses meanwhile.
        turns: the sources that are served.
        adaptive: chooses the input size where the user leaves it open.
    """

    _IDLE = 0.03
    _FIRST_PICTURE = 1.0
    """Seconds that the first picture may take before torch is imported beside it."""

    def __init__(
        self, networks: NetworkManager, turns: Turns, adaptive: AdaptiveSize | None = None
    ) -> None:
        super().__init__(name="worker")
        self._networks, self.turns, self._adaptive = networks, turns, adaptive
        self._stop_asked = threading.Event()
        self._compared: Segmenter | None = None
        self._paired = False
        # The feeds and options of the frames under way.
        self._asked: deque[tuple[Feed, ViewOptions, bool]] = deque()

    def ask_to_stop(self) -> None:
        """End after the frame under way."""
        self._stop_asked.set()

    def run(self) -> None:
        segmenter: Segmenter | None = None
        try:
            segmenter = self._first()
        except Closed:
            pass
        except BaseException as error:  # nothing may end this thread silently
            self._fail(error)
            segmenter = self._refuse_all()
        while segmenter is not None:
            segmenter = self._serve(segmenter)
        self._compared = None
        for feed in self.turns.feeds:
            feed.last = feed.previewed = None

    def _first(self) -> Segmenter:
        """Return the first network, and show frames as they are until it is there.

        It is loaded on another thread, which is left behind where the run ends before: importing
        torch cannot be cut short, and touches nothing that has to be put in order.
        """
        # It is taken out, not looked at: an exception that an import keeps holds all that the
        # calls around the import held, and would hold the first network with it.
        loaded: queue.SimpleQueue[Segmenter | BaseException] = queue.SimpleQueue()

        def load() -> None:
            try:
                loaded.put(self._networks.load_first())
            except BaseException as error:  # raised again by the worker
                loaded.put(error)

        # The import keeps the interpreter busy for seconds: the first picture goes before it.
        imported = "torch" in sys.modules
        deadline = time.monotonic() + (0.0 if imported else self._FIRST_PICTURE)
        while not self.turns.waiting and time.monotonic() < deadline:
            if self._stop_asked.wait(self._IDLE / 3):
                raise Closed
        self._preview()
        threading.Thread(target=load, name="loader").start()
        while loaded.empty():
            if self._stop_asked.wait(self._IDLE):
                raise Closed
            self._preview()
        found = loaded.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def _preview(self) -> None:
        """Show the newest frames without labels; they stay where they wait for the network."""
        for feed in self.turns.feeds:
            frame = feed.inbox.newest()
            if not isinstance(frame, Frame) or frame is feed.previewed or frame.token.cause:
                continue
            feed.previewed = frame
            view, skip = feed.live.view, feed.live.skip
            if view.blurred:  # nothing tells yet what is where
                frame = replace(frame, image=cover(frame.image))
            sides = (frame.image,) * len(view.sides)
            captions = [f"{each} (loading)" for each in view.captions(skip, self._networks.names)]
            feed.deliver(Result(frame, (), sides, tuple(captions), view, skip, repeated=True))

    def _serve(self, segmenter: Segmenter) -> Segmenter | None:
        """Work with a network until another one is there, which is returned, or until the end."""
        from app.inference.engine_factory import make_engine  # imports torch

        engine: Engine | None = None
        failed = False
        try:
            engine = make_engine(segmenter)
            self._compare(engine)
            self._asked.clear()
            self._outdate()
            self._networks.ready(segmenter)
            if self._adaptive is not None:
                self._adaptive.begin()
            self._work(engine)
        except Closed:
            pass
        except BaseException as error:  # nothing may end this thread silently
            self._fail(error)
            failed = True
        if self._adaptive is not None:
            self._adaptive.close()
        if engine is not None:
            engine.close()
            del engine
        return_freed_memory()
        self._account("failed" if failed else "stopped")
        if failed:
            return self._refuse_all()
        return None if self._stop_asked.is_set() else self._networks.take_next()

    # Loops over feeds are in functions that return at once: in those that run for as long as the
    # network does, the loop's variable would hold a source that has left.

    def _outdate(self) -> None:
        """Have the last result of every source made anew, by the network that is there now."""
        for feed in self.turns.feeds:
            feed.stale = True

    def _interrupted(self) -> None:
        for feed in self.turns.feeds:
            feed.interrupted()

    def _fail(self, error: BaseException) -> None:
        self._networks.fail(error)
        self._interrupted()

    def _account(self, cause: DropCause) -> None:
        """Count what is in the engine and will not come out of it."""
        for feed in self.turns.feeds:
            feed.account(cause)

    def _work(self, engine: Engine) -> None:
        """Serve frames until asked to stop or until another network is there."""
        while not self._stop_asked.is_set():
            if self._networks.has_next:
                while engine.pending:
                    self._collect(engine)
                return
            if self._networks.second is not self._compared:
                while engine.pending:
                    self._collect(engine)
                self._compare(engine)
            if self._adaptive is not None and self._adaptive.apply(engine):
                self._networks.resized(engine.segmenter)
            if (behind := self._left_behind()) is not None:
                while engine.pending:
                    self._collect(engine)
                self._repeat(engine, behind)
            if self._asked:
                with self._asked[0][0].stats.at_work("network"):
                    engine.settle()
            looks = self._overviews()
            taken = self.turns.take(timeout=0 if engine.pending or looks else self._IDLE)
            if taken is not None and self._began(engine, *taken):
                continue
            if engine.pending:
                self._collect(engine)
            elif taken is None:
                self._rest(engine, looks)

    def _rest(self, engine: Engine, looks: list[tuple[Feed, Overview]]) -> None:
        """Do what can wait for a moment in which nothing comes."""
        for feed in self.turns.feeds:
            self._repeat(engine, feed)
        for feed, overview in looks[:1]:
            overview.step(engine.segmenter, skip=feed.live.skip)

    def _overviews(self) -> list[tuple[Feed, Overview]]:
        """Return the overviews that have something for the network."""
        feeds = ((feed, feed.overview) for feed in self.turns.feeds)
        return [(feed, overview) for feed, overview in feeds if overview and overview.waiting]

    def _began(self, engine: Engine, feed: Feed, item: Frame | EndOfSource) -> bool:
        """Begin with a frame, or pass on the end of a source; ``True`` where more may be begun."""
        if isinstance(item, EndOfSource):
            while engine.pending:
                self._collect(engine)
            feed.end_of_source(item)
            return False
        cause = item.token.cause
        if cause is not None:
            feed.drop(cause)
            return False
        if item is feed.previewed:  # its age is that of its labels, not of the import
            item = replace(item, captured=time.monotonic())
        feed.previewed = None  # its picture is not wanted any longer
        self._submit(engine, feed, item)
        # What may be dropped is wanted soon: the one before it is done by now.
        return engine.pending < (engine.depth if item.lossless else 2)

    def _observe(self, engine: Engine, result: Result) -> None:
        """Tell what a frame took where that decides on the input size of the one source."""
        if self._adaptive is None or self._networks.in_use.input_size != "auto":
            return
        if self.turns.feeds == [self.turns.first]:
            self._adaptive.observe(result.frame, result.stages, engine)
        else:
            self._adaptive.rest(engine)
        self._networks.resized(engine.segmenter)

    def _compare(self, engine: Engine) -> None:
        """Bring the second network into the engine."""
        self._compared = self._networks.second
        engine.compare_with(self._compared)
        self._paired = engine.second is not None
        for feed in self.turns.feeds:
            feed.stale = feed.stale or feed.live.view.compares_weights

    def _submit(self, engine: Engine, feed: Feed, frame: Frame) -> None:
        view, skip = feed.live.view, feed.live.skip
        before = engine.segmenter
        if feed.truth is not None:
            feed.truth.ask(frame, wanted=view.judges)
        with feed.stats.at_work("network"):
            engine.submit(frame, view.runs(skip, second=self._paired))
        self._tell_if_shrunk(engine, before)
        self._asked.append((feed, view, skip))

    def _collect(self, engine: Engine, *, repeated: bool = False) -> None:
        before = engine.segmenter
        with self._asked[0][0].stats.at_work("network"):
            done = engine.collect()
        self._tell_if_shrunk(engine, before)
        self._finish(engine, done, *self._asked.popleft(), repeated=repeated)

    def _tell_if_shrunk(self, engine: Engine, before: Segmenter) -> None:
        if engine.segmenter is not before:
            self._networks.shrunk(engine.segmenter)

    def _finish(
        self,
        engine: Engine,
        done: Segmented,
        feed: Feed,
        view: ViewOptions,
        skip: bool,
        *,
        repeated: bool,
    ) -> None:
        """Draw and deliver what the network saw with a view and a setting of the skip."""
        cause = done.frame.token.cause
        if cause is not None:
            if not repeated:
                feed.drop(cause)
            return
        started = time.monotonic()
        # What changed meanwhile shows at once, unless it needs what was not computed.
        now = feed.live.view, feed.live.skip
        if _covers(done.predictions, now[0].runs(now[1], second=self._paired)):
            view, skip = now
        whole = Result(done.frame, done.predictions, (), (), view, skip, {}, repeated)
        result = drawn(feed, whole, self._networks)
        finished = time.monotonic()
        stages = {
            "capture": done.frame.read_seconds,
            **done.stages,
            "overlay": finished - started,
        }
        result = replace(result, stages=stages, drawn=finished)
        feed.last = replace(result, frame=done.frame, predictions=whole.predictions)
        feed.stale = False
        if not repeated:
            feed.stats.spent(stages)
            feed.stats.count("processed")
            self._observe(engine, result)
        feed.deliver(result)
        feed.in_hand -= not repeated

    def _left_behind(self) -> Feed | None:
        """Return a source that stands still while others keep the network busy, if it needs it."""
        feeds = self.turns.feeds
        if len(feeds) == 1:
            return None  # it has the network to itself
        still = (feed for feed in feeds if not feed.in_hand and not len(feed.inbox))
        return next((feed for feed in still if self._is_outdated(feed)), None)

    def _is_outdated(self, feed: Feed) -> bool:
        """Return whether options have changed since the last result of a source."""
        last = feed.last
        if last is None or last.frame.token.cause:
            return False
        view, skip = feed.live.view, feed.live.skip
        covered = not feed.stale and _covers(last.predictions, self._runs(feed))
        as_drawn = skip == last.skip and view.draws_as(last.view)
        judged = feed.truth is None or not feed.truth.outdated
        same = feed.ignored == ignored_in(feed, last.frame)
        return not (covered and as_drawn and judged and same)

    def _repeat(self, engine: Engine, feed: Feed) -> None:
        """Bring the last result of a source up to date with options that changed since."""
        last = feed.last
        if last is None or not self._is_outdated(feed):
            return
        view, skip, runs = feed.live.view, feed.live.skip, self._runs(feed)
        if feed.stale or not _covers(last.predictions, runs):
            self._submit(engine, feed, last.frame)
            self._collect(engine, repeated=True)
        else:
            seen = tuple(one for run in runs if (one := _find(last.predictions, run)) is not None)
            whole = replace(last, predictions=seen, view=view, skip=skip, repeated=True)
            result = drawn(feed, whole, self._networks)
            feed.last = replace(result, frame=last.frame, predictions=seen)
            feed.deliver(result)

    def _runs(self, feed: Feed) -> tuple[InferencePass, ...]:
        return feed.live.view.runs(feed.live.skip, second=self._paired)

    def _refuse_all(self) -> Segmenter | None:
        """With no network left, account for frames until another one is there, or until the end."""
        while not self._stop_asked.is_set():
            if self._networks.has_next:
                return self._networks.take_next()
            try:
                taken = self.turns.take(timeout=0.1)
            except Closed:
                break
            if taken is None:
                continue
            feed, item = taken
            if isinstance(item, Frame):
                feed.drop("failed")
                feed.interrupted()
            else:
                feed.end_of_source(item)
        return None


def _find(seen: Sequence[Prediction], run: InferencePass) -> Prediction | None:
    """Return the prediction of a pass, if it was computed."""
    for one in seen:
        if one.run.is_of(run) and run.measure in {None, one.run.measure}:
            return one
    return None


def _covers(seen: Sequence[Prediction], runs: Sequence[InferencePass]) -> bool:
    """Return whether all that the runs give was computed."""
    return all(_find(seen, run) is not None for run in runs)
