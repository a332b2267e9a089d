"""Command of a batch: drives in, a folder of results for each, and a manifest of all."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock, Timeout

from app.batch.batch_options import BatchOptions, build_batch_parser, chosen
from app.batch.drive_listing import find_sources, named_drives
from app.batch.driver import Driver
from app.batch.manifest import Manifest, Row
from app.batch.manifest_place import opened_manifest
from app.batch.plan import Plan, make_plan
from app.batch.progress_display import ProgressDisplay
from app.batch.report_page import write_report_page
from app.batch.storage import DRAFTS, MARKER, Results, lives_in_process, place_of
from app.batch.units import Recipe, digest
from app.batch.workers.crew import Crew
from app.batch.workers.crew_size import local_crew
from app.batch.workers.local_crew import InlineCrew
from app.batch.workers.ray_crew import RayCrew
from app.batch.workers.run_facts import THUMBNAIL
from app.batch.workers.unit_worker import output_names, unit_settings
from app.config.settings import Settings
from app.core.formatting import clock, frames
from app.errors import INTERRUPTED, AppError, OutputError, SourceError, UsageError, WeightsError
from app.headless import checked_outputs
from app.preflight import check_opencv
from app.sinks.output_collisions import check_collisions
from app.sinks.sink_factory import check_sinks, files_from
from app.sources.urls import scheme_of
from fastscnn.console import refusal

_log = logging.getLogger(__name__)

_WHOLE = frozenset(
    {
        *("start", "end", "max_frames", "fps", "video_stream", "steady", "objects", "stats_json"),
        *("record_raw", "record_labels", "alert", "zone", "events", "on_alert"),
    }
)
"""Arguments whose results depend on what came before a part, or cannot be put together."""

_FAILED = SourceError.exit_code


def main(argv: list[str] | None = None) -> int:
    """Run a batch; returns the exit code."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see app.cli.launcher
    given = build_batch_parser().parse_args(argv)
    try:
        batch, arguments = chosen(given)
        logging.basicConfig(
            level=str(arguments.get("log_level", "warning")).upper(),
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        signal.signal(signal.SIGTERM, _interrupt)
        return _run(batch, arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        _log.info("unexpected error", exc_info=error)
        print(f"Error: {refusal(error)}", file=sys.stderr)
        return OutputError.exit_code


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(batch: BatchOptions, arguments: dict[str, Any]) -> int:
    if batch.out is None:
        raise UsageError("A batch needs a folder for its results: add -o OUT.")
    if not batch.source:
        raise UsageError("A batch needs drives: name videos, folders, lists or addresses.")
    check_opencv()
    settings = _checked(arguments)
    recipe = _recipe(batch, batch.out, arguments, settings)
    found = find_sources(batch.source, batch.pattern, place_of(batch.out))
    results = Results(batch.out)
    with _alone(results), opened_manifest(results) as manifest:
        names = {row.source: row.name for row in _drives(manifest)}
        drives = named_drives(found, names)
        plan = make_plan(drives, manifest, recipe, results, batch)
        print(plan.words, file=sys.stderr)
        for drive in drives:
            if drive.error:
                print(f"{drive.name}: {drive.error}", file=sys.stderr)
        results.remove(DRAFTS)
        outcome = _Outcome()
        try:
            crew = _crew(batch, recipe, settings, results, plan) if plan.units else None
            manifest.put(plan.rows)
            if crew is not None:
                outcome = _work(crew, recipe, results, manifest, plan)
            with _in_words(results):
                write_report_page(results, _drives(manifest))
        finally:
            results.remove(DRAFTS)
        return _close_up(outcome, results, manifest, {drive.name for drive in drives})


def _drives(manifest: Manifest) -> list[Row]:
    return [row for row in manifest.rows().values() if row.kind == "drive"]


@contextlib.contextmanager
def _in_words(results: Results) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"The report in {results.shown} cannot be written ({error.strerror or error}):"
            " make room and run the same again; what is done is kept."
        ) from error


@dataclass(frozen=True, slots=True)
class _Outcome:
    frames: int = 0
    seconds: float = 0.0
    lost: int = 0
    interrupted: bool = False


def _crew(
    batch: BatchOptions, recipe: Recipe, settings: Settings, results: Results, plan: Plan
) -> Crew:
    """Return the crew that is to do it, none of whose workers has begun.

    Raises:
        UsageError: it cannot be had.
    """
    sources = [unit.drive.source for unit in plan.units]
    if any(map(lives_in_process, [results.out, *sources])):
        return InlineCrew(recipe)
    if batch.ray is not None:
        return RayCrew(recipe, batch.ray, batch.cpus_per_worker, batch.workers)
    return local_crew(recipe, settings.network, batch.workers)


def _work(crew: Crew, recipe: Recipe, results: Results, manifest: Manifest, plan: Plan) -> _Outcome:
    display = ProgressDisplay()
    started = time.monotonic()
    driver = Driver(manifest, crew, recipe, results, display)
    try:
        driver.run(plan.units)
    finally:
        display.close()
    return _Outcome(driver.frames, time.monotonic() - started, driver.lost, driver.interrupted)


def _close_up(outcome: _Outcome, results: Results, manifest: Manifest, names: set[str]) -> int:
    """Say what was done; returns the exit code."""
    rows = [row for row in manifest.rows().values() if row.name in names]
    done = sum(row.state == "done" for row in rows)
    failed = [row for row in rows if row.state == "failed"]
    parts = [f"{done} of {len(rows)} drives done"]
    if outcome.frames:
        rate = outcome.frames / max(outcome.seconds, 1e-6)
        parts.append(f"{frames(outcome.frames)} in {clock(outcome.seconds)}, {rate:.1f} fps")
    if outcome.lost:
        parts.append(f"{outcome.lost} workers died")
    if failed:
        parts.append(f"{len(failed)} failed")
    print(f"{'; '.join(parts)}: {results.shown}")
    if outcome.interrupted:
        return INTERRUPTED
    return 0 if done == len(rows) else _FAILED


# What is found out before any work


def _checked(arguments: dict[str, Any]) -> Settings:
    """Return the settings of every drive's run, whose outputs can be written.

    Raises:
        AppError: they cannot be, or the arguments do not go together.
    """
    for name in output_names(arguments):
        values = arguments[name]
        for value in values if isinstance(values, list) else [values]:
            path = Path(value)
            if path.is_absolute() or ".." in path.parts or scheme_of(str(value)) is not None:
                raise UsageError(
                    f"{value} lies outside of the drives' folders: give the name that it is to have"
                    " in each of them, like labels.mkv."
                )
            if str(path) in {MARKER, THUMBNAIL}:
                raise UsageError(f"{path} is a file of the batch itself: give another name.")
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder).resolve()
        try:
            return _tried(arguments, inside)
        except AppError as error:
            raise type(error)(_as_typed(str(error), inside)) from error
        except OSError as error:
            raise OutputError(_as_typed(refusal(error), inside)) from error


def _as_typed(text: str, inside: Path) -> str:
    """Return a sentence with names as the user gave them, which were tried in a folder."""
    return text.replace(f"{inside}{os.sep}", "").replace(str(inside), "the drive's folder")


def _tried(arguments: dict[str, Any], inside: Path) -> Settings:
    """Return the settings of a run whose outputs go into a folder, as far as that is possible.

    Raises:
        AppError, OSError: it is not.
    """
    settings = unit_settings(Recipe(arguments, "", "", ""), inside / "drive.mp4", inside)
    recording = settings.recording
    files = [recording.file, recording.labels, settings.run.stats_json, *files_from(settings)]
    if not any(files) and not settings.images and not settings.alerts.on_alert:
        raise UsageError(
            "Nothing would be written: add --save-labels labels.mkv or --data rows.csv, or leave"
            " --no-video out."
        )
    for path in filter(None, files):
        path.parent.mkdir(parents=True, exist_ok=True)
    check_collisions(settings)
    check_sinks(settings)
    checked_outputs(settings)
    return settings


def _check_split(arguments: dict[str, Any]) -> None:
    """Find out whether drives can be done in parts.

    Raises:
        UsageError: something is asked for that only a whole run can make.
    """
    if found := sorted(_WHOLE & set(arguments)):
        flag = f"--{found[0].replace('_', '-')}"
        raise UsageError(f"{flag} is for whole drives: leave it or --split out.")


def _recipe(batch: BatchOptions, out: str, arguments: dict[str, Any], settings: Settings) -> Recipe:
    """Return the recipe of the batch, the weights in files of this machine.

    Raises:
        UsageError: there can be no parts where they are asked for.
        WeightsError: they cannot be had.
    """
    from fastscnn.checkpoints.model_zoo import file_of, resolve
    from fastscnn.checkpoints.zoo_catalog import ZooError

    if batch.part_length is not None:
        _check_split(arguments)
    hashes = []
    arguments = dict(arguments)
    for name in ("weights", "weights_b"):
        wanted = getattr(settings.network, name)
        if wanted is None and name == "weights_b":
            continue
        try:
            path = file_of(None) if wanted is None else resolve(wanted, say=print)
            hashes.append(hashlib.sha256(path.read_bytes()).hexdigest())
        except ZooError as error:
            raise WeightsError(str(error)) from error
        except OSError as error:
            text = f"{path} cannot be read ({error.strerror}): check the path of the weights."
            raise WeightsError(text) from error
        if wanted is not None:
            arguments[name] = str(path.absolute())
    kept = {
        name: value
        for name, value in arguments.items()
        if name not in {"weights", "weights_b", "log_level"}
    }
    place = out if scheme_of(out) is not None else os.path.abspath(out)
    return Recipe(arguments, place, digest(kept), digest(hashes), batch.part_length)


@contextlib.contextmanager
def _alone(results: Results) -> Iterator[None]:
    """Keep other runs out of the results, where they are on this machine's disk."""
    if results.remote:
        yield
        return
    try:
        with FileLock(results.local(".lock"), timeout=0):
            yield
    except Timeout as error:
        raise OutputError(
            f"Another batch works in {results.shown}: wait for its end, or name another folder."
        ) from error
