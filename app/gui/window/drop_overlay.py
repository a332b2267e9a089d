"""What shows, while a file is dragged over the window, that it may be dropped."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from app.gui.widgets import theme as style


class DropHint(QWidget):
    """Covers its parent while a drag is over it; the mouse goes through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def appear(self) -> None:
        """Cover the parent as it is now."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(style.VEIL))
        painter.setPen(QPen(QColor(style.ACCENT), 3))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(18, 18, -18, -18), 16, 16)
        painter.setPen(QColor(style.TEXT))
        painter.setFont(style.font(24, bold=True))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Drop to play")
