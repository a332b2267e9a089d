"""Screenshots: the result on the screen as PNG files."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import methodcaller
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QBuffer, QByteArray, QIODevice
from PyQt6.QtGui import QImage, qRgb

from app.core.frame import Result
from app.gui.widgets.images import to_qimage
from app.rendering.overlay import draw
from app.rendering.view_options import ViewOptions
from app.sinks.recording.file_naming import take_names
from fastscnn.labels import ClassTable
from fastscnn.outputs import write_whole
from fastscnn.provenance import with_comment


def save_pictures(
    result: Result,
    shown: NDArray[np.uint8],
    folder: Path,
    name: str,
    *,
    parts: bool,
    done: Callable[[list[Path], str], None],
) -> threading.Thread:
    """Save a result on a thread of its own; no file is ever replaced.

    Args:
        result: the result on the screen.
        shown: RGB uint8 H×W×3, the image as it is shown.
        folder: folder of the files; created where it does not exist.
        name: name of the source.
        parts: the frame, its labels and the overlay in three files, instead of what is shown. The
            labels are a palette PNG: colours to the eye, numbers of classes (255 is unknown) to a
            program.
        done: called with the files and an error message, on the thread.
    """

    def work() -> None:
        images = {"": to_qimage(shown)}
        contents: dict[str, str] = {"": result.view.view}
        if parts:
            image = result.frame.image
            view, classes = _overlay_of(result.view), result.classes
            overlay = draw(image, "overlay", view, result.labels, classes=classes)
            labels = _indexed(result.labels, classes)
            images = {"-raw": to_qimage(image), "-labels": labels, "-overlay": to_qimage(overlay)}
            contents = {ending: ending[1:] for ending in images}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            made = _take_names(folder, name, list(images))
            try:
                for path, (ending, picture) in zip(made, images.items(), strict=True):
                    said = with_comment(_png(picture), result.provenance(contents[ending]))
                    write_whole(path, methodcaller("write_bytes", said))
            except BaseException:
                for path in made:
                    path.unlink(missing_ok=True)
                raise
        except OSError as error:
            done([], f"The picture cannot be saved in {folder} ({error.strerror or error}).")
            return
        done(made, "")

    thread = threading.Thread(target=work, name="pictures")
    thread.start()
    return thread


def _overlay_of(view: ViewOptions) -> ViewOptions:
    return ViewOptions(
        alpha=view.alpha, hidden=view.hidden, numbering=view.numbering, named=view.named
    )


def _take_names(folder: Path, name: str, endings: Sequence[str]) -> list[Path]:
    """Make files under names that nobody has yet, one for each ending; they are empty."""
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(name).stem)[:60]
    first = base = f"{plain or 'picture'}-{datetime.now():%Y%m%d-%H%M%S}"
    for count in itertools.count(2):
        files = [folder / f"{base}{ending}.png" for ending in endings]
        try:
            take_names(*files)
            break
        except FileExistsError:
            base = f"{first}-{count}"
    return files


def _indexed(labels: NDArray[np.uint8], classes: ClassTable) -> QImage:
    image = to_qimage(labels, QImage.Format.Format_Indexed8)
    image.setColorTable([qRgb(*(int(part) for part in color)) for color in classes.palette])
    return image


def _png(image: QImage) -> bytes:
    # Not into a file by Qt, which cannot open one whose name is no Unicode.
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return data.data()
