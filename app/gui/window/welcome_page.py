"""Welcome page: the ways to open a source while none is open."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.config.shortcuts import Keys
from app.gui.feedback.shortcuts_dialog import native
from app.gui.widgets import theme
from app.gui.widgets.icons import app_pixmap, icon
from app.gui.window.open_menu import OpenMenu

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


class WelcomePage(QWidget):
    """Page that offers the ways to open a video.

    Args:
        open_menu: the ways to open one.
        hint: sentence with the few keys that one needs to know.
    """

    def __init__(self, open_menu: OpenMenu, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        picture = QLabel()
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
        layout.setContentsMargins(40, 40, 40, 40)
        layout.addStretch()
        for label, space in ((picture, 20), (invite, 6), (more, 20)):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(label)
            layout.addSpacing(space)
        layout.addLayout(buttons)
        keys = QLabel(hint)
        keys.setObjectName("muted")
        keys.setWordWrap(True)
        keys.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addSpacing(26)
        layout.addWidget(keys)
        layout.addStretch()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.CANVAS))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(theme.EDGE), 1.5)
        pen.setDashPattern([5, 5])
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 16, 16)
