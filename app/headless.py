"""The run without a window: every frame, in order, as fast as the slowest stage."""

from __future__ import annotations

import contextlib
import queue
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tqdm import tqdm

from app.config.settings import RecordingOptions, Settings
from app.config.shortcuts import load_keys
from app.config.source_settings import settings_of_each
from app.core.events import Event
from app.core.formatting import frames, iou
from app.core.stats import Stats
from app.errors import INTERRUPTED, AppError, OutputError, UsageError
from app.headless_progress import DownloadBar, Progress
from app.pipeline.pipeline import Pipeline
from app.pipeline.status import PipelineStatus
from app.run_report import check_report, reports, write_report
from app.sinks.base import Sink
from app.sinks.recording.encoders import choose
from app.sinks.recording.file_naming import check_output, make_folder, recording_path
from app.sources.source_spec import SourceSpec

if TYPE_CHECKING:
    from app.serve.server import WebServer


class RunProgress(Protocol):
    """Listener to how far a run is, on the thread that follows it."""

    def show(self, status: PipelineStatus) -> None:
        """Learn how far it is, about ten times a second."""

    def close(self) -> None:
        """Learn that it has ended."""


class SourceRun:
    """One source of a run, from its opening to its end.

    Args:
        pipeline: the source's.
        spec: the source.
        progress: shows how far it is.
        name: what messages begin with where there are others.
    """

    def __init__(
        self, pipeline: Pipeline, spec: SourceSpec, progress: RunProgress, name: str = ""
    ) -> None:
        self.pipeline, self.spec, self.progress = pipeline, spec, progress
        self.label = f"{name}: " if name else ""
        self.exit_code: int | None = None
        """``None`` while it is under way."""
        self.ends_all = False
        """True where what serves all sources has failed."""

    def begin(
        self, recording: RecordingOptions, output: Path | None, sinks: Sequence[Sink] = ()
    ) -> None:
        """Open the source, and record it where that is wanted.

        Args:
            recording: how.
            output: where the recording goes, if there is one.
            sinks: get the results too.

        Raises:
            OutputError: the recording cannot be written.
        """
        self.pipeline.start()
        for sink in sinks:
            self.pipeline.sinks.add(sink)
        self.pipeline.open(self.spec)
        if (path := output or recording.labels) is not None:
            self.pipeline.start_recording(
                path,
                labels=recording.labels,
                overwrite=recording.overwrite,
                renames=path != recording.file and path != recording.labels,
            )

    def look(self, patience: float) -> None:
        """Show how far it is, and tell what it has to say within some seconds."""
        try:
            event = self.pipeline.events.get(timeout=patience)
        except queue.Empty:
            event = None
        if self.exit_code is None:
            self.progress.show(self.pipeline.status())
        if event is None:
            return
        if event.kind in {"notice", "recorded"}:
            tqdm.write(self._named(event), file=sys.stderr)
        elif event.kind in {"ended", "error"}:
            self.progress.close()
            self.ends_all = self.ends_all or (event.common and event.kind == "error")
            self.exit_code = max(self.exit_code or 0, self.tell(event))

    def tell(self, event: Event) -> int:
        """Say what an event has to say; its exit code."""
        if event.kind == "error":
            print(f"Error: {self._named(event)}", file=sys.stderr)
        elif event.text and event.kind != "opened":
            print(self._named(event), file=sys.stderr)
        return event.exit_code

    def _named(self, event: Event) -> str:
        """Return a message with its source, unless it says that itself, or is about all."""
        text, name = event.text, self.label.removesuffix(": ")
        said = (
            re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) if event.kind == "error" else None
        )
        nameless = event.common or said or text.startswith(name)
        return text if nameless else f"{self.label}{text}"

    def tell_the_rest(self) -> None:
        """Say what came up when it was stopped."""
        events = self.pipeline.events
        while not events.empty():
            event = events.get()
            if not (self.exit_code and event.kind == "notice"):  # an error has said it all
                self.exit_code = self.tell(event) or self.exit_code


def run_headless(settings: Settings, *, now: Callable[[], float] = time.monotonic) -> int:
    """Process sources to their ends; returns the exit code, the worst where there are several.

    A progress bar of each goes to standard error, or where that is no terminal a line now and then;
    the closing lines go to standard output.

    Args:
        settings: of the run.
        now: clock of those lines, in seconds.
    """
    try:
        if settings.window.keys is not None:  # of no use here, but a name that is wrong is said
            load_keys(settings.window.keys)
        outputs = checked_outputs(settings)
        server = _server(settings)
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    runs = _runs(settings, now)
    first, *others = (run.pipeline for run in runs)
    if server is not None:
        for pipeline in (first, *others):
            server.show(pipeline, partial(_record_or_stop, pipeline))
        server.start()
    started = time.monotonic()
    exit_code = 0
    try:
        for run, output in zip(runs, outputs, strict=True):
            run.begin(settings.recording, output)
        _follow(runs, server)
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        exit_code = error.exit_code
    except KeyboardInterrupt:
        print("Interrupted: closing what was begun.", file=sys.stderr)
        exit_code = INTERRUPTED
    finally:
        # Closing what was begun takes a moment; a second Ctrl+C must not tear it.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for run in runs:
            run.progress.close()
        first.stop(*others)
        if server is not None:
            server.stop()
        signal.signal(signal.SIGINT, before)
    ended = time.monotonic()
    for run in runs:
        run.exit_code = exit_code or run.exit_code
        run.tell_the_rest()
    return _close_up(runs, settings, started, ended)


def _runs(settings: Settings, now: Callable[[], float]) -> list[SourceRun]:
    """Return the runs of all sources that run beside each other, with one network."""
    runs: list[SourceRun] = []
    for place, each in enumerate(settings_of_each(settings)):
        pipeline = Pipeline(each, display=False, beside=runs[0].pipeline if runs else None)
        spec = each.sources[0]
        name = spec.name if settings.beside else ""
        progress = Progress(spec, settings.source, now, name=name, place=place)
        runs.append(SourceRun(pipeline, spec, progress, name))
    return runs


def _follow(runs: Sequence[SourceRun], server: WebServer | None) -> None:
    """Follow all sources to their ends; one that fails leaves the others alone."""
    networks = runs[0].pipeline.networks
    with contextlib.closing(DownloadBar()) as weights:
        while any(run.exit_code is None for run in runs):
            for run in runs:
                run.look(0.1 / len(runs))
            if server is not None:
                server.run_commands()
            weights.show(networks.download)
            if any(run.ends_all for run in runs):
                return


def _close_up(runs: Sequence[SourceRun], settings: Settings, started: float, ended: float) -> int:
    """Say what was done, and report it; returns the exit code."""
    networks = runs[0].pipeline.networks
    ready_at, network = networks.ready_at, networks.info()
    seen = [run for run in runs if run.pipeline.stats.counters().processed]
    if ready_at is not None and seen:
        if network is not None:  # what was used is said, whatever was asked for
            parts = (network.device, network.precision, network.runtime)
            print(f"Network on {', '.join(parts)}.", file=sys.stderr)
        for run in seen:
            line = closing_line(run.pipeline.stats, ended - ready_at, ready_at - started)
            print(f"{run.label}{line}")
            if (verdict := run.pipeline.truth.newest) is not None:
                print(f"{run.label}mean {iou(verdict.so_far)} over {frames(verdict.frames)}")
        if not _keeps_something(settings) and settings.source.labels is None:
            print(
                "Nothing was written: -o FILE keeps a video, --save-labels labels, --data FILE"
                " numbers of every frame.",
                file=sys.stderr,
            )
    exit_code = max(run.exit_code or 0 for run in runs)
    if settings.run.stats_json is not None:
        seconds = ended - ready_at if ready_at is not None else 0.0
        codes = [run.exit_code or 0 for run in runs]
        content = reports([run.pipeline for run in runs], seconds, codes)
        try:
            write_report(settings.run.stats_json, content, overwrite=settings.recording.overwrite)
        except OutputError as error:
            print(f"Error: {error}", file=sys.stderr)
            exit_code = exit_code or error.exit_code
    return exit_code


def _keeps_something(settings: Settings) -> bool:
    """Return whether anything of a run is left, or went elsewhere."""
    recording, run = settings.recording, settings.run
    return any(
        (
            *(recording.file, recording.labels, recording.record_dir),
            *(settings.images, settings.streams, settings.data, settings.objects.objects),
            *(settings.alerts.alert, settings.serve.serve, run.stats_json, run.virtual_camera),
        )
    )


def _server(settings: Settings) -> WebServer | None:
    """Return the server of the page, if one is wanted.

    Raises:
        UsageError: it cannot be had.
    """
    if settings.serve.serve is None:
        return None
    from app.serve.server import WebServer

    return WebServer(settings.serve)


def _record_or_stop(pipeline: Pipeline) -> None:
    """Start a recording in the folder for them, else the current one, or finish that under way."""
    if pipeline.recordings.current is not None:
        pipeline.stop_recording()
    else:
        pipeline.start_recording(pipeline.recording_path(Path()), renames=True)


def checked_outputs(settings: Settings) -> list[Path | None]:
    """Return where the recording of each source goes, checked before any work.

    Raises:
        AppError: there is no source, or an output cannot be written.
    """
    recording, source = settings.recording, settings.first_source
    if source is None:
        raise UsageError("--headless needs a source: name a file, a camera index or demo.")
    outputs: list[Path] = []
    if recording.file is not None:
        outputs.append(recording.file)
    elif recording.record_dir is not None:
        if recording.each:
            make_folder(recording.record_dir)
        for spec in settings.sources if settings.beside else [source]:
            names = recording.record_dir, spec, recording.record_name
            outputs.append(recording_path(*names, taken=outputs))
    if recording.labels is not None:
        check_output(recording.labels, overwrite=recording.overwrite, source=source, labels=True)
    for output in outputs:
        check_output(output, overwrite=recording.overwrite, source=source)
    if outputs:
        choose(recording.encoder, (256, 256), say=lambda _: None)  # said when it is used
    if settings.run.stats_json is not None:
        check_report(settings.run.stats_json, overwrite=recording.overwrite)
    return [*outputs] or [None] * (len(settings.sources) if settings.beside else 1)


def closing_line(stats: Stats, seconds: float, start_up: float) -> str:
    """Frames, seconds, fps end to end, and what each stage alone would reach.

    Args:
        stats: the run's counts and times.
        seconds: from the loaded network to the closed file.
        start_up: seconds before that.
    """
    counters = stats.counters()
    parts = [f"{frames(counters.processed)} in {seconds:.1f} s after {start_up:.1f} s of start-up"]
    if seconds > 0:  # a coarse clock may see none in a short clip
        parts.append(f"{counters.processed / seconds:.1f} fps end to end")
    if counters.dropped_total:
        causes = ", ".join(f"{n} {cause}" for cause, n in sorted(counters.dropped.items()))
        parts.append(f"{counters.dropped_total} dropped ({causes})")
    if counters.not_recorded_total:
        causes = ", ".join(f"{n} {cause}" for cause, n in sorted(counters.not_recorded.items()))
        parts.append(f"{counters.not_recorded_total} not recorded ({causes})")
    if counters.unreadable:
        parts.append(f"{counters.unreadable} could not be read")
    rates = stats.stage_rates()
    stages = ", ".join(f"{stage} {rate:.0f}" for stage, rate in rates.items())
    return f"{'; '.join(parts)} (fps of each stage alone: {stages})"
