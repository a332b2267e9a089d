"""Transport bar: the row of buttons under the seek bar."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)

from app.core.formatting import clock
from app.gui.controllers.playback_controller import SPEEDS
from app.gui.widgets import theme
from app.gui.widgets.actions import key_hint
from app.gui.widgets.controls import DropdownButton, add_choice
from app.gui.widgets.icons import icon
from app.pipeline.status import PipelineStatus


class TransportBar(QFrame):
    """Buttons for play, step, loop, speed, recording, screenshots, sources and full screen.

    Args:
        actions: the commands by name.
        sources: menu of the ways to open a source.
        recording: menu of the options of recordings.
    """

    speed_chosen = pyqtSignal(float)

    def __init__(
        self,
        actions: Mapping[str, QAction],
        sources: QMenu,
        recording: QMenu,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("transport_bar")
        self._actions = actions
        self._icons = {name: icon(name) for name in ("play", "pause", "stop")}
        self._record_icon = icon("record", "ALERT")
        self.play = self._button("play", "Play", "play")
        self.step_back = self._button("step-back", "Previous frame", "back")
        self.step = self._button("step", "Next frame", "forward")
        self.loop = self._button("loop", "Loop", "loop")
        self.loop.setCheckable(True)
        self.speed = DropdownButton("1×")
        self.speed.setMenu(self._speeds())
        self.record = QPushButton()
        self.record.setObjectName("record")
        self.record.clicked.connect(actions["record"].trigger)
        self.record_options = DropdownButton()
        self.record_options.setMenu(recording)
        self.record_options.setFixedWidth(24)
        self.record_options.setToolTip("Where and how it is recorded, and what")
        self.record_options.setAccessibleName("Options of recordings")
        self.screenshot = self._button("snapshot", "Save image", "shot")
        self.open = QToolButton()
        self.open.setIcon(icon("file"))
        self.open.setToolTip("Open files, cameras, URLs or the demo street")
        self.open.setAccessibleName("Open")
        self.open.setMenu(sources)
        self.open.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.full_screen = self._button("full-screen", "Full screen", "screen")
        self._lay_out()

    def _lay_out(self) -> None:
        for narrow in (self.step_back, self.step):
            narrow.setObjectName("narrow")
        self.speed.setFixedWidth(62)
        # As wide as its longest text, so that nothing moves while it counts.
        metrics = self.fontMetrics()
        self.record.setMinimumWidth(metrics.horizontalAdvance("Stop 00:00") + 40)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        layout.setSpacing(5)
        buttons: list[QPushButton | QToolButton] = [
            *(self.play, self.step_back, self.step, self.loop, self.speed),
            *(self.record, self.record_options),
            *(self.screenshot, self.open, self.full_screen),
        ]
        together = QHBoxLayout()  # the button and its arrow
        together.setSpacing(2)
        for button in buttons:
            if button is self.record:
                layout.addStretch()
                layout.addLayout(together)
            (together if button in {self.record, self.record_options} else layout).addWidget(button)
        for button in buttons:
            button.setIconSize(QSize(18, 18))
            # A click leaves no mark behind; the Tab key still reaches it.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for first, second in pairwise(buttons):
            self.setTabOrder(first, second)

    def refresh(self, status: PipelineStatus) -> None:
        """Show the state of the pipeline."""
        state = status.state
        running = state == "playing"
        self.play.setIcon(self._icons["pause" if running else "play"])
        word = "Pause" if running else "Play again" if state == "ended" else "Play"
        self._name(self.play, word, "play")
        self.play.setEnabled(state in {"playing", "paused", "ended"})
        moves = status.seekable and status.source is not None
        for button in (self.step_back, self.step, self.loop, self.speed):
            button.setEnabled(moves)
        looping = status.loop is not None
        self.loop.setChecked(looping)
        what = "Stop looping" if looping else "Play it over and over; mark a part with [ and ]"
        self._name(self.loop, what, "loop")
        self.speed.setText(f"{status.speed:g}×")
        self.speed.setAccessibleName(f"Speed: {status.speed:g} times")
        self.speed.setToolTip("How fast it plays")
        self.screenshot.setEnabled(state in {"playing", "paused", "ended"})
        self._refresh_record(status)

    def _refresh_record(self, status: PipelineStatus) -> None:
        recording = status.recording
        if recording is not None:
            self.record.setText(f" Stop {clock(recording.seconds)}")
            self._name(self.record, f"Stop recording to {recording.path}", "record")
            self.record.setAccessibleName(f"Stop recording, {clock(recording.seconds)}")
        else:
            self.record.setText(" Record")
            ended = status.state == "ended"
            what = "Record it from its start" if ended else "Record what is shown to an MP4"
            self._name(self.record, what, "record")
            self.record.setAccessibleName("Record")
        recordable = status.state in {"playing", "paused", "ended"}
        self.record.setEnabled(recording is not None or recordable)
        if self.record.property("recording") != (recording is not None):
            self.record.setProperty("recording", recording is not None)
            self.record.setIcon(self._icons["stop"] if recording else self._record_icon)
            look = self.record.style()
            if look is not None:  # a style sheet that asks for a property must be applied anew
                look.unpolish(self.record)
                look.polish(self.record)

    def _button(self, command: str, text: str, drawing: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(drawing))
        button.clicked.connect(self._actions[command].trigger)
        self._name(button, text, command)
        return button

    def _name(self, button: QAbstractButton, text: str, command: str) -> None:
        tip = f"{text}{key_hint(self._actions[command])}"
        if button.toolTip() != tip:
            button.setToolTip(tip)
            button.setAccessibleName(text)

    def _speeds(self) -> QMenu:
        menu = QMenu(self)
        for speed in SPEEDS:
            add_choice(menu, f"{speed:g}×", partial(self.speed_chosen.emit, speed))
        return menu
