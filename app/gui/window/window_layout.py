"""Layout of the main window."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.gui.feedback.notifications import Notifications
from app.gui.feedback.progress_strip import ProgressStrip
from app.gui.feedback.status_bar import StatusBar
from app.gui.panels.bottom_panel import BottomPanel
from app.gui.panels.legend import Legend
from app.gui.panels.view_panel import ViewPanel
from app.gui.playback.seek_bar import SeekBar
from app.gui.playback.transport_bar import TransportBar
from app.gui.widgets import theme
from app.gui.widgets.fitting import FittingScrollArea
from app.gui.widgets.floating import Floating


def lay_out(
    *,
    progress_strip: ProgressStrip,
    notifications: Notifications,
    pages: QStackedWidget,
    seek_bar: SeekBar,
    transport_bar: TransportBar,
    side: QFrame,
    view_panel: ViewPanel,
    legend: Legend,
    bottom_panel: BottomPanel,
    status_bar: StatusBar,
) -> QWidget:
    """Put the widgets of the main window into their places; return the one around them.

    Messages and progress float over the video. It and its controls stand at the left, the side
    panel at the right, the bottom panel and the status bar below both.
    """
    main = QVBoxLayout()
    main.setSpacing(0)
    for widget in (pages, seek_bar, transport_bar):
        main.addWidget(widget, int(widget is pages))
    Floating(notifications, pages, edge=Qt.Edge.BottomEdge)
    Floating(progress_strip, pages, edge=Qt.Edge.TopEdge)
    _fill_side(side, view_panel, legend)
    upper = QHBoxLayout()
    upper.setSpacing(0)
    upper.addLayout(main, 1)
    upper.addWidget(side)
    middle = QWidget()
    whole = QVBoxLayout(middle)
    whole.setContentsMargins(0, 0, 0, 0)
    whole.setSpacing(0)
    whole.addLayout(upper, 1)
    whole.addWidget(bottom_panel)
    whole.addWidget(status_bar)
    return middle


def _fill_side(side: QFrame, view_panel: ViewPanel, legend: Legend) -> None:
    side.setObjectName("side")
    side.setFixedWidth(theme.PANEL_WIDTH)
    layout = QVBoxLayout(side)
    layout.setContentsMargins(1, 0, 0, 0)
    layout.setSpacing(0)
    line = QFrame()
    line.setObjectName("line")
    line.setFixedHeight(1)
    scrolling = FittingScrollArea(view_panel)
    view_panel.rows_changed.connect(scrolling.updateGeometry)
    layout.addWidget(scrolling)
    layout.addWidget(line)
    layout.addSpacing(theme.GAP)
    layout.addWidget(legend, 1)
