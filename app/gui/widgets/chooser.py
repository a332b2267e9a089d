"""A button that shows what is in force and opens a menu of the others."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter, QWidget

from app.gui.widgets import theme as style


class Chooser(QPushButton):
    """Looks like a button, with a mark that says that there is a choice."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setObjectName("chooser")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""  # the style would move it for a mark of its own
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = style.TEXT if self.isEnabled() else style.DISABLED
        painter.setPen(QColor(color))
        words = self.rect().adjusted(10, 0, -22, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setPen(QPen(QColor(color), 1.6))
        middle = QPointF(self.width() - 14.0, self.height() / 2)
        offsets = ((-3.5, -1.8), (0.0, 1.8), (3.5, -1.8))
        painter.drawPolyline(QPolygonF([middle + QPointF(x, y) for x, y in offsets]))
