"""Command handlers: a function for each command of the table of keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from app.gui.controllers.playback_controller import PlaybackController
from app.gui.controllers.recording_controller import RecordingController
from app.gui.controllers.view_controller import ViewController
from app.gui.panels.bottom_panel import BottomPanel
from app.gui.video.video_view import VideoView
from app.gui.window.open_menu import OpenMenu
from app.pipeline.pipeline import Pipeline

Handlers = dict[str, Callable[[], object]]

_STEP, _FAR = 5.0, 30.0
"""Seconds that the arrow keys seek by, alone and with Shift."""


class WindowCommands(Protocol):
    """Commands of the window itself."""

    def tell(self, kind: str, text: str) -> None:
        """Show a message."""

    def refresh(self) -> None:
        """Show the pipeline as it is now."""

    def toggle_full_screen(self) -> None:
        """Enter or leave full screen."""

    def leave(self) -> None:
        """Close what covers the video or stands beside it, one thing at a time."""

    def show_keys(self) -> None:
        """Show all keys."""

    def close(self) -> bool:
        """End the program."""


def handlers(
    window: WindowCommands,
    pipeline: Pipeline,
    *,
    player: PlaybackController,
    looks: ViewController,
    takes: RecordingController,
    view: VideoView,
    opener: OpenMenu,
    drawer: BottomPanel,
) -> Handlers:
    """Return a function for each command by name; the window shows what has changed after it."""
    table: Handlers = {
        **_playback_handlers(player, pipeline),
        **_view_handlers(looks, view),
        **_network_handlers(pipeline, looks, window),
        "record": takes.record_or_stop,
        "snapshot": lambda: takes.save_picture(parts=False),
        "snapshot-all": lambda: takes.save_picture(parts=True),
        "recordings": takes.open_folder,
        "open": opener.ask_for_files,
        "open-folder": opener.ask_for_folder,
        "open-address": opener.ask_for_address,
        "full-screen": window.toggle_full_screen,
        "leave": window.leave,
        "performance": lambda: drawer.toggle("performance"),
        "log": lambda: drawer.toggle("log"),
        "keys": window.show_keys,
        "quit": window.close,
    }

    def shown(handler: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            handler()
            window.refresh()

        return run

    return {name: shown(handler) for name, handler in table.items()}


def _playback_handlers(player: PlaybackController, pipeline: Pipeline) -> Handlers:
    return {
        "play": player.play_or_pause,
        "back": lambda: player.seek_by(-_STEP),
        "forward": lambda: player.seek_by(_STEP),
        "back-far": lambda: player.seek_by(-_FAR),
        "forward-far": lambda: player.seek_by(_FAR),
        "step-back": lambda: pipeline.step(-1),
        "step": lambda: pipeline.step(1),
        "start": lambda: pipeline.seek(0.0),
        "end": player.to_end,
        "loop-in": lambda: player.mark(begin=True),
        "loop-out": lambda: player.mark(begin=False),
        "loop": player.toggle_loop,
        "slower": lambda: player.change_speed(-1),
        "faster": lambda: player.change_speed(1),
        "normal-speed": lambda: pipeline.set_speed(1.0),
        "next": lambda: player.next(1),
        "previous": lambda: player.next(-1),
        "close": player.close,
    }


def _view_handlers(looks: ViewController, view: VideoView) -> Handlers:
    return {
        "view": looks.next_view,
        "confidence": looks.toggle_confidence,
        "wipe": looks.toggle_wipe,
        "contours": looks.toggle_contours,
        "fit": view.fit,
        "actual-size": view.actual_size,
        "zoom-in": view.zoom_in,
        "zoom-out": view.zoom_out,
    }


def _network_handlers(
    pipeline: Pipeline, looks: ViewController, window: WindowCommands
) -> Handlers:
    networks = pipeline.networks

    def size(name: str) -> Callable[[], None]:
        return lambda: networks.use_options(replace(networks.options, input_size=name))

    def skip() -> None:
        if pipeline.view.goes_by_switch:
            looks.toggle_skip()
        else:
            window.tell(
                "notice",
                "What is compared here does not go by the switch of the skip"
                " connection: choose another view first.",
            )

    return {"skip": skip, **{name: size(name) for name in ("quarter", "half", "full", "exact")}}
