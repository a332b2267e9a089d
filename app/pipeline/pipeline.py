"""Pipeline: owns threads and channels, and wires them; nothing else does.

The way of a frame::

    Source.read → Picture → Capture stamps Frame → inbox → Worker → Engine → Prediction → Result
        → SessionSet (position, seeks) and FanOut → each Sink: display, recorder, image folder

Results and ends of sources are delivered on the worker's thread, to the sessions first. A new sink
is a file in ``app.sinks`` and a line in its factory: nothing here knows its kind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.config.settings import Settings
from app.core.channel import Channel
from app.core.events import CommonEvents, EventBus
from app.core.frame import EndOfSource, Frame, Result
from app.core.live_options import LiveOptions
from app.core.memory import return_freed_memory
from app.core.stats import Stats
from app.core.watch import Watch, Watches
from app.core.watchdog import Watchdog
from app.inference.adaptive_size import AdaptiveSize
from app.inference.feed import Feed, Turns
from app.inference.network_loader import KeptNetworks
from app.inference.network_manager import NetworkManager
from app.inference.overview import Overview
from app.inference.truth import Truth
from app.inference.worker import Worker
from app.pipeline.capture_policy import CapturePolicy
from app.pipeline.session import Session, SessionParts
from app.pipeline.session_set import SessionSet
from app.pipeline.status import PipelineStatus, status_of
from app.rendering.view_options import ViewOptions
from app.sinks.base import Sink
from app.sinks.display import DisplaySink
from app.sinks.fan_out import FanOut
from app.sinks.guest_sink import GuestSink
from app.sinks.recording.recordings import Recordings
from app.sinks.sink_factory import own_sinks, shared_sinks
from app.sources.source_spec import SourceSpec


class Pipeline:
    """Runs one source at a time through the network.

    All methods may be called from any one thread and return at once, except ``stop``.

    Args:
        settings: what the user chose.
        display: whether results are shown; without a display no frame of a file is dropped.
        wake: called from the worker's thread whenever a new result can be taken.
        beside: another pipeline, whose network serves this one too, in turns, and whose files of
            data and alerts get its frames too.
        kept: networks that stay loaded from one run to the next, by their options.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        display: bool,
        wake: Callable[[], None] | None = None,
        beside: Pipeline | None = None,
        kept: KeptNetworks | None = None,
    ) -> None:
        self.settings = settings
        self.stats, self.events = Stats(), EventBus()
        ignored = settings.source.ignore_region
        self.live = LiveOptions(settings.view, settings.network.skip, ignored)
        watches = Watches(Watch(settings.alerts.zone, settings.alerts.alert))
        self.watches: Watches = beside.watches if beside is not None else watches
        self._is_host = beside is None
        self._leaving: threading.Thread | None = None
        self._written: list[Sink]
        if beside is None:
            common = CommonEvents(self.events)
            self.networks = NetworkManager(
                settings.network, common, load_both=not display, kept=kept
            )
            adaptive = AdaptiveSize(self._rate, self._size_held, self.networks.tell_size)
            self.worker = Worker(self.networks, Turns(), adaptive if display else None)
            shared = shared_sinks(settings, common, self.watches, shown=display)
        else:
            self.networks, self.worker = beside.networks, beside.worker
            shared = [GuestSink(sink) for sink in beside._written if sink.shared]
        self._written = [*shared, *own_sinks(settings, self.stats, self.events)]
        shown: list[Sink] = [DisplaySink(self.stats, wake)] if display else []
        self.sinks = FanOut([*shown, *self._written], self.live, self.stats)
        self.recordings = Recordings(self.sinks, settings.recording, self.stats, self.events)
        # Two places: the end of a source may wait behind its last frame.
        self._inbox: Channel[Frame | EndOfSource] = Channel(2, self.worker.turns.changed)
        policy = CapturePolicy(
            paced=display or any(sink.paced for sink in self._written),
            lossless=lambda: self.sinks.lossless,
            max_frames=settings.source.max_frames,
        )
        self.sessions = SessionSet(
            SessionParts(self._inbox, policy, self.stats, self.events),
            loop="whole" if settings.source.loop else None,
            resumes=display,
        )
        of, source = settings.first_source, settings.source
        self.overview = Overview()
        classes = self.networks.classes_in_use
        self.truth = Truth(self.events, of, source.labels, source.merge, classes)
        self._feed = Feed(
            self._inbox,
            (self.sessions, self.sinks),
            self.live,
            self.stats,
            truth=self.truth,
            overview=self.overview,
        )
        self.worker.turns.add(self._feed)
        self._watchdog = self._made_watchdog()

    def _made_watchdog(self) -> Watchdog:
        return Watchdog(
            self.stats,
            lambda text: self.events.notice(text, "stuck"),
            kind=lambda: spec.kind if (spec := self.session.opened_spec) is not None else "demo",
            excused=lambda task: task == "capture" and self.session.offline_for is not None,
        )

    def _rate(self) -> float | None:
        """Return the frames per second that ``--input-size auto`` holds, as far as known."""
        target, session = self.settings.network.target_fps, self.session
        source = session.source
        if target is not None or source is None or source.rate is None:
            return target
        return source.rate * session.playback.speed

    def _size_held(self) -> bool:
        """Return whether ``--input-size auto`` must leave the size as it is."""
        recorded = self.recordings.current is not None
        return recorded and not self.settings.network.record_adaptive

    @property
    def session(self) -> Session:
        """Current session: pause, play, seek, step, speed and loop are its."""
        return self.sessions.current

    def start(self) -> None:
        """Load the network; a source can be opened before or after."""
        self.sinks.start()
        self._watchdog.start()
        if self.worker.ident is not None:
            return  # the network of the pipeline that this one is beside
        self.worker.start()
        if self.sinks.display is not None and self.settings.network.weights_b is not None:
            self.networks.compare_with(self.settings.network.weights_b)

    def open(self, spec: SourceSpec) -> None:
        """Play a source in place of the one before it, or of none.

        Where it does not open, the one that played before goes on where it was, after an error.
        A recording in progress is closed, or goes on with it: ``RecordingOptions.on_switch``.
        """
        if self.recordings.options.on_switch == "close":
            self.stop_recording()
        self.sessions.open(self.settings.complete(spec, display=self.sinks.display is not None))

    def play(self) -> None:
        """Go on after a pause; a source that has ended starts again."""
        if not self.session.play():
            self.open(self.session.spec)

    def close(self) -> None:
        """Close the source, or cancel opening it. Finishes a recording in progress."""
        self.stop_recording()
        self.sessions.close()

    def recording_path(self, folder: Path) -> Path:
        """Return a new name for a recording of the current source."""
        return self.recordings.new_path(folder, self.session.opened_spec)

    def start_recording(
        self,
        path: Path,
        *,
        labels: Path | None = None,
        overwrite: bool = False,
        renames: bool = False,
    ) -> None:
        """Record what is shown; a file from the frame that is seen on, at its end from its start.

        Args:
            path: the file; the same as ``labels`` to record nothing but labels.
            labels: file for the labels; where the user wants them, ``None`` is one beside ``path``.
            overwrite: replace files that are there.
            renames: take another name of ``recording_path`` where this one is taken by then.

        Raises:
            UsageError: its name does not end as that of a recording.
            OutputError: the file cannot be written.
        """
        if self.session.state == "ended" and not self.session.is_seekable:
            self.play()
        session = self.session
        # Of the frames on their way some were dropped: they are read once more.
        again = session.is_seekable and self.sinks.display is not None and not self.networks.waiting
        self.recordings.start(
            path,
            session.opened_spec,
            labels=labels,
            overwrite=overwrite,
            before=session.token if again else None,
            rename=(lambda: self.recording_path(path.parent)) if renames else None,
        )
        if again:
            session.play_from_here()

    def stop_recording(self) -> None:
        """Close the recording in progress; an event tells when it is done."""
        self.recordings.stop()

    def leave(self) -> None:
        """End this source alone; the others that the network serves go on.

        Frames on their way get through, and what they are written to is closed, on a thread of its
        own; ``left`` tells when that is done.
        """
        self.session.ask_to_stop()
        self._watchdog.ask_to_stop()
        self._inbox.close()
        self._leaving = threading.Thread(target=self._leave, name="leaving")
        self._leaving.start()

    @property
    def left(self) -> bool:
        """True once this source alone has ended."""
        return self._leaving is not None and not self._leaving.is_alive()

    def _leave(self) -> None:
        turns = self.worker.turns
        while not turns.is_done(self._feed) and self.worker.is_alive():
            time.sleep(0.02)
        turns.remove(self._feed)
        self._finish(shared=False)
        return_freed_memory()

    def stop(self, *beside: Pipeline) -> None:
        """End all threads in order; a recording in progress is closed and playable.

        Where this one has left others, they go on, unless it is the first of them.

        Args:
            beside: all other pipelines that the network serves, which end too.
        """
        if self._leaving is not None and not self._is_host:
            self._leaving.join()
            return
        together = (self, *beside)
        for each in together:
            each.session.ask_to_stop()
            each._watchdog.ask_to_stop()
        self.networks.ask_to_stop()
        self.worker.ask_to_stop()
        for each in together:
            each._inbox.close()
        if self.worker.ident is not None:
            self.worker.join()
            self.networks.release()
        if self._leaving is not None:
            self._leaving.join()
        for each in together:
            each._finish()
        return_freed_memory()

    def _finish(self, *, shared: bool = True) -> None:
        """Close what took results, and account for frames that came too late for the network."""
        self.truth.close()
        self.overview.look_at(None)
        self.sinks.stop(shared=shared)
        if (capture := self.session.capture) is not None:
            capture.join(0.5)  # a driver that does not return is left behind
        self.stats.drop("stopped", sum(isinstance(i, Frame) for i in self._inbox.drain()))

    @property
    def view(self) -> ViewOptions:
        """View as the user has it now; may be set at any time."""
        return self.live.view

    @view.setter
    def view(self, view: ViewOptions) -> None:
        self.live.view = view

    def settings_now(self) -> Settings:
        """Return the settings as the user has them now."""
        spec = self.session.opened_spec
        watch = self.watches.all_in(spec)
        return replace(
            self.settings,
            view=self.view,
            source=replace(
                self.settings.source,
                ignore_region=self.live.ignored_in(spec),
                labels=self.truth.folder_of(spec),
                merge=self.truth.merging,
            ),
            alerts=replace(self.settings.alerts, zone=watch.zones, alert=watch.rules),
            network=replace(self.networks.in_use, skip=self.live.skip),
            recording=self.recordings.options,
        )

    def painted(self, seconds: float) -> None:
        """Count the time that showing a result took."""
        self.stats.spent({"display": seconds})

    def take(self) -> Result | None:
        """Return the newest result that was not taken yet; it then counts as shown."""
        return self.sinks.display.take() if self.sinks.display is not None else None

    def status(self, *, by_display: bool = True) -> PipelineStatus:
        """Return the pipeline as it stands.

        Args:
            by_display: whether the display asks, which shows that it is alive.
        """
        if by_display and self.sinks.display is not None:
            self.stats.alive("display")
        return status_of(
            self.session,
            self.networks,
            self.stats,
            self.live,
            self.truth,
            recording=self.recordings.info(),
            stuck=self._watchdog.stuck,
        )
