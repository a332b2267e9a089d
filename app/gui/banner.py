"""Messages over the picture: quiet, readable, closable."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.gui import style
from app.gui.icons import icon

_MOST = 3
_SECONDS = 20


class Banner(QFrame):
    """One message with a button that closes it.

    Args:
        text: one sentence.
        error: whether something went wrong; it then stays until it is closed.
    """

    def __init__(self, text: str, *, error: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text, self.error = text, error
        self.setObjectName("banner")
        self.setProperty("error", error)
        kind = QLabel("Error" if error else "Note")
        kind.setStyleSheet(
            f"color: {style.ALERT if error else style.ACCENT}; font-weight: 600; font-size: 13px;"
        )
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
        close.clicked.connect(self.deleteLater)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(style.PAD, 7, style.GAP, 7)
        layout.setSpacing(12)
        top = Qt.AlignmentFlag.AlignTop
        layout.addWidget(kind, alignment=top)
        layout.addWidget(words, 1)
        layout.addWidget(close, alignment=top)
        # Text and button have different heights; their first lines shall meet.
        kind.setFixedHeight(26)
        words.setMinimumHeight(26)
        if not error:
            QTimer.singleShot(_SECONDS * 1000, self.deleteLater)


class Banners(QWidget):
    """The newest few messages, one under the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(1)

    @property
    def shown(self) -> list[Banner]:
        """The messages on show, oldest first."""
        return [b for b in self._all() if b.isVisibleTo(self)]

    def tell(self, text: str, *, error: bool = False) -> None:
        """Show a message; one that is already there is not repeated."""
        if any(banner.text == text for banner in self.shown):
            return
        self._layout.addWidget(Banner(text, error=error))
        for banner in self.shown[:-_MOST]:
            self._remove(banner)

    def clear(self) -> None:
        """Close all messages."""
        for banner in self._all():
            self._remove(banner)

    def _all(self) -> list[Banner]:
        items = (self._layout.itemAt(i) for i in range(self._layout.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if isinstance(widget, Banner)]

    def _remove(self, banner: Banner) -> None:
        banner.hide()
        self._layout.removeWidget(banner)
        banner.deleteLater()
