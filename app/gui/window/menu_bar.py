"""Menu bar: every command by name, with its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QMenu, QMenuBar

from app.gui.controllers.playback_controller import PlaybackController
from app.gui.controllers.view_controller import ViewController
from app.gui.panels.recording_menu import RecordingMenu
from app.gui.panels.view_panel import VIEW_NAMES, ViewPanel, pair_name
from app.gui.widgets import theme
from app.gui.widgets.controls import add_choice
from app.gui.window.help_menu import HelpMenu
from app.gui.window.open_menu import OpenMenu
from app.gui.window.true_labels import TrueLabels
from app.pipeline.status import PipelineStatus
from app.rendering.palettes import CITYSCAPES, COLOUR_BLIND
from app.rendering.view_options import PAIRED, PAIRS

Choices = dict[str, QAction]

_THEMES = {"system": "As the system", "dark": "Dark", "light": "Light"}

_PALETTES = {CITYSCAPES: "Cityscapes", COLOUR_BLIND: "For colour-blind eyes"}

_MERGINGS = {
    "": "The 19 classes",
    "camvid": "CamVid's 11 classes",
    "idd_lite": "IDD Lite's 7 classes",
}

_MEASURES = {
    "probability": "Probability of the class",
    "entropy": "Entropy of all classes",
}
"""Names of the measures of confidence."""


class MenuBar(QObject):
    """Menus of the menu bar; keeps their ticks up to date.

    Args:
        bar: the menu bar.
        actions: actions of the commands by name.
        open_menu, playback: the ways to open a source, and the playlist.
        recording_menu: the options of recordings.
        panel: the panel whose choices are offered here too.
        view_commands: take the other choices of the view.
        true_labels: take what a source is judged by.
        help_menu: the entries of the help menu.
    """

    theme_chosen = pyqtSignal(str)

    def __init__(
        self,
        bar: QMenuBar,
        actions: Mapping[str, QAction],
        *,
        open_menu: OpenMenu,
        recording_menu: RecordingMenu,
        playback: PlaybackController,
        panel: ViewPanel,
        view_commands: ViewController,
        true_labels: TrueLabels,
        help_menu: HelpMenu,
    ) -> None:
        super().__init__(bar)
        self._bar, self._actions, self._playback = bar, actions, playback
        self._open_menu = open_menu
        self._idle: set[str] = set()
        self._playlist = self._add_file(open_menu, recording_menu)
        self._add_play()
        self._add_view(panel, view_commands, true_labels)
        self._add_network(panel)
        menu = self._menu("&Help")
        self._add(menu, "keys", "")
        help_menu.fill(menu)
        for name in _TICKED:
            actions[name].setCheckable(True)

    def _add_file(self, open_menu: OpenMenu, recording_menu: RecordingMenu) -> QMenu:
        file = self._menu("&File")
        open_menu.fill(file, self._actions)
        playlist = QMenu("Playlist", file)
        playlist.aboutToShow.connect(self._fill_playlist)
        file.addMenu(playlist)
        self._add(file, "", "record")
        file.addMenu(recording_menu.made(file))
        self._add(file, "recordings", "snapshot", "snapshot-all", "run-settings", "")
        self._add(file, "close", "quit")
        return playlist

    def _add_play(self) -> None:
        play = self._menu("&Play")
        self._add(play, "play", "next", "previous", "")
        self._add(play, "back", "forward", "back-far", "forward-far")
        self._add(play, "step-back", "step", "start", "end", "")
        self._add(play, "bookmark", "next-bookmark", "next-found", "next-unsure", "")
        self._add(play, "loop-in", "loop-out", "loop", "")
        self._add(play, "slower", "faster", "normal-speed")

    def _add_view(
        self, panel: ViewPanel, commands: ViewController, true_labels: TrueLabels
    ) -> None:
        view = self._menu("&View")
        names: dict[str, str] = {v: text for v, (text, _) in VIEW_NAMES.items()}
        self._views = _choices(view, names, panel.view_chosen.emit)
        self._add(view, "view")
        menu = self._part(view, "Compare", "divider-left", "divider-right", "")
        self._pairs = _choices(menu, {name: name for name in PAIRS}, panel.pair_chosen.emit)
        menu = self._part(view, "True labels", "labels", "")
        self._mergings = _choices(menu, _MERGINGS, true_labels.merge)
        menu = self._part(view, "Confidence as")
        self._measures = _choices(menu, _MEASURES, commands.set_measure)
        view.addSeparator()
        menu = self._part(view, "Colours", "opacity-less", "opacity-more", "")
        self._palettes = _choices(menu, _PALETTES, commands.set_palette)
        self._add(view, "contours", "class-names")
        parts = "leave-out", "leave-nothing-out", "", "draw-zone", "alerts"
        self._part(view, "Parts and zones", *parts)
        self._part(view, "Zoom", "fit", "actual-size", "zoom-in", "zoom-out")
        self._add(view, "", "performance", "log", "curves", "", "full-screen")
        menu = self._part(view, "Theme")
        self._themes = _choices(menu, _THEMES, self.theme_chosen.emit)

    def _add_network(self, panel: ViewPanel) -> None:
        network = self._menu("&Network")
        choices = QMenu("Weights", network)
        choices.aboutToShow.connect(lambda: panel.weights.fill(choices))
        network.addMenu(choices)
        other = QMenu("Compare with", network)
        other.aboutToShow.connect(lambda: panel.weights.fill(other, second=True))
        network.addMenu(other)
        self._add(network, "skip", "steady", "", *_SIZES, "")
        options = QMenu("Device, precision, runtime", network)
        options.aboutToShow.connect(lambda: panel.network.fill_others(options))
        network.addMenu(options)

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

    def _part(self, menu: QMenu, title: str, *names: str) -> QMenu:
        """Add a menu of commands to a menu."""
        part = QMenu(title, menu)
        self._add(part, *names)
        menu.addMenu(part)
        return part

    def refresh(self, status: PipelineStatus, *, page: str | None, full_screen: bool) -> None:
        """Tick what is on, and note the commands that cannot be used now."""
        actions, view, state = self._actions, status.view, status.state
        size = status.network.options.input_size if status.network is not None else ""
        for name, ticked in (
            ("loop", status.loop is not None),
            ("record", status.recording is not None),
            ("skip", status.skip),
            ("steady", view.steady),
            ("confidence", view.view == "confidence"),
            ("wipe", view.view == "wipe"),
            ("contours", view.contours),
            ("class-names", view.class_names),
            ("performance", page == "performance"),
            ("log", page == "log"),
            ("curves", page == "curves"),
            ("full-screen", full_screen),
            *((name, name == size) for name in _SIZES),
        ):
            actions[name].setChecked(ticked)
        self._views[view.view].setChecked(True)
        for name, action in self._pairs.items():
            action.setChecked(view.view in PAIRED and name == pair_name(view))
        self._measures[view.measure].setChecked(True)
        self._themes[theme.choice()].setChecked(True)
        for merging, action in self._mergings.items():
            action.setChecked(merging == (status.merging or ""))
        for palette, action in self._palettes.items():
            action.setChecked(palette == view.palette)
        has_picture = state in {"playing", "paused", "ended"}
        self._idle = {
            *(_MOVES if not (status.seekable and status.source is not None) else ()),
            *(() if has_picture else ("play", "snapshot", "snapshot-all")),
            *(() if has_picture or status.recording else ("record",)),
            *(() if state != "empty" else ("close",)),
            *(() if self._open_menu.is_beside else ("remove",)),
            *(() if view.goes_by_switch else ("skip",)),
            *(() if view.goes_by_steady else ("steady",)),
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


_SIZES = ("auto", "quarter", "half", "full", "exact")
_TICKED = (
    *("loop", "record", "skip", "steady", "confidence", "wipe", "contours", "class-names"),
    *("full-screen", "performance", "log", "curves", *_SIZES),
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
