"""Wipe divider: its position over the image, dragging, keys, and painting of its handle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QPainter, QPen, QPolygonF

from app.core.frame import Result
from app.gui.widgets import theme
from app.rendering.overlay import DIVIDER
from app.rendering.view_options import ViewOptions

_REACH = 9.0
"""Distance from the divider within which the mouse takes hold of it."""
_HANDLE = 17.0
"""Radius of the handle."""


class WipeDivider:
    """Divider between the two sides of a wipe.

    Args:
        moved: called with each new position, 0–1 of the image's width.
    """

    def __init__(self, moved: Callable[[float], None]) -> None:
        self.options = ViewOptions()
        """View in force; a move changes it at once."""
        self.result: Result | None = None
        """Result on the screen."""
        self.dragged = False
        """True while the mouse drags the divider."""
        self._moved = moved

    @property
    def active(self) -> bool:
        """True while a wipe is on the screen."""
        return self.result is not None and self.result.view.view == "wipe"

    @property
    def split(self) -> float:
        """Position, 0–1 of the image's width."""
        return self.options.split_at(self.result.frame.time if self.result is not None else 0.0)

    def x(self, image: QRectF, room: QRectF, ratio: float) -> float | None:
        """Return the position in the widget: at an edge where it would lie outside.

        Args:
            image: the image's rectangle in the widget.
            room: the widget's rectangle.
            ratio: pixels of the screen per unit of the widget.
        """
        if not self.active:
            return None
        seen = image.intersected(room)
        x = image.left() + self.split * image.width()
        x = min(max(x, seen.left()), seen.right())
        return round(x * ratio) / ratio  # between two pixels, not on one

    def move_to(self, split: float) -> None:
        """Move to a position, 0–1 of the image's width; it stays there."""
        split = min(1.0, max(0.0, split))
        self.options = replace(self.options, split=split, sweep=0.0)
        self._moved(split)

    def drag_to(self, x: float, image: QRectF) -> None:
        """Move to the mouse."""
        self.move_to((x - image.left()) / image.width())

    def step_of(self, event: QKeyEvent | None) -> float | None:
        """Return the step of a key: small for arrows, larger with Shift, to the ends for others."""
        if event is None or not self.active:
            return None
        modifiers, shift = event.modifiers(), Qt.KeyboardModifier.ShiftModifier
        if modifiers & ~(shift | Qt.KeyboardModifier.KeypadModifier):
            return None
        step = 0.1 if modifiers & shift else 0.02
        return {
            Qt.Key.Key_Left: -step,
            Qt.Key.Key_Right: step,
            Qt.Key.Key_Home: -1.0,
            Qt.Key.Key_End: 1.0,
        }.get(Qt.Key(event.key()))

    def description(self) -> str:
        """Return the sides and the position in words, for those who do not see them."""
        if not self.active or self.result is None:
            return ""
        left, right = self.result.captions
        return (
            f"Left {left}, right {right}, divided at {100 * self.split:.0f} percent;"
            " the arrow keys move the divider."
        )


def hits_divider(point: QPointF, x: float | None, room: QRectF) -> bool:
    """Return whether a point is on the divider at x, or on its handle."""
    if x is None:
        return False
    reach = _REACH
    if abs(point.y() - room.center().y()) < _HANDLE:
        reach = _HANDLE + 3
    return abs(point.x() - x) <= reach


def paint_divider(
    painter: QPainter, x: float, room: QRectF, *, grasped: bool, focused: bool
) -> None:
    """Paint the divider of a wipe with its handle.

    Args:
        painter: painter of the widget.
        x: position in the widget.
        room: visible part of the image.
        grasped: the mouse is on it.
        focused: the arrow keys move it.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 150))
    painter.drawRect(QRectF(x - 2, room.top(), 4, room.height()))
    face = QColor(*DIVIDER)
    painter.setBrush(face)
    painter.drawRect(QRectF(x - 1, room.top(), 2, room.height()))
    middle = QPointF(min(max(x, room.left() + _HANDLE + 2), room.right() - _HANDLE - 2), 0)
    middle.setY(room.center().y())
    edge = QColor(theme.ACCENT) if focused else QColor(0, 0, 0, 190)
    painter.setPen(QPen(edge, 3 if focused else 1.5))
    painter.setBrush(QColor("#d9ecff") if grasped else face)
    painter.drawEllipse(middle, _HANDLE, _HANDLE)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#10151d"))
    for sign in (-1, 1):
        tip = [QPointF(sign * 10.5, 0), QPointF(sign * 4, -5.5), QPointF(sign * 4, 5.5)]
        painter.drawPolygon(QPolygonF([middle + point for point in tip]))
