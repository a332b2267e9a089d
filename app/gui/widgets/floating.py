"""Floating widgets: over another widget, so that nothing moves when they come and go."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QStackedWidget, QWidget

from app.gui.widgets import theme


class Floating(QObject):
    """Keeps a widget over the pages of another one, centred at an edge of it.

    Args:
        widget: as high as its content needs; it is shown and hidden by others.
        over: what it lies on.
        edge: the upper or the lower edge.
        width: widest that it gets.
    """

    def __init__(
        self, widget: QWidget, over: QStackedWidget, *, edge: Qt.Edge, width: int = 640
    ) -> None:
        super().__init__(over)
        self._widget, self._over, self._edge, self._width = widget, over, edge, width
        widget.setParent(over)
        widget.hide()
        over.installEventFilter(self)
        widget.installEventFilter(self)
        over.currentChanged.connect(self._place)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        kinds = {QEvent.Type.Resize} if watched is self._over else {QEvent.Type.LayoutRequest}
        if event is not None and event.type() in kinds | {QEvent.Type.Show}:
            self._place()
        return False

    def _place(self) -> None:
        widget, over = self._widget, self._over
        width = min(self._width, over.width() - 2 * theme.GAP)
        grows = widget.hasHeightForWidth()
        height = widget.heightForWidth(width) if grows else widget.sizeHint().height()
        top = theme.GAP
        if self._edge == Qt.Edge.BottomEdge:
            top = over.height() - height - theme.GAP
        widget.setGeometry((over.width() - width) // 2, top, width, height)
        widget.raise_()
