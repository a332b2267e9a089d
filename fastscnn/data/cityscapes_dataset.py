"""Cityscapes dataset in its official layout.

``leftImg8bit/SPLIT/CITY/CITY_SEQUENCE_FRAME_leftImg8bit.png`` beside ``gtFine`` or ``gtCoarse``,
whose ``…_gtFine_labelIds.png`` hold the ids of ``fastscnn.labels``. The coarse labels know one more
split, ``train_extra``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastscnn.data.class_sets import ClassSet
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError, Pair, PairDataset, known_values, match
from fastscnn.data.splits import EVERYTHING, Split
from fastscnn.labels import LABELS, NUM_CLASSES, TRAIN_ID_TO_ID, UNKNOWN
from fastscnn.paths import visible

SPLITS = {"fine": ("train", "val", "test"), "coarse": ("train", "val", "train_extra")}
"""Kind of labels → the splits that have them."""
KINDS = ("fine", "coarse", "fine+coarse")
OPTIONS = ("split", "labels")
"""The options of its own in a data set's name."""
_IMAGES, _IDS, _TRAIN_IDS = "leftImg8bit", "labelIds", "labelTrainIds"
_PACKAGES = ("gtCoarse", "gtFine")
"""Labels of the same frame: the later ones count."""
_Values = tuple[NDArray[np.uint8], NDArray[np.bool_]]


class CityscapesDataset(PairDataset):
    """Images and labels of Cityscapes; a drive is a city.

    Args:
        root: the folder that holds ``leftImg8bit/`` and ``gtFine/`` or ``gtCoarse/``.
        sets: where sets of classes are numbered; the labels are exact and need none.
        split: ``train``, ``val``, ``train_extra``, or several joined by ``+``.
        labels: ``fine``, ``coarse``, or ``fine+coarse``: fine labels where there are some, and
            the coarse ones of ``train_extra`` with those of ``train``.
        chosen: which of the cities are meant.

    Raises:
        DataError: the layout is another, images and labels do not match, or nothing is left.
    """

    def __init__(
        self,
        root: str | Path,
        sets: TargetSets,
        split: str = "train",
        labels: str = "fine",
        chosen: Split = EVERYTHING,
    ) -> None:
        root = Path(root)
        pairs: list[Pair] = []
        for part, kind in _parts(split, labels):
            pairs += _pairs(root, part, kind)
        super().__init__(chosen.choose(pairs, root), *_id_values(sets.classes), sets)


def values_of_cityscapes(classes: ClassSet) -> NDArray[np.uint8]:
    """Return 256 uint8: id of Cityscapes → number of a class.

    Raises:
        DataError: none of the classes is there.
    """
    if (classes.of_cityscapes == UNKNOWN).all():
        raise DataError(
            f"None of the classes ({', '.join(classes.names[:3])}, …) is one of Cityscapes: say in"
            ' their file what they are made of, as "cityscapes": {"vehicle": ["car", "bus"]}.'
        )
    return classes.of_cityscapes.copy()


def street_values(classes: ClassSet) -> NDArray[np.uint8]:
    """Return 256 uint8: train id, as the demo street labels itself → number of a class.

    Raises:
        DataError: none of the classes is there.
    """
    found = values_of_cityscapes(classes)[TRAIN_ID_TO_ID]
    found[UNKNOWN] = UNKNOWN
    return found


def frame_of(picture: str) -> str:
    """Return the frame that an image shows, by its path; other names as they are."""
    name = picture.rpartition("/")[2]
    return name.partition(f"_{_IMAGES}")[0]


def truth_files(paths: Iterable[Path]) -> dict[str, Path]:
    """Return frame → file of its labels, in order; empty where none has an official name.

    They are those of ids; where there are none, those of train ids, which the public scripts make.
    """
    names = [path for path in paths if path.suffix == ".png"]
    for kind in (_IDS, _TRAIN_IDS):
        found: dict[str, Path] = {}
        for package in _PACKAGES:
            ending = f"_{package}_{kind}.png"
            found |= {p.name.removesuffix(ending): p for p in names if p.name.endswith(ending)}
        if found:
            return dict(sorted(found.items()))
    return {}


def truth_values(path: Path, classes: ClassSet) -> _Values:
    """Return what the values of a file of ``truth_files``, and of those beside it, stand for.

    Returns:
        256 uint8: value → number of a class; 256 bool: which values there may be.

    Raises:
        DataError: none of the classes is there.
    """
    if path.stem.endswith(_TRAIN_IDS):
        return street_values(classes), known_values(range(NUM_CLASSES))
    return _id_values(classes)


def _id_values(classes: ClassSet) -> _Values:
    ids = (label.id for label in LABELS if label.id >= 0)
    return values_of_cityscapes(classes), known_values(ids)


def _parts(split: str, labels: str) -> list[tuple[str, str]]:
    """Return splits and the kind of their labels."""
    if labels not in KINDS:
        raise DataError(f"labels={labels} is not in Cityscapes: use {', '.join(KINDS)}.")
    names = split.split("+")
    if labels == "fine+coarse":
        if "train" in names and "train_extra" not in names:
            names.append("train_extra")
        parts = [(name, "fine" if name in SPLITS["fine"] else "coarse") for name in names]
    else:
        parts = [(name, labels) for name in names]
    for name, kind in parts:
        if name not in SPLITS[kind]:
            raise DataError(
                f"split={name} has no {kind} labels in Cityscapes: use {', '.join(SPLITS[kind])}."
            )
    return list(dict.fromkeys(parts))


def _pairs(root: Path, split: str, kind: str) -> list[Pair]:
    truth = f"gt{kind.capitalize()}"
    images = _files(root, _IMAGES, split, _IMAGES)
    return match(
        images,
        _files(root, truth, split, f"{truth}_{_IDS}"),
        str(root / _IMAGES / split),
        str(root / truth / split),
    )


def _files(root: Path, package: str, split: str, ending: str) -> dict[str, Path]:
    """Return name of the frame → its file, of all cities."""
    folder = root / package / split
    if not folder.is_dir():
        raise DataError(
            f"{folder} is not there: {root} needs leftImg8bit/, gtFine/ or gtCoarse/ as unpacked"
            " from the packages of Cityscapes."
        )
    suffix = f"_{ending}.png"
    cities = (city for city in visible(folder) if city.is_dir())
    files = (path for city in cities for path in visible(city) if path.name.endswith(suffix))
    return {path.name.removesuffix(suffix): path for path in files}
