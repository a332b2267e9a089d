"""Unit worker: does one unit after the other with a network that is loaded once."""

from __future__ import annotations

import errno
import logging
import shutil
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from app.batch.storage import MARKER, Interrupted, Results, fetch, is_address
from app.batch.units import Done, Drive, Part, Recipe, Unit
from app.batch.workers.joining import join, joined_facts
from app.batch.workers.run_facts import THUMBNAIL, FactSink
from app.batch.workers.splitting import cuts
from app.cli.argument_parser import settings_from
from app.config.settings import Settings
from app.core.events import Event
from app.core.memory import share_heaps
from app.errors import AppError, unforeseen
from app.headless import SourceRun
from app.inference.network_loader import KeptNetworks, NetworkLoader
from app.pipeline.pipeline import Pipeline
from app.pipeline.status import PipelineStatus
from app.run_report import report, write_report
from app.sources.source_spec import SourceSpec
from fastscnn.outputs import write_json

_log = logging.getLogger(__name__)

_TICK = 0.1
_FULL = {errno.ENOSPC, errno.EDQUOT}


def output_names(arguments: dict[str, Any]) -> list[str]:
    """Return which arguments name what is written: paths do, but for a program that is run."""
    return [
        name
        for name, value in arguments.items()
        if name == "output"
        or (name != "on_alert" and any(isinstance(each, Path) for each in _each(value)))
    ]


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


class UnitWorker:
    """Does units on one thread; how it stands may be read, and it may be stopped, on any.

    Args:
        recipe: what becomes of each drive.

    Attributes:
        frames: of the unit under way, so far.
        total: of it in all, as far as known.
        stopping: set to end at the next frame.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._kept: KeptNetworks = {}
        self._results = Results(recipe.out)
        self._fetched: tuple[str, tempfile.TemporaryDirectory[str], Path] | None = None
        self.frames = 0
        self.total: float | None = None
        self.stopping = threading.Event()

    def prepare(self) -> None:
        """Load the networks, in the process that works.

        Raises:
            AppError: they cannot be had or loaded.
        """
        share_heaps()
        arguments = dict(self._recipe.arguments)
        for name, content in self._recipe.checkpoints.items():
            folder = Path(tempfile.mkdtemp(prefix="fastscnn-batch-"))
            path = folder / PurePosixPath(str(arguments.get(name) or "fastscnn.pth")).name
            path.write_bytes(content)
            arguments[name] = str(path)
        self._recipe = replace(self._recipe, arguments=arguments, checkpoints={})
        options = unit_settings(self._recipe).network
        loader = NetworkLoader(say=_log.info, watch=lambda _: None, kept=self._kept)
        loader.load(options)
        if options.weights_b is not None:
            loader.load(replace(options, weights=options.weights_b))

    def show(self, status: PipelineStatus) -> None:
        """Learn how far the run of a unit is."""
        self.frames = status.counters.processed
        self.total = status.source.frames if status.source is not None else None

    def close(self) -> None:
        """Learn that it has ended."""

    def run(self, unit: Unit) -> Done:
        """Do a unit; what goes wrong with it is in its outcome."""
        self.frames, self.total = 0, None
        started = time.monotonic()
        try:
            done = self._found(unit) or self._do(unit)
        except Interrupted:
            done = Done("waiting")
        except AppError as error:
            done = Done("failed", str(error), full=is_full(error))
        except OSError as error:
            words = (
                f"The results of {unit.drive.name} cannot be written ({error.strerror or error})"
            )
            done = Done(
                "failed", f"{words}: make room, or name another folder.", full=is_full(error)
            )
        except Exception as error:  # one broken file must not cost the night
            _log.info("unexpected error", exc_info=error)
            done = Done("failed", f"{unforeseen(error)}.")
        return replace(done, seconds=done.seconds or round(time.monotonic() - started, 3))

    def _found(self, unit: Unit) -> Done | None:
        """The outcome of a unit that is whole already, by a worker that did not live to tell."""
        marker = self._results.marker(unit.name) if unit.kind != "plan" else None
        return Done.from_json(marker) if marker and marker.get("key") == unit.key else None

    def _do(self, unit: Unit) -> Done:
        source = self._source(unit.drive)
        if unit.kind == "plan":
            return Done("done", cuts=cuts(source, self._recipe.part_length or 0.0))
        draft = self._results.draft()
        try:
            if unit.kind == "join":
                done = self._join(unit, source, draft)
            else:
                done = self._annotate(unit, source, draft)
            if done.state == "done":
                write_json(draft / MARKER, done.as_json(unit.key))
                self._results.commit(draft, unit.name)
            return done
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _source(self, drive: Drive) -> Path:
        """Return the file of a drive; a copy stays for the next unit, which may be of it too."""
        if not is_address(drive.source):
            return Path(drive.source)
        if self._fetched is not None:
            address, folder, path = self._fetched
            if address == drive.source:
                return path
            self._fetched = None
            folder.cleanup()
        folder = tempfile.TemporaryDirectory(prefix="fastscnn-batch-")
        try:
            path = fetch(drive.source, Path(folder.name), self.stopping)
        except BaseException:
            folder.cleanup()
            raise
        self._fetched = drive.source, folder, path
        return path

    def _join(self, unit: Unit, source: Path, draft: Path) -> Done:
        """Put the parts of a drive together.

        Raises:
            AppError, OSError: they do not fit, or cannot be read or written.
        """
        found = [self._results.marker(name) or {} for name, _ in unit.parts]
        parts = [Done.from_json(marker) for marker in found]
        pieces = [piece for _, piece in unit.parts]
        hears = self._recipe.arguments.get("audio", True)
        with tempfile.TemporaryDirectory(prefix="fastscnn-batch-") as folder:
            folders = [
                self._results.get(name, Path(folder, str(number)))
                for number, (name, _) in enumerate(unit.parts)
            ]
            join(folders, pieces, [part.frames for part in parts], draft, source if hears else None)
            middle = folders[len(folders) // 2] / THUMBNAIL
            if middle.exists():
                shutil.copyfile(middle, draft / THUMBNAIL)
        return Done(
            "done",
            notice=" ".join(part.notice for part in parts if part.notice),
            frames=sum(part.frames for part in parts),
            seconds=round(sum(part.seconds for part in parts), 3),
            length=round(sum(part.length for part in parts), 3),
            facts=joined_facts([part.facts for part in parts]),
        )

    def _annotate(self, unit: Unit, source: Path, draft: Path) -> Done:
        """Process a drive, or a part of one, into a folder."""
        started = time.monotonic()
        settings = unit_settings(self._recipe, source, draft, unit.part)
        pipeline = Pipeline(settings, display=False, kept=self._kept)
        facts = FactSink(pipeline.events, draft)
        spec = settings.first_source
        assert spec is not None
        run = _UnitRun(pipeline, spec, self, unit.drive.name)
        try:
            run.begin(settings.recording, settings.recording.file, [facts])
            while run.exit_code is None and not self.stopping.is_set():
                run.look(_TICK)
        finally:
            pipeline.stop()
        run.tell_the_rest()
        seconds = time.monotonic() - started
        self.frames = pipeline.stats.counters().processed
        if run.exit_code is None:
            return Done("waiting")
        if run.exit_code:
            text = run.error.replace(f"{draft}/", f"{unit.name}/")
            return Done("failed", text, frames=self.frames, full=_disk_is_full(pipeline))
        if (path := settings.run.stats_json) is not None:
            write_report(path, report(pipeline, seconds, 0), overwrite=False)
        return Done(
            "done",
            notice=run.notice,
            frames=self.frames,
            seconds=round(seconds, 3),
            length=round(facts.length, 3),
            facts=facts.facts() | {"unreadable": pipeline.stats.counters().unreadable},
        )


class _UnitRun(SourceRun):
    """Headless run that keeps its sentences, and tells its worker how far it is."""

    def __init__(self, pipeline: Pipeline, spec: SourceSpec, worker: UnitWorker, name: str) -> None:
        super().__init__(pipeline, spec, worker, name)
        self.error = self.notice = ""

    def note(self, text: str) -> None:
        _log.info("%s", text)

    def tell(self, event: Event) -> int:
        if event.kind == "error":
            self.error = self.error or event.text
        elif event.kind == "ended":
            self.notice = event.text
        elif event.kind == "notice":
            super().tell(event)
        return event.exit_code


def unit_settings(
    recipe: Recipe, source: Path | None = None, folder: Path = Path(), part: Part | None = None
) -> Settings:
    """Return the settings of a headless run for a drive, or a part of one.

    Args:
        recipe: has the arguments.
        source: the file; ``None`` checks the arguments alone.
        folder: where outputs go.
        part: what is done of the file; its sound is left to who puts the parts together.

    Raises:
        AppError: the arguments do not go together.
    """
    arguments: dict[str, Any] = {**recipe.arguments, "headless": True}
    for name in output_names(arguments):
        arguments[name] = _inside(folder, arguments[name])
    if source is not None:
        arguments["source"] = (str(source),)
    if part is None:
        return settings_from(Namespace(**arguments))
    arguments["start"] = part.start
    if part.end is not None:
        arguments["end"] = part.end
    settings = settings_from(Namespace(**arguments))
    recording = replace(settings.recording, begin=part.origin, audio=False)
    return replace(settings, recording=recording)


def _inside(folder: Path, value: Any) -> Any:
    """Return names as paths in a folder, of the type that they have."""
    if isinstance(value, list | tuple):
        return type(value)(_inside(folder, each) for each in value)
    if isinstance(value, str):  # a slash at the end says that it is a folder
        return str(folder / value) + "/" * value.endswith("/")
    return folder / value


def is_full(error: BaseException | None) -> bool:
    """Return whether an error, or what caused it, is that of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__
    return False


def _disk_is_full(pipeline: Pipeline) -> bool:
    return any(is_full(getattr(sink, "error", None)) for sink in pipeline.sinks.all())
