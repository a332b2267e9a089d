"""Notifications over the video: quiet, readable, closable."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.gui.widgets import theme
from app.gui.widgets.icons import icon

_MOST = 3
_SECONDS = 20


class Notification(QFrame):
    """Message with a button that closes it.

    Args:
        text: one sentence.
        error: True for an error, which stays until it is closed.
    """

    closed = pyqtSignal()
    """Emitted when the user closed it, or its time is over."""

    def __init__(self, text: str, *, error: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text, self.error = text, error
        self.setObjectName("notification")
        self.setProperty("error", error)
        self._count = 1
        self._kind = kind = QLabel("Error" if error else "Note")
        kind.setObjectName("kind")
        words = QLabel(text)
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.setAccessibleName(text)
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setIconSize(QSize(14, 14))
        close.setToolTip("Close this message")
        close.setAccessibleName("Close this message")
        close.clicked.connect(self.closed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, 7, theme.GAP, 7)
        layout.setSpacing(12)
        top = Qt.AlignmentFlag.AlignTop
        layout.addWidget(kind, alignment=top)
        layout.addWidget(words, 1)
        layout.addWidget(close, alignment=top)
        # Text and button have different heights; their first lines shall meet.
        kind.setFixedHeight(26)
        kind.setMinimumWidth(38)
        words.setMinimumHeight(26)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.closed)
        if not error:
            self._timer.start(_SECONDS * 1000)

    def repeat(self) -> None:
        """Count the message once more, and keep it for as long again."""
        self._count += 1
        self._kind.setText(f"{'Error' if self.error else 'Note'} ×{self._count}")
        if not self.error:
            self._timer.start()


class Notifications(QWidget):
    """List of the newest few messages, one under the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self.shown: list[Notification] = []
        """Visible messages, oldest first."""

    def notify(self, text: str, *, error: bool = False) -> None:
        """Show a message; one that is already there is counted."""
        for notification in self.shown:
            if notification.text == text:
                notification.repeat()
                return
        notification = Notification(text, error=error)
        notification.closed.connect(lambda: self._remove(notification))
        self._layout.addWidget(notification)
        self.shown.append(notification)
        self.show()
        for old in self.shown[:-_MOST]:
            self._remove(old)

    def clear(self) -> None:
        """Close all messages."""
        for notification in list(self.shown):
            self._remove(notification)

    def _remove(self, notification: Notification) -> None:
        if notification in self.shown:
            self.shown.remove(notification)
            self._layout.removeWidget(notification)
            notification.hide()
            notification.deleteLater()
            self.setVisible(bool(self.shown))
