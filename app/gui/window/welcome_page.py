"""Welcome page: the ways to open a source while none is open."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QRectF, QSize, Qt, QTimer
from PyQt6.QtGui import (
    QColor,
    QIcon,
    QImage,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QShowEvent,
)
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.config.shortcuts import Keys
from app.gui.feedback.shortcuts_dialog import native
from app.gui.playback.thumbnails import Thumbnails
from app.gui.widgets import theme
from app.gui.widgets.controls import plain_tip
from app.gui.widgets.icons import app_pixmap, icon
from app.gui.window.open_menu import OpenMenu
from app.sources.source_spec import SourceSpec

_ESSENTIAL = {
    "play": "pauses",
    "skip": "switches the skip connection",
    "view": "changes the view",
    "wipe": "compares skip on and off",
    "keys": "shows all keys",
}


def essential_keys(keys: Keys) -> str:
    """Return a sentence with the few keys that one needs to know."""
    said = [f"{native(keys[name][0])} {text}" for name, text in _ESSENTIAL.items() if keys[name]]
    return ", ".join(said) + "."


_RECENT = 4
_CARD = QSize(168, 95)
_ROOMY = 460
"""Height from which on there is place for the picture beside files and their names."""


class RecentCard(QToolButton):
    """Button of a file that was opened before: its first picture, and its name."""

    def __init__(self, spec: SourceSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.setObjectName("card")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIcon(icon("file"))
        self.setIconSize(_CARD)
        metrics = self.fontMetrics()
        self.setText(metrics.elidedText(spec.name, Qt.TextElideMode.ElideMiddle, _CARD.width()))
        self.setToolTip(plain_tip(f"Open {spec.value}"))
        self.setAccessibleName(f"Open {spec.name}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.thumbnails = Thumbnails(self)
        self.thumbnails.ready.connect(self._show)
        self.thumbnails.use(spec)
        self.thumbnails.ask(0.0)

    def _show(self, seconds: float, picture: object) -> None:
        if isinstance(picture, QImage):
            self.setIcon(QIcon(QPixmap.fromImage(picture)))


class WelcomePage(QWidget):
    """Page that offers the ways to open a video, and the files opened last.

    Args:
        open_menu: the ways to open one.
        hint: sentence with the few keys that one needs to know.
    """

    def __init__(self, open_menu: OpenMenu, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self._open_menu = open_menu
        self.cards: list[RecentCard] = []
        """Files that were opened last, newest first."""
        self._recent = QHBoxLayout()
        self._recent.setSpacing(10)
        self._picture = picture = QLabel()
        pixmap = app_pixmap()
        pixmap.setDevicePixelRatio(256 / 92)
        picture.setPixmap(pixmap)
        invite = QLabel("Drop videos here")
        invite.setObjectName("invite")
        more = QLabel("files, a folder, or a URL; or choose something else to look at")
        more.setObjectName("muted")

        self.file = QPushButton(icon("file", "ON_ACCENT"), " Open files…")
        self.file.setObjectName("primary")
        self.file.setToolTip("Open videos (Ctrl+O)")
        self.file.clicked.connect(open_menu.ask_for_files)
        self.camera = QPushButton(icon("camera"), " Open camera")
        self.camera.setToolTip("Choose a camera")
        self.camera.setMenu(open_menu.camera_menu(self.camera))
        self.demo = QPushButton(icon("street"), " Demo street")
        self.demo.setToolTip("Play the built-in street: needs neither camera nor file")
        self.demo.clicked.connect(open_menu.open_demo)

        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        for button in (self.file, self.camera, self.demo):
            button.setIconSize(QSize(18, 18))
            button.setAccessibleName(button.text().strip())
            buttons.addWidget(button)
        buttons.addStretch()

        layout = QVBoxLayout(self)
        layout.setContentsMargins(40, 28, 40, 28)
        layout.addStretch()
        for label, space in ((picture, 20), (invite, 6), (more, 14)):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
            layout.addSpacing(space)
        layout.addLayout(buttons)
        layout.addSpacing(14)
        layout.addLayout(self._recent)
        keys = QLabel(hint)
        keys.setObjectName("muted")
        keys.setWordWrap(True)
        keys.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addSpacing(16)
        layout.addWidget(keys)
        layout.addStretch()

    def showEvent(self, event: QShowEvent | None) -> None:
        # Not at once: at the start, the page may be shown only until a source is opened.
        QTimer.singleShot(0, self._list_recent)
        super().showEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._make_room()
        super().resizeEvent(event)

    def _make_room(self) -> None:
        """Leave the picture out where files and their names need its place."""
        self._picture.setVisible(not self.cards or self.height() >= _ROOMY)

    def _list_recent(self) -> None:
        """List the files that are still there; those at addresses wait until they are wanted."""
        if not self.isVisible():
            return
        recent = self._open_menu.recent()
        there = [s for s in recent if s.kind == "file" and Path(s.value).is_file()][:_RECENT]
        if there != [card.spec for card in self.cards]:
            while (item := self._recent.takeAt(0)) is not None:
                if (card := item.widget()) is not None:
                    card.deleteLater()
            self.cards = [RecentCard(spec) for spec in there]
            self._recent.addStretch()
            for card in self.cards:
                card.clicked.connect(lambda _, spec=card.spec: self._open_menu.open_source(spec))
                self._recent.addWidget(card)
            self._recent.addStretch()
            self._make_room()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.CANVAS))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(theme.EDGE), 1.5)
        pen.setDashPattern([5, 5])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 16, 16)
