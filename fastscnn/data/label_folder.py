"""Label folder: the truth of the frames of a clip, or of pictures, as a PNG for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.image_files import PictureError, read_labels
from fastscnn.data.label_sets import SetTable, TargetSets, lookup, table_of
from fastscnn.data.pair_dataset import DataError
from fastscnn.paths import files_below, visible

Image = NDArray[np.uint8]

_MOST_FILES = 1_000_000
"""Files below a folder that are looked at: who names a whole disk gets an answer."""


class LabelFolder:
    """PNGs of labels, in the order of their names; frames of a clip have them in this order.

    Args:
        root: their folder, or one that holds them in ``labels/`` (or ``groups/``, as a table says).
        sets: where sets of classes are numbered.
        table: what the labels' values stand for; ``None`` are values of the classes.

    Raises:
        DataError: there is no such folder, or no PNG in it.
    """

    def __init__(self, root: Path, sets: TargetSets, table: SetTable | None = None) -> None:
        meaning = table or table_of(sets.classes)
        inside = root / meaning.folder
        self.folder = inside if inside.is_dir() else root
        if not self.folder.is_dir():
            raise DataError(f"{root} is not there: name the folder of the labels.")
        try:
            below = islice(files_below(self.folder), _MOST_FILES)
            self.files = _pngs(visible(self.folder)) or _pngs(below)
        except OSError as error:
            raise DataError(f"{self.folder} cannot be read ({error.strerror}).") from error
        if not self.files:
            raise DataError(f"{self.folder} holds no PNGs: labels are one for each frame.")
        self._values = lookup(meaning.sets, sets)
        self._known = meaning.known
        self._numbers = {
            path.relative_to(self.folder).with_suffix("").as_posix(): number
            for number, path in enumerate(self.files)
        }

    def __len__(self) -> int:
        return len(self.files)

    def number_of(self, name: str) -> int | None:
        """Return the place of the labels of a picture with this name, below its own folder."""
        return self._numbers.get(name)

    def check_count(self, frames: int, clip: Path) -> None:
        """Check that there are labels for each frame of a clip, and no others.

        Args:
            frames: how many frames it has, or one more than there are labels for.
            clip: the video.

        Raises:
            DataError: there are more, or fewer.
        """
        if frames < len(self):
            raise DataError(
                f"{clip} ends after {frames} frames; {self.folder} holds labels of {len(self)}."
            )
        if frames > len(self):
            raise DataError(
                f"{clip} has more frames than {self.folder} has labels ({len(self)}): each frame"
                " needs one."
            )

    def check_names(self, names: Collection[str]) -> None:
        """Check that pictures have labels of the same names.

        Raises:
            DataError: some have none.
        """
        missing = sorted(set(names) - self._numbers.keys())
        if missing:
            raise DataError(
                f"{self.folder} lacks labels for {len(missing)} of {len(names)} pictures, the first"
                f" is {missing[0]}."
            )

    def target(self, number: int, size: tuple[int, ...], of: str = "its picture") -> Image:
        """Return the targets of a frame, H×W uint8.

        Args:
            number: place of its labels.
            size: height and width of the frame.
            of: what to call the frame.

        Raises:
            DataError: they cannot be read, are of another size, or hold what is no label.
        """
        path = self.files[number]
        try:
            truth = read_labels(path)
        except PictureError as error:
            raise DataError(f"{path} {error}") from error
        if truth.shape != tuple(size):
            raise DataError(
                f"{path} has {truth.shape[1]}×{truth.shape[0]} pixels, {of} {size[1]}×{size[0]}."
            )
        used = cv2.calcHist([truth], [0], None, [256], [0, 256]).ravel()
        strange = set(np.flatnonzero(used).tolist()) - self._known
        if strange:
            raise DataError(f"{path} holds {min(strange)}, which is no label here.")
        return np.asarray(cv2.LUT(truth, self._values), np.uint8)


def _pngs(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.lower() == ".png")
