"""Open menu: files, folders, URLs, cameras, the demo street and recent sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QStandardPaths, Qt, pyqtBoundSignal, pyqtSignal
from PyQt6.QtGui import QAction, QGuiApplication
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMenu, QWidget

from app.errors import AppError
from app.gui.widgets.controls import add_choice, plain_tip
from app.gui.widgets.icons import icon
from app.gui.window.drag_and_drop import DroppedSources, parse_paths
from app.sources.camera_discovery import list_cameras
from app.sources.playlist import VIDEO_SUFFIXES
from app.sources.source_spec import PICTURES, SourceSpec, parse_source

_SUFFIXES = sorted(VIDEO_SUFFIXES | PICTURES)
_CONTENT = f"Videos and pictures ({' '.join(f'*{suffix}' for suffix in _SUFFIXES)})"


class OpenMenu(QObject):
    """Menu and dialogs that ask the user for sources; opening them is for the pipeline.

    Args:
        window: parent of the dialogs.
        recent: returns recent sources, newest first.
    """

    chosen = pyqtSignal(object)
    """A ``DroppedSources``: sources to play, and a message about them."""
    beside_chosen = pyqtSignal(object)
    """The same, of sources to play beside what plays."""
    removal_asked = pyqtSignal()
    """The user wants no more of what this window plays beside others."""
    folder_used = pyqtSignal(str)
    """Folder in which the user chose something."""
    recent_forgotten = pyqtSignal()

    def __init__(self, window: QWidget, recent: Callable[[], list[SourceSpec]]) -> None:
        super().__init__(window)
        self._window, self.recent = window, recent
        self.folder = ""
        """Folder in which dialogs open."""
        self.dialog: QFileDialog | None = None
        self.address: QInputDialog | None = None
        self.entered = ""
        """URL that was entered and has not opened: its dialog shows it again."""
        self.is_beside = False
        """True while other sources run beside this window's."""

    def ask_for_files(self) -> None:
        """Open the file dialog, without waiting for it."""
        self._show(self._files("Open videos or pictures"))

    def ask_for_files_beside(self) -> None:
        """Open the file dialog for what is to play beside what plays."""
        self._show(self._files("Add videos or pictures beside"), self.beside_chosen)

    def ask_for_removal(self) -> None:
        """Ask for the removal of this window's source from beside the others."""
        if self.is_beside:
            self.removal_asked.emit()
        else:
            self.chosen.emit(DroppedSources(text="Nothing runs beside this source: close it."))

    def _files(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self._window.window(), title, self.folder)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setOption(QFileDialog.Option.HideNameFilterDetails)
        dialog.setNameFilters([_CONTENT, "All files (*)"])
        return dialog

    def ask_for_folder(self) -> None:
        """Open the dialog for folders, without waiting for it."""
        dialog = QFileDialog(self._window, "Open a folder of videos", self.folder)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self._show(dialog)

    def ask_for_address(self, chosen: pyqtBoundSignal | None = None) -> None:
        """Open the dialog for a URL, without waiting for it.

        Args:
            chosen: told of the source in place of ``chosen``.
        """
        dialog = QInputDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Open URL")
        dialog.setLabelText("URL of a stream or a video: rtsp://…, http://…, https://…")
        dialog.setTextEchoMode(QLineEdit.EchoMode.Normal)
        dialog.setOkButtonText("Open")
        dialog.resize(520, dialog.sizeHint().height())
        clipboard = QGuiApplication.clipboard()
        text = clipboard.text().strip() if clipboard is not None else ""
        if self.entered:
            dialog.setTextValue(self.entered)
        elif "://" in text and len(text) < 500 and "\n" not in text:
            dialog.setTextValue(text)
        take = self.open_text if chosen is None else partial(self._take_text, chosen=chosen)
        dialog.textValueSelected.connect(take)
        self.address = dialog
        dialog.open()

    def open_text(self, text: str) -> None:
        """Open the URL that the user entered."""
        self.entered = text.strip()
        self._take_text(text, chosen=self.chosen)

    def _take_text(self, text: str, *, chosen: pyqtBoundSignal) -> None:
        try:
            chosen.emit(DroppedSources((parse_source(text.strip()),)))
        except AppError as error:
            chosen.emit(DroppedSources(text=str(error)))

    def open_source(self, spec: SourceSpec) -> None:
        """Choose a source."""
        self.chosen.emit(DroppedSources((spec,)))

    def learn_folder(self, spec: SourceSpec) -> None:
        """Let dialogs open in the folder of a source, where none was used yet."""
        if spec.kind == "file" and not self.folder:
            self.folder = str(Path(spec.value).absolute().parent)

    def learn_opened(self, spec: SourceSpec) -> None:
        """Learn which source is open: it need not be entered again."""
        if spec.value == self.entered:
            self.entered = ""

    def open_demo(self) -> None:
        """Choose the demo street."""
        self.open_source(SourceSpec("demo"))

    def camera_menu(self, parent: QWidget, chosen: pyqtBoundSignal | None = None) -> QMenu:
        """Create a menu of cameras, filled anew whenever it is shown.

        Args:
            parent: owner of the menu.
            chosen: told of the camera in place of ``chosen``.
        """
        told = self.chosen if chosen is None else chosen
        menu = QMenu("Camera", parent)
        menu.setIcon(icon("camera"))

        def fill() -> None:
            menu.clear()
            found = list_cameras()
            if not found:
                none = menu.addAction("None is listed by this system")
                assert none is not None
                none.setEnabled(False)
            for index, name in found or [(0, "Try camera")]:
                action = menu.addAction(f"{name} ({index})" if found else f"{name} {index}")
                assert action is not None
                camera = DroppedSources((SourceSpec("camera", str(index)),))
                action.triggered.connect(lambda _, camera=camera: told.emit(camera))

        menu.aboutToShow.connect(fill)
        fill()
        return menu

    def recent_menu(self, parent: QWidget) -> QMenu:
        """Create a menu of recent sources, filled anew whenever it is shown."""
        menu = QMenu("Recent", parent)

        def fill() -> None:
            menu.clear()
            for spec in self.recent():
                action = menu.addAction(spec.name.replace("&", "&&"))
                assert action is not None
                action.setToolTip(plain_tip(spec.value))
                action.triggered.connect(lambda _, spec=spec: self.open_source(spec))
            if menu.isEmpty():
                none = menu.addAction("Nothing yet")
                assert none is not None
                none.setEnabled(False)
                return
            menu.addSeparator()
            forget = menu.addAction("Forget these")
            assert forget is not None
            forget.triggered.connect(self.recent_forgotten)

        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(fill)
        fill()
        return menu

    def beside_menu(self, parent: QWidget, actions: Mapping[str, QAction]) -> QMenu:
        """Create a menu of what can be added beside what plays."""
        menu = QMenu("Add beside", parent)
        told = self.beside_chosen
        menu.addAction(actions["open-beside"])
        add_choice(menu, "URL…", lambda: self.ask_for_address(told))
        menu.addMenu(self.camera_menu(menu, told))
        demo = DroppedSources((SourceSpec("demo"),))
        add_choice(menu, "Demo street", lambda: told.emit(demo))
        return menu

    def fill(self, menu: QMenu, actions: Mapping[str, QAction]) -> None:
        """Add all ways to open something to a menu."""
        for command, drawing in (
            ("open", "file"),
            ("open-folder", "list"),
            ("open-address", ""),
        ):
            if drawing:
                actions[command].setIcon(icon(drawing))
            menu.addAction(actions[command])
        menu.addMenu(self.beside_menu(menu, actions))
        menu.addAction(actions["remove"])
        menu.addMenu(self.camera_menu(menu))
        demo = menu.addAction(icon("street"), "Demo street")
        assert demo is not None
        demo.triggered.connect(self.open_demo)
        menu.addMenu(self.recent_menu(menu))

    def _show(self, dialog: QFileDialog, chosen: pyqtBoundSignal | None = None) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if not self.folder:
            videos = QStandardPaths.StandardLocation.MoviesLocation
            dialog.setDirectory(QStandardPaths.writableLocation(videos))
        chosen = chosen if chosen is not None else self.chosen
        dialog.filesSelected.connect(lambda paths: self._selected(paths, chosen))
        self.dialog = dialog
        dialog.open()

    def _selected(self, paths: list[str], chosen: pyqtBoundSignal) -> None:
        found = [Path(path) for path in paths]
        if found:
            self.folder = str(found[0].parent)
            self.folder_used.emit(self.folder)
            chosen.emit(parse_paths(found))
