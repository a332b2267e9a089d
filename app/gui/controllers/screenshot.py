"""Screenshots: the result on the screen as PNG files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QBuffer, QByteArray, QIODevice
from PyQt6.QtGui import QImage, qRgb

from app.core.frame import Result
from app.rendering.overlay import draw
from app.rendering.view_options import ViewOptions
from fastscnn.labels import ClassTable

_PARTS = ("raw", "labels", "overlay")


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
        made: list[Path] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            base = _free(folder, name, parts=parts)
            if parts:
                image = result.frame.image
                view, classes = _overlay_of(result.view), result.classes
                overlay = draw(image, "overlay", view, result.labels, classes=classes)
                pictures = {
                    "raw": _rgb(image),
                    "labels": _indexed(result.labels, classes),
                    "overlay": _rgb(overlay),
                }
                for part in _PARTS:
                    made.append(_write(pictures[part], base.with_name(f"{base.name}-{part}.png")))
            else:
                made.append(_write(_rgb(shown), base.with_name(f"{base.name}.png")))
        except OSError as error:
            done(made, f"The picture cannot be saved in {folder} ({error.strerror or error}).")
            return
        done(made, "")

    thread = threading.Thread(target=work, name="pictures")
    thread.start()
    return thread


def _overlay_of(view: ViewOptions) -> ViewOptions:
    return ViewOptions(alpha=view.alpha, hidden=view.hidden, numbering=view.numbering)


def _free(folder: Path, name: str, *, parts: bool) -> Path:
    """Return a path without its ending that is not taken yet."""
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(name).stem)[:60]
    base = folder / f"{plain or 'picture'}-{datetime.now():%Y%m%d-%H%M%S}"
    endings = [f"-{part}.png" for part in _PARTS] if parts else [".png"]
    first, count = base, 2
    while any(os.path.lexists(base.with_name(base.name + ending)) for ending in endings):
        base = first.with_name(f"{first.name}-{count}")
        count += 1
    return base


def _rgb(pixels: NDArray[np.uint8]) -> QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    image = QImage(  # type: ignore[call-overload]  # the stubs know no buffers
        pixels.data, width, height, width * 3, QImage.Format.Format_RGB888
    )
    return QImage(image.copy())


def _indexed(labels: NDArray[np.uint8], classes: ClassTable) -> QImage:
    labels = np.ascontiguousarray(labels)
    height, width = labels.shape
    image = QImage(  # type: ignore[call-overload]  # the stubs know no buffers
        labels.data, width, height, width, QImage.Format.Format_Indexed8
    )
    image.setColorTable([qRgb(*(int(part) for part in color)) for color in classes.palette])
    return QImage(image.copy())


def _write(image: QImage, path: Path) -> Path:
    # Not by Qt, which cannot open a file whose name is no Unicode.
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    with path.open("xb") as file:
        try:
            file.write(data.data())
            file.flush()
        except OSError:
            path.unlink(missing_ok=True)
            raise
    return path
