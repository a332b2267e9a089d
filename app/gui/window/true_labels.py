"""True labels: the dialog for their folder, and the views that need them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QWidget

from app.core.events import EventKind
from app.gui.controllers.view_controller import ViewController
from app.gui.window.saved_state import SavedState
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import JUDGING, View


class TrueLabels:
    """Choice of the labels that a source is judged by.

    Args:
        window: parent of the dialog.
        pipeline: the pipeline that plays the source.
        view_commands: take the view.
        notify: told the kind and text of a message.
        saved: keeps the folder that was chosen last.
    """

    def __init__(
        self,
        window: QWidget,
        pipeline: Pipeline,
        view_commands: ViewController,
        notify: Callable[[EventKind, str], None],
        saved: SavedState | None,
    ) -> None:
        self._window, self._pipeline = window, pipeline
        self._view_commands, self._notify, self._saved = view_commands, notify, saved
        kept = saved.labels_folder if saved is not None else ""
        self._last = Path(kept) if kept else None
        self.dialog: QFileDialog | None = None

    def show(self, view: View) -> None:
        """Choose a view; where it needs labels that are not there, they are asked for first."""
        spec = self._pipeline.session.opened_spec
        if view in JUDGING and not self._pipeline.truth.offered(spec):
            self.ask(view)
        else:
            self._view_commands.set_view(view)

    def ask(self, view: View = "errors") -> None:
        """Open the dialog for the folder of the labels, without waiting for it.

        Args:
            view: what is shown once there are labels.
        """
        spec = self._pipeline.session.opened_spec
        if spec is None or spec.kind not in {"file", "images"}:
            self._notify(
                "notice",
                "True labels are for a file or pictures: open one first. The demo street knows its"
                " own: View, Errors.",
            )
            return
        last = self._pipeline.truth.folder_of(spec) or self._last
        there = last is not None and last.is_dir()
        begin = last if there else Path(spec.value).absolute().parent
        dialog = QFileDialog(self._window, "The folder of the true labels", str(begin))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda folder: self.use(Path(folder), view))
        self.dialog = dialog
        dialog.open()

    def use(self, folder: Path, view: View = "errors") -> None:
        """Judge the source by the labels in a folder."""
        spec = self._pipeline.session.opened_spec
        if spec is not None:
            self._last = folder
            if self._saved is not None:
                self._saved.labels_folder = str(folder)
            self._pipeline.truth.choose(spec, folder)
            if not self._pipeline.view.judges:
                self._view_commands.set_view(view)

    def merge(self, merging: str) -> None:
        """Count classes as one: ``camvid`` and the like; nothing are the 19 classes."""
        self._pipeline.truth.merge(merging or None)
