"""Menu bar: every command by name, with its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QMenu, QMenuBar

from app.gui.controllers.playback_controller import PlaybackController
from app.gui.panels.network_menu import NetworkMenu
from app.gui.panels.view_panel import VIEW_NAMES, pair_name
from app.gui.panels.weights_menu import WeightsMenu
from app.gui.widgets import theme
from app.gui.widgets.controls import add_choice
from app.gui.window.open_menu import OpenMenu
from app.pipeline.status import PipelineStatus
from app.rendering.view_options import PAIRED, PAIRS, Measure, View

Choices = dict[str, QAction]

_THEMES = {"system": "As the system", "dark": "Dark", "light": "Light"}

_MEASURES = {
    "probability": "Probability of the class",
    "entropy": "Entropy of all classes",
}
"""Names of the measures of confidence."""


class MenuBar:
    """Menus of the menu bar; keeps their ticks up to date.

    Args:
        bar: the menu bar.
        actions: actions of the commands by name.
        open_menu, playback: the ways to open a source, and the playlist.
        weights, network: menus of the panel, offered here too.
        set_view, set_measure, compare, set_theme: called with the user's choice.
    """

    def __init__(
        self,
        bar: QMenuBar,
        actions: Mapping[str, QAction],
        *,
        open_menu: OpenMenu,
        playback: PlaybackController,
        weights: WeightsMenu,
        network: NetworkMenu,
        set_view: Callable[[View], None],
        set_measure: Callable[[Measure], None],
        compare: Callable[[str], None],
        set_theme: Callable[[str], None],
    ) -> None:
        self._bar, self._actions, self._playback = bar, actions, playback
        self._idle: set[str] = set()
        self._playlist = self._add_source(open_menu)
        self._add_play()
        self._views, self._pairs, self._measures = self._add_picture(set_view, compare, set_measure)
        self._add_network(weights, network)
        self._themes = self._add_window(set_theme)
        for name in _TICKED:
            actions[name].setCheckable(True)

    def _add_source(self, open_menu: OpenMenu) -> QMenu:
        source = self._menu("&Source")
        open_menu.fill(source, self._actions)
        source.addSeparator()
        playlist = QMenu("Playlist", source)
        playlist.aboutToShow.connect(self._fill_playlist)
        source.addMenu(playlist)
        self._add(source, "next", "previous", "", "close", "quit")
        return playlist

    def _add_play(self) -> None:
        play = self._menu("&Play")
        self._add(play, "play", "", "back", "forward", "back-far", "forward-far")
        self._add(play, "step-back", "step", "start", "end", "")
        self._add(play, "loop-in", "loop-out", "loop", "")
        self._add(play, "slower", "faster", "normal-speed", "", "record", "recordings")

    def _add_picture(
        self,
        set_view: Callable[[View], None],
        compare: Callable[[str], None],
        set_measure: Callable[[Measure], None],
    ) -> tuple[Choices, Choices, Choices]:
        picture = self._menu("P&icture")
        views = _choices(picture, {v: text for v, (text, _) in VIEW_NAMES.items()}, set_view)
        self._add(picture, "view")
        menu = QMenu("Compare", picture)
        pairs = _choices(menu, {name: name for name in PAIRS}, compare)
        picture.addMenu(menu)
        menu = QMenu("Confidence as", picture)
        measures = _choices(menu, _MEASURES, set_measure)
        picture.addMenu(menu)
        self._add(picture, "", "skip", "confidence", "wipe", "contours", "")
        self._add(picture, "fit", "actual-size", "zoom-in", "zoom-out", "")
        self._add(picture, "snapshot", "snapshot-all")
        return views, pairs, measures

    def _add_network(self, weights: WeightsMenu, network: NetworkMenu) -> None:
        runs = self._menu("&Network")
        choices = QMenu("Weights", runs)
        choices.aboutToShow.connect(lambda: weights.fill(choices))
        runs.addMenu(choices)
        other = QMenu("Compare with", runs)
        other.aboutToShow.connect(lambda: weights.fill(other, second=True))
        runs.addMenu(other)
        options = QMenu("Input size, device, precision", runs)
        options.aboutToShow.connect(lambda: network.fill(options))
        runs.addMenu(options)
        runs.addSeparator()
        self._add(runs, "quarter", "half", "full", "exact")

    def _add_window(self, set_theme: Callable[[str], None]) -> Choices:
        window = self._menu("&Window")
        self._add(window, "full-screen", "leave", "", "performance", "log", "")
        menu = QMenu("Theme", window)
        themes = _choices(menu, _THEMES, set_theme)
        window.addMenu(menu)
        window.addSeparator()
        self._add(window, "keys")
        return themes

    def _menu(self, title: str) -> QMenu:
        menu = self._bar.addMenu(title)
        assert menu is not None
        menu.aboutToShow.connect(lambda: self._grey(True))
        menu.aboutToHide.connect(lambda: self._grey(False))
        return menu

    def _add(self, menu: QMenu, *names: str) -> None:
        """Add commands; an empty name is a separator between them."""
        for name in names:
            if name:
                menu.addAction(self._actions[name])
            else:
                menu.addSeparator()

    def refresh(self, status: PipelineStatus, *, page: str | None, full_screen: bool) -> None:
        """Tick what is on, and note the commands that cannot be used now."""
        actions, view, state = self._actions, status.view, status.state
        for name, ticked in (
            ("loop", status.loop is not None),
            ("record", status.recording is not None),
            ("skip", status.skip),
            ("confidence", view.view == "confidence"),
            ("wipe", view.view == "wipe"),
            ("contours", view.contours),
            ("performance", page == "performance"),
            ("log", page == "log"),
            ("full-screen", full_screen),
        ):
            actions[name].setChecked(ticked)
        self._views[view.view].setChecked(True)
        for name, action in self._pairs.items():
            action.setChecked(view.view in PAIRED and name == pair_name(view))
        self._measures[view.measure].setChecked(True)
        self._themes[theme.choice()].setChecked(True)
        has_picture = state in {"playing", "paused", "ended"}
        self._idle = {
            *(_MOVES if not (status.seekable and status.source is not None) else ()),
            *(() if has_picture else ("play", "snapshot", "snapshot-all")),
            *(() if has_picture or status.recording else ("record",)),
            *(() if state != "empty" else ("close",)),
            *(() if view.goes_by_switch else ("skip",)),
        }

    def _grey(self, shown: bool) -> None:
        """Disable the commands that cannot be used now while a menu is open.

        Only then: a key must not fall on deaf ears because the picture has just come.
        """
        for name, action in self._actions.items():
            action.setEnabled(not (shown and name in self._idle))

    def _fill_playlist(self) -> None:
        self._playlist.clear()
        playlist = self._playback.playlist
        for index, spec in enumerate(playlist.entries):
            text = f"{index + 1}  {spec.name}".replace("&", "&&")
            go = partial(self._playback.go, index)
            add_choice(self._playlist, text, go, ticked=index == playlist.index)
        if not playlist.entries:
            none = self._playlist.addAction("Drop several files, or a folder")
            assert none is not None
            none.setEnabled(False)


_TICKED = (
    *("loop", "record", "skip", "confidence", "wipe", "contours"),
    *("full-screen", "performance", "log"),
)
_MOVES = (
    *("back", "forward", "back-far", "forward-far", "step-back", "step", "start", "end"),
    *("loop-in", "loop-out", "loop", "slower", "faster", "normal-speed"),
)


def _choices(menu: QMenu, texts: Mapping[str, str], chosen: Callable[..., object]) -> Choices:
    """Add exclusive choices; return their actions by value."""
    group = QActionGroup(menu)
    group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
    made: Choices = {}
    for value, text in texts.items():
        made[value] = add_choice(menu, text, partial(chosen, value), ticked=False)
        group.addAction(made[value])
    return made
