"""Controls of the grid: what they say goes for all sources at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QSlider, QWidget

from app.gui.widgets import theme
from app.gui.widgets.controls import DropdownButton, ToggleSwitch, add_choice
from app.gui.widgets.fitting import FoldingRow
from app.gui.window.command_handlers import OPACITY, Handlers
from app.gui.window.main_window import MainWindow
from app.rendering.view_options import CONTENTS, JUDGING, Content

_Name = TypeVar("_Name", bound=str)
_CHOICE_WIDTH = 112
"""Pixels: the longest name and the arrow."""
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
        self.skip.setFixedWidth(self.skip.sizeHint().width())
        self.view = _choice([each for each in CONTENTS if each not in JUDGING], self._set_view)
        self.size_choice = _choice(_SIZES, self._set_size)
        self.alpha = QSlider(Qt.Orientation.Horizontal)
        self.alpha.setRange(0, 100)
        self.alpha.setFixedWidth(120)
        self.add = DropdownButton("Add beside")
        self.add.setFixedWidth(_CHOICE_WIDTH)
        named = (("View", self.view), ("Opacity", self.alpha), ("Input size", self.size_choice))
        choices: list[QWidget] = []
        for name, widget in named:
            label = QLabel(name)
            label.setBuddy(widget)
            widget.setAccessibleName(f"{name} of all sources")
            choices += [label, widget]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.GAP)
        buttons = _row((self.play, self.record, self.skip))
        layout.addWidget(FoldingRow((buttons, _row(choices)), theme.GAP), 1)
        layout.addWidget(self.add, 0, Qt.AlignmentFlag.AlignTop)
        self.play.clicked.connect(self.play_or_pause)
        self.record.clicked.connect(self.record_or_stop)
        self.skip.clicked.connect(self._set_skip)
        self.alpha.sliderMoved.connect(self._set_alpha)

    def refresh(self) -> None:
        """Show what holds for the sources now: where they differ, what holds for the first."""
        first = self._windows[0].pipeline
        self.play.setText("Pause all" if self._any_plays() else "Play all")
        self.record.setText("Stop all" if self._any_records() else "Record all")
        self.skip.setChecked(first.live.skip)
        self.view.setText(first.view.view)
        size = first.networks.options.input_size
        # What one source leaves to the machine is half for several.
        self.size_choice.setText("half" if size == "auto" else str(size))
        if not self.alpha.isSliderDown():
            self.alpha.setValue(round(100 * first.view.alpha))

    def _any_plays(self) -> bool:
        return any(window.pipeline.session.state == "playing" for window in self._windows)

    def _any_records(self) -> bool:
        return any(window.pipeline.recordings.current is not None for window in self._windows)

    def play_or_pause(self) -> None:
        """Pause all that play; where none does, let all play."""
        pauses = self._any_plays()
        for window in self._windows:
            state = window.pipeline.session.state
            if pauses and state == "playing":
                window.pipeline.session.pause()
            elif not pauses and state in {"paused", "ended"}:
                window.pipeline.play()

    def record_or_stop(self) -> None:
        """End all recordings; where there is none, record all."""
        stops = self._any_records()
        for window in self._windows:
            if stops:
                window.pipeline.stop_recording()
            else:
                window.recording.record()

    def commands(self) -> Handlers:
        """Return what keys do with all sources, by the names of the window's commands."""

        def skip() -> None:
            self._set_skip(not self._windows[0].pipeline.live.skip)

        def next_view() -> None:
            view = self._windows[0].pipeline.view.view
            place = CONTENTS.index(view) if view in CONTENTS else -1
            self._set_view(CONTENTS[(place + 1) % len(CONTENTS)])

        def opacity(by: float) -> None:
            alpha = self._windows[0].pipeline.view.alpha + by
            self._set_alpha(round(100 * min(1.0, max(0.0, alpha))))

        return {
            "play": self.play_or_pause,
            "record": self.record_or_stop,
            "skip": skip,
            "view": next_view,
            "opacity-less": lambda: opacity(-OPACITY),
            "opacity-more": lambda: opacity(OPACITY),
            **{size: partial(self._set_size, size) for size in _SIZES},
        }

    def _set_skip(self, on: bool) -> None:
        for window in self._windows:
            window.view_commands.set_skip(on)

    def _set_view(self, view: Content) -> None:
        for window in self._windows:
            window.view_commands.set_view(view)

    def _set_alpha(self, value: int) -> None:
        for window in self._windows:
            window.view_commands.set_alpha(value / 100)

    def _set_size(self, size: str) -> None:
        networks = self._windows[0].pipeline.networks  # which is everybody's
        networks.use_options(replace(networks.options, input_size=size))


def _row(widgets: Sequence[QWidget]) -> QWidget:
    """Return widgets beside each other, as narrow as they may be."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch(1)
    return row


def _choice(names: Sequence[_Name], choose: Callable[[_Name], None]) -> DropdownButton:
    """Return a button with a menu of names, that in use ticked."""
    button = DropdownButton(names[0])
    button.setFixedWidth(_CHOICE_WIDTH)
    menu = QMenu(button)

    def fill() -> None:
        menu.clear()
        for name in names:
            add_choice(menu, name, partial(choose, name), ticked=name == button.text())

    menu.aboutToShow.connect(fill)
    button.setMenu(menu)
    return button
