"""The pipeline: owns the threads and the channels between them; the only place that wires them.

Source ── capture thread ──▶ inbox ──▶ worker ──┬─▶ display slot (newest wins) ─▶ window
                                                └─▶ recorder (bounded) ─▶ MP4
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.errors import AppError
from app.pipeline.capture import Capture
from app.pipeline.channels import Channel, Closed
from app.pipeline.frame import EndOfSource, Frame, Result
from app.pipeline.network import Download, Loader
from app.pipeline.recorder import Recorder, RecordingInfo
from app.pipeline.stats import Counters, Stats
from app.pipeline.view import ViewOptions
from app.pipeline.worker import Worker
from app.settings import Settings
from app.sources.base import SourceInfo
from app.sources.spec import SourceSpec

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter

_log = logging.getLogger(__name__)

State = Literal["empty", "opening", "playing", "paused", "ended", "failed"]
"""Where the pipeline stands with its source."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something the user should know.

    Attributes:
        kind: ``opened``, ``ended``, ``recorded`` and ``notice`` inform; ``error`` is an error.
        text: one sentence, may be empty where there is nothing to say.
        exit_code: what a headless run ends with, for errors.
    """

    kind: Literal["opened", "ended", "recorded", "notice", "error"]
    text: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """What runs the network: shown so that nothing falls back silently."""

    device: str
    precision: str
    weights: str
    origin: str = ""
    """The implementation that the weights come from, empty for our own."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The pipeline at one moment, for the window and the progress bar.

    Attributes:
        state: where it stands with its source.
        source: the open source.
        network: what runs the network; ``None`` until it is loaded.
        network_size: (height, width) that the network sees of the open source.
        fps: frames finished per second, lately.
        latency: seconds from capture to screen, lately.
        position: presentation time of the newest frame, in seconds.
        counters: frames so far by what became of them.
        stages: mean seconds per frame by stage, lately.
        recording: the recording under way.
        skip, view: the options in force.
        broken: the network ended with an error; no picture comes any more.
        download: the weights that are being downloaded.
    """

    state: State
    source: SourceInfo | None
    network: NetworkInfo | None
    network_size: tuple[int, int] | None
    fps: float
    latency: float
    position: float
    counters: Counters
    stages: dict[str, float] = field(default_factory=dict)
    recording: RecordingInfo | None = None
    skip: bool = True
    view: ViewOptions = field(default_factory=ViewOptions)
    broken: bool = False
    download: Download | None = None


class Pipeline:
    """Runs one source at a time through the network.

    All methods may be called from any one thread and return at once, except ``stop``.

    Args:
        settings: what the user chose.
        display: whether results are shown; without a display no frame of a file is dropped.
        wake: called from the worker's thread whenever a new result can be taken.
    """

    def __init__(
        self, settings: Settings, *, display: bool, wake: Callable[[], None] | None = None
    ) -> None:
        self.stats = Stats()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.view = settings.view
        self.skip = settings.skip
        self.generation = 0
        self.ready_at: float | None = None
        """Monotonic time at which the network was loaded."""
        self._settings, self._display, self._wake = settings, display, wake
        # Two places: the end of a source may wait behind its last frame.
        self._inbox: Channel[Frame | EndOfSource] = Channel(2)
        self._slot: Channel[Result] = Channel(1)
        self._playing = threading.Event()
        self._playing.set()
        self._lock = threading.Lock()
        self._state: State = "empty"
        self._spec: SourceSpec | None = None
        self._source: SourceInfo | None = None
        self._segmenter: Segmenter | None = None
        self._weights: str | Path | None = settings.weights
        self._wanted: str | Path | None = settings.weights
        # What was loaded and is not in use yet, with its name.
        self._arriving: dict[Segmenter, str | Path | None] = {}
        self._download: Download | None = None
        self._loader = Loader(
            settings,
            say=lambda text: self.events.put(Event("notice", text)),
            watch=self._downloading,
        )
        self._broken = False
        self._position = 0.0
        self._capture: Capture | None = None
        self._recorder: Recorder | None = None
        self._recorders: list[Recorder] = []
        self._worker = Worker(
            lambda: self._loader.load(settings.weights),
            self._inbox,
            self.stats,
            self,
            ready=self._network_ready,
            deliver=self._deliver,
            ended=self._source_ended,
            failed=self._network_failed,
        )

    # Commands

    def start(self) -> None:
        """Load the network; a source can be opened before or after."""
        self._worker.start()

    def open(self, spec: SourceSpec) -> None:
        """Play a source in place of the one before it; a recording under way is closed."""
        previous = self._capture
        if previous is not None:
            previous.ask_to_stop()
        self.stop_recording()
        with self._lock:
            self.generation += 1
            self._spec, self._source, self._state, self._position = spec, None, "opening", 0.0
        self._playing.set()
        # A capture that waits for room would hold its device: make room.
        self.stats.drop("switched", sum(isinstance(i, Frame) for i in self._inbox.drain()))
        self._capture = Capture(
            spec,
            self.generation,
            self._inbox,
            self.stats,
            playing=self._playing,
            lossless=self._lossless,
            paced=self._display,
            max_frames=self._settings.max_frames,
            opened=self._source_opened,
            previous=previous,
        )
        self._capture.start()

    def pause(self) -> None:
        """Hold a file, or the picture of a live source."""
        with self._lock:
            if self._state == "playing":
                self._state = "paused"
                self._playing.clear()

    def play(self) -> None:
        """Go on after a pause; a source that has ended starts again."""
        with self._lock:
            if self._state == "paused":
                self._state = "playing"
                self._playing.set()
        if self._state == "ended" and self._spec is not None:
            self.open(self._spec)

    def start_recording(self, path: Path, *, overwrite: bool = False) -> None:
        """Record what is shown from the next frame on.

        Raises:
            OutputError: the file cannot be written.
        """
        self.stop_recording()
        recorder = Recorder(
            path,
            rate=self._source_rate,
            stats=self.stats,
            closed=self._recorder_closed,
            overwrite=overwrite,
            source=self._spec,
        )
        recorder.start()
        self._recorders.append(recorder)
        self._recorder = recorder

    def stop_recording(self) -> None:
        """Close the recording under way; an event tells when it is done."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.finish()

    def use_weights(self, weights: str | Path | None) -> None:
        """Go on with other weights once they are loaded; ``None`` is the shipped checkpoint.

        They are a name of the zoo, a path or an address, as ``fastscnn.zoo.resolve`` takes them.
        Frames are served with the old ones meanwhile, and further if the new ones cannot be had.
        """
        with self._lock:
            self._wanted = weights
        # Not a daemon: torch must not be cut off in the middle at exit.
        threading.Thread(target=self._load, args=(weights,), name="loader").start()

    def stop(self) -> None:
        """End all threads in order; a recording under way is closed and playable."""
        capture = self._capture
        if capture is not None:
            capture.ask_to_stop()
        self._loader.ask_to_stop()
        self._worker.ask_to_stop()
        self._inbox.close()
        if self._worker.ident is not None:
            self._worker.join()
        self.stop_recording()
        for recorder in self._recorders:
            recorder.join()
        if capture is not None:
            # A driver that does not return is left behind: its thread dies with the process, for
            # which the command line waits a little longer (app.cli).
            capture.join(0.5)
        self._slot.close()
        left = sum(isinstance(i, Frame) for i in self._inbox.drain())
        left += sum(not r.repeated for r in self._slot.drain())
        self.stats.drop("stopped", left)

    # What the window reads

    def take(self) -> Result | None:
        """The newest result, if there is one that was not taken yet; it then counts as shown."""
        try:
            result = self._slot.get(timeout=0)
        except Closed:
            return None
        if result is not None and not result.repeated:
            self.stats.finished(result.frame.captured, shown=True)
        return result

    def snapshot(self) -> Snapshot:
        """The pipeline at this moment."""
        with self._lock:
            state, source, segmenter = self._state, self._source, self._segmenter
            weights = self._weights
        recorder = self._recorder
        network = size = None
        if segmenter is not None:
            network = NetworkInfo(
                str(segmenter.device),
                segmenter.precision,
                Path(weights).name if weights else "shipped weights",
                segmenter.origin,
            )
            if source is not None:
                size = segmenter.network_size(source.height, source.width)
        return Snapshot(
            state,
            source,
            network,
            size,
            self.stats.fps(),
            self.stats.latency(),
            self._position,
            self.stats.counters(),
            self.stats.recent_stages(),
            recorder.info() if recorder else None,
            self.skip,
            self.view,
            self._broken,
            self._download,
        )

    # What the threads report

    def _source_rate(self) -> float | None:
        source = self._source
        return source.rate if source is not None else None

    def _lossless(self) -> bool:
        return not self._display or self._recorder is not None

    def _downloading(self, download: Download | None) -> None:
        self._download = download

    def _load(self, weights: str | Path | None) -> None:
        try:
            segmenter = self._loader.load(weights)
        except Closed:
            return
        except Exception as error:
            with self._lock:
                wanted = self._wanted
                if wanted == weights:
                    self._wanted = self._weights
            self._failed(error)
            return
        with self._lock:
            if weights != self._wanted:
                return  # the user has chosen again meanwhile
            self._arriving[segmenter] = weights
        self._worker.use(segmenter)

    def _network_ready(self, segmenter: Segmenter) -> None:
        with self._lock:
            self._segmenter = segmenter
            self._weights = self._arriving.pop(segmenter, self._weights)
            self._broken = False
        if self.ready_at is None:
            self.ready_at = time.monotonic()
        if segmenter.origin:
            text = f"These weights come from {segmenter.origin} and run as they were trained there."
            self.events.put(Event("notice", text))

    def _source_opened(self, generation: int, info: SourceInfo) -> None:
        with self._lock:
            if generation != self.generation:
                return
            self._source, self._state = info, "playing"
        self.events.put(Event("opened", info.name))

    def _deliver(self, result: Result) -> None:
        self._position = result.frame.time
        recorder = self._recorder
        if recorder is not None and not result.repeated:
            frame = result.frame
            if not recorder.put(result.picture, frame.time, wait=frame.lossless):
                self.stats.count("not_recorded")
        if not self._display:
            self.stats.finished(result.frame.captured, shown=False)
            return
        lost = self._slot.replace(result)
        self.stats.drop("display", sum(not r.repeated for r in lost))
        if self._wake is not None:
            self._wake()

    def _source_ended(self, end: EndOfSource) -> None:
        with self._lock:
            if end.generation != self.generation:
                return
            self._state = "failed" if end.error else "ended"
        self.stop_recording()
        if end.error is not None:
            self._failed(end.error)
        else:
            self.events.put(Event("ended", end.notice))

    def _recorder_closed(self, recorder: Recorder) -> None:
        if self._recorder is recorder:
            self._recorder = None
        if recorder.error is not None:
            self.events.put(Event("error", str(recorder.error), recorder.error.exit_code))
        elif recorder.frames:
            self.events.put(Event("recorded", f"Saved {recorder.frames} frames: {recorder.path}"))
        else:
            self.events.put(Event("notice", "Nothing was recorded: no frame came in that time."))

    def _network_failed(self, error: BaseException) -> None:
        self._broken = True
        self._failed(error)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, AppError):
            _log.info("%s", error, exc_info=error)
            self.events.put(Event("error", str(error), error.exit_code))
        else:
            _log.info("unexpected error", exc_info=error)
            text = (
                f"Something unforeseen went wrong ({type(error).__name__}: {error}):"
                " run again with --log-level info and report what it prints."
            )
            self.events.put(Event("error", text, AppError.exit_code))
