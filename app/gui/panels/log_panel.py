"""Log of events: what happened so far, with times, to read again and to copy."""

from __future__ import annotations

import time

from PyQt6.QtGui import QFontDatabase, QGuiApplication
from PyQt6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.gui.widgets import theme

_MOST = 2000
_KINDS = {"error": "Error", "notice": "Note", "recorded": "Saved", "ended": "Note"}


class LogPanel(QWidget):
    """List of the events of this run, newest last."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(_MOST)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Log of events")
        self.text.setPlaceholderText("Nothing has happened yet.")
        self.text.setTabChangesFocus(True)
        self.copy = QPushButton("Copy all")
        self.copy.setToolTip("Copy the whole log to the clipboard")
        self.copy.clicked.connect(self._copy)
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Forget what the log says")
        self.clear.clicked.connect(self.text.clear)
        buttons = QVBoxLayout()
        buttons.setSpacing(theme.GAP)
        for button in (self.copy, self.clear):
            button.setAccessibleName(button.text())
            buttons.addWidget(button)
        buttons.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.GAP)
        layout.setSpacing(theme.GAP)
        layout.addWidget(self.text, 1)
        layout.addLayout(buttons)

    @property
    def lines(self) -> list[str]:
        """Text of the log."""
        return [line for line in self.text.toPlainText().split("\n") if line]

    def add(self, kind: str, text: str) -> None:
        """Write down one event.

        Args:
            kind: as in ``app.core.events.Event``.
            text: one sentence.
        """
        word = _KINDS.get(kind, kind.capitalize())
        self.text.appendPlainText(f"{time.strftime('%H:%M:%S')}  {word:<7} {text}")

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.text.toPlainText())
