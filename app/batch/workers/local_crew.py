"""Crew on this machine: a process for each worker, with a network of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import active_children, get_context
from multiprocessing.connection import Connection
from typing import Any

from app.batch.units import Done, Recipe, Unit
from app.batch.workers.crew import Crew, WorkerHandle
from app.batch.workers.unit_worker import UnitWorker

_TICK = 0.2


class LocalCrew(Crew):
    """Processes of this machine.

    Each has a pool to itself: the death of a process ends all that is in its pool.

    Args:
        recipe: what becomes of each drive.
        size: how many workers.
        processors: of each of them; none leaves them all to all.
        devices: for one worker after the other; none leaves it to the recipe.
    """

    lost = (BrokenProcessPool,)

    def __init__(
        self,
        recipe: Recipe,
        size: int,
        processors: list[set[int]] | None = None,
        devices: tuple[str, ...] = (),
    ) -> None:
        self._recipe, self.size = recipe, size
        self._processors, self._devices = processors, devices
        self._handles: list[_ProcessHandle] = []

    def close(self) -> None:
        for handle in self._handles:
            handle.join()

    def hire(self, number: int) -> WorkerHandle:
        recipe = self._recipe
        if self._devices:
            device = self._devices[number % len(self._devices)]
            recipe = replace(recipe, arguments={**recipe.arguments, "device": device})
        processors = self._processors[number % len(self._processors)] if self._processors else None
        handle = _ProcessHandle(f"worker {number + 1}", recipe, processors)
        self._handles.append(handle)
        return handle


class _ProcessHandle(WorkerHandle):
    def __init__(self, name: str, recipe: Recipe, processors: set[int] | None) -> None:
        self.name = name
        context = get_context("spawn")  # a fork would copy threads' locks, of libraries too
        # Of two processes alone: a queue of several would stay locked by one that is killed.
        self._line, theirs = context.Pipe()
        self._pool = ProcessPoolExecutor(
            1, mp_context=context, initializer=_begin, initargs=(recipe, processors, theirs)
        )
        before = set(active_children())
        self.ready = self._pool.submit(_prepare)
        self._processes = set(active_children()) - before
        theirs.close()
        self._last: tuple[int, float | None] = 0, None

    def do(self, unit: Unit) -> Future[Done]:
        self._last = 0, None
        return self._pool.submit(_do, unit)

    def progress(self) -> tuple[int, float | None]:
        with contextlib.suppress(OSError, EOFError):
            while self._line.poll():
                self._last = self._line.recv()
        return self._last

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._line.send("stop")

    def dismiss(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._line.close()
        for process in self._processes:  # what is whole has its name by now
            process.kill()

    def join(self) -> None:
        """Wait until the process, which was dismissed, has ended."""
        for process in self._processes:
            process.join()


class InlineCrew(Crew):
    """One worker on a thread of this process, for what no other process sees: ``memory://``.

    Args:
        recipe: what becomes of each drive.
    """

    lost = ()
    size = 1

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    def hire(self, number: int) -> WorkerHandle:
        return _ThreadHandle(UnitWorker(self._recipe))


class _ThreadHandle(WorkerHandle):
    name = "this process"

    def __init__(self, worker: UnitWorker) -> None:
        self._worker = worker
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="unit")
        self.ready = self._pool.submit(worker.prepare)

    def do(self, unit: Unit) -> Future[Done]:
        return self._pool.submit(self._worker.run, unit)

    def progress(self) -> tuple[int, float | None]:
        return self._worker.frames, self._worker.total

    def stop(self) -> None:
        self._worker.stopping.set()

    def dismiss(self) -> None:
        self._worker.stopping.set()
        self._pool.shutdown(wait=True)


# In the process of a worker

_worker: UnitWorker


def _begin(recipe: Recipe, processors: set[int] | None, line: Connection[Any, Any]) -> None:
    """Begin a worker in this process."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver tells it what Ctrl+C is to do
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if processors is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, processors)
    level = str(recipe.arguments.get("log_level", "warning")).upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _worker = UnitWorker(recipe)
    threading.Thread(target=_talk, args=(_worker, line), name="line", daemon=True).start()


def _talk(worker: UnitWorker, line: Connection[Any, Any]) -> None:
    """Tell the driver how the worker stands, and end with it, however it ends."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            if line.poll(_TICK):
                line.recv()
                worker.stopping.set()
            line.send((worker.frames, worker.total))
    os._exit(1)  # nobody waits for the unit, and its draft is nobody's


def _prepare() -> None:
    _worker.prepare()


def _do(unit: Unit) -> Done:
    return _worker.run(unit)
