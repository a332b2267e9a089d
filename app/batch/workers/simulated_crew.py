"""Crew that sleeps: units that cost time alone, for seeing what a batch costs besides its work.

``python -m app.batch.workers.simulated_crew`` runs a batch of them with the driver and the manifest
of real ones, lets some fail and some nodes die, and counts.
"""

from __future__ import annotations

import argparse
import heapq
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import closing
from functools import partial
from pathlib import Path

from app.batch.driver import Driver
from app.batch.manifest import Manifest, row_of
from app.batch.progress_display import ProgressDisplay
from app.batch.storage import Results
from app.batch.units import Done, Drive, Recipe, Unit, key_of
from app.batch.workers.crew import Crew, WorkerHandle
from app.config.value_parsers import parse_count, parse_share
from fastscnn.console import run_command


class NodeLost(Exception):
    """The machine of a worker is gone."""


class _Clock(threading.Thread):
    """Thread that calls functions when their time has come."""

    def __init__(self) -> None:
        super().__init__(name="clock", daemon=True)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._changed = threading.Condition()
        self._count = 0

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        with self._changed:
            self._count += 1
            heapq.heappush(self._due, (time.monotonic() + seconds, self._count, call))
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    left = self._due[0][0] - time.monotonic() if self._due else None
                    self._changed.wait(left)
                call = heapq.heappop(self._due)[2]
            call()


class SimulatedCrew(Crew):
    """Workers that sleep, on nodes of which some die in the middle.

    Args:
        size: how many workers.
        nodes: how many machines they are on.
        dying: share of the machines that are lost.
        failing: share of the units that fail.
        seconds: of a unit; each takes between half and one and a half of that.
        seed: of all chances.
    """

    lost = (NodeLost,)

    def __init__(
        self, size: int, nodes: int, dying: float, failing: float, seconds: float, seed: int = 0
    ) -> None:
        self.size, self._nodes = size, nodes
        self._failing, self._seconds = failing, seconds
        self._chance = random.Random(seed)
        self._clock = _Clock()
        self._clock.start()
        self._handles: dict[int, _SleepingHandle] = {}
        self.finished: Counter[str] = Counter()
        """Ends of each unit, by its name."""
        self._dying = self._chance.sample(range(nodes), round(dying * nodes))

    def hire(self, number: int) -> WorkerHandle:
        if not self._handles:  # they die in the middle of the run, whenever that begins
            for node in self._dying:
                self._clock.after(
                    self._seconds * (1 + 2 * self._chance.random()), partial(self._die, node)
                )
        handle = self._handles[number] = _SleepingHandle(self, f"worker {number + 1}")
        return handle

    def sleep(self, unit: Unit) -> Future[Done]:
        """Return the outcome of a unit that takes its time."""
        future: Future[Done] = Future()
        seconds = self._seconds * (0.5 + self._chance.random())
        fails = self._chance.random() < self._failing
        done = (
            Done("failed", "It was to fail.") if fails else Done("done", frames=1, seconds=seconds)
        )

        def end() -> None:
            try:
                future.set_result(done)
            except InvalidStateError:
                return  # its node has died before
            self.finished[unit.name] += 1

        self._clock.after(seconds, end)
        return future

    def _die(self, node: int) -> None:
        """Lose all workers of a machine; others take their numbers elsewhere."""
        for number, handle in list(self._handles.items()):
            if number % self._nodes == node:
                handle.die()


class _SleepingHandle(WorkerHandle):
    def __init__(self, crew: SimulatedCrew, name: str) -> None:
        self._crew, self.name = crew, name
        self.ready = Future()
        self.ready.set_result(None)
        self._future: Future[Done] | None = None
        self._dead = False

    def do(self, unit: Unit) -> Future[Done]:
        if self._dead:
            raise NodeLost
        self._future = self._crew.sleep(unit)
        return self._future

    def die(self) -> None:
        self._dead = True
        if self._future is not None:
            try:
                self._future.set_exception(NodeLost())
            except InvalidStateError:
                return  # between two units: the next one finds out

    def progress(self) -> tuple[int, float | None]:
        return 0, None

    def stop(self) -> None:
        """A sleeper ends by itself."""

    def dismiss(self) -> None:
        """A sleeper holds nothing."""


def simulate(
    folder: Path, units: int, crew: SimulatedCrew
) -> tuple[Counter[str], float, float, int]:
    """Run a batch of sleeping units.

    Args:
        folder: gets the manifest.
        units: how many.
        crew: sleeps.

    Returns:
        Units by state, seconds of the run, seconds of this process's processor, workers lost.
    """
    recipe = Recipe({}, str(folder), "", "")
    drives = [Drive(f"/simulated/{number}", f"{number:06}") for number in range(units)]
    todo = [Unit(drive.name, drive, key_of(drive, recipe, 0)) for drive in drives]
    with closing(Manifest(folder / "manifest.sqlite")) as manifest:
        manifest.put([row_of(unit.drive, recipe, unit.key, 0) for unit in todo])
        display = ProgressDisplay()
        driver = Driver(manifest, crew, recipe, Results(str(folder)), display)
        started, spent = time.monotonic(), time.process_time()
        driver.run(todo)
        seconds, spent = time.monotonic() - started, time.process_time() - spent
        display.close()
        states: Counter[str] = Counter(row.state for row in manifest.rows().values())
    return states, seconds, spent, driver.lost


def main(argv: list[str] | None = None) -> int:
    """Run the simulation; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m app.batch.workers.simulated_crew",
        description="A batch of units that sleep.",
    )
    parser.add_argument("--units", type=parse_count, default=10_000)
    parser.add_argument("--workers", type=parse_count, default=200)
    parser.add_argument("--nodes", type=parse_count, default=20)
    parser.add_argument("--dying", type=parse_share, default=0.1, help="share of the nodes")
    parser.add_argument("--failing", type=parse_share, default=0.01, help="share of the units")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a unit")
    args = parser.parse_args(argv)
    crew = SimulatedCrew(args.workers, args.nodes, args.dying, args.failing, args.seconds)
    with tempfile.TemporaryDirectory() as folder:
        states, seconds, spent, lost = simulate(Path(folder), args.units, crew)
    twice = sum(count > 1 for count in crew.finished.values())
    least = args.units * args.seconds / args.workers
    print(
        f"{args.units} units: {states['done']} done, {states['failed']} failed;"
        f" {len(crew.finished)} ended once, {twice} twice; {lost} workers lost.\n"
        f"{seconds:.1f} s, {least:.1f} s of sleep for each worker; the driver took"
        f" {1000 * spent / args.units:.2f} ms of a processor a unit."
    )
    return 0 if sum(states.values()) == args.units and not twice else 1


if __name__ == "__main__":
    run_command(main)
