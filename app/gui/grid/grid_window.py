"""Grid window: several sources in tiles; one that is chosen has the window to itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QPoint, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QKeySequence
from PyQt6.QtWidgets import (
    QGridLayout,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.config.shortcuts import Keys
from app.core.events import Event
from app.gui.feedback.notifications import Notifications
from app.gui.grid.all_controls import AllControls
from app.gui.grid.tile import Tile
from app.gui.grid.tile_menu import tile_menu
from app.gui.widgets import theme
from app.gui.widgets.floating import Floating
from app.gui.window.drag_and_drop import DropOverlay, DroppedSources
from app.gui.window.main_window import TITLE, MainWindow
from app.sources.source_spec import SourceSpec

_MOST = 16
"""Sources that one window takes."""
_COLUMNS = 3
"""Most columns: nine tiles are seen at once, more are scrolled to."""
_LOOK, _REFRESH = 25, 250
"""Milliseconds between two looks for new pictures, and between two refreshes of words."""


class GridWindow(QStackedWidget):
    """Window of windows: a page with a tile for each source, and the whole window of each.

    A click on a tile shows its source large, with all that a window of one source has; Esc goes
    back. The controls above the tiles act on all sources.

    Args:
        first: the window of the first source, which becomes a page of this one. Its pipeline has
            the network of all: where its source is removed, it stays, out of sight.
        make: makes the window of one more source, which shares the first one's network.
        keys: keys of all commands; what they do over the tiles is for all sources.
    """

    removed = pyqtSignal(MainWindow)
    """The window of a source that was removed."""
    seen_off = pyqtSignal(MainWindow)
    """A window that was removed and goes now: its source has ended and said all it had to say."""

    def __init__(
        self, first: MainWindow, make: Callable[[SourceSpec], MainWindow], keys: Keys
    ) -> None:
        super().__init__()
        self._first, self._make = first, make
        self.windows: list[MainWindow] = []
        self.tiles: list[Tile] = []
        self._leaving: list[MainWindow] = []
        self._count = 0
        self.notifications = Notifications()
        """Messages about no source, or about one that goes on."""
        self.controls = AllControls(self.windows)
        self._page = QWidget()
        self._grid = QGridLayout()
        self._lay_out()
        self._take_keys(keys)
        self.addWidget(self._page)
        self._drops = DropOverlay(self)
        self._drops.dropped.connect(self.open_dropped)
        self._drops.beside_dropped.connect(self.open_dropped)
        beside = first.open_menu.beside_menu(self.controls.add, first.actions_by_name)
        self.controls.add.setMenu(beside)
        size = first.size()
        self.adopt(first)
        self.setMinimumSize(800, 480)
        self.resize(size)
        self._looking, self._refreshing = QTimer(self), QTimer(self)
        self._looking.timeout.connect(self._look)
        self._refreshing.timeout.connect(self.refresh)
        self._looking.start(_LOOK)
        self._refreshing.start(_REFRESH)

    def adopt(self, window: MainWindow) -> None:
        """Make a window a page, with a tile for it."""
        self._count += 1
        tile = Tile(window.pipeline, self._count)
        tile.chosen.connect(partial(self.enlarge, window))
        tile.menu_asked.connect(partial(self._show_menu, window))
        tile.removal_asked.connect(partial(self.remove, window))
        window.open_menu.removal_asked.connect(partial(self.remove, window))
        tile.adopt(window.view.result)
        window.setWindowFlags(Qt.WindowType.Widget)
        window.left.connect(self.show_all)
        back = QToolButton()
        back.setObjectName("flat")
        back.setText("All sources (Esc)")
        back.clicked.connect(self.show_all)
        window.menu_bar.setCornerWidget(back)
        window.told.connect(partial(self._learn, tile, window))
        self.windows.append(window)
        self.tiles.append(tile)
        self.addWidget(window)
        self._place_tiles()
        self.show_all()

    def add(self, spec: SourceSpec) -> None:
        """Open one more source beside the others."""
        window = self._make(spec)
        self.adopt(window)
        window.begin()

    def remove(self, window: MainWindow) -> None:
        """Take a source away from beside the others, which go on; its recording is closed."""
        if window not in self.windows or len(self.windows) == 1:
            return
        place = self.windows.index(window)
        tile = self.tiles[place]
        del self.windows[place], self.tiles[place]
        self._leaving.append(window)
        window.pipeline.leave()
        self.removed.emit(window)
        self.removeWidget(window)
        tile.hide()
        tile.deleteLater()
        self._place_tiles()
        self.show_all()
        self.tiles[min(place, len(self.tiles) - 1)].setFocus()

    def open_dropped(self, drop: DroppedSources) -> None:
        """Open what was dropped or chosen beside the others."""
        room = _MOST - len(self.windows)
        for spec in drop.entries[:room]:
            self.add(spec)
        if len(drop.entries) > room:
            text = f"{_MOST} sources are the most beside each other: close the window for others."
            self.notifications.notify(text, error=True)
        if (weights := drop.weights) is not None:
            use = "Use as weights", lambda: self._first.network_commands.use_weights(weights)
            text = f"{weights.name} is a checkpoint, no video."
            self.notifications.notify(text, actions=(use,))
        if drop.text:
            self.notifications.notify(drop.text, error=not drop.entries)

    def enlarge(self, window: MainWindow) -> None:
        """Show one source large."""
        self.tiles[self.windows.index(window)].hand_over()
        self.setCurrentWidget(window)
        window.refresh()

    def show_all(self) -> None:
        """Go back to the tiles."""
        for window, tile in zip(self.windows, self.tiles, strict=True):
            if window is self.currentWidget():
                tile.adopt(window.view.result)
                tile.setFocus()
        self.setCurrentWidget(self._page)
        self.refresh()

    def refresh(self) -> None:
        """Show all sources as they are now."""
        self._see_off()
        current = self.currentWidget()
        if current is not self._page:
            self.setWindowTitle(current.windowTitle() if current is not None else TITLE)
            return
        self.setWindowTitle(f"{len(self.windows)} sources – {TITLE}")
        self.controls.refresh()
        for tile in self.tiles:
            tile.refresh()

    def sizeHint(self) -> QSize:
        return QSize(1360, 900)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self._looking.stop()
        self._refreshing.stop()
        self.hide()  # the user is done: what still has to end does so out of sight
        for window in (self._first, *self.windows, *self._leaving):
            window.close()
        super().closeEvent(event)

    def _lay_out(self) -> None:
        tiles = QWidget()
        tiles.setLayout(self._grid)
        self._grid.setContentsMargins(*[theme.GAP] * 4)
        self._grid.setSpacing(theme.GAP)
        scrolling = QScrollArea()
        scrolling.setWidgetResizable(True)
        scrolling.setWidget(tiles)
        pages = QStackedWidget()
        pages.addWidget(scrolling)
        Floating(self.notifications, pages, edge=Qt.Edge.BottomEdge)
        layout = QVBoxLayout(self._page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.controls)
        layout.addWidget(pages, 1)

    def _take_keys(self, keys: Keys) -> None:
        full = Qt.WindowState.WindowFullScreen
        commands = {
            **self.controls.commands(),
            "open-beside": self._first.open_menu.ask_for_files_beside,
            "full-screen": lambda: self.setWindowState(self.windowState() ^ full),
            "leave": lambda: self.setWindowState(self.windowState() & ~full),
            "keys": self._first.help_menu.show_keys,
            "quit": self.close,
        }
        for name, command in commands.items():
            action = QAction(self._page)
            action.setShortcuts([QKeySequence(key) for key in keys[name]])
            action.triggered.connect(lambda _=False, command=command: command())
            self._page.addAction(action)

    def _place_tiles(self) -> None:
        columns = min(_COLUMNS, math.ceil(math.sqrt(len(self.tiles))))
        for place, tile in enumerate(self.tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
        for window in self.windows:
            window.open_menu.is_beside = len(self.windows) > 1

    def _look(self) -> None:
        if self.currentWidget() is self._page:
            for tile in self.tiles:
                tile.look()

    def _show_menu(self, window: MainWindow, place: QPoint) -> None:
        remove = partial(self.remove, window) if len(self.windows) > 1 else None
        menu = tile_menu(window, self, enlarge=partial(self.enlarge, window), remove=remove)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    def _see_off(self) -> None:
        """Let go of the windows of sources that have ended since they were removed."""
        for window in [each for each in self._leaving if each.pipeline.left]:
            self._leaving.remove(window)
            window.refresh()  # it may have something to say in the end
            if window is not self._first:
                self.seen_off.emit(window)
                window.close()
                window.deleteLater()

    def _learn(self, tile: Tile, window: MainWindow, event: Event) -> None:
        """Show what a source's user was told, where its tile does not."""
        if event.common:
            self.notifications.notify(event.text, error=event.kind == "error", topic=event.topic)
        elif event.kind == "ended":
            tile.ending = event.text
        elif event.kind == "recorded":
            self.notifications.notify(event.text)
        elif event.kind == "error":
            tile.error = event.text
            if window.pipeline.session.state not in {"failed", "empty"}:
                self.notifications.notify(f"{tile.name}: {event.text}", error=True)
