"""Crew on a Ray cluster: an actor for each worker, placed where there is room for it."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import tempfile
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.batch.units import Done, Recipe, Unit
from app.batch.workers.crew import Crew, WorkerHandle
from app.batch.workers.unit_worker import UnitWorker
from app.errors import UsageError

_PATIENCE = 5.0
"""Seconds that an actor has for leaving, and a cluster for its first answer."""


class RayCrew(Crew):
    """Actors on a Ray cluster, one for each GPU or for so many processors.

    Ray places them and finds out when one has died. It is not asked to restart actors or repeat
    calls: a unit would then wait for an actor that has no room any more, and nobody would know of
    it. Instead another actor is asked for, which gets units once it has found its place.

    Args:
        recipe: what becomes of each drive.
        address: of the cluster, as Ray takes it.
        processors: for each worker on a cluster without GPUs.
        size: how many workers; ``None`` is as many as the cluster has room for.

    Raises:
        UsageError: there is no Ray, or no cluster.
    """

    def __init__(self, recipe: Recipe, address: str, processors: int, size: int | None) -> None:
        try:
            import ray
        except ImportError as error:
            text = "Ray is not installed: pip install 'fastscnn-live[ray]', or leave --ray out."
            raise UsageError(text) from error
        self._ray: Any = ray
        errors = ray.exceptions
        self.lost = (
            errors.RayActorError,
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.OutOfMemoryError,
            errors.ObjectLostError,
        )
        self._joined = not ray.is_initialized()
        if self._joined:
            _check_reachable(address)
            try:
                ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
            except (ConnectionError, RuntimeError, ValueError) as error:
                text = f"There is no Ray cluster at {address} ({error}): check --ray."
                raise UsageError(text) from error
        there = self._ray.cluster_resources()
        cards, cores = int(there.get("GPU", 0)), int(there.get("CPU", 0))
        wanted = {"num_gpus": 1, "num_cpus": max(1, cores // cards)} if cards else {}
        self._wanted = wanted or {"num_cpus": processors}
        self.size = size or cards or max(1, cores // processors)
        self._recipe = self._ray.put(_portable(recipe))
        self._actor = self._ray.remote(concurrency_groups={"watch": 1})(_Actor)

    def hire(self, number: int) -> WorkerHandle:
        actor = self._actor.options(**self._wanted).remote(self._recipe)
        return _ActorHandle(self._ray, actor, f"worker {number + 1}")

    def close(self) -> None:
        if self._joined:
            self._ray.shutdown()


def _check_reachable(address: str) -> None:
    """Find out whether a machine answers there, for which Ray would try for minutes.

    Raises:
        UsageError: none does.
    """
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        if parts.hostname is None or parts.port is None:
            return  # a word of Ray's own: auto, local
        with socket.create_connection((parts.hostname, parts.port), timeout=_PATIENCE):
            pass
    except (OSError, ValueError) as error:
        text = f"There is no Ray cluster at {address} ({error}): check --ray."
        raise UsageError(text) from error


def _portable(recipe: Recipe) -> Recipe:
    """Return a recipe with the checkpoints that it names, for machines that have no such files."""
    named = {name: recipe.arguments.get(name) for name in ("weights", "weights_b")}
    content = {name: Path(path).read_bytes() for name, path in named.items() if path is not None}
    return replace(recipe, checkpoints=content)


class _Actor:
    """Worker in a process of Ray's; it can be looked at while it works."""

    def __init__(self, recipe: Recipe) -> None:
        self._folder = tempfile.tempdir = tempfile.mkdtemp(prefix="fastscnn-batch-")
        self._worker = UnitWorker(recipe)

    def prepare(self) -> None:
        self._worker.prepare()

    def do(self, unit: Unit) -> Done:
        return self._worker.run(unit)

    def progress(self) -> tuple[int, float | None]:
        return self._worker.frames, self._worker.total

    def stop(self) -> None:
        self._worker.stopping.set()

    def leave(self) -> None:
        """Leave nothing behind on the machine."""
        shutil.rmtree(self._folder, ignore_errors=True)


class _ActorHandle(WorkerHandle):
    def __init__(self, ray: Any, actor: Any, name: str) -> None:
        self._ray, self._actor, self.name = ray, actor, name
        self.ready = actor.prepare.remote().future()
        self._asked: Any = None
        self._last: tuple[int, float | None] = 0, None

    def do(self, unit: Unit) -> Future[Done]:
        self._last, self._asked = (0, None), None
        future: Future[Done] = self._actor.do.remote(unit).future()
        return future

    def progress(self) -> tuple[int, float | None]:
        with contextlib.suppress(self._ray.exceptions.RayError):
            if self._asked is not None:
                if not self._ray.wait([self._asked], timeout=0)[0]:
                    return self._last
                self._last = self._ray.get(self._asked)
            self._asked = self._watch(self._actor.progress)
        return self._last

    def stop(self) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._watch(self._actor.stop)

    def _watch(self, method: Any) -> Any:
        """Call a method beside the unit that is under way."""
        return method.options(concurrency_group="watch").remote()

    def dismiss(self) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError):
            if self.ready.done():  # one that has no place yet would not answer
                self._ray.wait([self._watch(self._actor.leave)], timeout=_PATIENCE)
            self._ray.kill(self._actor)
