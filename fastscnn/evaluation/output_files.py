"""Output files of an evaluation, checked before it begins so that no hour is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from operator import methodcaller
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet
from fastscnn.evaluation.error_images import Judged, draw
from fastscnn.evaluation.evaluator import Evaluator, Frames
from fastscnn.evaluation.scores import Report, Setting
from fastscnn.outputs import OutputError, write_output
from fastscnn.paths import visible
from fastscnn.provenance import with_comment


def check_folder(path: Path, overwrite: bool) -> None:
    """Create a folder for images.

    Args:
        path: the folder.
        overwrite: whether it may hold files already.

    Raises:
        OutputError: it holds files already and they are not to be replaced, or it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if visible(path) and not overwrite:
            raise OutputError(
                f"{path} is not empty: give another folder, or --overwrite to write into it."
            )
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from error
    if not os.access(path, os.W_OK):
        raise OutputError(f"{path} takes no files: check its permissions.")


def figures_json(about: dict[str, Any], reports: Sequence[Report]) -> dict[str, Any]:
    """Return every figure and the confusion matrices, for JSON."""
    return {
        **about,
        "classes": list(reports[0].merging.names),
        "reports": [report.to_dict() for report in reports],
    }


class LabelWriter:
    """Writer of labels as 8-bit PNGs of Cityscapes ids, as the benchmark takes them, or own values.

    Args:
        folder: where to, ``NAME.png``; with several settings each has a folder inside.
        settings: those that there will be.
        classes: of the labels.
        made_by: returns what the files carry of how they were made.
    """

    def __init__(
        self,
        folder: Path,
        settings: Sequence[Setting],
        classes: ClassSet = CITYSCAPES_SET,
        made_by: Callable[[Setting], dict[str, Any]] = lambda setting: {},
    ) -> None:
        self._made_by, self._values = made_by, classes.to_values
        self._folders = {
            setting: folder / setting.file_name if len(settings) > 1 else folder
            for setting in settings
        }

    def path(self, name: str, setting: Setting) -> Path:
        """Return the file of one frame's labels."""
        return self._folders[setting] / f"{name}.png"

    def __call__(self, name: str, setting: Setting, labels: NDArray[np.uint8]) -> None:
        """Write one frame's labels, H×W numbers of classes.

        Raises:
            OutputError: the file cannot be written.
        """
        path = self.path(name, setting)
        done, data = cv2.imencode(".png", cv2.LUT(labels, self._values))
        assert done
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent} cannot be written: {error.strerror}.") from error
        said = with_comment(bytes(data), self._made_by(setting))
        write_output(path, methodcaller("write_bytes", said))


def write_worst(
    folder: Path, reports: Sequence[Report], evaluator: Evaluator, frames: Frames
) -> list[Path]:
    """Write the worst frames of each report as images; each is run once more.

    Raises:
        DataError: a frame can no longer be read.
        OutputError: an image cannot be written.
    """
    written = []
    for report in reports:
        for rank, score in enumerate(report.worst, 1):
            image, target = frames.read(score.index)
            title = (
                f"{score.name}   {report.setting}   {100 * score.accuracy:.1f} % of pixels right,"
                f" worst {rank} of {report.frames}"
            )
            (labels,) = evaluator.labels(image, [report.setting])
            panels = draw(Judged(image, evaluator.truth(target), labels, title), report.merging)
            name = f"{report.setting.file_name}_worst{rank:02d}_{score.name}.png"
            done, data = cv2.imencode(".png", cv2.cvtColor(panels, cv2.COLOR_RGB2BGR))
            assert done
            write_output(folder / name, methodcaller("write_bytes", bytes(data)))
            written.append(folder / name)
    return written
