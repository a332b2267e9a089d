"""Recordings of a run: begun, named and ended by the user, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.config.settings import RecordingOptions
from app.core.cancel_token import CancelToken
from app.core.events import EventBus
from app.core.stats import Stats
from app.sinks.fan_out import FanOut
from app.sinks.recording.file_naming import labels_path, raw_path, recording_path
from app.sinks.recording.recorder import Recorder, RecordingInfo
from app.sources.source_spec import SourceSpec


class Recordings:
    """Starts recorders among the sinks of a run.

    Args:
        sinks: get every recorder.
        options: of all recordings; they may be changed for those that are begun from then on.
        stats: where frames and encoding times are counted.
        events: where the end of a recording is reported.
    """

    def __init__(
        self, sinks: FanOut, options: RecordingOptions, stats: Stats, events: EventBus
    ) -> None:
        if sinks.display is None:
            options = replace(options, on_switch="close")
        self.options = options
        self._sinks, self._stats, self._events = sinks, stats, events

    @property
    def _keeps_labels(self) -> bool:
        return self.options.record_labels or self.options.labels is not None

    @property
    def current(self) -> Recorder | None:
        """Recording in progress."""
        recorders = self._sinks.of(Recorder)
        return next((each for each in reversed(recorders) if not each.closed), None)

    def info(self) -> RecordingInfo | None:
        """Return facts of the recording in progress."""
        recorder = self.current
        return recorder.info() if recorder is not None else None

    def new_path(self, folder: Path, source: SourceSpec | None) -> Path:
        """Return a new name by the user's pattern; the user's own folder goes first."""
        options = self.options
        # A file is made with its first frame: those of recordings just begun are not there yet.
        taken = [recorder.path for recorder in self._sinks.of(Recorder)]
        beside = [labels_path] * self._keeps_labels + [raw_path] * options.record_raw
        where = options.record_dir or folder
        return recording_path(where, source, options.record_name, taken=taken, beside=beside)

    def start(
        self,
        path: Path,
        source: SourceSpec | None,
        *,
        labels: Path | None,
        overwrite: bool,
        before: CancelToken | None = None,
        rename: Callable[[], Path] | None = None,
    ) -> None:
        """Record to a file in place of the recording in progress.

        Args:
            path: the file; the same as ``labels`` to record nothing but labels.
            source: what is recorded.
            labels: file for the labels.
            overwrite: replace files that are there.
            before: token of frames that were on their way before and are not recorded.
            rename: gives another name where ``path`` is taken when the file is made.

        Raises:
            UsageError: its name does not end as that of a recording.
            OutputError: the file cannot be written.
        """
        self.stop()
        if labels is None and self._keeps_labels:
            labels = labels_path(path)
        recorder = Recorder(
            path,
            self._stats,
            self._events,
            self.options,
            labels=labels,
            raw=raw_path(path) if self.options.record_raw and path != labels else None,
            overwrite=overwrite,
            source=source,
            before=before,
            rename=rename,
        )
        self._sinks.add(recorder)

    def stop(self) -> None:
        """Close the recording in progress; an event tells when it is done."""
        if self.current is not None:
            self.current.finish()

    def all(self) -> list[tuple[RecordingInfo, str]]:
        """Return all recordings, with the error that ended each, or an empty text."""
        recorders = self._sinks.of(Recorder)
        return [(r.info(), str(r.error) if r.error else "") for r in recorders]
