"""Image folder sink: the view, or labels, as one image per frame."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.config.settings import ImageFolderOptions
from app.core.events import Event, EventBus
from app.core.frame import Result
from app.errors import AppError, OutputError
from app.sinks.queued_sink import QueuedSink
from app.sources.source_spec import SourceSpec
from fastscnn.labels import ClassTable
from fastscnn.outputs import write_whole
from fastscnn.paths import visible
from fastscnn.provenance import with_comment

_log = logging.getLogger(__name__)


class ImageFolderSink(QueuedSink):
    """Folder with one image per frame.

    They are called as their frames are in the source, or by their number where those have no names.

    Args:
        output: what to write, and where.
        events: where its end is reported.
        overwrite: whether files that are there are replaced.
    """

    def __init__(
        self, output: ImageFolderOptions, events: EventBus, *, overwrite: bool = False
    ) -> None:
        super().__init__("pictures", events)
        self.output, self._overwrite = output, overwrite
        self.written = 0
        self.left_out = 0
        """Frames of a live source that there was no time for."""
        self._names: set[str] = set()

    def _open(self, first: Result) -> None:
        """Folders are made with the images in them."""

    def _close(self) -> None:
        """Every image is whole as it is."""

    def _refused(self, *, failed: bool, full: bool) -> None:
        self.left_out += full and not failed

    def _in_words(self, error: Exception) -> AppError:
        if not isinstance(error, OSError):
            _log.info("unexpected error", exc_info=error)
            return OutputError(f"{self.output.folder}: writing pictures failed: {error}.")
        if isinstance(error, FileExistsError):
            words = OutputError(
                f"{error.filename} exists by now: name another folder, or add --overwrite."
            )
            words.__cause__ = error
            return words
        words = OutputError(
            f"{self.output.folder}: writing pictures had to end after {self.written}"
            f" ({error.strerror or error}): make room, or name another folder."
        )
        words.__cause__ = error
        return words

    def _report(self) -> None:
        if self.written:
            what = "pictures" if self.output.content == "view" else "pictures of labels"
            left = f", {self.left_out} left out for want of time" if self.left_out else ""
            text = f"Saved {self.written} {what}{left}: {self.output.folder}"
            self._events.put(Event("recorded", text))

    def _write(self, result: Result) -> None:
        suffix = self.output.suffix
        if self.output.content == "view":
            image = np.asarray(cv2.cvtColor(result.picture, cv2.COLOR_RGB2BGR), np.uint8)
        else:
            image, suffix = result.labels, ".png"
            if self.output.content == "label_ids":
                image = self._ids(result.classes)[image]
        ok, data = cv2.imencode(suffix, image)
        if not ok:
            raise OutputError(f"A picture of {image.shape[1]}×{image.shape[0]} cannot be encoded.")
        content = result.view.view if self.output.content == "view" else "labels"
        said = with_comment(data.tobytes(), result.provenance(content))
        path = self.output.folder / f"{self._called(result)}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda draft: draft.write_bytes(said), new=not self._overwrite)
        self.written += 1

    def _ids(self, classes: ClassTable) -> NDArray[np.uint8]:
        """Return 256 uint8: number of a class → Cityscapes id; 0 (unlabeled) for what is none.

        Raises:
            OutputError: not all of the classes have one.
        """
        if classes.ids is None:
            raise OutputError(
                f"{self.output.folder}: --label-ids writes Cityscapes ids, and the weights know"
                f" classes that have none ({', '.join(classes.own[:5])}"
                f"{', …' * (len(classes.own) > 5)}): leave --label-ids away to write their numbers."
            )
        return classes.ids

    def _called(self, result: Result) -> str:
        wanted = result.frame.name or f"{result.frame.index:06}"
        name, count = wanted, 2
        while name in self._names:  # a.png beside a.jpg, or a second turn of a loop
            name = f"{wanted}-{count}"
            count += 1
        self._names.add(name)
        return name


def check_folder(output: ImageFolderOptions, *, overwrite: bool, source: SourceSpec | None) -> None:
    """Find out before any work whether pictures can go to a folder.

    Raises:
        OutputError: they cannot: something else is there, or would be lost.
    """
    folder = output.folder
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file: name a folder for the pictures.")
        if source is not None and source.kind in {"images", "file"} and folder.is_dir():
            place = Path(source.value)
            read = place if place.is_dir() else place.parent
            if read.is_dir() and os.path.samefile(read, folder):
                raise OutputError(f"{folder} is where is being read: name another folder.")
        if folder.is_dir() and not overwrite and visible(folder):
            raise OutputError(f"{folder} is not empty: name another folder, or add --overwrite.")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be used ({error.strerror}): name another.") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder} may not be written to: name another folder.")
