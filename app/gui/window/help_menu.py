"""Help menu: the keys, what the program is, and the diagnostics for a bug report."""

from __future__ import annotations

import platform
import threading
from contextlib import suppress

from PyQt6.QtCore import PYQT_VERSION_STR, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QMenu, QMessageBox, QWidget

from app import __version__
from app.config.shortcuts import Keys
from app.gui.feedback.shortcuts_dialog import ShortcutsDialog

_ABOUT = f"""<h3>Fast-SCNN Live {__version__}</h3>
<p>Real-time segmentation of street scenes, after <i>Fast-SCNN: Fast Semantic Segmentation
Network</i> (Poudel, Liwicki, Cipolla, BMVC 2019).</p>
<p>Python {platform.python_version()}, PyQt {PYQT_VERSION_STR}. Free software under the GNU General
Public License, version 3 or later. The shipped weights were trained on data whose terms allow
research use only.</p>
<p>Nothing leaves this machine.</p>"""
_COPIED = "The diagnostics are in the clipboard: paste them into the report."


class HelpMenu(QObject):
    """Entries of the help menu.

    Args:
        window: parent of the dialogs.
        keys: keys of all commands.
    """

    notified = pyqtSignal(str, str)
    """Kind and text of a message."""
    _found = pyqtSignal(str)

    def __init__(self, window: QWidget, keys: Keys) -> None:
        super().__init__(window)
        self._window, self._keys = window, keys
        self.keys_dialog: ShortcutsDialog | None = None
        self.about: QMessageBox | None = None
        self._found.connect(self._copy)

    def fill(self, menu: QMenu) -> None:
        """Add the entries to a menu."""
        for text, handler in (
            ("Copy diagnostics", self.copy_diagnostics),
            ("About Fast-SCNN Live", self.show_about),
        ):
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(lambda _, handler=handler: handler())

    def show_keys(self) -> None:
        """Open the dialog of all shortcuts."""
        if self.keys_dialog is None:
            self.keys_dialog = ShortcutsDialog(self._keys, self._window)
        self.keys_dialog.show()
        self.keys_dialog.raise_()
        self.keys_dialog.activateWindow()

    def close_keys(self) -> bool:
        """Close that dialog; return whether it was open."""
        if self.keys_dialog is None or not self.keys_dialog.isVisible():
            return False
        return self.keys_dialog.close()

    def show_about(self) -> None:
        """Open the dialog with versions and licence."""
        self.about = QMessageBox(self._window)
        self.about.setWindowTitle("About Fast-SCNN Live")
        self.about.setIconPixmap(self._window.windowIcon().pixmap(64))
        self.about.setTextFormat(Qt.TextFormat.RichText)
        self.about.setText(_ABOUT)
        self.about.open()

    def copy_diagnostics(self) -> None:
        """Copy the diagnostics; libraries and encoders are tried on a thread, for seconds."""
        # Not a daemon: torch must not be cut off in the middle at exit (``launcher.run``).
        threading.Thread(target=self._find, name="diagnostics").start()

    def _find(self) -> None:
        from app.diagnostics import diagnostics  # only who asks for them waits for its imports

        text = diagnostics()
        with suppress(RuntimeError):  # the window has gone meanwhile
            self._found.emit(text)

    def _copy(self, text: str) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
        self.notified.emit("notice", _COPIED)
