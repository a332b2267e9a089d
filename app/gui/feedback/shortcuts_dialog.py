"""Dialog of all shortcuts, from the table that makes them."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.config.persistence import config_folder
from app.config.shortcuts import COMMANDS, GROUPS, Keys
from app.gui.widgets import theme
from app.gui.widgets.fitting import FoldingRow, available_size

_LEFT = ("Play", "Network")
"""Groups in the first of the two columns."""


def native(key: str) -> str:
    """Return a key as the system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


MOUSE = (
    ("Drop files", "play them; a checkpoint is offered as weights"),
    ("Wheel", "zoom at the mouse"),
    ("Drag", "move the picture, or the divider of a wipe"),
    ("Double click", "full screen"),
    ("Click", "outline the class there"),
    ("Hover", "class and probability; over the seek bar, look ahead"),
)
"""Gestures of the mouse, and what they do."""


class ShortcutsDialog(QDialog):
    """Dialog that shows every command with its keys.

    Args:
        keys: keys of all commands.
    """

    def __init__(self, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.keys = keys
        columns = FoldingRow([self._column(left=True), self._column(left=False)], theme.PAD)
        columns.setObjectName("legend")  # as clear as the list of classes
        scroll = QScrollArea()
        scroll.setWidget(columns)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        where = QLabel(f"Other keys: {config_folder() / 'keys.json'}, or --keys FILE")
        where.setObjectName("muted")
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        where.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        for key in keys["keys"]:  # what opens it closes it too
            QShortcut(QKeySequence(key), self, self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GAP, theme.PAD, theme.GAP, theme.PAD)
        layout.setSpacing(theme.PAD)
        layout.addWidget(scroll)
        foot = QHBoxLayout()
        foot.setContentsMargins(theme.PAD, 0, theme.PAD, 0)
        foot.addWidget(where, 1)
        foot.addWidget(buttons)
        layout.addLayout(foot)
        size = columns.sizeHint()
        self.resize(
            QSize(size.width() + 60, size.height() + 110).boundedTo(available_size(self.screen()))
        )

    def _column(self, *, left: bool) -> QWidget:
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(theme.PAD, 0, theme.PAD, 0)
        column.setSpacing(theme.GAP)
        for group in GROUPS:
            if (group in _LEFT) is left:
                column.addLayout(self._group(group))
        if left:
            column.addLayout(_grid("Mouse", MOUSE))
        column.addStretch()
        return widget

    def _group(self, group: str) -> QGridLayout:
        commands = [command for command in COMMANDS if command.group == group]
        texts = (("  or  ".join(map(native, self.keys[c.name])) or "–", c.text) for c in commands)
        return _grid(group, texts)


def _grid(title: str, rows: Iterable[tuple[str, str]]) -> QGridLayout:
    """Return rows of keys and what they do, under a heading."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    heading = QLabel(title)
    heading.setObjectName("heading")
    heading.setContentsMargins(0, 6, 0, 2)
    grid.addWidget(heading, 0, 0, 1, 2)
    for place, (keys, text) in enumerate(rows, 1):
        left, right = QLabel(keys), QLabel(text)
        left.setObjectName("key")
        left.setMinimumWidth(104)
        right.setObjectName("muted")
        grid.addWidget(left, place, 0)
        grid.addWidget(right, place, 1)
    return grid
