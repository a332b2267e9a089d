"""The main window: puts the widgets together, shows snapshots, sends commands."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QSize, QStandardPaths, Qt, QTimer
from PyQt6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
)
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.errors import AppError, OutputError
from app.gui import style
from app.gui.banner import Banners
from app.gui.controls import VIEWS, TransportBar, ViewPanel
from app.gui.drop_hint import DropHint
from app.gui.drops import judge
from app.gui.hud import figures_of
from app.gui.invitation import Invitation
from app.gui.legend import Legend
from app.gui.opening import Opener
from app.gui.status import StatusLine, waiting_for
from app.gui.video_view import VideoView
from app.gui.wake import Wake
from app.pipeline.pipeline import Event, Pipeline
from app.pipeline.recorder import recording_path
from app.pipeline.view import View
from app.settings import Settings
from app.sources.spec import SourceSpec

TITLE = "Fast-SCNN Live"
_SIZE = QSize(1360, 830)


class MainWindow(QMainWindow):
    """The window with its pipeline.

    Args:
        settings: what the user chose.
        recordings: folder for recordings; ``None`` is the user's folder for videos.
    """

    def __init__(self, settings: Settings, *, recordings: Path | None = None) -> None:
        super().__init__()
        self._settings, self._recordings = settings, recordings
        self.pipeline = Pipeline(settings, display=True, wake=Wake(self._new_result, self))
        self.opener = Opener(self)
        self.opener.chosen.connect(self.open)
        self.view = VideoView(self.pipeline.take)
        self.invitation = Invitation(self.opener)
        self.banners = Banners()
        self.panel = ViewPanel()
        self.legend = Legend()
        self.bar = TransportBar(self.opener)
        self.status = StatusLine()
        self._lay_out()
        self._connect()
        self.setWindowTitle(TITLE)
        self.setAcceptDrops(True)
        self.setMinimumSize(640, 420)
        self.resize(_SIZE.boundedTo(_room()))
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._closed = False
        self._tick()

    def begin(self) -> None:
        """Load the network and open and record what the settings say."""
        self._timer.start(100)
        self.pipeline.start()
        if self._settings.source is not None:
            self.pipeline.open(self._settings.source)
        if self._settings.output is not None:
            try:
                self.pipeline.start_recording(
                    self._settings.output, overwrite=self._settings.overwrite
                )
            except OutputError as error:
                self.banners.tell(str(error), error=True)
        self._tick()

    # Commands

    def open(self, spec: SourceSpec) -> None:
        """Play a source; messages on the one before it go."""
        self.banners.clear()
        self.pipeline.open(spec)
        self._tick()

    def play_or_pause(self) -> None:
        """Hold what plays, go on with what is held, start again what has ended."""
        if self.pipeline.snapshot().state == "playing":
            self.pipeline.pause()
        else:
            self.pipeline.play()
        self._tick()

    def record_or_stop(self) -> None:
        """Start a recording, or close the one under way."""
        if not self.bar.record.isEnabled():
            return
        try:
            if self.pipeline.snapshot().recording is not None:
                self.pipeline.stop_recording()
            else:
                self.pipeline.start_recording(recording_path(self._recordings_folder()))
        except (AppError, OSError) as error:
            self.banners.tell(str(error), error=True)
        self._tick()

    def set_skip(self, on: bool) -> None:
        """Switch the skip connection."""
        self.pipeline.skip = on
        self._tick()

    def use_weights(self, weights: str | None) -> None:
        """Go on with other weights; what is shown goes on meanwhile."""
        self.pipeline.use_weights(weights)
        self._tick()

    def set_view(self, view: View) -> None:
        """Choose what is drawn."""
        self.pipeline.view = replace(self.pipeline.view, view=view)
        self._tick()

    def next_view(self) -> None:
        """Choose the view after the one in force."""
        view = VIEWS[(VIEWS.index(self.pipeline.view.view) + 1) % len(VIEWS)]
        self.set_view(view)

    def set_alpha(self, alpha: float) -> None:
        """Set the weight of the colours, 0–1."""
        self.pipeline.view = replace(self.pipeline.view, alpha=alpha)

    def set_hidden(self, hidden: frozenset[int]) -> None:
        """Hide classes by their train ids."""
        self.pipeline.view = replace(self.pipeline.view, hidden=hidden)

    def set_full_screen(self, on: bool) -> None:
        """Show the picture alone on the whole screen, or everything in the window."""
        for widget in (self._side, self.bar, self.status):
            widget.setVisible(not on)
        state = Qt.WindowState.WindowFullScreen
        self.setWindowState(self.windowState() | state if on else self.windowState() & ~state)

    # What happens

    def _new_result(self) -> None:
        self.view.update()

    def _tick(self) -> None:
        snapshot = self.pipeline.snapshot()
        while True:
            try:
                self._tell(self.pipeline.events.get_nowait())
            except queue.Empty:
                break
        empty = snapshot.state in {"empty", "failed"}
        if empty:
            self.view.clear()
        self._pages.setCurrentWidget(self.invitation if empty else self.view)
        self.view.set_message(waiting_for(snapshot))
        self.view.set_figures(figures_of(snapshot))
        self.bar.refresh(snapshot)
        self.status.refresh(snapshot)
        self.panel.refresh(snapshot)
        source = snapshot.source
        title = f"{source.name} – {TITLE}" if source is not None else TITLE
        if title != self.windowTitle():
            self.setWindowTitle(title)

    def _tell(self, event: Event) -> None:
        if event.text and event.kind != "opened":
            self.banners.tell(event.text, error=event.kind == "error")

    def _recordings_folder(self) -> Path:
        if self._recordings is not None:
            return self._recordings
        where = QStandardPaths.StandardLocation.MoviesLocation
        movies = QStandardPaths.writableLocation(where)
        folder = Path(movies) / TITLE if movies else Path.home()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return Path.home()
        return folder

    # Events of Qt

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        data = event.mimeData() if event is not None else None
        if event is not None and data is not None and data.hasUrls():
            event.acceptProposedAction()
            self.hint.appear()

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:
        self.hint.hide()

    def dropEvent(self, event: QDropEvent | None) -> None:
        self.hint.hide()
        data = event.mimeData() if event is not None else None
        if event is None or data is None:
            return
        event.acceptProposedAction()
        drop = judge(data.urls())
        if drop.path is not None:
            self.open(SourceSpec("file", str(drop.path)))
        if drop.text:
            self.banners.tell(drop.text, error=drop.path is None)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        # Space belongs to play and pause, so Enter presses the button that has the focus.
        focus = QApplication.focusWidget()
        if event is None:
            return
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and isinstance(
            focus, QAbstractButton
        ):
            focus.click()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        if not self._closed:
            self._closed = True
            self._timer.stop()
            self.hide()  # the user is done: what still has to end does so out of sight
            self.pipeline.stop()
        super().closeEvent(event)

    # Building

    def _lay_out(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(self.invitation)
        self._pages.addWidget(self.view)
        main = QVBoxLayout()
        main.setSpacing(0)
        main.addWidget(self.banners)
        main.addWidget(self._pages, 1)
        main.addWidget(self.bar)

        self._side = QFrame()
        self._side.setObjectName("side")
        self._side.setFixedWidth(style.PANEL_WIDTH)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(1, 0, 0, 0)
        side.setSpacing(0)
        line = QFrame()
        line.setObjectName("line")
        line.setFixedHeight(1)
        side.addWidget(self.panel)
        side.addWidget(line)
        side.addSpacing(style.GAP)
        side.addWidget(self.legend, 1)

        upper = QHBoxLayout()
        upper.setSpacing(0)
        upper.addLayout(main, 1)
        upper.addWidget(self._side)
        middle = QWidget()
        whole = QVBoxLayout(middle)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(upper, 1)
        whole.addWidget(self.status)
        self.setCentralWidget(middle)
        self.hint = DropHint(self)

    def _connect(self) -> None:
        self.panel.view_chosen.connect(self.set_view)
        self.panel.alpha_chosen.connect(self.set_alpha)
        self.panel.skip_chosen.connect(self.set_skip)
        self.panel.weights.chosen.connect(self.use_weights)
        self.legend.set_hidden(self._settings.view.hidden)
        self.legend.hidden_changed.connect(self.set_hidden)
        self.bar.play_pressed.connect(self.play_or_pause)
        self.bar.record_pressed.connect(self.record_or_stop)
        self.bar.full_screen_pressed.connect(self._toggle_full_screen)
        self.view.double_clicked.connect(self._toggle_full_screen)
        keys: list[tuple[str, Callable[[], object]]] = [
            ("Space", self.play_or_pause),
            ("S", lambda: self.set_skip(not self.pipeline.skip)),
            ("R", self.record_or_stop),
            ("V", self.next_view),
            ("F", self._toggle_full_screen),
            ("Esc", lambda: self.set_full_screen(False)),
            ("Ctrl+O", self.opener.ask_for_file),
            ("Ctrl+Q", self.close),
        ]
        for key, command in keys:
            action = QAction(self)
            action.setShortcut(QKeySequence(key))
            action.setAutoRepeat(False)
            action.triggered.connect(command)
            self.addAction(action)

    def _toggle_full_screen(self) -> None:
        self.set_full_screen(not self.isFullScreen())


def _room() -> QSize:
    """What the screen offers beside the frame of a window."""
    screen = QGuiApplication.primaryScreen()
    return screen.availableSize() - QSize(40, 60) if screen is not None else _SIZE
