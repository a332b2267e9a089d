"""The ways to open a source that the window offers, and the menu of them."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QMenu, QWidget

from app.gui.icons import icon
from app.sources.spec import SourceSpec

_CAMERAS = 4
_VIDEOS = "Videos (*.mp4 *.m4v *.mov *.mkv *.webm *.avi *.mpg *.mpeg *.ts *.wmv *.flv *.ogv *.3gp)"


class Opener(QObject):
    """Asks the user for a source; opening it is for the pipeline.

    Args:
        window: what dialogs belong to.
    """

    chosen = pyqtSignal(SourceSpec)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.dialog: QFileDialog | None = None

    def ask_for_file(self) -> None:
        """Show the file dialog; does not wait for it."""
        if self.dialog is None:
            dialog = QFileDialog(self._window, "Open a video")
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setOption(QFileDialog.Option.HideNameFilterDetails)
            dialog.setNameFilters([_VIDEOS, "All files (*)"])
            dialog.fileSelected.connect(lambda path: self.chosen.emit(SourceSpec("file", path)))
            self.dialog = dialog  # kept: the next time it opens in the same folder
        self.dialog.open()

    def open_camera(self, index: int) -> None:
        """Choose a camera."""
        self.chosen.emit(SourceSpec("camera", str(index)))

    def open_demo(self) -> None:
        """Choose the demo street."""
        self.chosen.emit(SourceSpec("demo"))

    def camera_menu(self, parent: QWidget) -> QMenu:
        """A menu of camera indices; which of them exist is only found out by opening."""
        menu = QMenu("Open camera", parent)
        menu.setIcon(icon("camera"))
        for index in range(_CAMERAS):
            action = menu.addAction(f"Camera {index}")
            assert action is not None
            action.triggered.connect(lambda _, index=index: self.open_camera(index))
        return menu

    def menu(self, parent: QWidget) -> QMenu:
        """All ways in one menu."""
        menu = QMenu(parent)
        file = menu.addAction(icon("file"), "Open file…\tCtrl+O")
        menu.addMenu(self.camera_menu(menu))
        demo = menu.addAction(icon("street"), "Demo street")
        assert file is not None
        assert demo is not None
        file.triggered.connect(self.ask_for_file)
        demo.triggered.connect(self.open_demo)
        return menu
