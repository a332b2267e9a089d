"""Windows of a run: that of one source, or a grid once there are several."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QWidget

from app.config.settings import Settings
from app.config.shortcuts import Keys
from app.config.source_settings import settings_beside, settings_of_each
from app.gui.grid.grid_window import GridWindow
from app.gui.window.drag_and_drop import DroppedSources
from app.gui.window.main_window import MainWindow
from app.gui.window.saved_state import SavedState
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec


class RunWindows:
    """Windows of all sources that run beside each other; the first one's network serves them all.

    Args:
        settings: of the run.
        keys: keys of all commands.
        saved: settings saved between runs: those of the first window, and what was drawn in each
            source; ``None`` saves nothing.
        made: told of every window before it is shown.
        removed: told of every window whose source was removed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        keys: Keys,
        saved: SavedState | None,
        made: Callable[[MainWindow], None],
        removed: Callable[[MainWindow], None] = lambda window: None,
    ) -> None:
        self._settings, self._keys, self._saved = settings, keys, saved
        self._made, self._removed = made, removed
        self.pipelines: list[Pipeline] = []
        """Those of all sources that run, in order, and of those that did where a report tells of
        them."""
        self._opened = list(settings.sources[:1])
        self.first = MainWindow(settings_of_each(settings)[0], keys=keys, saved=saved)
        self.grid: GridWindow | None = None
        """Window of all of them; ``None`` while there is one."""
        self._learn(self.first)

    @property
    def top(self) -> QWidget:
        """The window on the screen."""
        return self.grid if self.grid is not None else self.first

    @property
    def windows(self) -> list[MainWindow]:
        """Windows of all sources, in order."""
        return self.grid.windows if self.grid is not None else [self.first]

    def begin(self) -> None:
        """Show the window and open all sources."""
        others = self._settings.sources[1:] if self._settings.beside else ()
        if others:
            self._make_grid()
        self.top.show()
        self.first.begin()
        if others:
            self.open_beside(DroppedSources(others))

    def open_beside(self, drop: DroppedSources) -> None:
        """Open sources beside what plays, in a grid from then on."""
        if self.grid is None and drop.entries:
            self._make_grid().show()
        if self.grid is not None:
            self.grid.open_dropped(drop)
        else:
            self.first.open_dropped(drop)  # which says what was wrong with it

    def close(self) -> None:
        """Close the window and end all that runs in it."""
        self.top.close()

    def _make_grid(self) -> GridWindow:
        self.grid = GridWindow(self.first, self._make, self._keys)
        self.grid.removed.connect(self._removed)
        self.grid.seen_off.connect(self._forget)
        return self.grid

    def _make(self, spec: SourceSpec) -> MainWindow:
        settings = settings_beside(self._settings, spec, self._opened)
        self._opened.append(spec)
        window = MainWindow(
            settings, keys=self._keys, parts=self._saved, beside=self.first.pipeline
        )
        self._learn(window)
        return window

    def _learn(self, window: MainWindow) -> None:
        window.drop_overlay.beside_dropped.connect(self.open_beside)
        window.open_menu.beside_chosen.connect(self.open_beside)
        self.pipelines.append(window.pipeline)
        self._made(window)

    def _forget(self, window: MainWindow) -> None:
        """Let go of the pipeline of a source that has ended, with all that it counted."""
        if self._settings.run.stats_json is None:
            self.pipelines.remove(window.pipeline)
