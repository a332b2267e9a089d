"""Main window: its widgets, their connections to controllers, the pipeline's status."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QSize, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QGuiApplication
from PyQt6.QtWidgets import QFrame, QMainWindow, QMenu, QMenuBar, QStackedWidget

from app.config.settings import Settings
from app.config.shortcuts import USUAL, Keys
from app.core.events import Event, EventKind
from app.gui.controllers.network_controller import NetworkController
from app.gui.controllers.playback_controller import PlaybackController
from app.gui.controllers.recording_controller import RecordingController
from app.gui.controllers.view_controller import ViewController
from app.gui.feedback.notifications import Notifications
from app.gui.feedback.progress_strip import ProgressStrip
from app.gui.feedback.status_bar import StatusBar, offline_message, playing, waiting_message
from app.gui.panels.bottom_panel import PAGES, BottomPanel
from app.gui.panels.legend import Legend
from app.gui.panels.recording_menu import RecordingMenu
from app.gui.panels.view_panel import ViewPanel
from app.gui.playback.seek_bar import SeekBar
from app.gui.playback.transport_bar import TransportBar
from app.gui.video.stats_overlay import stats_of
from app.gui.video.video_view import VideoView
from app.gui.widgets import theme
from app.gui.widgets.actions import EnterClicks, OwnArrows, make_actions, with_arrows
from app.gui.widgets.coalesced_call import CoalescedCall
from app.gui.widgets.fitting import available_size
from app.gui.window.command_handlers import Handlers, handlers
from app.gui.window.drag_and_drop import DropOverlay, DroppedSources
from app.gui.window.drawn_parts import DrawnParts
from app.gui.window.full_screen import FullScreen
from app.gui.window.help_menu import HelpMenu
from app.gui.window.menu_bar import MenuBar
from app.gui.window.messages import Messages
from app.gui.window.open_menu import OpenMenu
from app.gui.window.run_settings import RunSettings
from app.gui.window.saved_state import SavedState
from app.gui.window.true_labels import TrueLabels
from app.gui.window.welcome_page import WelcomePage, essential_keys
from app.gui.window.window_layout import lay_out
from app.pipeline.pipeline import Pipeline
from app.pipeline.status import PipelineStatus
from app.sources.source_spec import SourceSpec

TITLE = "Fast-SCNN Live"
_SIZE = QSize(1360, 900)


class MainWindow(QMainWindow):
    """Window with its pipeline.

    Args:
        settings: settings of the run.
        recordings: folder of recordings and screenshots; ``None`` is the user's own folders.
        keys: keys of all commands.
        saved: settings saved between runs; ``None`` saves nothing.
        parts: remembers zones, alerts and left-out parts of sources, if ``saved`` does not.
        beside: pipeline of another window, whose network this one's source shares.
    """

    told = pyqtSignal(Event)
    """Message that the user was told."""
    left = pyqtSignal()
    """The user wants to leave, and nothing was open that could be closed first."""

    def __init__(
        self,
        settings: Settings,
        *,
        recordings: Path | None = None,
        keys: Keys = USUAL,
        saved: SavedState | None = None,
        parts: SavedState | None = None,
        beside: Pipeline | None = None,
    ) -> None:
        super().__init__()
        self._parts = parts = parts or saved
        self._settings, self._keys, self._saved = settings, keys, saved
        wake = CoalescedCall(lambda: self.view.update(), self)
        self.pipeline = Pipeline(settings, display=True, wake=wake, beside=beside)
        self.playback = PlaybackController(self.pipeline, self)
        self.view_commands = ViewController(self.pipeline)
        self.network_commands = NetworkController(self.pipeline, self.view_commands, self)
        self.view = VideoView(self.pipeline.take, self.pipeline.painted)
        self.recording = RecordingController(
            self.pipeline, recordings, lambda: self.view.result, self
        )
        self.recording_menu = RecordingMenu(self, self.recording)
        self.open_menu = OpenMenu(self, lambda: saved.recent if saved is not None else [])
        self.help_menu = HelpMenu(self, keys)
        self.bottom_panel = BottomPanel()
        self.notifications = Notifications()
        self.messages = self._make_messages()
        self.drawn = DrawnParts(self, self.pipeline, self.view, parts, self.notify)
        self.true_labels = TrueLabels(self, self.pipeline, self.view_commands, self.notify, saved)
        self.run_settings = RunSettings(self, self.pipeline, self.playback, self.notify)
        self.progress_strip = ProgressStrip()
        self.view_panel = ViewPanel()
        self.legend = Legend()
        self.seek_bar = SeekBar()
        self.status_bar = StatusBar()
        self.actions_by_name = make_actions(self, keys, self._handlers())
        sources = QMenu(self)
        self.open_menu.fill(sources, self.actions_by_name)
        self.welcome_page = WelcomePage(self.open_menu, essential_keys(keys))
        self.transport_bar = TransportBar(
            self.actions_by_name, sources, self.recording_menu.made(self)
        )
        self.menu_bar = QMenuBar()
        self.pages = QStackedWidget()
        self.side = QFrame()
        self.drop_overlay = DropOverlay(self)
        self._lay_out()
        self.full_screen = self._make_full_screen()
        self._page = self.bottom_panel.page
        self._menu_bar = self._make_menu_bar()
        self._connect()
        self._enter, self._arrows = EnterClicks(self), OwnArrows(self)
        self._arrows.leave_to(*with_arrows(self))
        self._restore()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._closed = False
        self.refresh()

    def _make_messages(self) -> Messages:
        return Messages(
            self.notifications,
            self.bottom_panel.log,
            playback=self.playback,
            recording=self.recording,
            network_commands=self.network_commands,
            keys=self._keys,
            saved=self._saved,
            parent=self,
        )

    def _handlers(self) -> Handlers:
        return handlers(
            self,
            self.pipeline,
            playback=self.playback,
            view_commands=self.view_commands,
            recording=self.recording,
            view=self.view,
            open_menu=self.open_menu,
            bottom_panel=self.bottom_panel,
            run_settings=self.run_settings,
            true_labels=self.true_labels,
            help_menu=self.help_menu,
            drawn=self.drawn,
        )

    def _lay_out(self) -> None:
        self.pages.addWidget(self.welcome_page)
        self.pages.addWidget(self.view)
        middle = lay_out(
            progress_strip=self.progress_strip,
            notifications=self.notifications,
            pages=self.pages,
            seek_bar=self.seek_bar,
            transport_bar=self.transport_bar,
            side=self.side,
            view_panel=self.view_panel,
            legend=self.legend,
            bottom_panel=self.bottom_panel,
            status_bar=self.status_bar,
        )
        self.setMenuBar(self.menu_bar)
        self.setCentralWidget(middle)
        self.drop_overlay.raise_()

    def _make_full_screen(self) -> FullScreen:
        around = (self.menu_bar, self.side, self.status_bar, self.bottom_panel)
        return FullScreen(
            self,
            self.view,
            controls=(self.transport_bar, self.seek_bar),
            hidden=(*around, self.progress_strip),
            restored=self._restored,
        )

    def _make_menu_bar(self) -> MenuBar:
        return MenuBar(
            self.menu_bar,
            self.actions_by_name,
            open_menu=self.open_menu,
            recording_menu=self.recording_menu,
            playback=self.playback,
            panel=self.view_panel,
            view_commands=self.view_commands,
            true_labels=self.true_labels,
            help_menu=self.help_menu,
        )

    def _connect(self) -> None:
        self._menu_bar.theme_chosen.connect(self.set_theme)
        self.messages.told.connect(self.told)
        self.messages.labels_wanted.connect(lambda: self.true_labels.ask())
        self.help_menu.notified.connect(self.notify)
        self.open_menu.chosen.connect(self.open_dropped)
        self.drop_overlay.dropped.connect(self.open_dropped)
        self.playback.opened.connect(self.drawn.use)
        self.playback.opened.connect(self.seek_bar.thumbnails.use)
        self.playback.opened.connect(self.open_menu.learn_folder)
        self.playback.trial.refused.connect(self.messages.refused)
        self.playback.notified.connect(lambda text: self.notify("notice", text))
        self.recording.notified.connect(self.notify)
        self.view_panel.view_chosen.connect(self.true_labels.show)
        self.view_panel.view_chosen.connect(self.refresh)
        self.view_panel.connect_to(self.view_commands, self.network_commands)
        self.network_commands.changed.connect(self.refresh)
        self.legend.connect_to(self.view_commands, self._settings.view.hidden)
        self.legend.class_chosen.connect(self.select_class)
        self.seek_bar.seek_requested.connect(self.playback.seek)
        self.bottom_panel.curves.connect_to(self.playback, self.pipeline.overview)
        self.transport_bar.speed_chosen.connect(lambda v: self.pipeline.session.set_speed(v))
        self.view.double_clicked.connect(self.toggle_full_screen)
        self.view.split_moved.connect(self.view_commands.set_split)
        self.view.class_clicked.connect(self.select_class)
        self.progress_strip.cancelled.connect(self.cancel)
        self.bottom_panel.changed.connect(self.remember_page)
        if (saved := self._saved) is not None:
            self.open_menu.folder_used.connect(lambda folder: setattr(saved, "folder", folder))
            self.open_menu.recent_forgotten.connect(saved.forget_recent)

    def begin(self) -> None:
        """Load the network, open the source, and start the recording of the settings."""
        self._timer.start(100)
        self.pipeline.start()
        if self._settings.sources:
            self.playback.open(self._settings.sources)
        self.recording.begin(self._settings.recording)
        self.refresh()

    # Commands

    def open(self, *entries: SourceSpec) -> None:
        """Play sources one after the other; messages on what was before them go."""
        self.notifications.clear()
        self.playback.open(entries)
        self.refresh()

    def open_dropped(self, drop: DroppedSources) -> None:
        """Play what was dropped or chosen, and report what was wrong with it."""
        if drop.entries:
            self.open(*drop.entries)
        if drop.weights is not None:
            self.messages.offer_weights(drop.weights)
        if drop.text:
            self.notify("notice" if drop.entries else "error", drop.text)

    def select_class(self, number: int) -> None:
        """Outline a class of the legend; stop where it is outlined already."""
        self.view_commands.select_class(number, self.legend.classes.names)
        self.refresh()

    def set_theme(self, choice: str) -> None:
        """Change to dark or light, or to the system's theme."""
        theme.choose(next((c for c in theme.CHOICES if c == choice), "system"))
        if self._saved is not None:
            self._saved.theme = choice
        self.refresh()

    def toggle_full_screen(self) -> None:
        """Show the video alone on the whole screen, or go back."""
        self.full_screen.set(not self.full_screen.on)

    def leave(self) -> None:
        """Close the shortcuts; else leave full screen; else close the panel, then the messages."""
        if self.help_menu.close_keys():
            return
        if self.full_screen.on:
            self.full_screen.set(False)
        elif self.bottom_panel.page is not None:
            self.bottom_panel.show_page(None)
        else:
            self.notifications.clear()
            self.left.emit()

    def notify(self, kind: EventKind, text: str) -> None:
        """Show a message."""
        self.messages.notify(kind, text)

    def remember_page(self) -> None:
        """Remember the page of the bottom panel."""
        if not self.full_screen.on:
            self._page = self.bottom_panel.page

    def cancel(self, what: str) -> None:
        """Cancel work in progress: ``download`` or ``opening``."""
        if what == "download":
            self.pipeline.networks.cancel_download()
        else:
            self.playback.give_up()
        self.refresh()

    # Status and events

    def refresh(self) -> None:
        """Show the pipeline as it is now."""
        status = self.pipeline.status()
        while not self.pipeline.events.empty():
            self._handle(self.pipeline.events.get())
        empty = status.state in {"empty", "failed"}
        if empty:
            self.view.clear()
        self.pages.setCurrentWidget(self.welcome_page if empty else self.view)
        self.view.set_message(waiting_message(status))
        self.view.set_offline_message(offline_message(status))
        self.view.set_stats(stats_of(status))
        self.view.set_options(status.view)
        if not self.full_screen.bare:
            self._refresh_controls(status)
        title = " – ".join([*playing(status, self.playback.playlist.place), TITLE])
        if title != self.windowTitle():
            self.setWindowTitle(title)

    def _refresh_controls(self, status: PipelineStatus) -> None:
        self.seek_bar.refresh(status, self.playback.marks, self.playback.bookmarks.times)
        self.transport_bar.refresh(status)
        self.view_panel.refresh(status, self.view.result)
        self.drawn.dialog.follow()
        self._menu_bar.refresh(status, page=self.bottom_panel.page, full_screen=self.full_screen.on)
        self.bottom_panel.refresh(status, self.view.result)
        if not self.full_screen.on:
            self.legend.refresh(status, self.view.result)
            self.status_bar.refresh(status)
            self.progress_strip.refresh(status, self.playback)

    def _handle(self, event: Event) -> None:
        self.seek_bar.learn(event)
        if event.kind == "opened":
            self.bottom_panel.log.add("opened", event.text)
            self._remember()
            self.messages.greet()
        elif event.text:
            self.messages.tell(event)
        # Where the next one does not open, the one before stands at its end once more.
        stands = event.kind == "opened" and self.pipeline.status().state == "ended"
        if event.kind == "ended" or ((event.kind == "error" or stands) and self.playback.refused()):
            self.playback.play_next()

    def _remember(self) -> None:
        """Add the source to the recent ones, if it is the one that was chosen."""
        current = self.playback.playlist.current
        if current is not None and not self.playback.refused():
            self.open_menu.learn_opened(current)
            if self._saved is not None:
                self._saved.keep_recent(current)

    def _restored(self) -> None:
        self.bottom_panel.show_page(self._page)
        self.refresh()

    # Saved settings

    def _restore(self) -> None:
        self.setWindowTitle(TITLE)
        self.setMinimumSize(800, 480)
        self.resize(_SIZE.boundedTo(available_size(QGuiApplication.primaryScreen())))
        if (saved := self._saved) is not None:
            if not saved.geometry.isEmpty():
                self.restoreGeometry(saved.geometry)
            self.bottom_panel.show_page(next((page for page in PAGES if page == saved.page), None))
            self.open_menu.folder = saved.folder
            self.legend.sort_by_share(saved.by_share)

    def _save(self) -> None:
        if self._saved is not None:
            self._saved.keep(self.pipeline.settings_now(), self._settings)
            if not self.full_screen.on:
                self._saved.geometry = (self.window() or self).saveGeometry()
            self._saved.by_share = self.legend.by_share
            self._saved.page = (self._page if self.full_screen.on else self.bottom_panel.page) or ""
        if self._parts is not None:
            self._parts.sync()

    # Events of Qt

    def closeEvent(self, event: QCloseEvent | None) -> None:
        if not self._closed:
            self._closed = True
            self._timer.stop()
            self._save()
            self.hide()  # the user is done: what still has to end does so out of sight
            self.seek_bar.thumbnails.stop()
            self.recording.finish()
            self.pipeline.stop()
        super().closeEvent(event)
