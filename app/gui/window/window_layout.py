"""Where the widgets of the main window stand, and what they tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.config.settings import Settings
from app.gui.widgets import theme as style
from app.gui.widgets.fitting import FittingScrollArea
from app.gui.window.saved_state import SavedState

if TYPE_CHECKING:
    from app.gui.window.main_window import MainWindow


def lay_out(window: MainWindow) -> None:
    """Put the widgets of a window into their places."""
    window.pages.addWidget(window.invitation)
    window.pages.addWidget(window.view)
    main = QVBoxLayout()
    main.setSpacing(0)
    for widget in (window.work, window.banners, window.pages, window.timeline, window.bar):
        main.addWidget(widget, int(widget is window.pages))

    window.side.setObjectName("side")
    window.side.setFixedWidth(style.PANEL_WIDTH)
    side = QVBoxLayout(window.side)
    side.setContentsMargins(1, 0, 0, 0)
    side.setSpacing(0)
    line = QFrame()
    line.setObjectName("line")
    line.setFixedHeight(1)
    panel = FittingScrollArea(window.panel)
    window.panel.rows_changed.connect(panel.updateGeometry)
    side.addWidget(panel)
    side.addWidget(line)
    side.addSpacing(style.GAP)
    side.addWidget(window.legend, 1)

    upper = QHBoxLayout()
    upper.setSpacing(0)
    upper.addLayout(main, 1)
    upper.addWidget(window.side)
    middle = QWidget()
    whole = QVBoxLayout(middle)
    whole.setContentsMargins(0, 0, 0, 0)
    whole.setSpacing(0)
    whole.addLayout(upper, 1)
    whole.addWidget(window.drawer)
    whole.addWidget(window.status)
    window.setMenuBar(window.menus_bar)
    window.setCentralWidget(middle)
    window.hint.raise_()


def connect(window: MainWindow, kept: SavedState | None, settings: Settings) -> None:
    """Let the widgets of a window tell what the user wants.

    Args:
        window: the window.
        kept: where settings are kept.
        settings: what the user chose to begin with.
    """
    window.opener.chosen.connect(window.take_drop)
    window.player.opened.connect(window.opened)
    window.player.told.connect(lambda text: window.tell("notice", text))
    window.takes.told.connect(window.tell)
    window.panel.view_chosen.connect(window.set_view)
    window.panel.pair_chosen.connect(window.compare)
    window.panel.alpha_chosen.connect(window.looks.set_alpha)
    window.panel.skip_chosen.connect(window.looks.set_skip)
    window.panel.weights.chosen.connect(window.use_weights)
    window.panel.weights.second_chosen.connect(window.compare_with)
    window.panel.network.chosen.connect(window.use_options)
    window.legend.set_hidden(settings.view.hidden)
    window.legend.hidden_changed.connect(window.looks.set_hidden)
    window.legend.class_chosen.connect(window.select_class)
    window.timeline.seek_asked.connect(lambda seconds: window.pipeline.session.seek(seconds))
    window.bar.speed_chosen.connect(lambda speed: window.pipeline.session.set_speed(speed))
    window.view.double_clicked.connect(lambda: window.full.set(not window.full.on))
    window.view.split_moved.connect(window.looks.set_split)
    window.view.class_clicked.connect(window.select_class)
    window.work.cancelled.connect(window.cancel)
    window.drawer.changed.connect(window.page_turned)
    if kept is not None:
        window.opener.folder_used.connect(lambda folder: setattr(kept, "folder", folder))
        window.opener.recent_forgotten.connect(kept.forget_recent)
