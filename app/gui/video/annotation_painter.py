"""Annotations over the image: captions of sides, colour scale, tooltip of a pixel."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QLinearGradient, QPainter, QPen

from app.gui.video.stats_overlay import paint_plate, text_width, write
from app.gui.widgets import theme
from app.rendering.overlay import SCALE
from app.rendering.view_options import Measure

_INSET = 12.0
_CAPTION = 28.0
_BAR = (170.0, 52.0)
_LEAST_BAR = 135.0
"""Least width of the scale, so that its labels fit."""

_SCALES: dict[Measure, tuple[str, str, str]] = {
    "probability": ("Probability of the class", "0 unsure", "1 sure"),
    "entropy": ("Entropy of all classes", "0 sure", "1 unsure"),
}
"""Labels of a measure's scale: above, and below at both ends."""


def paint_caption(painter: QPainter, text: str, room: QRectF, *, right: bool) -> None:
    """Paint a side's caption in its lower corner, shortened or left out as space demands."""
    face = theme.font(13, bold=True)
    most = room.width() - 2 * _INSET - 20
    if most < 24 or room.height() < 3 * _CAPTION:
        return
    while text_width(face, text) > most and len(text) > 2:
        text = text[:-2] + "…"
    width = text_width(face, text) + 20
    left = room.right() - _INSET - width if right else room.left() + _INSET
    rect = QRectF(left, room.bottom() - _INSET - _CAPTION, width, _CAPTION)
    paint_plate(painter, rect)
    write(painter, rect, text, face, theme.TEXT, Qt.AlignmentFlag.AlignHCenter)


def paint_scale(painter: QPainter, measure: Measure, room: QRectF, *, right: bool) -> None:
    """Paint the colour bar of the confidence above a corner's caption, where there is room."""
    width, height = min(_BAR[0], room.width() - 20 - 2 * _INSET), _BAR[1]
    if width < _LEAST_BAR or room.height() < height + 120:
        return
    rect = QRectF(0, 0, width + 20, height)
    rect.moveBottom(room.bottom() - 2 * _INSET - _CAPTION)
    rect.moveLeft(room.right() - _INSET - rect.width() if right else room.left() + _INSET)
    paint_plate(painter, rect)
    title, low, high = _SCALES[measure]
    face = theme.font(11)
    bar = QRectF(rect.left() + 10, rect.top() + 22, width, 11)
    ramp = QLinearGradient(bar.topLeft(), bar.topRight())
    for level in range(0, 256, 15):
        red, green, blue = (int(part) for part in SCALE[level, 0])
        ramp.setColorAt(level / 255, QColor(red, green, blue))
    painter.setPen(QPen(QColor(theme.EDGE), 1))
    painter.setBrush(ramp)
    painter.drawRect(bar)
    above = QRectF(bar.left(), rect.top() + 4, width, 16)
    below = QRectF(bar.left(), bar.bottom() + 2, width, 15)
    write(painter, above, title, face, theme.TEXT)
    write(painter, below, low, face, theme.TEXT)
    write(painter, below, high, face, theme.TEXT, Qt.AlignmentFlag.AlignRight)


def paint_tooltip(
    painter: QPainter,
    at: QPointF,
    room: QRectF,
    color: tuple[int, int, int] | None,
    lines: tuple[str, str],
) -> None:
    """Paint the tooltip of a pixel beside the mouse.

    Args:
        painter: painter of the widget.
        at: position of the mouse.
        room: rectangle that the tooltip stays inside of.
        color: colour of the class; ``None`` for pixels of no class.
        lines: the class with its probability, and the pixel.
    """
    large, small = theme.font(13, bold=True), theme.font(11)
    indent = 22.0 if color is not None else 0.0
    width = max(text_width(large, lines[0]) + indent, text_width(small, lines[1])) + 22
    rect = QRectF(at.x() + 16, at.y() + 18, width, 42)
    if rect.right() > room.right():
        rect.moveRight(at.x() - 12)
    if rect.bottom() > room.bottom():
        rect.moveBottom(at.y() - 10)
    rect.moveLeft(max(rect.left(), room.left()))
    rect.moveTop(max(rect.top(), room.top()))
    paint_plate(painter, rect)
    first = QRectF(rect.left() + 11 + indent, rect.top() + 4, width, 19)
    if color is not None:
        painter.setPen(QPen(QColor(theme.EDGE), 1))
        painter.setBrush(QColor(*color))
        painter.drawRoundedRect(QRectF(rect.left() + 11, rect.top() + 8, 16, 11), 3, 3)
    write(painter, first, lines[0], large, theme.TEXT)
    second = QRectF(rect.left() + 11, first.bottom() - 1, width, 16)
    write(painter, second, lines[1], small, theme.MUTED)
