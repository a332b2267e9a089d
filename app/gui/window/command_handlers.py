"""What each command of the table of keys does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.gui.window.main_window import MainWindow

_STEP, _FAR = 5.0, 30.0
"""Seconds that the arrow keys go, alone and with Shift."""


def handlers(window: MainWindow) -> dict[str, Callable[[], object]]:
    """A function for each command by name; the window shows what has changed after it."""
    player, looks, takes = window.player, window.looks, window.takes
    pipeline, drawer = window.pipeline, window.drawer

    def size(name: str) -> Callable[[], None]:
        networks = pipeline.networks
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

    table: dict[str, Callable[[], object]] = {
        "play": player.play_or_pause,
        "back": lambda: player.seek_by(-_STEP),
        "forward": lambda: player.seek_by(_STEP),
        "back-far": lambda: player.seek_by(-_FAR),
        "forward-far": lambda: player.seek_by(_FAR),
        "step-back": lambda: pipeline.session.step(-1),
        "step": lambda: pipeline.session.step(1),
        "start": lambda: pipeline.session.seek(0.0),
        "end": player.to_end,
        "loop-in": lambda: player.mark(begin=True),
        "loop-out": lambda: player.mark(begin=False),
        "loop": player.toggle_loop,
        "slower": lambda: player.change_speed(-1),
        "faster": lambda: player.change_speed(1),
        "normal-speed": lambda: pipeline.session.set_speed(1.0),
        "next": lambda: player.next(1),
        "previous": lambda: player.next(-1),
        "skip": skip,
        "view": looks.next_view,
        "confidence": looks.toggle_confidence,
        "wipe": looks.toggle_wipe,
        "contours": looks.toggle_contours,
        "fit": window.view.fit,
        "actual-size": window.view.actual_size,
        "zoom-in": window.view.zoom_in,
        "zoom-out": window.view.zoom_out,
        "quarter": size("quarter"),
        "half": size("half"),
        "full": size("full"),
        "exact": size("exact"),
        "record": takes.record_or_stop,
        "snapshot": lambda: takes.save_picture(parts=False),
        "snapshot-all": lambda: takes.save_picture(parts=True),
        "recordings": takes.open_folder,
        "open": window.opener.ask_for_files,
        "open-folder": window.opener.ask_for_folder,
        "open-address": window.opener.ask_for_address,
        "close": player.close,
        "full-screen": lambda: window.full.set(not window.full.on),
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
