"""The picture writer: what is shown, or labels, as one picture per frame in a folder."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.config.settings import ImageFolderOptions
from app.core.channel import Channel, Closed
from app.core.frame import Result
from app.errors import AppError, OutputError
from app.sources.source_spec import SourceSpec
from fastscnn.labels import ID_TO_TRAIN_ID

_log = logging.getLogger(__name__)

_WAITING = 4
"""Frames that may wait for the writer."""


def _train_id_to_id() -> NDArray[np.uint8]:
    """256 uint8: train id → Cityscapes id; 0 (unlabeled) for what is none of the classes."""
    table = np.zeros(256, np.uint8)
    for number, train_id in enumerate(ID_TO_TRAIN_ID):
        if train_id != 255:
            table[train_id] = number
    return table


TRAIN_ID_TO_ID = _train_id_to_id()


class ImageFolderWriter(threading.Thread):
    """Writes one picture per frame on a thread of its own.

    They are called as their frames are in the source, or by their number where those have no names.

    Args:
        output: what to write, and where.
        closed: called at the end with the writer, from its thread.
    """

    def __init__(
        self, output: ImageFolderOptions, *, closed: Callable[[ImageFolderWriter], None]
    ) -> None:
        super().__init__(name="pictures")
        self.output = output
        self.written = 0
        self.error: AppError | None = None
        self.left_out = 0
        """Frames of a live source that there was no time for."""
        self._closed = closed
        self._inbox: Channel[Result] = Channel(_WAITING)
        self._names: set[str] = set()

    def put(self, result: Result, *, wait: bool) -> None:
        """Hand over a result; with ``wait`` the caller is held back until there is room."""
        taken = self._inbox.put(result) if wait else self._inbox.offer(result)
        self.left_out += not taken

    def finish(self) -> None:
        """End once what waits is written; does not block."""
        self._inbox.close()

    def run(self) -> None:
        try:
            while True:
                result = self._inbox.get()
                if result is not None:
                    self._write(result)
        except Closed:
            pass
        except OSError as error:
            self.error = OutputError(
                f"{self.output.folder}: writing pictures had to end after {self.written}"
                f" ({error.strerror or error}): make room, or name another folder."
            )
            self.error.__cause__ = error
        except Exception as error:  # nothing may end this thread silently
            _log.info("unexpected error", exc_info=error)
            self.error = OutputError(f"{self.output.folder}: writing pictures failed: {error}.")
        finally:
            self._inbox.close()
            self._inbox.drain()
            self._closed(self)

    def summary(self) -> str:
        """What to say of what was written."""
        what = "pictures" if self.output.content == "view" else "pictures of labels"
        left = f", {self.left_out} left out for want of time" if self.left_out else ""
        return f"Saved {self.written} {what}{left}: {self.output.folder}"

    def _write(self, result: Result) -> None:
        suffix = self.output.suffix
        if self.output.content == "view":
            image = np.asarray(cv2.cvtColor(result.picture, cv2.COLOR_RGB2BGR), np.uint8)
        else:
            image, suffix = result.labels, ".png"
            if self.output.content == "label_ids":
                image = TRAIN_ID_TO_ID[image]
        ok, data = cv2.imencode(suffix, image)
        if not ok:
            raise OutputError(f"A picture of {image.shape[1]}×{image.shape[0]} cannot be encoded.")
        path = self.output.folder / f"{self._called(result)}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        # One call with all of it: a kill leaves whole pictures.
        path.write_bytes(data.tobytes())
        self.written += 1

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
            place = Path(source.value).expanduser()
            read = place if place.is_dir() else place.parent
            if read.is_dir() and os.path.samefile(read, folder):
                raise OutputError(f"{folder} is where is being read: name another folder.")
        if folder.is_dir() and not overwrite and any(folder.iterdir()):
            raise OutputError(f"{folder} is not empty: name another folder, or add --overwrite.")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be used ({error.strerror}): name another.") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder} may not be written to: name another folder.")
