"""Grid window: several sources in tiles; one that is chosen has the window to itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import (
    QGridLayout,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.core.events import Event
from app.gui.grid.all_controls import AllControls
from app.gui.grid.tile import Tile
from app.gui.widgets import theme
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
        first: the window of the first source, which becomes a page of this one.
        make: makes the window of one more source, which shares the first one's network.
    """

    def __init__(self, first: MainWindow, make: Callable[[SourceSpec], MainWindow]) -> None:
        super().__init__()
        self._make = make
        self.windows: list[MainWindow] = []
        self.tiles: list[Tile] = []
        self.controls = AllControls(self.windows)
        self._page = QWidget()
        self._grid = QGridLayout()
        self._lay_out()
        self.addWidget(self._page)
        self._drops = DropOverlay(self)
        self._drops.dropped.connect(self.open_dropped)
        self._drops.beside_dropped.connect(self.open_dropped)
        self.controls.add.clicked.connect(first.open_menu.ask_for_files_beside)
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
        number = len(self.windows)
        tile = Tile(window.pipeline, number + 1)
        tile.chosen.connect(partial(self.enlarge, number))
        tile.adopt(window.view.result)
        window.setWindowFlags(Qt.WindowType.Widget)
        window.left.connect(self.show_all)
        back = QToolButton()
        back.setObjectName("flat")
        back.setText("All sources (Esc)")
        back.clicked.connect(self.show_all)
        window.menu_bar.setCornerWidget(back)
        window.reported.connect(partial(self._learn, tile))
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

    def open_dropped(self, drop: DroppedSources) -> None:
        """Open what was dropped or chosen beside the others."""
        room = _MOST - len(self.windows)
        for spec in drop.entries[:room]:
            self.add(spec)
        if len(drop.entries) > room:
            text = f"{_MOST} sources are the most beside each other: close the window for others."
            self.windows[0].notify("error", text)
            self.tiles[0].error = text
        if drop.text:
            self.windows[0].notify("notice" if drop.entries else "error", drop.text)

    def enlarge(self, number: int) -> None:
        """Show one source large."""
        self.tiles[number].hand_over()
        self.setCurrentWidget(self.windows[number])
        self.windows[number].refresh()

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
        for window in self.windows:
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
        layout = QVBoxLayout(self._page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.controls)
        layout.addWidget(scrolling, 1)

    def _place_tiles(self) -> None:
        columns = min(_COLUMNS, math.ceil(math.sqrt(len(self.tiles))))
        for place, tile in enumerate(self.tiles):
            self._grid.addWidget(tile, place // columns, place % columns)

    def _look(self) -> None:
        if self.currentWidget() is self._page:
            for tile in self.tiles:
                tile.look()

    def _learn(self, tile: Tile, event: Event) -> None:
        if event.kind == "error":
            tile.error = event.text
