"""Region tool: a polygon that the user draws over the picture, corner by corner."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QApplication, QWidget

from app.gui.video.video_view import VideoView
from app.gui.widgets import theme
from fastscnn.ignored_regions import Polygon

_OWN_KEYS = (
    *(Qt.Key.Key_Return, Qt.Key.Key_Enter),
    *(Qt.Key.Key_Backspace, Qt.Key.Key_Escape),
)
_HANDLE = 4.0
_SHADE = QColor(10, 12, 16, 130)
_RATES = 140
"""Width of fps and latency in the picture's corner, which the hint leaves free."""
_READABLE = 300
"""Narrowest room for the hint beside them."""


class RegionTool(QWidget):
    """Layer over the picture that takes the mouse until a polygon is drawn.

    Args:
        view: shows the picture.
    """

    def __init__(self, view: VideoView) -> None:
        super().__init__(view)
        self._view = view
        self._hint = ""
        self._then: Callable[[Polygon], object] = lambda polygon: None
        self._corners: list[tuple[float, float]] = []
        self._mouse: QPointF | None = None
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide()
        view.installEventFilter(self)

    def begin(self, what: str, then: Callable[[Polygon], object]) -> None:
        """Let the user draw, if there is a picture.

        Args:
            what: what is drawn, in words.
            then: gets the polygon, in shares of the picture's size.
        """
        if self._view.result is None:
            return
        self._then = then
        self._hint = (
            f"Click the corners of {what}. Enter or a double click closes it,"
            " Backspace takes a corner back, Esc ends."
        )
        self.setAccessibleName(f"Drawing {what}")
        self.setAccessibleDescription(self._hint)
        self._corners, self._mouse = [], None
        QApplication.sendEvent(self._view, QEvent(QEvent.Type.Leave))  # nor is it pointed at
        self.setGeometry(self._view.rect())
        self.show()
        self.raise_()
        self.activateWindow()  # the user may come from a dialog
        self.setFocus()

    def end(self) -> None:
        """Take the mouse no more; what was not closed is forgotten."""
        self.hide()
        self._view.setFocus()

    def close_polygon(self) -> None:
        """Hand over the polygon, if it has three corners."""
        corners: Polygon = tuple(dict.fromkeys(self._corners))
        if len(corners) >= 3:
            self.end()
            self._then(corners)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._view.rect())
        return False

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._corners.append(self._share_at(event.position()))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Keep it from the picture below."""

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is not None:
            self._mouse = event.position()
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        self.close_polygon()  # its first click was a corner

    def event(self, event: QEvent | None) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() in _OWN_KEYS
        ):
            event.accept()  # the window's commands on these keys wait
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        key = event.key() if event is not None else None
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.close_polygon()
        elif key == Qt.Key.Key_Backspace:
            del self._corners[-1:]
            self.update()
        elif key == Qt.Key.Key_Escape:
            self.end()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        panes = self._view.panes()
        for pane in range(panes.count):
            place = panes.picture(pane)
            points = [
                QPointF(place.left() + x * place.width(), place.top() + y * place.height())
                for x, y in self._corners
            ]
            open_end = [self._mouse] if self._mouse is not None and points and pane == 0 else []
            painter.setPen(QPen(QColor(theme.ACCENT), 2))
            painter.setBrush(_SHADE)
            painter.drawPolygon(QPolygonF([*points, *open_end]))
            painter.setBrush(QColor(theme.ACCENT))
            for point in points:
                painter.drawEllipse(point, _HANDLE, _HANDLE)
        self._paint_hint(painter)

    def _paint_hint(self, painter: QPainter) -> None:
        painter.setFont(theme.font(13))
        room = QRectF(self.rect()).adjusted(24, 12, -24, -12)
        beside = room.adjusted(self._view.panes().picture(0).left() + _RATES, 0, 0, 0)
        if beside.width() >= _READABLE:
            room = beside
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        words = flags | Qt.TextFlag.TextWordWrap
        plate = painter.boundingRect(room, int(words), self._hint).adjusted(-12, -8, 12, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.NOTICE_FACE))
        painter.drawRoundedRect(plate, 6, 6)
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(plate.adjusted(12, 8, -12, -8), int(words), self._hint)

    def _share_at(self, point: QPointF) -> tuple[float, float]:
        """Return a place in the picture as shares of its size, the nearest for one beside it."""
        panes = self._view.panes()
        place = panes.picture(panes.pane_at(point))
        x = (point.x() - place.left()) / place.width()
        y = (point.y() - place.top()) / place.height()
        return round(min(1.0, max(0.0, x)), 4), round(min(1.0, max(0.0, y)), 4)
