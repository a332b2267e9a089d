"""Labelled pictures in plain folders: ``images/NAME.*`` beside ``labels/NAME.png``.

``labels/`` holds 8-bit grey pictures of train ids (255 is ignored). Where a table of sets is
named, ``groups/`` is read instead and the table says which classes each value stands for.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.targets import TargetSets, lookup, read_sets
from fastscnn.labels import NUM_CLASSES, UNKNOWN

Sample = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""A picture (RGB uint8 H×W×3) and its targets (uint8 H×W)."""

_TRAIN_IDS: dict[int, tuple[int, ...]] = {i: (i,) for i in range(NUM_CLASSES)}

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


class DataError(Exception):
    """A data set cannot be used; the message is one sentence for the user."""


class FolderDataset:
    """The pairs of one folder, kept in memory once read.

    Args:
        root: the folder that holds ``images/`` and ``labels/`` (or ``groups/``).
        sets: where sets of classes are numbered.
        table: name or path of a table of sets; ``None`` reads train ids from ``labels/``.

    Raises:
        DataError: the folders are not there or empty, or pictures lack labels.
    """

    def __init__(self, root: str | Path, sets: TargetSets, table: str | None = None) -> None:
        self.root = Path(root)
        truths = self.root / ("groups" if table else "labels")
        for folder in (self.root / "images", truths):
            if not folder.is_dir():
                raise DataError(f"{folder} is not there: {self.root} needs images/ and labels/.")
        self.images = sorted(
            p for p in (self.root / "images").iterdir() if p.suffix.lower() in PICTURES
        )
        if not self.images:
            raise DataError(f"{self.root / 'images'} holds no pictures.")
        self.truths = [truths / f"{p.stem}.png" for p in self.images]
        missing = [p.name for p in self.truths if not p.is_file()]
        if missing:
            raise DataError(f"{truths} lacks {len(missing)} labels, the first is {missing[0]}.")
        try:
            values = read_sets(table) if table else dict(_TRAIN_IDS)
        except ValueError as error:
            raise DataError(str(error)) from error
        self._lookup = lookup(values, sets)
        self._known = np.isin(np.arange(256), [*values, UNKNOWN])
        self._cache: dict[int, Sample] = {}

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Picture and targets.

        Raises:
            DataError: a picture cannot be read, sizes differ, or a value is no label.
        """
        if index not in self._cache:
            self._cache[index] = self._read(index)
        return self._cache[index]

    def sample(self, rng: np.random.Generator) -> Sample:
        """A pair drawn at random."""
        return self[int(rng.integers(len(self)))]

    def _read(self, index: int) -> Sample:
        image_path, truth_path = self.images[index], self.truths[index]
        image = cv2.imread(str(image_path), cv2.IMREAD_COLOR)
        truth = cv2.imread(str(truth_path), cv2.IMREAD_UNCHANGED)
        if image is None or truth is None:
            raise DataError(f"{image_path if image is None else truth_path} cannot be read.")
        if truth.ndim != 2 or truth.dtype != np.uint8:
            raise DataError(f"{truth_path} must be an 8-bit grey picture.")
        if truth.shape != image.shape[:2]:
            raise DataError(f"{truth_path} has another size than {image_path.name}.")
        if not self._known[truth].all():
            wrong = int(truth[~self._known[truth]][0])
            raise DataError(f"{truth_path} holds {wrong}, which is no label here.")
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return np.asarray(rgb, np.uint8), self._lookup[np.asarray(truth, np.uint8)]
