"""Command handlers: a function for each command of the table of keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from app.core.events import EventKind
from app.gui.controllers.playback_controller import PlaybackController
from app.gui.controllers.recording_controller import RecordingController
from app.gui.controllers.view_controller import ViewController
from app.gui.panels.bottom_panel import BottomPanel
from app.gui.video.video_view import VideoView
from app.gui.window.drawn_parts import DrawnParts
from app.gui.window.help_menu import HelpMenu
from app.gui.window.open_menu import OpenMenu
from app.gui.window.run_settings import RunSettings
from app.gui.window.true_labels import TrueLabels
from app.pipeline.pipeline import Pipeline

Handlers = dict[str, Callable[[], object]]

_STEP, _FAR = 5.0, 30.0
"""Seconds that the arrow keys seek by, alone and with Shift."""

_DIVIDER, OPACITY = 0.02, 0.05
"""Share of the width that a key moves the divider by, and of the opacity that it changes."""


class WindowCommands(Protocol):
    """Commands of the window itself."""

    def notify(self, kind: EventKind, text: str) -> None:
        """Show a message."""

    def refresh(self) -> None:
        """Show the pipeline as it is now."""

    def toggle_full_screen(self) -> None:
        """Enter or leave full screen."""

    def leave(self) -> None:
        """Close what covers the video or stands beside it, one thing at a time."""

    def close(self) -> bool:
        """End the program."""


def handlers(
    window: WindowCommands,
    pipeline: Pipeline,
    *,
    playback: PlaybackController,
    view_commands: ViewController,
    recording: RecordingController,
    view: VideoView,
    open_menu: OpenMenu,
    bottom_panel: BottomPanel,
    run_settings: RunSettings,
    true_labels: TrueLabels,
    help_menu: HelpMenu,
    drawn: DrawnParts,
) -> Handlers:
    """Return a function for each command by name; the window shows what has changed after it."""
    table: Handlers = {
        **_playback_handlers(playback, pipeline),
        **_view_handlers(view_commands, view),
        **_network_handlers(pipeline, view_commands, window),
        **drawn.handlers(),
        "record": recording.record_or_stop,
        "snapshot": lambda: recording.save_picture(parts=False),
        "snapshot-all": lambda: recording.save_picture(parts=True),
        "recordings": recording.open_folder,
        "run-settings": run_settings.ask,
        "labels": true_labels.ask,
        "open": open_menu.ask_for_files,
        "open-folder": open_menu.ask_for_folder,
        "open-address": open_menu.ask_for_address,
        "open-beside": open_menu.ask_for_files_beside,
        "remove": open_menu.ask_for_removal,
        "full-screen": window.toggle_full_screen,
        "leave": window.leave,
        "performance": lambda: bottom_panel.toggle("performance"),
        "log": lambda: bottom_panel.toggle("log"),
        "curves": lambda: bottom_panel.toggle("curves"),
        "next-found": bottom_panel.curves.go_to_next,
        "next-unsure": bottom_panel.curves.go_to_unsure,
        "keys": help_menu.show_keys,
        "quit": window.close,
    }

    def shown(handler: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            handler()
            window.refresh()

        return run

    return {name: shown(handler) for name, handler in table.items()}


def _playback_handlers(playback: PlaybackController, pipeline: Pipeline) -> Handlers:
    return {
        "play": playback.play_or_pause,
        "back": lambda: playback.seek_by(-_STEP),
        "forward": lambda: playback.seek_by(_STEP),
        "back-far": lambda: playback.seek_by(-_FAR),
        "forward-far": lambda: playback.seek_by(_FAR),
        "step-back": lambda: pipeline.session.step(-1),
        "step": lambda: pipeline.session.step(1),
        "start": lambda: pipeline.session.seek(0.0),
        "end": playback.to_end,
        "loop-in": lambda: playback.mark(begin=True),
        "loop-out": lambda: playback.mark(begin=False),
        "loop": playback.toggle_loop,
        "slower": lambda: playback.change_speed(-1),
        "faster": lambda: playback.change_speed(1),
        "normal-speed": lambda: pipeline.session.set_speed(1.0),
        "next": lambda: playback.next(1),
        "previous": lambda: playback.next(-1),
        "close": playback.close,
        "bookmark": playback.bookmarks.toggle,
        "next-bookmark": playback.bookmarks.next,
    }


def _view_handlers(view_commands: ViewController, view: VideoView) -> Handlers:
    return {
        "view": view_commands.next_view,
        "confidence": view_commands.toggle_confidence,
        "wipe": view_commands.toggle_wipe,
        "contours": view_commands.toggle_contours,
        "class-names": view_commands.toggle_class_names,
        "divider-left": lambda: view.move_divider(-_DIVIDER),
        "divider-right": lambda: view.move_divider(_DIVIDER),
        "opacity-less": lambda: view_commands.change_alpha(-OPACITY),
        "opacity-more": lambda: view_commands.change_alpha(OPACITY),
        "fit": view.fit,
        "actual-size": view.actual_size,
        "zoom-in": view.zoom_in,
        "zoom-out": view.zoom_out,
    }


def _network_handlers(
    pipeline: Pipeline, view_commands: ViewController, window: WindowCommands
) -> Handlers:
    networks = pipeline.networks

    def size(name: str) -> Callable[[], None]:
        return lambda: networks.use_options(replace(networks.options, input_size=name))

    def skip() -> None:
        if pipeline.view.goes_by_switch:
            view_commands.toggle_skip()
        else:
            window.notify(
                "notice",
                "What is compared here does not go by the switch of the skip"
                " connection: choose another view first.",
            )

    def steady() -> None:
        if pipeline.view.goes_by_steady:
            view_commands.toggle_steady()
        else:
            window.notify(
                "notice",
                "What is compared here does not go by the switch of steady labels: choose another"
                " view first.",
            )

    sizes = {name: size(name) for name in ("quarter", "half", "full", "exact", "auto")}
    return {"skip": skip, "steady": steady, **sizes}
