"""Run settings: saved in a file from which the command line repeats the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QWidget

from app.config.run_file import run_file
from app.core.events import EventKind
from app.gui.controllers.playback_controller import PlaybackController
from app.pipeline.pipeline import Pipeline
from fastscnn.outputs import OutputError, write_output


class RunSettings:
    """Dialog that saves the settings in use.

    Args:
        window: parent of the dialog.
        pipeline, playback: have what is in use and what plays.
        notify: told the kind and text of what came of it.
    """

    def __init__(
        self,
        window: QWidget,
        pipeline: Pipeline,
        playback: PlaybackController,
        notify: Callable[[EventKind, str], None],
    ) -> None:
        self._window, self._pipeline, self._playback = window, pipeline, playback
        self._notify = notify
        self.dialog: QFileDialog | None = None

    def ask(self) -> None:
        """Open the dialog for the file, without waiting for it."""
        dialog = QFileDialog(self._window, "Save run settings")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)  # asks before it replaces one
        dialog.setNameFilters(["TOML (*.toml)"])
        dialog.setDefaultSuffix("toml")
        dialog.selectFile("run.toml")
        dialog.fileSelected.connect(lambda path: self.save(Path(path)))
        self.dialog = dialog
        dialog.open()

    def save(self, path: Path) -> None:
        """Write the settings in use to a file."""
        text = run_file(self._pipeline.settings_now(), self._playback.playlist.entries)
        try:
            write_output(path, lambda draft: draft.write_text(text, "utf-8"))
        except OutputError as error:
            self._notify("error", str(error))
        else:
            self._notify("notice", f"Saved. This run again: fastscnn-live --config {path}")
