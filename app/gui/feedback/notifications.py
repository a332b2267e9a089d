"""Notifications over the video: quiet, readable, closable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.widgets import theme
from app.gui.widgets.icons import icon

Action = tuple[str, Callable[[], object]]
"""Name of a button, and what it does."""

_MOST = 3
_SECONDS = 20


class Notification(QFrame):
    """Message with a button that closes it.

    Args:
        text: one sentence.
        error: True for an error, which stays until it is closed.
        topic: what it is about, where a newer message makes it worthless.
        actions: buttons beside it, which close it too.
    """

    closed = pyqtSignal()
    """Emitted when the user closed it, or its time is over."""

    def __init__(
        self, text: str, *, error: bool, topic: str = "", actions: Sequence[Action] = ()
    ) -> None:
        super().__init__()
        self.text, self.error, self.topic = text, error, topic
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
        self.actions_by_name: dict[str, QPushButton] = {}
        for name, act in actions:
            button = self.actions_by_name[name] = QPushButton(name)
            button.setToolTip(name)
            button.clicked.connect(lambda _, act=act: self._carry_out(act))
            layout.addWidget(button, alignment=top)
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

    def _carry_out(self, act: Callable[[], object]) -> None:
        self.closed.emit()
        act()

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

    def notify(
        self, text: str, *, error: bool = False, topic: str = "", actions: Sequence[Action] = ()
    ) -> None:
        """Show a message in place of one on its topic; one that is already there is counted.

        Args:
            text, error, topic, actions: as of ``Notification``.
        """
        for notification in self.shown:
            if notification.text == text:
                notification.repeat()
                return
        self.retract(topic)
        notification = Notification(text, error=error, topic=topic, actions=actions)
        notification.closed.connect(lambda: self._remove(notification))
        self._layout.addWidget(notification)
        self.shown.append(notification)
        self.show()
        for old in self.shown[:-_MOST]:
            self._remove(old)

    def retract(self, topic: str) -> None:
        """Close the message on a topic, where there is one."""
        for notification in list(self.shown):
            if topic and notification.topic == topic:
                self._remove(notification)

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
