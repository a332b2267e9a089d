"""Buttons and sliders: they show a snapshot and say what the user wants."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import style
from app.gui.icons import icon
from app.gui.opening import Opener
from app.gui.switch import Switch
from app.gui.weights import WeightsChooser
from app.pipeline.pipeline import Snapshot
from app.pipeline.view import View

VIEWS: tuple[View, ...] = get_args(View)


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    whole = max(0, int(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


class ViewPanel(QWidget):
    """How the picture is drawn, and the switch of the skip connection."""

    view_chosen = pyqtSignal(str)
    alpha_chosen = pyqtSignal(float)
    skip_chosen = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views: dict[View, QPushButton] = {}
        group = QButtonGroup(self)
        segments = QFrame()
        segments.setObjectName("segments")
        row = QHBoxLayout(segments)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for view, tip in zip(VIEWS, ("Colours over the picture", "Colours alone"), strict=True):
            button = QPushButton(view.capitalize())
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setToolTip(f"{tip} (V changes)")
            button.setAccessibleName(f"View: {view}")
            button.clicked.connect(lambda _, view=view: self.view_chosen.emit(view))
            group.addButton(button)
            row.addWidget(button, 1)
            self.views[view] = button

        self.alpha = QSlider(Qt.Orientation.Horizontal)
        self.alpha.setRange(0, 100)
        self.alpha.setPageStep(10)
        self.alpha.setToolTip("How strongly the colours cover the picture")
        self.alpha.setAccessibleName("Opacity of the colours, in percent")
        self.percent = QLabel()
        self.percent.setObjectName("muted")
        self.alpha.valueChanged.connect(self._alpha_changed)
        opacity = QHBoxLayout()
        opacity.addWidget(QLabel("Opacity"))
        opacity.addStretch()
        opacity.addWidget(self.percent)

        self.skip = Switch("Skip connection")
        self.skip.setToolTip(
            "The fine details that the network adds late: off shows what it sees without (S)"
        )
        self.skip.toggled.connect(self.skip_chosen)

        heading = QLabel("Picture")
        heading.setObjectName("heading")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(style.PAD, style.PAD - 2, style.PAD, style.GAP)
        layout.setSpacing(6)
        layout.addWidget(heading)
        layout.addWidget(segments)
        layout.addSpacing(2)
        layout.addLayout(opacity)
        layout.addWidget(self.alpha)
        layout.addWidget(self.skip)
        self.weights = WeightsChooser()
        layout.addWidget(self.weights)

    def refresh(self, snapshot: Snapshot) -> None:
        """Show the options in force, without a signal."""
        view, skip = snapshot.view, snapshot.skip
        self.weights.refresh(snapshot)
        self.views[view.view].setChecked(True)
        for widget in (self.alpha, self.skip):
            widget.blockSignals(True)
        percent = round(view.alpha * 100)
        self.alpha.setValue(percent)
        self.alpha.setEnabled(view.view == "overlay")
        self.percent.setText(f"{percent} %")
        self.skip.setChecked(skip)
        for widget in (self.alpha, self.skip):
            widget.blockSignals(False)

    def _alpha_changed(self, percent: int) -> None:
        self.percent.setText(f"{percent} %")
        self.alpha_chosen.emit(percent / 100)


class TransportBar(QFrame):
    """Open, play and record, under the picture."""

    play_pressed = pyqtSignal()
    record_pressed = pyqtSignal()
    full_screen_pressed = pyqtSignal()

    def __init__(self, opener: Opener, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self._icons = {name: icon(name) for name in ("play", "pause", "stop")}
        self._record_icon = icon("record", style.ALERT)
        self.open = QPushButton(icon("file"), " Open")
        self.open.setToolTip("Open a file (Ctrl+O), a camera or the demo street")
        self.open.setAccessibleName("Open")
        self.open.setMenu(opener.menu(self.open))
        self.play = QToolButton()
        self.play.clicked.connect(self.play_pressed)
        self.record = QPushButton()
        self.record.setObjectName("record")
        self.record.clicked.connect(self.record_pressed)
        self.time = QLabel()
        self.time.setObjectName("muted")
        self.time.setAccessibleName("Position")
        self.full = QToolButton()
        self.full.setIcon(icon("screen"))
        self.full.setToolTip("Full screen (F), back with Esc")
        self.full.setAccessibleName("Full screen")
        self.full.clicked.connect(self.full_screen_pressed)
        for button in (self.open, self.play, self.record, self.full):
            button.setIconSize(QSize(18, 18))
            # A click leaves no mark behind; the Tab key still reaches it.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        # As wide as its longest text, so that nothing moves while it counts.
        metrics = self.fontMetrics()
        self.record.setMinimumWidth(metrics.horizontalAdvance("Stop 0:00:00") + 58)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(style.PAD, style.GAP, style.PAD, style.GAP)
        layout.setSpacing(style.GAP)
        layout.addWidget(self.play)
        layout.addWidget(self.record)
        layout.addSpacing(6)
        layout.addWidget(self.time)
        layout.addStretch()
        layout.addWidget(self.open)
        layout.addWidget(self.full)
        for first, second in pairwise((self.play, self.record, self.open, self.full)):
            self.setTabOrder(first, second)

    def refresh(self, snapshot: Snapshot) -> None:
        """Show where the pipeline stands."""
        state, source = snapshot.state, snapshot.source
        running = state == "playing"
        self.play.setIcon(self._icons["pause" if running else "play"])
        word = "Pause" if running else "Play again" if state == "ended" else "Play"
        self.play.setToolTip(f"{word} (Space)")
        self.play.setAccessibleName(word)
        self.play.setEnabled(state in {"playing", "paused", "ended"})
        self.time.setText(_time(snapshot) if source is not None else "")

        recording = snapshot.recording
        if recording is not None:
            self.record.setText(f" Stop {clock(recording.seconds)}")
            self.record.setToolTip(f"Stop recording to {recording.path} (R)")
            self.record.setAccessibleName(f"Stop recording, {clock(recording.seconds)}")
        else:
            self.record.setText(" Record")
            self.record.setToolTip("Record what is shown to an MP4 (R)")
            self.record.setAccessibleName("Record")
        self.record.setEnabled(recording is not None or state in {"playing", "paused"})
        if self.record.property("recording") != (recording is not None):
            self.record.setProperty("recording", recording is not None)
            self.record.setIcon(self._icons["stop"] if recording else self._record_icon)
            look = self.record.style()
            if look is not None:  # a style sheet that asks for a property must be applied anew
                look.unpolish(self.record)
                look.polish(self.record)


def _time(snapshot: Snapshot) -> str:
    duration = snapshot.source.duration if snapshot.source is not None else None
    position = clock(snapshot.position)
    return f"{position} / {clock(duration)}" if duration else position
