"""The pipeline: owns the threads and the channels between them; the only place that wires them.

Source ── capture thread ──▶ inbox ──▶ worker ──┬─▶ display slot (newest wins) ─▶ window
                                                └─▶ recorder (bounded) ─▶ MP4
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.config.settings import Settings
from app.core.channel import Channel, Closed
from app.core.events import Event
from app.core.frame import EndOfSource, Frame, Result
from app.core.stats import DropCause, Stats
from app.core.watchdog import Watchdog
from app.errors import AppError
from app.inference.network_manager import NetworkManager
from app.inference.worker import Worker
from app.pipeline.capture import Capture
from app.pipeline.playback import Loop, Playback, SeekRequest
from app.pipeline.status import PipelineStatus, State
from app.sinks.image_folder import ImageFolderWriter
from app.sinks.recording.file_naming import labels_path, recording_path
from app.sinks.recording.recorder import Recorder, RecordingInfo
from app.sources.base import SourceInfo
from app.sources.source_spec import SourceSpec

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter

_log = logging.getLogger(__name__)


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
        self.skip = settings.network.skip
        self.generation = 0
        self.ready_at: float | None = None
        """Monotonic time at which the network was loaded."""
        self._settings, self._display, self._wake = settings, display, wake
        # Two places: the end of a source may wait behind its last frame.
        self._inbox: Channel[Frame | EndOfSource] = Channel(2)
        self._slot: Channel[Result] = Channel(1)
        self._lock = threading.Lock()
        self._opening = 0
        """Generation at which the source was opened; those after it are moves in it."""
        self._shown_from = 0
        """The oldest generation whose pictures may still be shown."""
        self._playback = Playback(self._begin_move, loop="whole" if settings.source.loop else None)
        self._state: State = "empty"
        self._spec: SourceSpec | None = None
        self._source: SourceInfo | None = None
        self._watchdog = Watchdog(
            self.stats,
            lambda text: self.events.put(Event("notice", text)),
            excused=lambda task: task == "capture" and self._offline() is not None,
        )
        self._position = 0.0
        self._capture: Capture | None = None
        self._recorder: Recorder | None = None
        self._recorders: list[Recorder] = []
        self._instead: tuple[SourceSpec, float, bool] | None = None
        """What to go on with if the source being opened does not open, from when, and playing."""
        self._writers: list[ImageFolderWriter] = []
        self._worker = Worker(
            lambda: self.networks.load_first(both=not display),
            self._inbox,
            self.stats,
            self,
            ready=self._network_ready,
            deliver=self._deliver,
            ended=self._source_ended,
            failed=self._network_failed,
            shrunk=lambda segmenter: self.networks.shrunk(segmenter),
        )
        self.networks = NetworkManager(
            settings.network,
            use=self._worker.use,
            compare=self._worker.compare_with,
            say=lambda text: self.events.put(Event("notice", text)),
            failed=self._failed,
        )

    # Commands

    def start(self) -> None:
        """Load the network; a source can be opened before or after."""
        for output in self._settings.images:
            writer = ImageFolderWriter(output, closed=self._writer_closed)
            writer.start()
            self._writers.append(writer)
        self._worker.start()
        self._watchdog.start()
        if self._display and self._settings.network.weights_b is not None:
            self.networks.compare_with(self._settings.network.weights_b)

    def open(self, spec: SourceSpec) -> None:
        """Play a source in place of the one before it, or of none.

        Where it does not open, the one that played before goes on where it was, after an error.
        A recording under way is closed, or goes on with it: ``Settings.on_switch``.
        """
        previous = self._capture
        if previous is not None:
            previous.ask_to_stop()
        if self._settings.recording.on_switch == "close":
            self.stop_recording()
        before = self._playback
        before.close()  # none of its moves may begin behind the opening
        with self._lock:
            # A source that is still being opened has nothing to go on with; the one before it has.
            if self._state != "opening":
                self._instead = None
            if self._display and self._spec is not None and self._state in {"playing", "paused"}:
                self._instead = (self._spec, self._position, self._state == "playing")
            instead = self._instead
            self.generation += 1
            self._opening = self._shown_from = self.generation
            self._spec, self._source, self._state = spec, None, "opening"
            self._position = spec.start
            # A part to repeat belongs to one file; repeating and speed are a way of playing.
            loop = before.loop if before.loop == "whole" else None
            self._playback = Playback(self._begin_move, speed=before.speed, loop=loop)
        # A capture that waits for room would hold its device: make room.
        self.stats.drop("switched", sum(isinstance(i, Frame) for i in self._inbox.drain()))
        self._capture = Capture(
            self._settings.complete(spec, display=self._display),
            self.generation,
            self._inbox,
            self.stats,
            playback=self._playback,
            lossless=self._lossless,
            paced=self._display,
            held=self._nothing_to_show,
            max_frames=self._settings.source.max_frames,
            opened=self._source_opened,
            tell=lambda text: self.events.put(Event("notice", text)),
            previous=previous,
            instead=(
                (self._settings.complete(instead[0], display=self._display), instead[1])
                if instead is not None
                else None
            ),
            failed=self._failed,
        )
        self._capture.start()

    def pause(self) -> None:
        """Hold a file, or the picture of a live source."""
        with self._lock:
            if self._state == "playing":
                self._state = "paused"
                self._playback.playing = False
                self._playback.wake()

    def play(self) -> None:
        """Go on after a pause; a source that has ended starts again."""
        with self._lock:
            state, spec = self._state, self._spec
            again = state == "ended" and self._source is not None and self._source.seekable
            if state == "paused" or again:
                self._state = "playing"
                self._playback.playing = True
                self._playback.wake()
            loop = self._playback.loop
        if isinstance(loop, tuple) and (again or state == "paused") and self._outside(loop):
            self._playback.move(SeekRequest(loop[0]))
        elif spec is not None and again:
            self._playback.move(SeekRequest(spec.start))
        elif spec is not None and state == "ended":
            self.open(spec)

    def seek(self, seconds: float) -> None:
        """Show the frame of a time, exactly, and go on from there.

        What plays plays on; what is paused or has ended stands at the frame sought. Where the
        source is not seekable nothing happens. Before the beginning and behind the end it is the
        first and the last frame.

        Raises:
            ValueError: the time is no finite number.
        """
        if not math.isfinite(seconds):
            raise ValueError(f"cannot seek to {seconds}")
        with self._lock:
            if not self._movable():
                return
            duration = self._source.duration if self._source is not None else None
            self._position = max(0.0, min(seconds, duration or seconds))
            if self._state == "ended":
                self._stand()
        self._playback.move(SeekRequest(seconds))

    def step(self, frames: int) -> None:
        """Pause, and go so many frames further, or back where negative."""
        with self._lock:
            if self._source is None or not self._movable() or frames == 0:
                return
            # What plays is ahead of what is seen: the step counts from that.
            seen = self._state == "playing" and not self._playback.moving
            move = SeekRequest(self._position if seen else None, frames)
            self._stand()
        self._playback.move(move)

    def set_speed(self, factor: float) -> None:
        """Play files at a multiple of their own pace, 0.25 to 4; others come at theirs."""
        self._playback.speed = min(max(factor, 0.25), 4.0)
        self._playback.wake()

    def set_loop(self, loop: Loop) -> None:
        """Play a part (seconds from, to), or ``"whole"``, over and over; ``None`` plays on.

        Who stands elsewhere stays there, to go to the part once it plays.

        Raises:
            ValueError: the part is empty.
        """
        if isinstance(loop, tuple):
            begin, end = loop
            if not 0 <= begin < end:
                raise ValueError(f"cannot repeat from {begin} to {end}")
            self._playback.loop = loop
            if self._state == "playing" and self._outside(loop):
                self.seek(begin)
        self._playback.loop = loop
        self._playback.wake()

    def recording_path(self, folder: Path) -> Path:
        """A new name for a recording, by the user's pattern; the user's own folder goes first."""
        settings = self._settings
        # A file is made with its first frame: those of recordings just begun are not there yet.
        taken = [recorder.path for recorder in self._recorders]
        options = settings.recording
        where, labels = options.record_dir or folder, options.labels is not None
        return recording_path(where, self._spec, options.record_name, taken=taken, labels=labels)

    def start_recording(
        self, path: Path, *, labels: Path | None = None, overwrite: bool = False
    ) -> None:
        """Record what is shown from the next frame on.

        Args:
            path: the file; the same as ``labels`` to record nothing but labels.
            labels: file for the labels; where the user wants them, ``None`` is one beside ``path``.
            overwrite: replace files that are there.

        Raises:
            OutputError: the file cannot be written.
        """
        self.stop_recording()
        if labels is None and self._settings.recording.labels is not None:
            labels = labels_path(path)
        recorder = Recorder(
            path,
            labels=labels,
            rate=self._source_rate,
            stats=self.stats,
            closed=self._recorder_closed,
            say=lambda text: self.events.put(Event("notice", text)),
            choice=self._settings.recording.encoder,
            sound=self._sound_of,
            overwrite=overwrite,
            source=self._spec,
        )
        recorder.start()
        self._recorders.append(recorder)
        self._recorder = recorder
        with self._lock:
            stands = self._state == "paused" and self._source is not None and self._source.seekable
        if stands:
            self._playback.move(
                SeekRequest(None)
            )  # the picture that is seen is the recording's first

    def stop_recording(self) -> None:
        """Close the recording under way; an event tells when it is done."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.finish()

    def close(self) -> None:
        """Let go of the source, or give up opening it; a recording under way is closed."""
        if self._capture is not None:
            self._capture.ask_to_stop()
        self.stop_recording()
        self._playback.close()
        with self._lock:
            self.generation += 1
            self._opening = self._shown_from = self.generation
            self._spec, self._source, self._state, self._position = None, None, "empty", 0.0
        self.stats.drop("switched", sum(isinstance(i, Frame) for i in self._inbox.drain()))

    def stop(self) -> None:
        """End all threads in order; a recording under way is closed and playable."""
        capture = self._capture
        if capture is not None:
            capture.ask_to_stop()
        self._watchdog.ask_to_stop()
        self.networks.ask_to_stop()
        self._worker.ask_to_stop()
        self._inbox.close()
        if self._worker.ident is not None and not self._worker.loading:
            # Importing torch cannot be cut short and touches nothing that has to be put in order:
            # who waits for the end of the program shall not wait for that (app.cli).
            self._worker.join()
        self.stop_recording()
        writers = list(self._writers)
        for writer in writers:
            writer.finish()
        for thread in (*self._recorders, *writers):
            thread.join()
        if capture is not None:
            # A driver that does not return is left behind: its thread dies with the process, for
            # which the command line waits a little longer (app.cli).
            capture.join(0.5)
        self._slot.close()
        left = sum(isinstance(i, Frame) for i in self._inbox.drain())
        left += sum(not r.repeated for r in self._slot.drain())
        self.stats.drop("stopped", left)

    # What the window reads

    def current_settings(self) -> Settings:
        """Return the settings with view, weights and network options as they are in use now."""
        info = self.networks.info()
        network = info.options if info is not None else self._settings.network
        return replace(self._settings, view=self.view, network=network)

    def take(self) -> Result | None:
        """The newest result, if there is one that was not taken yet; it then counts as shown."""
        try:
            result = self._slot.get(timeout=0)
        except Closed:
            return None
        if result is not None and result.frame.generation < self._shown_from:
            cause = self.stale(result.frame.generation)
            self.stats.drop(cause or "seek", int(not result.repeated))
            return None
        if result is not None and not result.repeated:
            self.stats.finished(result.frame.captured, shown=True)
        return result

    def status(self) -> PipelineStatus:
        """The pipeline at this moment."""
        if self._display:
            self.stats.alive("display")
        with self._lock:
            state, source = self._state, self._source
        recorder, segmenter, size = self._recorder, self.networks.segmenter, None
        if segmenter is not None and source is not None:
            size = segmenter.network_size(source.height, source.width)
        return PipelineStatus(
            state,
            source,
            self.networks.info(),
            size,
            self.stats.fps(),
            self.stats.latency(),
            self._position,
            self.stats.counters(),
            self.stats.recent_stages(),
            recorder.info() if recorder else None,
            self.skip,
            self.view,
            self.networks.broken,
            self.networks.download,
            source is not None and source.seekable,
            self._playback.speed,
            self._playback.loop,
            self.networks.loading,
            self._offline(),
            self._watchdog.stuck,
        )

    def recordings(self) -> list[tuple[RecordingInfo, str]]:
        """All recordings of the run, with the error that ended each, empty where none did."""
        return [(r.info(), str(r.error) if r.error else "") for r in self._recorders]

    @property
    def names(self) -> tuple[str, str]:
        """What the checkpoint in use and the second one are called."""
        return self.networks.names

    def stale(self, generation: int) -> DropCause | None:
        """Why frames of a generation are not to be shown any more, if so."""
        if generation == self.generation:
            return None
        return "seek" if generation >= self._opening else "switched"

    # What the threads report

    def _movable(self) -> bool:
        if self._source is None:
            return self._state == "opening"
        return self._source.seekable and self._state != "failed"

    def _outside(self, part: tuple[float, float]) -> bool:
        """Whether what is seen is no frame of a part that repeats."""
        return not part[0] <= self._position < part[1] - 1e-3

    def _stand(self) -> None:
        if self._state != "opening":
            self._state = "paused"
        self._playback.playing = False

    def _begin_move(self, following: bool) -> int:
        with self._lock:
            self.generation += 1
            generation = self.generation
            self._shown_from = generation - following
        # A capture that waits for room would not come to the move: make room.
        waiting = self._inbox.drain()
        self.stats.drop("seek", sum(isinstance(item, Frame) for item in waiting))
        return generation

    def _source_rate(self) -> float | None:
        source = self._source
        return source.rate if source is not None else None

    def _offline(self) -> float | None:
        return self._capture.offline_for if self._capture is not None else None

    def _sound_of(self, opening: int) -> Path | None:
        """The file whose sound belongs to pictures of an opening, if there is one."""
        with self._lock:
            spec = self._spec if opening == self._opening else None
        if spec is None or spec.kind != "file" or not self._settings.recording.audio:
            return None
        return Path(spec.value).expanduser()

    def _nothing_to_show(self) -> bool:
        """Whether the first network is still being loaded: what played now would be missed."""
        return self.ready_at is None and not self.networks.broken

    def _lossless(self) -> bool:
        return not self._display or self._recorder is not None or bool(self._writers)

    def _network_ready(self, segmenter: Segmenter) -> None:
        self.networks.ready(segmenter)
        self._playback.settled(self.generation)
        if self.ready_at is None:
            self.ready_at = time.monotonic()

    def _source_opened(self, generation: int, info: SourceInfo, back: bool) -> None:
        with self._lock:
            if generation != self._opening:
                return
            self._source = info
            instead, self._instead = self._instead, None
            if instead is not None and back:
                self._spec, self._position, self._playback.playing = instead
            self._state = "playing" if self._playback.playing else "paused"
            playback = self._playback
        playback.opened(seekable=info.seekable)
        if instead is not None and back and not instead[2]:
            playback.move(SeekRequest(instead[1]))  # a picture that stands needs to come once
        self.events.put(Event("opened", info.name))

    def _deliver(self, result: Result) -> None:
        if not self._playback.asked:
            self._position = result.frame.time
        self._playback.settled(result.frame.generation)
        recorder = self._recorder
        if recorder is not None and not result.repeated:
            # The divider may have moved since the sides were drawn.
            now = replace(result.view, split=self.view.split, sweep=self.view.sweep)
            recorder.put(replace(result, view=now), wait=result.frame.lossless)
        for writer in list(self._writers):
            if not result.repeated:
                writer.put(result, wait=result.frame.lossless)
        if not self._display:
            self.stats.finished(result.frame.captured, shown=False)
            return
        lost = self._slot.replace(result)
        self.stats.drop("display", sum(not r.repeated for r in lost))
        if self._wake is not None:
            self._wake()

    def _source_ended(self, end: EndOfSource) -> None:
        with self._lock:
            if end.generation != self.generation and (
                end.error is None or end.generation < self._opening
            ):
                return  # another source was opened, or the user went elsewhere
            self._state = "failed" if end.error else "ended"
        self._playback.settled(end.generation)
        if self._settings.recording.on_switch == "close" or not self._display:
            self.stop_recording()
        if end.error is not None:
            self._failed(end.error)
        else:
            self.events.put(Event("ended", end.notice))

    def _writer_closed(self, writer: ImageFolderWriter) -> None:
        self._writers.remove(writer)
        if writer.error is not None:
            self.events.put(Event("error", str(writer.error), writer.error.exit_code))
        elif writer.written:
            self.events.put(Event("recorded", writer.summary()))

    def _recorder_closed(self, recorder: Recorder) -> None:
        if self._recorder is recorder:
            self._recorder = None
        if recorder.error is not None:
            self.events.put(Event("error", str(recorder.error), recorder.error.exit_code))
        elif recorder.frames:
            self.events.put(Event("recorded", recorder.summary()))
        else:
            self.events.put(Event("notice", "Nothing was recorded: no frame came in that time."))

    def _network_failed(self, error: BaseException) -> None:
        self.networks.broken = True
        self._playback.settled(self.generation)
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
