"""Fitting into little space: that of a screen, and that of a small window."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QResizeEvent, QScreen
from PyQt6.QtWidgets import QBoxLayout, QFrame, QScrollArea, QSizePolicy, QWidget


def available_size(screen: QScreen | None) -> QSize:
    """Return the size that a screen offers to a window, less its frame."""
    return screen.availableSize() - QSize(40, 60) if screen is not None else QSize(1000, 700)


class PlainScrollArea(QScrollArea):
    """Scroll area without frame, background or focus of its own; it scrolls up and down."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.setWidget(widget)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        viewport = self.viewport()
        if viewport is not None:
            viewport.setAutoFillBackground(False)
        widget.setAutoFillBackground(False)


class FittingScrollArea(PlainScrollArea):
    """Scroll area as high as its widget where there is space; with less it scrolls.

    Who changes what the widget needs calls ``updateGeometry``.
    """

    _LEAST = 64

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def sizeHint(self) -> QSize:
        widget = self.widget()
        return widget.sizeHint() if widget is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, min(self._LEAST, self.sizeHint().height()))


class FoldingRow(QWidget):
    """Row of widgets; where it is too narrow for them, each stands below the one before.

    Args:
        parts: the widgets.
        spacing: pixels between two of them.
    """

    def __init__(self, parts: Sequence[QWidget], spacing: int) -> None:
        super().__init__()
        self._parts, self._spacing = parts, spacing
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(spacing)
        for part in parts:
            self._layout.addWidget(part, 1)

    def sizeHint(self) -> QSize:
        width = sum(part.sizeHint().width() for part in self._parts)
        width += self._spacing * (len(self._parts) - 1)
        return QSize(width, self._layout.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        width = max(part.minimumSizeHint().width() for part in self._parts)
        return QSize(width, self._layout.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        fits = self.width() >= self.sizeHint().width()
        direction = QBoxLayout.Direction
        self._layout.setDirection(direction.LeftToRight if fits else direction.TopToBottom)
        super().resizeEvent(event)
