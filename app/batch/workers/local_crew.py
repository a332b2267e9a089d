"""Crew on this machine: a process for each worker, with a network of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from typing import Any

from tqdm import tqdm

from app.batch.units import Done, Recipe, Unit
from app.batch.workers.crew import Crew, WorkerHandle
from app.batch.workers.unit_worker import UnitWorker
from app.errors import AppError

_TICK = 0.5
_ENDS = signal.SIGINT, signal.SIGTERM
"""Signals of a terminal or a service manager, to all processes: the driver answers for them."""


class WorkerDied(Exception):
    """The process of a worker is gone."""


class LocalCrew(Crew):
    """Processes of this machine.

    Args:
        recipe: what becomes of each drive.
        size: how many workers.
        processors: of each of them; none leaves them all to all.
        devices: for one worker after the other; none leaves it to the recipe.
    """

    lost = (WorkerDied,)

    def __init__(
        self,
        recipe: Recipe,
        size: int,
        processors: list[set[int]] | None = None,
        devices: tuple[str, ...] = (),
    ) -> None:
        self._recipe, self.size = recipe, size
        self._processors, self._devices = processors, devices
        self._handles: dict[int, _ProcessHandle] = {}

    def close(self) -> None:
        for handle in self._handles.values():
            handle.dismiss()
        for handle in self._handles.values():
            handle.join()

    def hire(self, number: int) -> WorkerHandle:
        recipe = self._recipe
        if self._devices:
            device = self._devices[number % len(self._devices)]
            recipe = replace(recipe, arguments={**recipe.arguments, "device": device})
        processors = self._processors[number % len(self._processors)] if self._processors else None
        if (before := self._handles.pop(number, None)) is not None:
            before.join()
        try:
            with _held_back():
                handle = _ProcessHandle(f"worker {number + 1}", recipe, processors)
                self._handles[number] = handle
        except OSError as error:
            raise AppError(
                f"Worker {number + 1} cannot be begun ({error.strerror or error}): try fewer"
                " --workers."
            ) from error
        return handle


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Hold signals back, from a process too that is begun meanwhile and cannot answer them yet."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # which a process brings about, and would let them through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _ProcessHandle(WorkerHandle):
    """Handle of a process, which has a line to the driver for itself.

    Of its end of the line the driver keeps nothing: however and whenever the process dies, in the
    middle of an answer too, the line ends, so that nobody waits for the rest. A pool's queue would
    stay open, or locked.
    """

    def __init__(self, name: str, recipe: Recipe, processors: set[int] | None) -> None:
        self.name = name
        self._folder = tempfile.mkdtemp(prefix="fastscnn-batch-")
        context = get_context("spawn")  # a fork would copy threads' locks, of libraries too
        self._line, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(recipe, processors, theirs, self._folder), name=name
        )
        self._process.start()
        theirs.close()
        self._last: tuple[int, float | None] = 0, None
        self._listener = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.ready = self._listener.submit(self._hear)

    def _hear(self) -> Any:
        """Return the next answer; how far the worker is comes before it."""
        try:
            while True:
                kind, content = self._line.recv()
                if kind == "answer":
                    break
                self._last = content
        except (EOFError, OSError) as error:
            raise WorkerDied from error
        if isinstance(content, AppError):
            raise content
        return content

    def do(self, unit: Unit) -> Future[Done]:
        self._last = 0, None
        try:
            self._line.send(unit)
        except OSError as error:
            raise WorkerDied from error
        return self._listener.submit(self._hear)

    def progress(self) -> tuple[int, float | None]:
        return self._last

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._line.send(None)

    def dismiss(self) -> None:
        self._process.kill()  # what is whole has its name by now

    def join(self) -> None:
        """Wait until the process, which was dismissed, has ended, and leave nothing of it."""
        self._process.join()
        self._listener.shutdown()
        self._line.close()
        shutil.rmtree(self._folder, ignore_errors=True)


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


def _serve(
    recipe: Recipe, processors: set[int] | None, line: Connection[Any, Any], folder: str
) -> None:
    """Do one unit after the other, as long as the driver lives."""
    for each in _ENDS:  # the driver says what Ctrl+C is to do
        signal.signal(each, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
    if processors is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, processors)
    level = str(recipe.arguments.get("log_level", "warning")).upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    tempfile.tempdir = folder
    tqdm.set_lock(threading.RLock())  # its own is one for all processes, which nobody would release
    worker = UnitWorker(recipe)
    units: queue.SimpleQueue[Unit] = queue.SimpleQueue()
    speaking = threading.Lock()
    threading.Thread(
        target=_listen, args=(worker, line, speaking, units, folder), name="line", daemon=True
    ).start()
    answer: AppError | Done | None = _prepared(worker)
    while True:
        with speaking, contextlib.suppress(OSError):  # the listener sees that nobody is there
            worker.frames, worker.total = 0, None
            line.send(("answer", answer))
        answer = worker.run(units.get())


def _prepared(worker: UnitWorker) -> AppError | None:
    """Load the networks; the error is returned."""
    try:
        worker.prepare()
    except AppError as error:
        return error
    except Exception as error:
        logging.getLogger(__name__).info("unexpected error", exc_info=error)
        return AppError(f"The network cannot be loaded ({type(error).__name__}: {error}).")
    return None


def _listen(
    worker: UnitWorker,
    line: Connection[Any, Any],
    speaking: threading.Lock,
    units: queue.SimpleQueue[Unit],
    folder: str,
) -> None:
    """Take what the driver has to say, tell it how far the worker is, and end with it."""
    last = None
    with contextlib.suppress(OSError, EOFError):
        while True:
            if not line.poll(_TICK):
                with speaking:
                    if (now := (worker.frames, worker.total)) != last:
                        line.send(("progress", now))
                        last = now
            elif (unit := line.recv()) is not None:
                units.put(unit)
            else:
                worker.stopping.set()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)  # nobody waits for the unit, and its draft is nobody's
