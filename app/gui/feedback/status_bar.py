"""Status bar: source and network in use, counts of frames."""

from __future__ import annotations

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.core.formatting import shortened
from app.gui.widgets import theme
from app.gui.widgets.controls import ElidedLabel, plain_tip
from app.pipeline.status import PipelineStatus

CAUSES: dict[str, str] = {
    "late": "late: the machine cannot keep the file's pace",
    "busy": "busy: the network was still on another frame",
    "display": "display: the window took a newer frame",
    "paused": "paused: the live source went on",
    "switched": "switched: another source was opened",
    "seek": "seek: another place was chosen",
    "stopped": "stopped: the run ended",
    "failed": "failed: there was no network",
    "decode": "decode: the data were damaged",
    "frozen": "frozen: the camera repeated its picture",
}
"""Drop causes in words."""
LOSSES: dict[str, str] = {
    "encoder": "encoder: it had no room, and a live source does not wait",
    "failed": "failed: the recording could not be written",
    "offline": "offline: the stream's receiver was not there",
    "stopped": "stopped: the recording was being closed",
}
"""Loss causes in words."""
_NAME = 40
"""Most characters of a source's name beside what is in use."""


class StatusBar(QFrame):
    """Source, size, decoder, device, precision, input size and encoder; counts on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.text = ElidedLabel()
        self.text.setAccessibleName("Status")
        self.counts = QLabel()
        self.counts.setAccessibleName("Frames")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, 5, theme.PAD, 6)
        layout.setSpacing(20)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.counts)

    def refresh(self, status: PipelineStatus) -> None:
        """Show source, network and counts."""
        tip = plain_tip(describe(status))
        if tip != self.text.toolTip():
            self.text.setText(describe(status, _NAME))
            self.text.setToolTip(tip)
        counters = status.counters
        if not counters.captured:
            self.counts.clear()
            return
        self.counts.setText(pace(status))
        lines = [f"{counters.captured} frames captured, {counters.shown} shown"]
        for cause, count in sorted(counters.dropped.items()):
            lines.append(f"{count} {CAUSES[cause]}")
        self.counts.setToolTip("\n".join(lines))


def describe(status: PipelineStatus, longest: int | None = None) -> str:
    """Return source, network and encoder in use, in one line.

    Args:
        status: the pipeline.
        longest: characters of the source's name at most.
    """
    parts: list[str] = []
    source, network, size = status.source, status.network, status.network_size
    if source is not None:
        name = source.name if longest is None else shortened(source.name, longest)
        parts += [name, f"{source.width}×{source.height}", source.decoder]
    if network is not None:
        parts += [network.device, network.precision, network.runtime]
    elif status.broken:
        parts.append("no network")
    else:
        parts.append("loading the network…")
    if size is not None:
        why = f", auto: {network.size_reason}" if network and network.size_reason else ""
        parts.append(f"input {size[0]}×{size[1]} (h×w){why}")
    if status.recording is not None:
        parts.append(f"recording {status.recording.encoder}")
    return "  ·  ".join(parts)


def pace(status: PipelineStatus) -> str:
    """Return how the source is kept up with, in words: its speed, and the share of it that is seen.

    Frames that a pause, a seek or another source took away count as seen: nobody missed them.
    """
    counters = status.counters
    missed = sum(counters.dropped.get(cause, 0) for cause in ("busy", "late", "display"))
    total = counters.shown + missed
    if not total:
        return ""
    share = counters.shown / total
    frames = "every frame" if share >= 0.995 else f"{max(1, round(100 * share))} % of frames"
    if status.state != "playing":
        return f"{frames} shown"
    if status.recording is not None and status.seekable:
        return "as fast as it goes, every frame recorded"
    return f"{'real time' if status.speed == 1 else f'{status.speed:g}× speed'}, {frames} shown"


def waiting_message(status: PipelineStatus) -> str:
    """Return the reason why there is no image yet."""
    if status.broken:
        return "There is no network, so there is no picture: start again with other choices."
    download = status.download
    if status.network is None and download is not None:
        share = f" {100 * download.done // download.total} %" if download.total else ""
        return f"Downloading the weights…{share}"
    if status.network is None:
        return "Loading the network…"
    return "Opening…" if status.state == "opening" else "Waiting for the first picture…"


def offline_message(status: PipelineStatus) -> str:
    """Return the message over the last frame of an offline source; empty while frames come."""
    if status.offline is None:
        return ""
    seconds = int(status.offline)
    since = f"{seconds // 60}:{seconds % 60:02} min" if seconds >= 60 else f"{seconds} s"
    return f"Offline for {since}: this is the last picture that came. Trying to come back…"


def playing(status: PipelineStatus, place: str) -> list[str]:
    """Return what plays, for the title of the window; empty where nothing does.

    Args:
        status: the pipeline.
        place: place in the playlist, where there are several entries.
    """
    source = status.source
    if source is None:
        return []
    return [f"{source.name} ({place})" if place else source.name]
