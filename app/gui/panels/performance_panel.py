"""Performance panel: rate, latency, time per stage, drops, and what is in use."""

from __future__ import annotations

import time

from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.gui.feedback.status_bar import CAUSES, LOSSES
from app.gui.panels.plots import History, StageBar
from app.gui.video.stats_overlay import OverlayStats
from app.gui.widgets import theme
from app.gui.widgets.controls import ElidedLabel, plain_tip
from app.pipeline.status import PipelineStatus

_EVERY = 0.25
"""Seconds between two samples."""


class PerformancePanel(QWidget):
    """Panel of rate and latency with their history, stages, drops by cause, and what is in use."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rate = QLabel()
        self.rate.setAccessibleName("Frames per second")
        self.rate.setObjectName("figure")
        self.latency = QLabel()
        self.latency.setAccessibleName("Latency")
        self.history = History()
        self.stages = StageBar()
        self.drops = _Facts()
        self.use = _Facts()
        stats = QHBoxLayout()
        stats.addWidget(self.rate)
        stats.addStretch()
        stats.addWidget(self.latency)
        first = QVBoxLayout()
        first.setSpacing(6)
        first.addLayout(stats)
        first.addWidget(self.history, 1)
        second = _column("Time per frame", self.stages)
        third = _column("Frames", self.drops)
        fourth = _column("In use", self.use)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.GAP)
        layout.setSpacing(22)
        for column, share in ((first, 3), (second, 4), (third, 3), (fourth, 5)):
            layout.addLayout(column, share)
        self._sampled = 0.0

    def refresh(self, status: PipelineStatus) -> None:
        """Take a sample, a few times a second; show it where the panel is visible."""
        now = time.monotonic()
        if now - self._sampled < _EVERY:
            return
        self._sampled = now
        moving = status.state == "playing"
        stats = OverlayStats(status.fps if moving else 0.0, status.latency)
        self.history.add(now, stats.fps, stats.latency)
        if not self.isVisible():
            return
        self.rate.setText(f"{stats.fps_text} fps")
        self.latency.setText(f"Latency {stats.latency_text}")
        known = [s for s in theme.STAGES if s in status.stages]
        others = [s for s in status.stages if s not in theme.STAGES]
        self.stages.show_times([(s, status.stages[s]) for s in (*known, *others)])
        self.drops.show_facts(frame_facts(status))
        self.use.show_facts(facts_in_use(status))


def frame_facts(status: PipelineStatus) -> list[tuple[str, str, str]]:
    """Return the counts of frames: name, count, explanation."""
    counters = status.counters
    facts = [("captured", str(counters.captured), "frames that the source gave")]
    facts.append(("shown", str(counters.shown), "frames that were painted"))
    if counters.recorded or counters.not_recorded:
        facts.append(("recorded", str(counters.recorded), "frames in recordings"))
    if counters.not_recorded:
        text = "frames that were meant for a recording or a stream, and are not in it"
        facts.append(("not recorded", str(counters.not_recorded_total), text))
        for cause, count in sorted(counters.not_recorded.items(), key=lambda item: -item[1]):
            facts.append((f"  {cause}", str(count), LOSSES[cause]))
    facts.append(("dropped", str(counters.dropped_total), "captured and not shown"))
    for cause, count in sorted(counters.dropped.items(), key=lambda item: -item[1]):
        facts.append((f"  {cause}", str(count), CAUSES[cause]))
    return facts


def facts_in_use(status: PipelineStatus) -> list[tuple[str, str, str]]:
    """Return what the pipeline runs on, and why: name, value, explanation."""
    facts: list[tuple[str, str, str]] = []
    source, network, size = status.source, status.network, status.network_size
    if source is not None:
        rate = f", {source.rate:.4g} fps" if source.rate else ""
        facts.append(("source", f"{source.width}×{source.height}{rate}", source.name))
        facts.append(("decoder", source.decoder, "what turns the source's data into pictures"))
    if network is None:
        state = "none" if status.broken else "loading…"
        return [*facts, ("network", state, "no frame can be labelled without it")]
    facts.append(("weights", network.weights, network.origin or "our own format"))
    why = f"asked for: {network.options.device}"
    if network.options.device == "auto":
        why = "auto: the best that torch finds here"
        value = f"{network.device} (auto)"
    else:
        value = network.device
    facts.append(("device", value, why))
    auto = network.options.precision == "auto"
    value = f"{network.precision} (auto)" if auto else network.precision
    why = "auto: the fastest that the device has in hardware" if auto else "as asked for"
    facts.append(("precision", value, why))
    auto = network.options.runtime == "auto"
    value = f"{network.runtime} (auto)" if auto else network.runtime
    facts.append(("runtime", value, "what computes the network"))
    if size is not None:
        asked = network.options.input_size
        word = asked if isinstance(asked, str) else "given"
        why = f": {network.size_reason}" if network.size_reason else ""
        facts.append(("input", f"{word}, {size[0]}×{size[1]}{why}", "what the network sees, h×w"))
    encoder = status.recording.encoder if status.recording is not None else "not recording"
    facts.append(("encoder", encoder, "what writes the recording"))
    return facts


class _Facts(QWidget):
    """Table of names and values, each with an explanation as its tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, ElidedLabel]] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(120)

    @property
    def text(self) -> str:
        """Return the facts, a line each."""
        pairs = ((name.text(), value.text()) for name, value in self._rows if name.text())
        return "\n".join(f"{name} {value}" for name, value in pairs)

    def show_facts(self, facts: list[tuple[str, str, str]]) -> None:
        """Show other facts: name, value, explanation."""
        while len(self._rows) < len(facts):
            name, value = QLabel(), ElidedLabel()
            name.setObjectName("muted")
            self._grid.addWidget(name, len(self._rows), 0)
            self._grid.addWidget(value, len(self._rows), 1)
            self._rows.append((name, value))
        for place, (name, value) in enumerate(self._rows):
            there = place < len(facts)
            name.setVisible(there)
            value.setVisible(there)
            texts = facts[place] if there else ("", "", "")
            if texts[:2] != (name.text(), value.text()):
                name.setText(texts[0])
                value.setText(texts[1])
                name.setToolTip(plain_tip(texts[2]))
                value.setToolTip(plain_tip(f"{texts[1]}\n{texts[2]}"))


def _column(title: str, widget: QWidget) -> QVBoxLayout:
    heading = QLabel(title)
    heading.setObjectName("heading")
    layout = QVBoxLayout()
    layout.setSpacing(6)
    layout.addWidget(heading)
    layout.addWidget(widget)
    layout.addStretch()
    return layout
