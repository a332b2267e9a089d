"""The 19 classes with their colours, in their groups; a click hides a class."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.gui import style
from fastscnn.labels import CATEGORIES, CLASSES, LabelClass


class ClassRow(QAbstractButton):
    """One class: its colour with a tick while it is shown, and its name."""

    def __init__(self, label: LabelClass, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.train_id = label.train_id
        self._color = QColor(*label.color)
        r, g, b = label.color
        self._tick_color = QColor("#000000" if 0.3 * r + 0.59 * g + 0.11 * b > 125 else "#ffffff")
        self.setCheckable(True)
        self.setChecked(True)
        self.setText(label.name)
        self.setAccessibleName(label.name)
        self.setToolTip(f"Show or hide {label.name}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, style.ROW)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.hasFocus():
            edge = style.ACCENT if self.hasFocus() else style.RAISED
            painter.setPen(QColor(edge))
            painter.setBrush(QColor(style.RAISED))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        shown = self.isChecked()
        swatch = QRectF(6.5, (self.height() - 15) / 2, 24, 15)
        # The rim makes the darkest colours visible on the dark panel.
        painter.setPen(QPen(QColor(255, 255, 255, 95) if shown else QColor(style.EDGE), 1))
        painter.setBrush(self._color if shown else QColor(style.CANVAS))
        painter.drawRoundedRect(swatch, 4, 4)
        if shown:
            self._paint_tick(painter, swatch.center())
        face = style.font(13)
        face.setStrikeOut(not shown)
        painter.setFont(face)
        painter.setPen(QColor(style.TEXT if shown else style.MUTED))
        words = QRectF(40, 0, self.width() - 44, self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())

    def _paint_tick(self, painter: QPainter, middle: QPointF) -> None:
        painter.setPen(QPen(self._tick_color, 1.6))
        offsets = ((-4.0, 0.2), (-1.2, 3.0), (4.2, -3.2))
        painter.drawPolyline(QPolygonF([middle + QPointF(x, y) for x, y in offsets]))


class Legend(QWidget):
    """All classes with a heading; scrolls where the window is small."""

    hidden_changed = pyqtSignal(frozenset)
    """Emitted with the train ids of the hidden classes when the user changes them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = [ClassRow(label) for label in CLASSES]
        """By train id."""
        self.show_all = QPushButton("Show all")
        self.show_all.setObjectName("link")
        self.show_all.setToolTip("Show all classes again")
        self.show_all.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_all.clicked.connect(self._show_all)

        heading = QLabel("Classes")
        heading.setObjectName("heading")
        top = QHBoxLayout()
        top.setContentsMargins(style.PAD, 0, style.PAD, 0)
        top.addWidget(heading)
        top.addStretch()
        top.addWidget(self.show_all)
        top.addStrut(22)  # the heading keeps its height when "Show all" goes

        scroll = QScrollArea()
        scroll.setWidget(self._list())
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        viewport = scroll.viewport()
        if viewport is not None:
            viewport.setAutoFillBackground(False)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(scroll)
        self.set_hidden(frozenset())
        for row in self.rows:
            row.toggled.connect(self._changed)

    @property
    def hidden(self) -> frozenset[int]:
        """Train ids of the hidden classes."""
        return frozenset(row.train_id for row in self.rows if not row.isChecked())

    def set_hidden(self, hidden: frozenset[int]) -> None:
        """Tick all classes but these, without a signal."""
        for row in self.rows:
            row.blockSignals(True)
            row.setChecked(row.train_id not in hidden)
            row.blockSignals(False)
            row.update()
        self.show_all.setVisible(bool(hidden))

    def _list(self) -> QWidget:
        widget = QWidget()
        widget.setObjectName("legend")
        layout = QVBoxLayout(widget)
        layout.setContentsMargins(style.PAD - 7, 0, style.PAD - 4, style.GAP)
        layout.setSpacing(0)
        for category in CATEGORIES:
            group = QLabel(category.capitalize())
            group.setObjectName("group")
            group.setContentsMargins(7, 5, 0, 1)
            group.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            layout.addWidget(group)
            for label in CLASSES:
                if label.category == category:
                    layout.addWidget(self.rows[label.train_id])
        layout.addStretch()
        return widget

    def _changed(self) -> None:
        self.show_all.setVisible(bool(self.hidden))
        self.hidden_changed.emit(self.hidden)

    def _show_all(self) -> None:
        self.set_hidden(frozenset())
        self.hidden_changed.emit(frozenset())
