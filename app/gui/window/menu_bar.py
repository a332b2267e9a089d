"""The menu bar: every command by name, with its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QMenu, QMenuBar

from app.gui.controllers.playback_controller import PlaybackController
from app.gui.panels.network_menu import NetworkMenu
from app.gui.panels.view_panel import VIEW_WORDS, pair_name
from app.gui.panels.weights_menu import WeightsMenu
from app.gui.widgets import theme as style
from app.gui.window.open_menu import OpenMenu
from app.pipeline.status import PipelineStatus
from app.rendering.view_options import PAIRED, PAIRS, Measure, View

_THEMES = {"system": "As the system", "dark": "Dark", "light": "Light"}

_MEASURES = {
    "probability": "Probability of the class",
    "entropy": "Entropy of all classes",
}
"""What the confidence may show."""


class MenuBar:
    """Fills a menu bar, and keeps its ticks true.

    Args:
        bar: the menu bar.
        actions: the commands by name.
        opener, player: what can be opened, and what plays.
        weights, network: the choosers of the panel, whose menus are offered here too.
        set_view, set_measure, compare, set_theme: told what the user chose.
    """

    def __init__(
        self,
        bar: QMenuBar,
        actions: Mapping[str, QAction],
        *,
        opener: OpenMenu,
        player: PlaybackController,
        weights: WeightsMenu,
        network: NetworkMenu,
        set_view: Callable[[View], None],
        set_measure: Callable[[Measure], None],
        compare: Callable[[str], None],
        set_theme: Callable[[str], None],
    ) -> None:
        self._actions, self._player = actions, player
        self._idle: set[str] = set()
        source = _menu(bar, "&Source")
        opener.fill(source, actions)
        source.addSeparator()
        self._playlist = QMenu("Playlist", source)
        self._playlist.aboutToShow.connect(self._fill_playlist)
        source.addMenu(self._playlist)
        _add(source, actions, "next", "previous", "", "close", "quit")

        play = _menu(bar, "&Play")
        _add(play, actions, "play", "", "back", "forward", "back-far", "forward-far")
        _add(play, actions, "step-back", "step", "start", "end", "")
        _add(play, actions, "loop-in", "loop-out", "loop", "")
        _add(play, actions, "slower", "faster", "normal-speed", "", "record", "recordings")
        for name in ("loop", "record"):
            actions[name].setCheckable(True)

        picture = _menu(bar, "P&icture")
        self._views = _choices(picture, {v: text for v, (text, _) in VIEW_WORDS.items()}, set_view)
        _add(picture, actions, "view")
        pairs = QMenu("Compare", picture)
        self._pairs = _choices(pairs, {name: name for name in PAIRS}, compare)
        picture.addMenu(pairs)
        measures = QMenu("Confidence as", picture)
        self._measures = _choices(measures, _MEASURES, set_measure)
        picture.addMenu(measures)
        _add(picture, actions, "", "skip", "confidence", "wipe", "contours", "")
        for name in ("skip", "confidence", "wipe", "contours"):
            actions[name].setCheckable(True)
        _add(picture, actions, "fit", "actual-size", "zoom-in", "zoom-out", "")
        _add(picture, actions, "snapshot", "snapshot-all")

        runs = _menu(bar, "&Network")
        chooser = QMenu("Weights", runs)
        chooser.aboutToShow.connect(lambda: weights.fill(chooser))
        runs.addMenu(chooser)
        other = QMenu("Compare with", runs)
        other.aboutToShow.connect(lambda: weights.fill(other, second=True))
        runs.addMenu(other)
        options = QMenu("Input size, device, precision", runs)
        options.aboutToShow.connect(lambda: network.fill(options))
        runs.addMenu(options)
        runs.addSeparator()
        _add(runs, actions, "quarter", "half", "full", "exact")

        window = _menu(bar, "&Window")
        _add(window, actions, "full-screen", "leave", "", "performance", "log", "")
        for name in ("full-screen", "performance", "log"):
            actions[name].setCheckable(True)
        looks = QMenu("Theme", window)
        self._themes = _choices(looks, _THEMES, set_theme)
        window.addMenu(looks)
        window.addSeparator()
        _add(window, actions, "keys")
        for menu in (source, play, picture, runs, window):
            menu.aboutToShow.connect(lambda: self._grey(True))
            menu.aboutToHide.connect(lambda: self._grey(False))

    def refresh(self, status: PipelineStatus, *, page: str | None, full_screen: bool) -> None:
        """Tick what is so, and note what cannot be done now."""
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
        self._themes[style.choice()].setChecked(True)
        has_picture = state in {"playing", "paused", "ended"}
        self._idle = {
            *(_MOVES if not (status.seekable and status.source is not None) else ()),
            *(() if has_picture else ("play", "snapshot", "snapshot-all")),
            *(() if state in {"playing", "paused"} or status.recording else ("record",)),
            *(() if state != "empty" else ("close",)),
            *(() if view.goes_by_switch else ("skip",)),
        }

    def _grey(self, shown: bool) -> None:
        """While a menu is open, show what cannot be done now as such.

        Only then: a key must not fall on deaf ears because the picture has just come.
        """
        for name, action in self._actions.items():
            action.setEnabled(not (shown and name in self._idle))

    def _fill_playlist(self) -> None:
        self._playlist.clear()
        playlist = self._player.playlist
        for index, spec in enumerate(playlist.entries):
            action = self._playlist.addAction(f"{index + 1}  {spec.name}".replace("&", "&&"))
            assert action is not None
            action.setCheckable(True)
            action.setChecked(index == playlist.index)
            action.triggered.connect(partial(self._player.go, index))
        if not playlist.entries:
            none = self._playlist.addAction("Drop several files, or a folder")
            assert none is not None
            none.setEnabled(False)


_MOVES = (
    *("back", "forward", "back-far", "forward-far", "step-back", "step", "start", "end"),
    *("loop-in", "loop-out", "loop", "slower", "faster", "normal-speed"),
)


def _menu(bar: QMenuBar, title: str) -> QMenu:
    menu = bar.addMenu(title)
    assert menu is not None
    return menu


def _add(menu: QMenu, actions: Mapping[str, QAction], *names: str) -> None:
    """Add commands; an empty name is a line between them."""
    for name in names:
        if name:
            menu.addAction(actions[name])
        else:
            menu.addSeparator()


def _choices(
    menu: QMenu, texts: Mapping[str, str], chosen: Callable[..., object]
) -> dict[str, QAction]:
    """Add choices of which one is in force."""
    group = QActionGroup(menu)
    group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
    made: dict[str, QAction] = {}
    for value, text in texts.items():
        action = menu.addAction(text)
        assert action is not None
        action.setCheckable(True)
        group.addAction(action)
        action.triggered.connect(lambda _, value=value: chosen(value))
        made[value] = action
    return made
