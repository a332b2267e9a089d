"""The main window: puts the widgets together, shows the pipeline's status, takes drops."""

from __future__ import annotations

import queue
from pathlib import Path

from PyQt6.QtCore import QSize, QTimer, pyqtSignal
from PyQt6.QtGui import (
    QCloseEvent,
    QGuiApplication,
)
from PyQt6.QtWidgets import (
    QFrame,
    QMainWindow,
    QMenu,
    QMenuBar,
    QStackedWidget,
)

from app.config.persistence import SavedSettings
from app.config.settings import Settings
from app.config.shortcuts import USUAL, Keys
from app.core.events import Event
from app.gui.controllers.network_controller import NetworkController
from app.gui.controllers.playback_controller import PlaybackController
from app.gui.controllers.recording_controller import RecordingController
from app.gui.controllers.view_controller import ViewController
from app.gui.feedback.notifications import Notifications
from app.gui.feedback.progress_strip import ProgressStrip
from app.gui.feedback.shortcuts_dialog import ShortcutsDialog
from app.gui.feedback.status_bar import StatusBar, offline_for, playing, waiting_for
from app.gui.panels.bottom_panel import PAGES, BottomPanel
from app.gui.panels.legend import Legend
from app.gui.panels.view_panel import ViewPanel
from app.gui.playback.seek_bar import SeekBar
from app.gui.playback.transport_bar import TransportBar
from app.gui.video.stats_overlay import figures_of
from app.gui.video.video_view import VideoView
from app.gui.widgets import theme as style
from app.gui.widgets.actions import EnterClicks, OwnArrows, make_actions, with_arrows
from app.gui.widgets.coalesced_call import CoalescedCall
from app.gui.widgets.fitting import available_size
from app.gui.window.command_handlers import Handlers, handlers
from app.gui.window.drag_and_drop import DropOverlay, DroppedSources
from app.gui.window.full_screen import FullScreen
from app.gui.window.menu_bar import MenuBar
from app.gui.window.open_menu import OpenMenu
from app.gui.window.welcome_page import WelcomePage, essential_keys
from app.gui.window.window_layout import lay_out
from app.pipeline.pipeline import Pipeline
from app.pipeline.status import PipelineStatus
from app.rendering.view_options import View
from app.sources.source_spec import SourceSpec

TITLE = "Fast-SCNN Live"
_SIZE = QSize(1360, 900)


class MainWindow(QMainWindow):
    """The window with its pipeline.

    Args:
        settings: what the user chose.
        recordings: folder for recordings and pictures; ``None`` is the user's own folders.
        keys: the keys of all commands.
        kept: where settings are kept from run to run; ``None`` keeps nothing.
    """

    happened = pyqtSignal(Event)
    """Something the user was told."""

    def __init__(
        self,
        settings: Settings,
        *,
        recordings: Path | None = None,
        keys: Keys = USUAL,
        kept: SavedSettings | None = None,
    ) -> None:
        super().__init__()
        self._settings, self._keys, self._kept = settings, keys, kept
        wake = CoalescedCall(lambda: self.view.update(), self)
        self.pipeline = Pipeline(settings, display=True, wake=wake)
        self.player = PlaybackController(self.pipeline, self)
        self.looks = ViewController(self.pipeline)
        self.network = NetworkController(self.pipeline, self.looks, self)
        spent = self.pipeline.stats.spent
        self.view = VideoView(self.pipeline.take, lambda seconds: spent({"display": seconds}))
        self.takes = RecordingController(self.pipeline, recordings, lambda: self.view.result, self)
        self.opener = OpenMenu(self, lambda: kept.recent if kept is not None else [])
        self.drawer = BottomPanel()
        self.banners = Notifications()
        self.work = ProgressStrip()
        self.panel = ViewPanel()
        self.legend = Legend()
        self.timeline = SeekBar()
        self.status = StatusBar()
        self.help: ShortcutsDialog | None = None
        self.actions_by_name = make_actions(self, keys, self._handlers())
        sources = QMenu(self)
        self.opener.fill(sources, self.actions_by_name)
        self.invitation = WelcomePage(self.opener, essential_keys(keys))
        self.bar = TransportBar(self.actions_by_name, sources)
        self.menus_bar = QMenuBar()
        self.pages = QStackedWidget()
        self.side = QFrame()
        self.hint = DropOverlay(self)
        self._lay_out()
        self.full = self._full_screen()
        self._page = self.drawer.page
        self._menus = self._menu_bar()
        self._connect()
        self._enter, self._arrows = EnterClicks(self), OwnArrows(self)
        self._arrows.leave_to(*with_arrows(self))
        self.setWindowTitle(TITLE)
        self.setMinimumSize(800, 480)
        self.resize(_SIZE.boundedTo(available_size(QGuiApplication.primaryScreen())))
        self._bring_back()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._closed = False
        self.refresh()

    def _handlers(self) -> Handlers:
        return handlers(
            self,
            self.pipeline,
            player=self.player,
            looks=self.looks,
            takes=self.takes,
            view=self.view,
            opener=self.opener,
            drawer=self.drawer,
        )

    def _lay_out(self) -> None:
        self.pages.addWidget(self.invitation)
        self.pages.addWidget(self.view)
        middle = lay_out(
            work=self.work,
            banners=self.banners,
            pages=self.pages,
            timeline=self.timeline,
            bar=self.bar,
            side=self.side,
            panel=self.panel,
            legend=self.legend,
            drawer=self.drawer,
            status=self.status,
        )
        self.setMenuBar(self.menus_bar)
        self.setCentralWidget(middle)
        self.hint.raise_()

    def _full_screen(self) -> FullScreen:
        return FullScreen(
            self,
            self.view,
            controls=(self.bar, self.timeline),
            hidden=(self.menus_bar, self.side, self.status, self.drawer, self.work),
            restored=self._restored,
        )

    def _menu_bar(self) -> MenuBar:
        return MenuBar(
            self.menus_bar,
            self.actions_by_name,
            opener=self.opener,
            player=self.player,
            weights=self.panel.weights,
            network=self.panel.network,
            set_view=self.set_view,
            set_measure=self.looks.set_measure,
            compare=self.network.compare,
            set_theme=self.set_theme,
        )

    def _connect(self) -> None:
        self.opener.chosen.connect(self.take_drop)
        self.hint.dropped.connect(self.take_drop)
        self.player.opened.connect(self.opened)
        self.player.told.connect(lambda text: self.tell("notice", text))
        self.takes.told.connect(self.tell)
        self.panel.view_chosen.connect(self.set_view)
        self.panel.pair_chosen.connect(self.network.compare)
        self.panel.alpha_chosen.connect(self.looks.set_alpha)
        self.panel.skip_chosen.connect(self.looks.set_skip)
        self.panel.weights.chosen.connect(self.network.use_weights)
        self.panel.weights.second_chosen.connect(self.network.compare_with)
        self.panel.network.chosen.connect(self.network.use_options)
        self.network.changed.connect(self.refresh)
        self.network.second_needed.connect(lambda: self.panel.weights.ask_for_file(second=True))
        self.legend.set_hidden(self._settings.view.hidden)
        self.legend.hidden_changed.connect(self.looks.set_hidden)
        self.legend.class_chosen.connect(self.select_class)
        self.timeline.seek_asked.connect(self.pipeline.seek)
        self.bar.speed_chosen.connect(self.pipeline.set_speed)
        self.view.double_clicked.connect(self.toggle_full_screen)
        self.view.split_moved.connect(self.looks.set_split)
        self.view.class_clicked.connect(self.select_class)
        self.work.cancelled.connect(self.cancel)
        self.drawer.changed.connect(self.page_turned)
        if self._kept is not None:
            kept = self._kept
            self.opener.folder_used.connect(lambda folder: setattr(kept, "folder", folder))
            self.opener.recent_forgotten.connect(kept.forget_recent)

    def begin(self) -> None:
        """Load the network and open and record what the settings say."""
        self._timer.start(100)
        self.pipeline.start()
        if self._settings.source is not None:
            self.player.open([self._settings.source, *self._settings.playlist])
        output = self._settings.output or self._settings.save_labels
        if output is not None:
            self.takes.start(
                output, labels=self._settings.save_labels, overwrite=self._settings.overwrite
            )
        self.refresh()

    # Commands

    def open(self, *entries: SourceSpec) -> None:
        """Play sources one after the other; messages on what was before them go."""
        self.banners.clear()
        self.player.open(entries)
        self.refresh()

    def take_drop(self, drop: DroppedSources) -> None:
        """Play what was dropped or chosen, and say what was wrong with it."""
        if drop.entries:
            self.open(*drop.entries)
        if drop.text:
            self.tell("notice" if drop.entries else "error", drop.text)

    def set_view(self, view: View) -> None:
        """Choose what is drawn."""
        self.looks.set_view(view)
        self.refresh()

    def select_class(self, train_id: int) -> None:
        """Outline a class; the one that is outlined already, no more."""
        self.looks.select_class(train_id)
        self.refresh()

    def set_theme(self, choice: str) -> None:
        """Be dark or light, or as the system is."""
        style.choose(next((c for c in style.CHOICES if c == choice), "system"))
        if self._kept is not None:
            self._kept.theme = choice
        self.refresh()

    def toggle_full_screen(self) -> None:
        """Show the video alone on the whole screen, or go back."""
        self.full.set(not self.full.on)

    def leave(self) -> None:
        """Close the keys; else back from full screen; else close the panel, then the messages."""
        if self.help is not None and self.help.isVisible():
            self.help.close()
        elif self.full.on:
            self.full.set(False)
        elif self.drawer.page is not None:
            self.drawer.show_page(None)
        else:
            self.banners.clear()

    def show_keys(self) -> None:
        """Show all keys."""
        if self.help is None:
            self.help = ShortcutsDialog(self._keys, self)
        self.help.show()
        self.help.raise_()
        self.help.activateWindow()

    def tell(self, kind: str, text: str) -> None:
        """Show a message, write it down, and pass it on."""
        self.banners.tell(text, error=kind == "error")
        self.drawer.log.add(kind, text)
        if kind in {"error", "recorded"}:
            self.happened.emit(Event("error" if kind == "error" else "recorded", text))

    def page_turned(self) -> None:
        """Remember what the drawer shows."""
        if not self.full.on:
            self._page = self.drawer.page

    def cancel(self, what: str) -> None:
        """Give up what takes long: ``download`` or ``opening``."""
        if what == "download":
            self.pipeline.networks.cancel_download()
        else:
            self.player.close()
        self.refresh()

    # What happens

    def refresh(self) -> None:
        """Show the pipeline as it is now."""
        status = self.pipeline.status()
        while True:
            try:
                self._happened(self.pipeline.events.get_nowait())
            except queue.Empty:
                break
        empty = status.state in {"empty", "failed"}
        if empty:
            self.view.clear()
        self.pages.setCurrentWidget(self.invitation if empty else self.view)
        self.view.set_message(waiting_for(status))
        self.view.set_veil(offline_for(status))
        self.view.set_figures(figures_of(status))
        self.view.set_options(status.view)
        if not self.full.bare:
            self._refresh_controls(status)
        title = " – ".join([*playing(status, self.player.playlist.place), TITLE])
        if title != self.windowTitle():
            self.setWindowTitle(title)

    def _refresh_controls(self, status: PipelineStatus) -> None:
        self.timeline.refresh(status, self.player.marks)
        self.bar.refresh(status)
        self.panel.refresh(status)
        self._menus.refresh(status, page=self.drawer.page, full_screen=self.full.on)
        self.drawer.performance.refresh(status)
        if not self.full.on:
            self.legend.refresh(status, self.view.result)
            self.status.refresh(status)
            current = self.player.playlist.current
            self.work.refresh(status, current.name if current is not None else "")

    def _happened(self, event: Event) -> None:
        if event.kind == "opened":
            self.drawer.log.add("opened", event.text)
            self._remember()
            self._greet()
            return
        if event.text:
            self.tell(event.kind, event.text)
        if event.kind == "ended" or (event.kind == "error" and self.player.refused()):
            self.player.went_on()

    def opened(self, spec: SourceSpec) -> None:
        """A source was chosen: its small pictures are to be had, and dialogs open beside it."""
        is_file = spec.kind == "file"
        self.timeline.thumbnails.use(Path(spec.value) if is_file else None)
        if is_file and not self.opener.folder:
            self.opener.folder = str(Path(spec.value).expanduser().absolute().parent)

    def _remember(self) -> None:
        """Keep what plays among the recent ones, if it is what was chosen."""
        if self._kept is not None and not self.player.refused():
            current = self.player.playlist.current
            if current is not None:
                self._kept.keep_recent(current)

    def _greet(self) -> None:
        if self._kept is not None and not self._kept.greeted:
            self._kept.greeted = True
            self.banners.tell(essential_keys(self._keys))

    def _restored(self) -> None:
        self.drawer.show_page(self._page)
        self.refresh()

    # Settings that are kept

    def _bring_back(self) -> None:
        kept = self._kept
        if kept is not None:
            if not kept.geometry.isEmpty():
                self.restoreGeometry(kept.geometry)
            self.drawer.show_page(next((page for page in PAGES if page == kept.page), None))
            self.opener.folder = kept.folder
            self.legend.sort_by_share(kept.by_share)

    def _keep(self) -> None:
        if self._kept is not None:
            self._kept.keep_choices(self.pipeline, self._settings)
            if not self.full.on:
                self._kept.geometry = self.saveGeometry()
            self._kept.by_share = self.legend.by_share
            self._kept.page = (self._page if self.full.on else self.drawer.page) or ""
            self._kept.sync()

    # Events of Qt

    def closeEvent(self, event: QCloseEvent | None) -> None:
        if not self._closed:
            self._closed = True
            self._timer.stop()
            self._keep()
            self.hide()  # the user is done: what still has to end does so out of sight
            self.timeline.thumbnails.stop()
            self.takes.finish()
            self.pipeline.stop()
        super().closeEvent(event)
