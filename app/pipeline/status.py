"""Status of the pipeline, for the window and the progress bar."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.live_options import LiveOptions
from app.core.stats import Counters, Stats
from app.inference.network_loader import Download
from app.inference.network_manager import NetworkInfo, NetworkManager
from app.inference.truth import Truth
from app.pipeline.playback import Loop
from app.pipeline.session import Session, State
from app.rendering.view_options import ViewOptions
from app.sinks.recording.recorder import RecordingInfo
from app.sources.base import SourceInfo


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """The pipeline at one moment, for the window and the progress bar.

    Attributes:
        state: where it stands with its source.
        source: the open source.
        network: what runs the network; ``None`` until it is loaded.
        network_size: (height, width) that the network sees of the open source.
        fps: frames finished per second, lately.
        latency: seconds from capture to screen, lately.
        position: presentation time of the newest frame, in seconds; after a seek the time sought.
        counters: frames so far by what became of them.
        stages: mean seconds per frame by stage, lately.
        recording: the recording under way.
        skip, view: the options in force.
        broken: the network ended with an error; no picture comes any more.
        download: the weights that are being downloaded.
        seekable: whether ``seek``, ``step`` and loops work in the open source.
        speed: how fast files are played, 1 is their own pace.
        loop: what is played over and over.
        loading: what is being loaded for the network, in words; empty where nothing is.
        offline: seconds since when a live source has given nothing: its picture is old; ``None``
            while pictures come.
        stuck: stages that make no progress, with the seconds for which they do not.
        judged: whether the true labels of the open source are known.
        cut: whether there is more behind the end at which it stands.
        merging: classes that are counted as one when judging, in words.
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
    seekable: bool = False
    speed: float = 1.0
    loop: Loop = None
    loading: str = ""
    offline: float | None = None
    stuck: dict[str, float] = field(default_factory=dict)
    judged: bool = False
    cut: bool = False
    merging: str | None = None


def status_of(
    session: Session,
    networks: NetworkManager,
    stats: Stats,
    live: LiveOptions,
    truth: Truth,
    *,
    recording: RecordingInfo | None,
    stuck: dict[str, float],
) -> PipelineStatus:
    """Return the status of a pipeline's parts at this moment."""
    source, segmenter, size = session.source, networks.segmenter, None
    if segmenter is not None and source is not None:
        size = segmenter.network_size(source.height, source.width)
    return PipelineStatus(
        state=session.state,
        source=source,
        network=networks.info(),
        network_size=size,
        fps=stats.fps(),
        latency=stats.latency(),
        position=session.position,
        counters=stats.counters(),
        stages=stats.recent_stages(),
        recording=recording,
        skip=live.skip,
        view=live.view,
        broken=networks.broken,
        download=networks.download,
        seekable=source is not None and source.seekable,
        speed=session.playback.speed,
        loop=session.playback.loop,
        loading=networks.loading,
        offline=session.offline_for,
        stuck=stuck,
        judged=truth.offered(session.opened_spec),
        cut=session.cut,
        merging=truth.merging,
    )
