"""Actions of the commands, for shortcuts and menus alike; keys that widgets need themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from app.config.shortcuts import COMMANDS, Keys

Handlers = Mapping[str, Callable[[], object]]

_OWN = (
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down),
    *(Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown),
)


def make_actions(window: QWidget, keys: Keys, handlers: Handlers) -> dict[str, QAction]:
    """Return actions by the names of their commands; their keys work in the whole window.

    Args:
        window: owner of the actions.
        keys: keys of all commands.
        handlers: functions of the commands by name.
    """
    actions: dict[str, QAction] = {}
    for command in COMMANDS:
        action = QAction(command.text[0].upper() + command.text[1:], window)
        action.setShortcuts([QKeySequence(key) for key in keys[command.name]])
        action.setAutoRepeat(command.repeats)
        handler = handlers[command.name]
        action.triggered.connect(lambda _=False, handler=handler: handler())
        window.addAction(action)
        actions[command.name] = action
    return actions


class OwnArrows(QObject):
    """Event filter that leaves arrow keys to the widget with the focus: the window's commands on
    the same keys would take them away."""

    def leave_to(self, *widgets: QWidget) -> None:
        """Leave the arrow keys to these widgets."""
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() in _OWN
            and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            event.accept()
            return True
        return False


class EnterClicks(QObject):
    """Event filter that lets Enter click the button with the focus, and Space a switch.

    Elsewhere Space plays and pauses.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        button = focused()
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
            and isinstance(button, QAbstractButton)
        ):
            button.click()
            return True
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Space
            and isinstance(button, QAbstractButton)
            and button.isCheckable()
        ):
            event.accept()
            return True
        return False


def with_arrows(root: QWidget) -> list[QWidget]:
    """Return the widgets in a window that use arrow keys themselves."""
    kinds = (QAbstractSlider, QPlainTextEdit, QTabBar)
    return [widget for kind in kinds for widget in root.findChildren(kind)]


def key_hint(action: QAction) -> str:
    """Return the first key of an action in brackets, for tooltips; empty where it has none."""
    key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    return f" ({key})" if key else ""


def focused() -> QWidget | None:
    """Return the widget with the focus."""
    return QApplication.focusWidget()
