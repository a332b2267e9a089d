"""Tile menu: what can be done with one source of the grid."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QMenu, QWidget

from app.gui.widgets.controls import add_choice
from app.gui.window.main_window import MainWindow


def tile_menu(
    window: MainWindow,
    parent: QWidget,
    *,
    enlarge: Callable[[], None],
    remove: Callable[[], None] | None,
) -> QMenu:
    """Return a menu for a source as it is now.

    Args:
        window: the source's.
        parent: owner of the menu.
        enlarge: shows the source large.
        remove: takes it away; ``None`` where there is no other.
    """
    status = window.pipeline.status(by_display=False)
    plays, records = status.state == "playing", status.recording is not None
    menu = QMenu(parent)

    def add(text: str, act: Callable[[], object] | None) -> None:
        add_choice(menu, text, act or (lambda: None)).setEnabled(act is not None)

    open_now = status.state in {"playing", "paused", "ended"}
    add("Show large", enlarge)
    add("Pause" if plays else "Play", window.playback.play_or_pause if open_now else None)
    record = window.recording.record_or_stop if open_now or records else None
    add("Stop recording" if records else "Record", record)
    menu.addSeparator()
    add("Remove", remove)
    return menu
