"""Controls of our own: toggle switch, drop-down button, label that elides its text."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QWidget,
)

from app.gui.widgets import theme

_WIDTH, _HEIGHT = 36.0, 20.0
_ROOM = 3.0
"""Gap between the switch and the mark of the focus."""
_RING = 1.5


class ToggleSwitch(QAbstractButton):
    """Checkable row: its text, then "on" or "off", then the switch itself.

    Args:
        text: what is switched.
        usual: whether it is on as a rule; "off" then stands out.
        parent: owner.
    """

    def __init__(self, text: str, parent: QWidget | None = None, *, usual: bool = True) -> None:
        super().__init__(parent)
        self._off = "WARN" if usual else "MUTED"
        self.setCheckable(True)
        self.setText(text)
        self.setAccessibleName(text)
        self.idle = "–"
        """Text in place of "on" or "off" while it is disabled."""
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(200, 26)

    def ring(self) -> QRectF:
        """Return the rectangle of the focus mark, around the switch itself."""
        width, height = _WIDTH + 2 * _ROOM, _HEIGHT + 2 * _ROOM
        edge = _RING / 2  # a line is as wide to both of its sides
        return QRectF(self.width() - width - edge, (self.height() - height) / 2, width, height)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.ACCENT), _RING))
            ring = self.ring()
            painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2)
        track = self.ring().adjusted(_ROOM, _ROOM, -_ROOM, -_ROOM)
        live = self.isEnabled()
        painter.setPen(QPen(QColor(theme.ACCENT if on and live else theme.EDGE), 1.5))
        painter.setBrush(QColor(theme.ACCENT if on and live else theme.CANVAS))
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        knob = track.height() - 7
        left = track.right() - knob - 3.5 if on else track.left() + 3.5
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.EDGE if not live else theme.ON_ACCENT if on else theme.TEXT))
        painter.drawEllipse(QRectF(left, track.top() + 3.5, knob, knob))

        middle = Qt.AlignmentFlag.AlignVCenter
        words = QRectF(0, 0, track.left() - 10, self.height())
        painter.setPen(QColor(theme.TEXT if live else theme.MUTED))
        painter.setFont(theme.font(13))
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, self.text())
        off = getattr(theme, self._off)
        painter.setPen(QColor(theme.MUTED if not live else theme.ACCENT if on else off))
        painter.setFont(theme.font(13, bold=True))
        word = self.idle if not live else "on" if on else "off"
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, word)


class DropdownButton(QPushButton):
    """Button with an arrow that opens a menu."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setObjectName("dropdown")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""  # the style would move it for a mark of its own
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = theme.TEXT if self.isEnabled() else theme.DISABLED
        painter.setPen(QColor(color))
        words = self.rect().adjusted(10, 0, -22, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setPen(QPen(QColor(color), 1.6))
        # An arrow alone stands in the middle.
        middle = QPointF(
            self.width() - 14.0 if self.text() else self.width() / 2, self.height() / 2
        )
        offsets = ((-3.5, -1.8), (0.0, 1.8), (3.5, -1.8))
        painter.drawPolyline(QPolygonF([middle + QPointF(x, y) for x, y in offsets]))


class MenuRow(QWidget):
    """Row of a label and a button; its menu is filled anew whenever it is shown."""

    def __init__(self, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = DropdownButton("…")
        self.menu = QMenu(self.button)
        self.menu.aboutToShow.connect(lambda: self.fill(self.menu))
        self.button.setMenu(self.menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel(label))
        row.addStretch()
        row.addWidget(self.button)

    def fill(self, menu: QMenu) -> None:
        """Fill a menu with all choices."""
        raise NotImplementedError


def add_choice(
    menu: QMenu, text: str, chosen: Callable[[], object], *, ticked: bool | None = None
) -> QAction:
    """Add a choice to a menu.

    Args:
        menu: the menu.
        text: label of the choice.
        chosen: called when the user takes it.
        ticked: the choice is in use; ``None`` is for one that has no tick.
    """
    action = menu.addAction(text)
    assert action is not None
    if ticked is not None:
        action.setCheckable(True)
        action.setChecked(ticked)
    action.triggered.connect(lambda: chosen())
    return action


def plain_tip(text: str) -> str:
    """Return a tooltip that shows a text as it is, though names of files in it look like markup."""
    if not {"<", "&"} & set(text):
        return text
    return f"<p style='white-space: pre'>{escape(text)}</p>"


class ElidedLabel(QLabel):
    """Line of text that takes what space there is. The whole text belongs in its tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        metrics = self.fontMetrics()
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)
