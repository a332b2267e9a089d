"""Progress of a run without a window, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tqdm import tqdm

from app.config.settings import SourceOptions
from app.core.formatting import clock, frames
from app.inference.network_loader import Download
from app.pipeline.status import PipelineStatus
from app.sources.source_spec import SourceSpec


class Progress:
    """Progress of one source: a bar in a terminal, else a line now and then.

    Args:
        spec: the source.
        options: how sources are read.
        now: clock of the lines, in seconds.
        name: what the source is called, empty where there is no other.
        place: row of the bar, from the top.
    """

    def __init__(
        self,
        spec: SourceSpec,
        options: SourceOptions,
        now: Callable[[], float],
        *,
        name: str = "",
        place: int = 0,
    ) -> None:
        # What is played in part, or over and over, does not end where the source says.
        self._partly = options.loop or spec.start > 0 or spec.end is not None
        self._max_frames = options.max_frames
        self._bar = tqdm(
            desc=name or None, unit="frame", dynamic_ncols=True, disable=None, position=place
        )
        self._lines = _ProgressLines(now, f"{name}: " if name else "")

    def show(self, status: PipelineStatus) -> None:
        """Show how far the source is."""
        if self._bar.total is None and status.source is not None:
            stated = None if self._partly else status.source.frames
            self._bar.total = min((n for n in (stated, self._max_frames) if n), default=None)
        self._bar.update(status.counters.processed - self._bar.n)
        self._lines.show(status, self._bar.total)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


class DownloadBar:
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
        name: what each begins with, after the time.
    """

    _EVERY = 30.0

    def __init__(self, now: Callable[[], float], name: str) -> None:
        self._now, self._name = now, name
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
        print(f"{clock(now - self._begun)}: {self._name}{text}", file=sys.stderr, flush=True)
        self._said, self._frames = now, done
