"""Recording commands: start and stop recordings, save images, report the outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, QStandardPaths, QUrl, pyqtSignal
from PyQt6.QtGui import QDesktopServices

from app.config.settings import RecordingOptions
from app.core.events import Event
from app.core.frame import Result
from app.errors import AppError
from app.gui.controllers.screenshot import save_pictures
from app.pipeline.pipeline import Pipeline

_FOLDER = "Fast-SCNN Live"


class RecordingController(QObject):
    """Commands that start and stop recordings and save images.

    Args:
        pipeline: the pipeline that is recorded.
        folder: folder of all files; ``None`` is the user's folders for videos and pictures.
        shown: returns the result on the screen.
    """

    notified = pyqtSignal(str, str)
    """Kind and text of a message for the user, as in ``app.core.events.Event``."""

    def __init__(
        self,
        pipeline: Pipeline,
        folder: Path | None,
        shown: Callable[[], Result | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._pipeline, self._folder, self._shown = pipeline, folder, shown
        self._threads: list[threading.Thread] = []

    def start(self, output: Path) -> None:
        """Record to a file that the user named, in place of what is there."""
        self._begin(output, overwrite=True)

    def begin(self, options: RecordingOptions) -> None:
        """Start the recording that the settings of a run ask for, if they do."""
        if (output := options.file or options.labels) is not None:
            self._begin(output, labels=options.labels, overwrite=options.overwrite)
        elif options.each:
            self._begin(self.new_path(), renames=True)

    @property
    def options(self) -> RecordingOptions:
        """Options of recordings that are begun from now on."""
        return self._pipeline.recordings.options

    @options.setter
    def options(self, options: RecordingOptions) -> None:
        self._pipeline.recordings.options = options

    def record_or_stop(self) -> None:
        """Start a recording, or finish the one in progress."""
        if self._pipeline.status().recording is not None:
            self._pipeline.stop_recording()
        else:
            self.record()

    def record(self) -> None:
        """Start a recording unless one is in progress, or nothing is there to be recorded."""
        status = self._pipeline.status()
        if status.recording is None and status.state in {"playing", "paused", "ended"}:
            self._begin(self.new_path(), renames=True)

    def new_path(self) -> Path:
        """Return a new name for a recording."""
        where = self._place(QStandardPaths.StandardLocation.MoviesLocation)
        return self._pipeline.recording_path(where)

    def recordings_folder(self) -> Path:
        """Return the folder of recordings."""
        return self.options.record_dir or self._place(
            QStandardPaths.StandardLocation.MoviesLocation
        )

    def _begin(self, path: Path, **how: Any) -> None:
        try:
            self._pipeline.start_recording(path, **how)
        except AppError as error:
            event = Event("error", str(error), error.exit_code, topic="recorder")
            self._pipeline.events.put(event)

    def open_folder(self) -> None:
        """Open the folder of recordings in the system's file manager."""
        folder = self.recordings_folder()
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.notified.emit("notice", f"Recordings are in {folder}")

    def save_picture(self, *, parts: bool) -> None:
        """Save the image on the screen; or the frame, its labels and the overlay."""
        result = self._shown()
        source = self._pipeline.status().source
        if result is None or source is None:
            return
        folder = self._place(QStandardPaths.StandardLocation.PicturesLocation)
        picture = result.picture_at(self._pipeline.view.split_at(result.frame.time))
        thread = save_pictures(
            result, picture, folder, source.name, parts=parts, done=self._pictures_saved
        )
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]

    def finish(self) -> None:
        """Wait until the images in progress are saved."""
        for thread in self._threads:
            thread.join()

    def _pictures_saved(self, made: list[Path], error: str) -> None:
        if error:
            self.notified.emit("error", error)
        else:
            names = ", ".join(path.name for path in made)
            self.notified.emit("recorded", f"Saved {names} in {made[0].parent}")

    def _place(self, where: QStandardPaths.StandardLocation) -> Path:
        if self._folder is not None:
            return self._folder
        standard = QStandardPaths.writableLocation(where)
        folder = Path(standard) / _FOLDER if standard else Path.home()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return Path.home()
        return folder
