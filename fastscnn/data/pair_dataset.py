"""Pair dataset: labelled images as pairs of files, the base of every data set on disk."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.image_files import PictureError, read_labels, read_picture
from fastscnn.data.label_sets import TargetSets
from fastscnn.labels import UNKNOWN

Sample = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""An image (RGB uint8 H×W×3) and its targets (uint8 H×W)."""

CACHE_BYTES = 2 * 2**30
"""Bytes of what it has read that a data set keeps in memory; the rest is read again."""


class DataError(Exception):
    """A data set cannot be used; the message is one sentence for the user."""


class UnreadableError(DataError):
    """A file of a data set is no image of the kind that is needed."""


class ValuesError(DataError):
    """A label file holds values that mean nothing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and its labels on disk.

    Attributes:
        image: the image's file.
        truth: the file of its labels, a PNG of one number per pixel and of the same size.
        name: of the frame, its drive first.
    """

    image: Path
    truth: Path
    name: str

    @property
    def drive(self) -> str:
        """Return what the frame was filmed on: its name up to the first ``_``, as a city."""
        return self.name.partition("_")[0]


class SizeError(DataError):
    """An image and its labels differ in size.

    Args:
        pair: the two.
        image, truth: their heights and widths.
    """

    def __init__(self, pair: Pair, image: tuple[int, ...], truth: tuple[int, ...]) -> None:
        super().__init__(
            f"{pair.truth} has {truth[1]}×{truth[0]} pixels, its picture {image[1]}×{image[0]}."
        )


class PairDataset:
    """Pairs of files, read when asked for.

    Args:
        pairs: what belongs together, at least one.
        values: value in the label files → number of its target, or 255; see ``label_sets.lookup``.
        known: 256 bool, which values may occur at all.
        sets: where the targets' sets of classes are numbered.
    """

    def __init__(
        self,
        pairs: list[Pair],
        values: NDArray[np.uint8],
        known: NDArray[np.bool_],
        sets: TargetSets,
    ) -> None:
        self.pairs, self.values, self.known, self.sets = pairs, values, known, sets
        self._cache: dict[int, Sample] = {}
        self._cached = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        """Return image and targets, kept in memory as long as there is room (``CACHE_BYTES``).

        Raises:
            DataError: an image cannot be read, sizes differ, or a value is no label.
        """
        if index in self._cache:
            return self._cache[index]
        sample = self.read(index)
        size = sample[0].nbytes + sample[1].nbytes
        with self._lock:  # several threads may draw samples
            if index not in self._cache and self._cached + size <= CACHE_BYTES:
                self._cache[index] = sample
                self._cached += size
        return sample

    def name(self, index: int) -> str:
        """Return the frame's name."""
        return self.pairs[index].name

    def drive(self, index: int) -> str:
        """Return what the frame was filmed on."""
        return self.pairs[index].drive

    def read(self, index: int) -> Sample:
        """Return image and targets from their files; nothing is kept.

        Raises:
            DataError: an image cannot be read, sizes differ, or a value is no label.
        """
        pair = self.pairs[index]
        try:
            image = read_picture(pair.image, cv2.IMREAD_COLOR)
        except PictureError as error:
            raise UnreadableError(f"{pair.image} {error}") from error
        truth = self.read_truth(index)
        if truth.shape != image.shape[:2]:
            raise SizeError(pair, image.shape, truth.shape)
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        target = cv2.LUT(truth, self.values)
        return np.asarray(rgb, np.uint8), np.asarray(target, np.uint8)

    def read_truth(self, index: int) -> NDArray[np.uint8]:
        """Return the label file's own values, H×W uint8, checked.

        Raises:
            DataError: it cannot be read, is no PNG of such numbers, or a value is no label.
        """
        path = self.pairs[index].truth
        try:
            truth = read_labels(path)
        except PictureError as error:
            raise UnreadableError(f"{path} {error}") from error
        used = cv2.calcHist([truth], [0], None, [256], [0, 256]).ravel() > 0
        strange = np.flatnonzero(used & ~self.known)
        if strange.size:
            raise ValuesError(f"{path} holds {strange[0]}, which is no label here.")
        return truth


def files_of(datasets: Iterable[object]) -> list[Path]:
    """Return all files of those data sets that are made of pairs."""
    pairs = [pair for each in datasets if isinstance(each, PairDataset) for pair in each.pairs]
    return [path for pair in pairs for path in (pair.image, pair.truth)]


def known_values(values: Iterable[int]) -> NDArray[np.bool_]:
    """Return 256 bool: which values label files may hold, ``UNKNOWN`` among them."""
    known = np.zeros(256, np.bool_)
    known[[*values, UNKNOWN]] = True
    return known


def match(
    images: Mapping[str, Path], truths: Mapping[str, Path], where: str, labels: str
) -> list[Pair]:
    """Pair images with the labels of the same name, in the order of their names.

    Args:
        images, truths: name of the frame → file.
        where, labels: what to call the place of the images and that of the labels.

    Raises:
        DataError: there are none, or one lacks the other.
    """
    if not images:
        raise DataError(f"{where} holds no pictures.")
    for have, need, lacking, what in (
        (images, truths, labels, "labels for {} of {} pictures"),
        (truths, images, where, "the pictures of {} of {} labels"),
    ):
        missing = sorted(have.keys() - need.keys())
        if missing:
            raise DataError(
                f"{lacking} lacks {what.format(len(missing), len(have))},"
                f" the first is {missing[0]}."
            )
    return [Pair(images[name], truths[name], name) for name in sorted(images)]
