"""Rows of the legend: a class, and a group of classes."""

from __future__ import annotations

import math

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PyQt6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.core.formatting import percent
from app.gui.widgets import theme
from app.gui.widgets.controls import plain_tip
from fastscnn.labels import LabelClass

_PERCENT = 38
_BAR = 44
_FULL = 0.5
"""Share of the picture that fills a bar."""
_INDENT = 12
_TICK = ((-4.0, 0.2), (-1.2, 3.0), (4.2, -3.2))
_DASH = ((-3.6, 0.0), (3.6, 0.0))


class Row(QAbstractButton):
    """Row that can have the focus; the arrow keys go to the next one."""

    HEIGHT = 20
    moved = pyqtSignal(int)
    """Emitted when the arrow keys go so many rows further down."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.share = 0.0
        self.iou: float | None = None
        """IoU that is shown in place of the share, 0–1, or NaN; ``None`` where none is."""
        self.setText(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, self.HEIGHT)

    def set_share(self, share: float) -> None:
        """Show a share of the image, 0–1."""
        if percent(share) != percent(self.share) or abs(share - self.share) > 0.004:
            self.share = share
            self.describe()
            self.update()

    def set_iou(self, iou: float | None) -> None:
        """Show an IoU in place of the share, or ``None`` for the share again."""
        if _percent(iou) != _percent(self.iou):
            self.iou = iou
            self.describe()
            self.update()

    @property
    def said(self) -> str:
        """Share or IoU in words."""
        return percent(self.share) if self.iou is None else _percent(self.iou)

    @property
    def told(self) -> str:
        """The same as a screen reader tells it."""
        return f"{self.said} of the picture" if self.iou is None else f"IoU {self.said}"

    def describe(self) -> None:
        """Set the accessible description."""

    def event(self, event: QEvent | None) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}
            and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        ):
            event.accept()  # the window's commands on these keys wait until the focus goes on
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key()) if event is not None else None
        if key in step:
            self.moved.emit(step[key])
        else:
            super().keyPressEvent(event)

    def paint_ground(self, painter: QPainter, *, marked: bool = False) -> None:
        """Paint the background: hover, focus, and the mark of the outlined class."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not (marked or self.underMouse() or self.hasFocus()):
            return
        painter.setPen(QColor(theme.ACCENT if self.hasFocus() else theme.HOVER))
        painter.setBrush(QColor(theme.HOVER if marked else theme.RAISED))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        if marked:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.ACCENT))
            painter.drawRoundedRect(QRectF(1, 3, 3, self.height() - 6), 1.5, 1.5)

    def paint_share(self, painter: QPainter) -> None:
        """Write the share, or the IoU, at the right edge."""
        words = QRectF(self.width() - _PERCENT - 6, 0, _PERCENT, self.height())
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        plain = self.share >= 0.01 if self.iou is None else math.isfinite(self.iou)
        painter.setPen(QColor(theme.TEXT if plain else theme.MUTED))
        painter.setFont(theme.font(11))
        painter.drawText(words, flags, self.said)


class ClassRow(Row):
    """Row of a class: its colour with a tick while it is shown, its name, its share."""

    only = pyqtSignal()
    """Emitted to show this class alone, or all again."""

    def __init__(self, label: LabelClass, parent: QWidget | None = None) -> None:
        super().__init__(label.name, parent)
        self.train_id = label.train_id
        self.category = label.category
        self.marked = False
        """True while the class is outlined in the image."""
        self.blurred = False
        """True while its regions are blurred in the image."""
        self.set_color(label.color)
        self.setCheckable(True)
        self.setChecked(True)
        self.setAccessibleName(label.name)
        tip = f"Show or hide {label.name}; double click: only this; right click: more"
        self.setToolTip(plain_tip(tip))
        self.toggled.connect(self.describe)
        self.describe()

    def set_color(self, color: tuple[int, int, int]) -> None:
        """Show the class in this colour, RGB."""
        self._color = QColor(*color)
        r, g, b = color
        self._tick_color = QColor("#000000" if 0.3 * r + 0.59 * g + 0.11 * b > 125 else "#ffffff")
        self.update()

    def set_marked(self, marked: bool) -> None:
        """Mark the class as outlined in the image, or not."""
        if marked != self.marked:
            self.marked = marked
            self.describe()
            self.update()

    def set_blurred(self, blurred: bool) -> None:
        """Mark the class as blurred in the image, or not."""
        if blurred != self.blurred:
            self.blurred = blurred
            self.describe()
            self.update()

    def describe(self) -> None:
        words = ["shown" if self.isChecked() else "hidden", self.told]
        if self.marked:
            words.append("outlined")
        if self.blurred:
            words.append("blurred")
        self.setAccessibleDescription(", ".join(words))

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.blockSignals(True)
            self.setChecked(not self.isChecked())  # its first click was no choice of its own
            self.blockSignals(False)
            self.only.emit()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        self.paint_ground(painter, marked=self.marked)
        shown = self.isChecked()
        swatch = QRectF(8.5 + _INDENT, (self.height() - 15) / 2, 24, 15)
        # The rim makes the darkest and the lightest colours visible on either panel.
        painter.setPen(QPen(QColor(theme.EDGE), 1))
        painter.setBrush(self._color if shown else QColor(theme.CANVAS))
        painter.drawRoundedRect(swatch, 4, 4)
        if shown:
            _paint_lines(painter, swatch.center(), self._tick_color, _TICK)
        face = theme.font(13, bold=self.marked)
        face.setStrikeOut(not shown)
        painter.setFont(face)
        painter.setPen(QColor(theme.TEXT if shown else theme.MUTED))
        right = self.width() - _PERCENT - _BAR - 12
        words = QRectF(42 + _INDENT, 0, right - 44 - _INDENT, self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.blurred:
            end = words.left() + painter.fontMetrics().horizontalAdvance(self.text())
            _paint_blocks(painter, QPointF(min(end + 6, words.right() - 12), self.height() / 2 - 6))
        self._paint_bar(painter, right)
        self.paint_share(painter)

    def _paint_bar(self, painter: QPainter, left: float) -> None:
        bar = QRectF(left, (self.height() - 6) / 2, _BAR, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.LINE))
        painter.drawRoundedRect(bar, 3, 3)
        part = self.share / _FULL if self.iou is None else self.iou
        if part >= 0.001:  # and not NaN
            bar.setWidth(max(4.0, _BAR * min(1.0, part)))
            painter.setPen(QPen(QColor(theme.EDGE), 1))
            painter.setBrush(self._color)
            painter.drawRoundedRect(bar, 3, 3)


class GroupTick(QAbstractButton):
    """Tick box of a group: all, some or none of its classes are shown."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.state = Qt.CheckState.Checked
        self._name = name
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(f"Show or hide all of {name}")
        self.set_state(Qt.CheckState.Checked)

    def set_state(self, state: Qt.CheckState) -> None:
        """Show all, some or none as shown."""
        self.state = state
        word = {
            Qt.CheckState.Checked: "all shown",
            Qt.CheckState.PartiallyChecked: "some shown",
            Qt.CheckState.Unchecked: "all hidden",
        }[state]
        self.setAccessibleName(f"{self._name}: {word}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(18, 18)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        painter.setPen(QPen(QColor(theme.ACCENT if self.hasFocus() else theme.EDGE), 1.5))
        painter.setBrush(QColor(theme.RAISED))
        painter.drawRoundedRect(box, 3, 3)
        ink = QColor(theme.TEXT)
        if self.state == Qt.CheckState.Checked:
            _paint_lines(painter, box.center(), ink, _TICK)
        elif self.state == Qt.CheckState.PartiallyChecked:
            _paint_lines(painter, box.center(), ink, _DASH)


class GroupRow(Row):
    """Row of a group: an arrow that folds it, a tick box for all of it, its name and share."""

    HEIGHT = 20

    def __init__(self, category: str, parent: QWidget | None = None) -> None:
        super().__init__(category.capitalize(), parent)
        self.category = category
        self.setCheckable(True)
        self.setChecked(True)
        self.shows_share = True
        self.tick = GroupTick(self.text(), self)
        self.tick.setGeometry(8, 1, 18, 18)
        self.toggled.connect(self.describe)
        self.describe()

    def describe(self) -> None:
        word = "unfolded" if self.isChecked() else "folded"
        self.setAccessibleName(f"{self.text()}, {word}")
        self.setAccessibleDescription(self.told)
        self.setToolTip(f"{'Fold' if self.isChecked() else 'Unfold'} {self.text()}")

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        self.paint_ground(painter)
        painter.setFont(theme.font(13, bold=True))
        painter.setPen(QColor(theme.TEXT))
        width = painter.fontMetrics().horizontalAdvance(self.text())
        words = QRectF(34, 0, width + 4, self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        middle = QPointF(words.right() + 9, self.height() / 2)
        lines = ((-3.5, -1.8), (0.0, 1.8), (3.5, -1.8))
        if not self.isChecked():
            lines = ((-1.8, -3.5), (1.8, 0.0), (-1.8, 3.5))
        _paint_lines(painter, middle, QColor(theme.MUTED), lines)
        if self.shows_share:
            self.paint_share(painter)


def _percent(iou: float | None) -> str:
    """Return an IoU in words: a class that does not occur has none."""
    if iou is None:
        return ""
    return f"{100 * iou:.0f} %" if math.isfinite(iou) else "–"


def _paint_blocks(painter: QPainter, corner: QPointF) -> None:
    """Paint the mark of a blurred class: the blocks that are left of it."""
    painter.setPen(Qt.PenStyle.NoPen)
    color = QColor(theme.ACCENT)
    for place, alpha in enumerate((255, 110, 190, 90, 255, 150, 190, 110, 255)):
        color.setAlpha(alpha)
        painter.setBrush(color)
        painter.drawRect(QRectF(corner.x() + place % 3 * 4, corner.y() + place // 3 * 4, 4, 4))


def _paint_lines(
    painter: QPainter, middle: QPointF, color: QColor, points: tuple[tuple[float, float], ...]
) -> None:
    painter.setPen(QPen(color, 1.6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF([middle + QPointF(x, y) for x, y in points]))
