"""Label folder: the truth of the frames of a clip, or of pictures, as a PNG for each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.cityscapes_dataset import frame_of, truth_files, truth_values
from fastscnn.data.image_files import PictureError, read_labels
from fastscnn.data.label_sets import SetTable, TargetSets, lookup, table_of
from fastscnn.data.pair_dataset import DataError, known_values
from fastscnn.labels import UNKNOWN
from fastscnn.paths import files_below, not_readable, visible

Image = NDArray[np.uint8]

_MOST_FILES = 1_000_000
"""Files below a folder that are looked at: who names a whole disk gets an answer."""


class LabelFolder:
    """PNGs of labels, in the order of their names; frames of a clip have them in this order.

    Those with the official names of Cityscapes hold its ids, or train ids, and belong to the images
    of these frames wherever either lie; for a network whose classes are none of Cityscapes, their
    values are as anywhere.

    Args:
        root: their folder, or one that holds them in ``labels/`` (or ``groups/``, as a table says);
            where it holds no PNGs, those in folders below count.
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
            pngs = _pngs(visible(self.folder)) or _pngs(below)
        except OSError as error:
            raise DataError(not_readable(error, self.folder)) from error
        if not pngs:
            raise DataError(f"{self.folder} holds no PNGs: labels are one for each frame.")
        official = truth_files(pngs)
        self.files = list(official.values()) or pngs
        self._frame_of: Callable[[str], str] = frame_of if official else str
        below_it = (path.relative_to(self.folder).with_suffix("") for path in pngs)
        names = official or [path.as_posix() for path in below_it]
        self._numbers = {name: number for number, name in enumerate(names)}
        if official and (sets.classes.of_cityscapes != UNKNOWN).any():
            self._values, self._known = truth_values(self.files[0], sets.classes)
        else:
            self._values, self._known = lookup(meaning.sets, sets), known_values(meaning.known)

    def __len__(self) -> int:
        return len(self.files)

    def number_of(self, name: str) -> int | None:
        """Return the place of the labels of a picture with this name, below its own folder."""
        return self._numbers.get(self._frame_of(name))

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
        missing = sorted(name for name in set(names) if self.number_of(name) is None)
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
        strange = np.flatnonzero((used > 0) & ~self._known)
        if len(strange):
            raise DataError(f"{path} holds {strange[0]}, which is no label here.")
        return np.asarray(cv2.LUT(truth, self._values), np.uint8)


def _pngs(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.lower() == ".png")
