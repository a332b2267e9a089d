"""Full screen: the video alone; the mouse brings the controls back for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer
from PyQt6.QtWidgets import QMainWindow, QWidget

_SECONDS = 2.5


class FullScreen(QObject):
    """Full-screen mode: hides what is around the video.

    Args:
        window: the window that fills the screen, or a page of the one that does.
        view: the video, over which the mouse is watched.
        controls: widgets that a moved mouse brings back.
        hidden: widgets that stay hidden until the end.
        restored: called after the end, to show again what has rules of its own.
    """

    def __init__(
        self,
        window: QMainWindow,
        view: QWidget,
        *,
        controls: Sequence[QWidget],
        hidden: Sequence[QWidget],
        restored: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._window, self._view = window, view
        self._controls, self._hidden, self._restored = controls, hidden, restored
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(int(_SECONDS * 1000))
        self._timer.timeout.connect(self._rest)

    @property
    def on(self) -> bool:
        """True while the video has the screen."""
        return self._top.isFullScreen()

    @property
    def _top(self) -> QWidget:
        return self._window.window() or self._window

    @property
    def bare(self) -> bool:
        """True while the controls are hidden."""
        return self.on and not self._timer.isActive()

    def set(self, on: bool) -> None:
        """Enter or leave full screen."""
        if on == self.on:
            return
        window, state = self._top, Qt.WindowState.WindowFullScreen
        for widget in (*self._hidden, *self._controls):
            widget.setVisible(not on)
        if on:
            window.setWindowState(window.windowState() | state)
            self._view.setMouseTracking(True)
            self._view.installEventFilter(self)
            self._rest()
        else:
            self._timer.stop()
            self._view.removeEventFilter(self)
            self._view.unsetCursor()
            window.setWindowState(window.windowState() & ~state)
            self._restored()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.MouseMove and self.on:
            self._view.unsetCursor()
            for widget in self._controls:
                widget.show()
            self._timer.start()
        return False

    def _rest(self) -> None:
        if not self.on:
            return
        if any(widget.underMouse() for widget in self._controls):
            self._timer.start()
            return
        for widget in self._controls:
            widget.hide()
        self._view.setCursor(Qt.CursorShape.BlankCursor)
