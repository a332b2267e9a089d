"""The run without a window: every frame, in order, as fast as the slowest stage."""

from __future__ import annotations

import contextlib
import queue
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from app.config.settings import Settings
from app.core.events import Event
from app.core.formatting import clock, frames
from app.core.stats import Stats
from app.errors import INTERRUPTED, AppError, OutputError, UsageError
from app.inference.network_loader import Download
from app.pipeline.pipeline import Pipeline
from app.pipeline.status import PipelineStatus
from app.run_report import check_report, report, write_report
from app.sinks.recording.encoders import choose
from app.sinks.recording.file_naming import check_output, recording_path
from app.sources.source_spec import SourceSpec

if TYPE_CHECKING:
    from app.serve.server import WebServer


def run_headless(settings: Settings, *, now: Callable[[], float] = time.monotonic) -> int:
    """Process a source to its end; returns the exit code.

    A progress bar goes to standard error, or where that is no terminal a line now and then; the
    closing line goes to standard output.

    Args:
        settings: of the run.
        now: clock of those lines, in seconds.
    """
    try:
        output, source = _checked_output(settings)
        server = _server(settings)
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    labels = settings.recording.labels
    pipeline = Pipeline(settings, display=False)
    if server is not None:
        server.show(pipeline, lambda: _record_or_stop(pipeline))
        server.start()
    started = time.monotonic()
    exit_code = 0
    try:
        pipeline.start()
        pipeline.open(source)
        if (path := output or labels) is not None:
            pipeline.start_recording(
                path,
                labels=labels,
                overwrite=settings.recording.overwrite,
                renames=path != settings.recording.file and path != labels,
            )
        exit_code = _follow(pipeline, settings, _ProgressLines(now), server)
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        exit_code = error.exit_code
    except KeyboardInterrupt:
        print("Interrupted: closing what was begun.", file=sys.stderr)
        exit_code = INTERRUPTED
    finally:
        # Closing what was begun takes a moment; a second Ctrl+C must not tear it.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        pipeline.stop()
        if server is not None:
            server.stop()
        signal.signal(signal.SIGINT, before)
    ended = time.monotonic()
    while not pipeline.events.empty():
        event = pipeline.events.get()
        if not (exit_code and event.kind == "notice"):  # an error has said all there is to say
            exit_code = _tell(event) or exit_code
    return _close_up(pipeline, settings, started, ended, exit_code)


def _close_up(
    pipeline: Pipeline, settings: Settings, started: float, ended: float, exit_code: int
) -> int:
    """Say what was done, and report it; returns the exit code."""
    ready_at = pipeline.networks.ready_at
    if ready_at is not None and pipeline.stats.counters().processed:
        network = pipeline.status().network
        if network is not None:  # what was used is said, whatever was asked for
            parts = (network.device, network.precision, network.runtime)
            print(f"Network on {', '.join(parts)}.", file=sys.stderr)
        print(closing_line(pipeline.stats, ended - ready_at, ready_at - started))
    if settings.run.stats_json is not None:
        seconds = ended - ready_at if ready_at is not None else 0.0
        try:
            content = report(pipeline, seconds, exit_code)
            write_report(settings.run.stats_json, content, overwrite=settings.recording.overwrite)
        except OutputError as error:
            print(f"Error: {error}", file=sys.stderr)
            exit_code = exit_code or error.exit_code
    return exit_code


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


def _checked_output(settings: Settings) -> tuple[Path | None, SourceSpec]:
    """Return where the recording goes and what is opened, checked before any work.

    Raises:
        AppError: there is no source, or an output cannot be written.
    """
    recording, source = settings.recording, settings.first_source
    if source is None:
        raise UsageError("--headless needs a source: name a file, a camera index or demo.")
    output = recording.file
    if output is None and recording.record_dir is not None:
        output = recording_path(recording.record_dir, source, recording.record_name)
    if recording.labels is not None:
        check_output(recording.labels, overwrite=recording.overwrite, source=source, labels=True)
    if output is not None:
        check_output(output, overwrite=recording.overwrite, source=source)
        choose(recording.encoder, (256, 256), say=lambda _: None)  # said when it is used
    if settings.run.stats_json is not None:
        check_report(settings.run.stats_json, overwrite=recording.overwrite)
    return output, source


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


def _tell(event: Event) -> int:
    """Say what an event has to say; its exit code."""
    if event.kind == "error":
        print(f"Error: {event.text}", file=sys.stderr)
    elif event.text and event.kind != "opened":
        print(event.text, file=sys.stderr)
    return event.exit_code


def _partly(settings: Settings) -> bool:
    """Return whether something else than the whole source is played once."""
    spec = settings.first_source
    return settings.source.loop or (spec is not None and (spec.start > 0 or spec.end is not None))


class _DownloadBar:
    """A bar for weights that are being downloaded, for as long as they are."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def show(self, download: Download | None) -> None:
        if download is None:
            self.close()
            return
        if self._bar is None:
            self._bar = tqdm(
                desc="weights",
                unit="B",
                unit_scale=True,
                dynamic_ncols=True,
                leave=False,
                disable=None,
            )
        self._bar.total = download.total
        self._bar.update(download.done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _ProgressLines:
    """Lines for a log, in which a bar would be noise: one in half a minute.

    Args:
        now: clock in seconds.
    """

    _EVERY = 30.0

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._begun = self._said = now()
        self._frames = 0

    def show(self, status: PipelineStatus, total: float | None) -> None:
        now = self._now()
        passed = now - self._said
        if passed < self._EVERY or sys.stderr.isatty():
            return
        done, download = status.counters.processed, status.download
        if download is not None:
            share = f", {100 * download.done // download.total} %" if download.total else ""
            text = f"downloading the weights{share}"
        elif status.network is None:
            text = "loading the network"
        elif status.state == "opening":
            text = "opening the source"
        else:
            of = f"{done} of {total:.0f} frames" if total else frames(done)
            text = f"{of}, {(done - self._frames) / passed:.1f} per second"
        print(f"{clock(now - self._begun)}: {text}", file=sys.stderr, flush=True)
        self._said, self._frames = now, done


def _follow(
    pipeline: Pipeline, settings: Settings, lines: _ProgressLines, server: WebServer | None
) -> int:
    exit_code = 0
    with (
        tqdm(unit="frame", dynamic_ncols=True, disable=None) as bar,
        contextlib.closing(_DownloadBar()) as weights,
    ):
        while True:
            try:
                event = pipeline.events.get(timeout=0.1)
            except queue.Empty:
                event = None
            if server is not None:
                server.run_commands()
            status = pipeline.status()
            weights.show(status.download)
            if bar.total is None and status.source is not None:
                stated = None if _partly(settings) else status.source.frames
                totals = [n for n in (stated, settings.source.max_frames) if n]
                bar.total = min(totals, default=None)
            bar.update(status.counters.processed - bar.n)
            lines.show(status, bar.total)
            if event is None:
                continue
            if event.kind in {"notice", "recorded"}:
                tqdm.write(event.text, file=sys.stderr)
            if event.kind == "ended":
                bar.close()
                _tell(event)
                return exit_code
            if event.kind == "error":
                bar.close()
                return _tell(event)
