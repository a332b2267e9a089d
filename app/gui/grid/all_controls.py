"""Controls of the grid: what they say goes for all sources at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from app.gui.widgets import theme
from app.gui.widgets.controls import ToggleSwitch
from app.gui.window.main_window import MainWindow
from app.rendering.view_options import CONTENTS

_SIZES = ("quarter", "half", "full", "exact")


class AllControls(QFrame):
    """Bar that pauses, records and draws all sources alike.

    Args:
        windows: those of the sources; the list may grow.
    """

    def __init__(self, windows: Sequence[MainWindow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("side")
        self._windows = windows
        self.play, self.record = QPushButton("Pause all"), QPushButton("Record all")
        self.skip = ToggleSwitch("Skip connection")
        self.skip.setFixedWidth(theme.PANEL_WIDTH - 2 * theme.PAD)
        self.view, self.size_choice = QComboBox(), QComboBox()
        self.view.addItems(CONTENTS)
        self.size_choice.addItems(_SIZES)
        self.alpha = QSlider(Qt.Orientation.Horizontal)
        self.alpha.setRange(0, 100)
        self.alpha.setFixedWidth(120)
        self.add = QPushButton("Add beside…")
        named = (("View", self.view), ("Opacity", self.alpha), ("Input size", self.size_choice))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.GAP)
        for button in (self.play, self.record, self.skip):
            layout.addWidget(button)
        for name, widget in named:
            label = QLabel(name)
            label.setBuddy(widget)
            widget.setAccessibleName(f"{name} of all sources")
            layout.addWidget(label)
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addWidget(self.add)
        self.play.clicked.connect(self._play_or_pause)
        self.record.clicked.connect(self._record_or_stop)
        self.skip.clicked.connect(self._set_skip)
        self.view.activated.connect(self._set_view)
        self.alpha.sliderMoved.connect(self._set_alpha)
        self.size_choice.activated.connect(self._set_size)

    def refresh(self) -> None:
        """Show what holds for the sources now: where they differ, what holds for the first."""
        first = self._windows[0].pipeline
        self.play.setText("Pause all" if self._any_plays() else "Play all")
        self.record.setText("Stop all" if self._any_records() else "Record all")
        self.skip.setChecked(first.live.skip)
        self.view.setCurrentText(first.view.view)
        self.size_choice.setCurrentText(str(first.networks.options.input_size))
        if not self.alpha.isSliderDown():
            self.alpha.setValue(round(100 * first.view.alpha))

    def _any_plays(self) -> bool:
        return any(window.pipeline.session.state == "playing" for window in self._windows)

    def _any_records(self) -> bool:
        return any(window.pipeline.recordings.current is not None for window in self._windows)

    def _play_or_pause(self) -> None:
        pauses = self._any_plays()
        for window in self._windows:
            state = window.pipeline.session.state
            if pauses and state == "playing":
                window.pipeline.session.pause()
            elif not pauses and state in {"paused", "ended"}:
                window.pipeline.play()

    def _record_or_stop(self) -> None:
        stops = self._any_records()
        for window in self._windows:
            if stops:
                window.pipeline.stop_recording()
            else:
                window.recording.record()

    def _set_skip(self, on: bool) -> None:
        for window in self._windows:
            window.view_commands.set_skip(on)

    def _set_view(self, index: int) -> None:
        for window in self._windows:
            window.view_commands.set_view(CONTENTS[index])

    def _set_alpha(self, value: int) -> None:
        for window in self._windows:
            window.view_commands.set_alpha(value / 100)

    def _set_size(self, index: int) -> None:
        networks = self._windows[0].pipeline.networks  # which is everybody's
        networks.use_options(replace(networks.options, input_size=_SIZES[index]))
