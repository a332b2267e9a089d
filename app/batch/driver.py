"""Driver of a batch: hands units to workers, notes what becomes of them, and tells the user."""

from __future__ import annotations

import contextlib
import queue
import signal
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from itertools import islice
from types import FrameType

from app.batch.manifest import Manifest
from app.batch.progress_display import ProgressDisplay, Standing
from app.batch.split_drives import Splits
from app.batch.storage import PARTS, Results, is_address
from app.batch.units import Done, Recipe, Unit
from app.batch.workers.crew import Crew, WorkerHandle
from app.errors import AppError, OutputError

_TICK = 0.2
_DEATHS = 3
"""Workers in a row that may die before they are ready."""
_RETRIES = 1
"""Of a unit whose worker has died."""


class Driver:
    """Driver of the units of one run.

    Args:
        manifest: of all units.
        crew: does them.
        recipe: what becomes of each drive.
        results: where it goes.
        display: told how it stands.
    """

    def __init__(
        self,
        manifest: Manifest,
        crew: Crew,
        recipe: Recipe,
        results: Results,
        display: ProgressDisplay,
    ) -> None:
        self._manifest, self._crew, self._display = manifest, crew, display
        self._recipe, self._results = recipe, results
        self._queue: deque[Unit] = deque()
        self._numbers: dict[WorkerHandle, int] = {}
        self._idle: deque[WorkerHandle] = deque()
        self._busy: dict[WorkerHandle, Unit] = {}
        self._news: queue.SimpleQueue[tuple[WorkerHandle, Future[None] | Future[Done]] | None]
        self._news = queue.SimpleQueue()
        self._lost: Counter[str] = Counter()
        self._frames: Counter[str] = Counter()
        """Frames of units that have ended, by worker."""
        self._deaths = 0
        self._splits = Splits(manifest, recipe, results)
        self._standing = Standing()
        self._signals = 0
        self._ending = False
        self.interrupted = False
        """True once the user has ended the run."""
        self.lost = 0
        """Workers that died."""

    @property
    def frames(self) -> int:
        """Frames of the units that were done in this run."""
        return self._standing.frames

    def run(self, units: Iterable[Unit]) -> None:
        """Do units, the largest first, until all have an end or the user ends the run.

        Raises:
            AppError: no unit will fare better: the weights cannot be loaded, the disk is full.
        """
        self._queue.extend(sorted(units, key=lambda unit: -unit.drive.size))
        self._standing.total = len(self._queue)
        self._standing.bytes_left = sum(unit.drive.size for unit in self._queue)
        with self._signals_as_news():
            try:
                for number in range(min(self._crew.size, len(self._queue) or 1)):
                    self._hire(number)
                while self._queue or self._busy:
                    self._turn()
            finally:
                self._ending = True
                self._end()

    @contextlib.contextmanager
    def _signals_as_news(self) -> Iterator[None]:
        """Take Ctrl+C and SIGTERM in between two steps, of which they would tear one.

        The second ends the run wherever it is, which then has an end in order all the same.
        """

        def note(signum: int, frame: FrameType | None) -> None:
            self._signals += 1
            self._news.put(None)
            if self._signals == 2 and not self._ending:
                raise KeyboardInterrupt

        found = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        before = {each: handler for each, handler in found.items() if callable(handler)}
        for each in before:  # one that is ignored, as of a job in the background, stays so
            signal.signal(each, note)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _end(self) -> None:
        """Let all workers go; what they were at is as if it had not been begun."""
        for handle in list(self._numbers):
            handle.dismiss()
        self._crew.close()
        with contextlib.suppress(OutputError):  # the disk may be full
            self._manifest.all_interrupted()

    def _turn(self) -> None:
        """Wait for a moment or for what comes, whatever comes first."""
        self._assign()
        try:
            news = self._news.get(timeout=_TICK)
        except queue.Empty:
            pass
        else:
            if news is not None:
                self._take(*news)
            else:
                self._interrupt()
        if self._display.due():
            self._display.show(self._look())

    def _interrupt(self) -> None:
        if not self.interrupted:
            self.interrupted = True
            self._display.say(
                "Interrupted: every worker ends at its next frame; once more ends it at once."
            )
            self._stop()

    def _stop(self) -> None:
        """Begin nothing more, and end what is under way at the next frame."""
        self._queue.clear()
        for handle in self._busy:
            handle.stop()

    def _hire(self, number: int) -> None:
        handle = self._crew.hire(number)
        self._numbers[handle] = number
        handle.ready.add_done_callback(lambda future: self._news.put((handle, future)))

    def _replace(self, handle: WorkerHandle) -> None:
        """Have another worker in place of one that has died."""
        self.lost += 1
        number = self._numbers.pop(handle)
        handle.dismiss()
        if self._queue:
            self._hire(number)

    def _assign(self) -> None:
        while self._idle and self._queue:
            handle, unit = self._idle.popleft(), self._queue.popleft()
            try:
                future = handle.do(unit)
            except self._crew.lost:
                self._queue.appendleft(unit)
                self._replace(handle)
                continue
            self._busy[handle] = unit
            # A drive that is looked at for parts has been begun with that.
            if unit.kind in {"plan", "part"} or self._recipe.part_length is None:
                self._manifest.begun(unit.name)
            future.add_done_callback(
                lambda future, handle=handle: self._news.put((handle, future))  # type: ignore[misc]
            )

    def _take(self, handle: WorkerHandle, future: Future[None] | Future[Done]) -> None:
        """Take what a worker has to say: that it is ready, or what became of its unit."""
        if handle not in self._numbers:
            return
        unit = self._busy.pop(handle, None)
        try:
            done = future.result()
        except self._crew.lost:
            if unit is not None:
                self._unit_lost(unit)
            else:
                self._deaths += 1
                if self._deaths == max(_DEATHS, self._crew.size):
                    raise AppError(
                        f"{self._deaths} workers in a row died while they loaded the network:"
                        " there may be too little memory; try fewer --workers."
                    ) from None
            self._replace(handle)
            return
        self._deaths = 0
        self._idle.append(handle)
        if unit is not None and done is not None:
            self._unit_ended(unit, done, handle.name)

    def _unit_lost(self, unit: Unit) -> None:
        self._manifest.lost(unit.name)
        self._lost[unit.name] += 1
        if self.interrupted:
            return
        if self._lost[unit.name] <= _RETRIES:
            self._display.say(f"{unit.drive.name}: its worker died; it is tried once more.")
            self._queue.appendleft(unit)
            return
        words = (
            f"{unit.drive.name}: its worker died {self._lost[unit.name]} times (killed, or out of"
            " memory): try fewer --workers or a smaller --input-size."
        )
        self._unit_ended(unit, Done("failed", words), "")

    def _unit_ended(self, unit: Unit, done: Done, worker: str) -> None:
        if done.full:
            self._manifest.interrupted(unit.name)
            self._stop()
            places = [] if self._results.remote else [self._results.shown]
            if self._results.remote or is_address(unit.drive.source):
                places.append("the temporary files (TMPDIR)")
            raise OutputError(
                f"The disk of {' or of '.join(places)} is full: make room and run the same again;"
                " what is done is kept."
            )
        if done.state == "waiting":
            self._manifest.interrupted(unit.name)
            return
        seen = done.frames if unit.kind != "join" and not done.found else 0
        self._standing.frames += seen
        self._frames[worker] += seen
        if unit.kind == "plan" and done.state == "done":
            self._queue.extendleft(reversed(self._splits.begin(unit, done.cuts)))
            self._hire_more()
            return
        self._manifest.ended(unit.name, done, worker)
        if unit.kind != "part":
            self._drive_ended(unit, done)
        elif done.state == "done":
            self._queue.extendleft(self._splits.part_done(unit))
        elif (whole := self._splits.part_failed(unit)) is not None:
            others = (each for each in self._queue if each.drive.name != whole.name)
            self._queue = deque(others)
            self._manifest.ended(whole.name, done)
            self._drive_ended(whole, done)

    def _drive_ended(self, unit: Unit, done: Done) -> None:
        standing = self._standing
        standing.bytes_left -= unit.drive.size
        if done.state == "failed":
            standing.failed += 1
            self._display.say(f"{unit.drive.name}: {done.error}")
            return
        standing.done += 1
        if not done.found:
            standing.whole += done.frames
            standing.known_frames += done.frames
            standing.known_bytes += unit.drive.size
        if done.notice:
            self._display.say(f"{unit.drive.name}: {done.notice}")
        if unit.kind == "join":
            self._results.remove(f"{PARTS}/{unit.name}")

    def _hire_more(self) -> None:
        """Have more workers where a drive in parts has work for them."""
        taken = set(self._numbers.values())
        free = (number for number in range(self._crew.size) if number not in taken)
        for number in islice(free, max(0, len(self._queue) - len(self._idle))):
            self._hire(number)

    def _look(self) -> Standing:
        """Return how it stands at this moment."""
        standing = replace(self._standing, workers={}, now=time.monotonic())
        for handle, unit in self._busy.items():
            frames, total = handle.progress()
            standing.workers[handle.name] = self._frames[handle.name] + frames
            standing.running += frames
            if total is not None and unit.kind == "drive":
                standing.known_frames += int(total)
                standing.known_bytes += unit.drive.size
        return standing
