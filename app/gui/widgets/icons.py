"""Icons of buttons, drawn here so that they follow colour and screen scale."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

from PyQt6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import (
    QBrush,
    QColor,
    QIcon,
    QIconEngine,
    QPainter,
    QPen,
    QPixmap,
    QPolygonF,
)

from app.gui.widgets import theme

_GRID = 24
"""Side of the square that all drawings are made on."""


def app_icon() -> QIcon:
    """Return the application's own icon."""
    return QIcon(app_pixmap())


def app_pixmap() -> QPixmap:
    """Return the application's icon as a pixmap, 256 pixels wide."""
    pixmap = QPixmap()
    pixmap.loadFromData(files("assets").joinpath("icon.png").read_bytes())
    return pixmap


def icon(name: str, token: str = "TEXT") -> QIcon:
    """Return a drawing as an icon: crisp at any scale, in the colours of the theme.

    Args:
        name: name of a drawing.
        token: name of the colour in ``theme`` that its lines and faces have.
    """
    return QIcon(_Engine(name, token))


class _Engine(QIconEngine):
    """Icon engine that draws on demand, so that the icon follows the theme."""

    def __init__(self, name: str, token: str) -> None:
        super().__init__()
        self._name, self._token = name, token

    def paint(
        self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        if painter is None:
            return
        token = "DISABLED" if mode is QIcon.Mode.Disabled else self._token
        if mode is QIcon.Mode.Selected:
            token = "ON_ACCENT"
        side = min(rect.width(), rect.height())
        painter.save()
        painter.translate(rect.center().x() + 0.5 - side / 2, rect.center().y() + 0.5 - side / 2)
        painter.scale(side / _GRID, side / _GRID)
        _draw(painter, self._name, QColor(getattr(theme, token)))
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._token)


def _draw(painter: QPainter, name: str, color: QColor) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(color, 2)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    _DRAWINGS[name](painter, color)


def _polygon(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points])


def _play(painter: QPainter, color: QColor) -> None:
    painter.setBrush(QBrush(color))
    painter.drawPolygon(_polygon((8, 5.5), (18.5, 12), (8, 18.5)))


def _pause(painter: QPainter, color: QColor) -> None:
    painter.fillRect(QRectF(6.5, 5, 4, 14), color)
    painter.fillRect(QRectF(13.5, 5, 4, 14), color)


def _record(painter: QPainter, color: QColor) -> None:
    painter.setBrush(QBrush(color))
    painter.drawEllipse(QPointF(12, 12), 5.5, 5.5)


def _stop(painter: QPainter, color: QColor) -> None:
    painter.setBrush(QBrush(color))
    painter.drawRoundedRect(QRectF(7, 7, 10, 10), 1, 1)


def _file(painter: QPainter, color: QColor) -> None:
    painter.drawPolyline(_polygon((3, 18.5), (3, 5.5), (9, 5.5), (11, 8), (21, 8), (21, 10)))
    painter.drawPolygon(_polygon((3, 18.5), (6.5, 11), (23, 11), (19.5, 18.5)))


def _camera(painter: QPainter, color: QColor) -> None:
    painter.drawRoundedRect(QRectF(2.5, 7, 13, 10.5), 2, 2)
    painter.drawPolygon(_polygon((16, 11), (21.5, 7.5), (21.5, 17), (16, 13.5)))


def _street(painter: QPainter, color: QColor) -> None:
    painter.drawLine(QPointF(9.5, 4), QPointF(4, 20))
    painter.drawLine(QPointF(14.5, 4), QPointF(20, 20))
    for top, bottom in ((4.0, 6.0), (10.0, 12.5), (16.5, 20.0)):
        painter.drawLine(QPointF(12, top), QPointF(12, bottom))


def _screen(painter: QPainter, color: QColor) -> None:
    for x, y in ((4, 4), (20, 4), (4, 20), (20, 20)):
        inward = 5 if x < 12 else -5
        down = 5 if y < 12 else -5
        painter.drawPolyline(_polygon((x + inward, y), (x, y), (x, y + down)))


def _step(painter: QPainter, color: QColor, *, back: bool) -> None:
    painter.save()
    if back:
        painter.translate(_GRID, 0)
        painter.scale(-1, 1)
    painter.setBrush(QBrush(color))
    painter.drawPolygon(_polygon((5.5, 6.5), (14.5, 12), (5.5, 17.5)))
    painter.drawLine(QPointF(18, 6.5), QPointF(18, 17.5))
    painter.restore()


def _loop(painter: QPainter, color: QColor) -> None:
    painter.drawArc(QRectF(4.5, 6, 15, 12), 60 * 16, 240 * 16)
    painter.drawArc(QRectF(4.5, 6, 15, 12), -60 * 16, 90 * 16)
    painter.setBrush(QBrush(color))
    painter.drawPolygon(_polygon((15.5, 3.5), (19.5, 7.5), (14.5, 9)))


def _shot(painter: QPainter, color: QColor) -> None:
    painter.drawRoundedRect(QRectF(3, 7.5, 18, 12), 2.5, 2.5)
    painter.drawPolyline(_polygon((8.5, 7.5), (10, 4.5), (14, 4.5), (15.5, 7.5)))
    painter.drawEllipse(QPointF(12, 13.3), 3.4, 3.4)


def _chart(painter: QPainter, color: QColor) -> None:
    painter.drawPolyline(_polygon((4, 4.5), (4, 19.5), (20, 19.5)))
    painter.drawPolyline(_polygon((7.5, 15), (11, 9.5), (14.5, 12.5), (19, 6)))


def _list(painter: QPainter, color: QColor) -> None:
    for y in (7.0, 12.0, 17.0):
        painter.drawLine(QPointF(9, y), QPointF(20, y))
        painter.drawPoint(QPointF(4.5, y))


def _close(painter: QPainter, color: QColor) -> None:
    painter.drawLine(QPointF(6.5, 6.5), QPointF(17.5, 17.5))
    painter.drawLine(QPointF(17.5, 6.5), QPointF(6.5, 17.5))


def _sort(painter: QPainter, color: QColor) -> None:
    for y, right in ((7.0, 20.0), (12.0, 15.0), (17.0, 10.0)):
        painter.drawLine(QPointF(4.5, y), QPointF(right, y))


def _eye(painter: QPainter, color: QColor, *, shut: bool) -> None:
    painter.drawArc(QRectF(2, 6.5, 20, 20), 40 * 16, 100 * 16)
    painter.drawArc(QRectF(2, -2.5, 20, 20), 220 * 16, 100 * 16)
    painter.setBrush(QBrush(color))
    painter.drawEllipse(QPointF(12, 12), 2.2, 2.2)
    if shut:
        painter.drawLine(QPointF(5, 19.5), QPointF(19, 4.5))


_DRAWINGS: dict[str, Callable[[QPainter, QColor], None]] = {
    "play": _play,
    "pause": _pause,
    "record": _record,
    "stop": _stop,
    "file": _file,
    "camera": _camera,
    "street": _street,
    "screen": _screen,
    "close": _close,
    "forward": lambda painter, color: _step(painter, color, back=False),
    "back": lambda painter, color: _step(painter, color, back=True),
    "loop": _loop,
    "shot": _shot,
    "chart": _chart,
    "list": _list,
    "sort": _sort,
    "eye": lambda painter, color: _eye(painter, color, shut=False),
    "eye-shut": lambda painter, color: _eye(painter, color, shut=True),
}
