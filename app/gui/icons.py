"""Small pictures for buttons, drawn here so that they follow colour and screen scale."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from app.gui import style

_GRID = 24
"""All drawings are made on a square of this side."""


def app_icon() -> QIcon:
    """The application's own icon."""
    return QIcon(app_pixmap())


def app_pixmap() -> QPixmap:
    """The application's icon as a picture, 256 pixels wide."""
    pixmap = QPixmap()
    pixmap.loadFromData(files("assets").joinpath("icon.png").read_bytes())
    return pixmap


def icon(name: str, color: str = style.TEXT) -> QIcon:
    """One of the drawings below as an icon, crisp at the usual screen scales.

    Args:
        name: play, pause, record, stop, file, camera, street, screen or close.
        color: of its lines and faces.
    """
    result = QIcon()
    for scale in (1, 2, 3):
        for shade, mode in ((color, QIcon.Mode.Normal), ("#69748a", QIcon.Mode.Disabled)):
            pixmap = QPixmap(20 * scale, 20 * scale)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            painter.scale(pixmap.width() / _GRID, pixmap.height() / _GRID)
            _draw(painter, name, QColor(shade))
            painter.end()
            pixmap.setDevicePixelRatio(scale)
            result.addPixmap(pixmap, mode)
    return result


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


def _close(painter: QPainter, color: QColor) -> None:
    painter.drawLine(QPointF(6.5, 6.5), QPointF(17.5, 17.5))
    painter.drawLine(QPointF(17.5, 6.5), QPointF(6.5, 17.5))


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
}
