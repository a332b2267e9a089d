"""Weighted mix of training data sets, named on the command line.

``folder:PATH?weight=2&sets=idd_lite`` is a folder of labelled images,
``cityscapes:PATH?labels=fine+coarse`` Cityscapes in its official layout, ``street?worlds=24`` the
demo street, so many of them (each takes a second to build, and 90 MB). Weights are relative: how
often a sample comes from each. ``loss=0.6`` lets pixels whose labels are less sure count less.
``drives=A,B``, ``without=A,B`` and ``fold=K/N`` choose drives, see ``fastscnn.data.splits``.
"""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fastscnn.data.cityscapes_dataset import street_values
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet
from fastscnn.data.dataset_check import Contents
from fastscnn.data.dataset_factory import open_cityscapes
from fastscnn.data.dataset_spec import DataSpec, read_spec
from fastscnn.data.folder_dataset import FolderDataset
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError, PairDataset, Sample
from fastscnn.data.splits import OPTIONS, read_split
from fastscnn.data.street import Street


class Dataset(Protocol):
    """Dataset that several threads can draw samples from at once."""

    def __len__(self) -> int:
        """Return the number of stored images; 0 where they are endless."""

    def __getitem__(self, number: int, /) -> Sample:
        """Return an image and its targets; any number will do where they are endless."""

    def read(self, number: int, /) -> Sample:
        """Return the same, and keep nothing."""


class Pick(NamedTuple):
    """Pick from a mix: a sample by number.

    Attributes:
        dataset: which of the mix.
        number: which of its images.
    """

    dataset: int
    number: int


class StreetDataset:
    """The demo street at random places, times and sizes; every label is exact."""

    SIZES = ((1024, 512), (768, 512), (640, 480), (512, 384))
    WORLDS = 24
    """Default number of differently seeded streets."""
    SECONDS = 600.0

    def __init__(
        self, worlds: int = WORLDS, seed: int = 1000, classes: ClassSet = CITYSCAPES_SET
    ) -> None:
        self._values = street_values(classes)
        self._worlds, self._seed = worlds, seed
        self._streets: dict[int, Street] = {}
        self._locks = [Lock() for _ in range(worlds)]

    def __len__(self) -> int:
        return 0

    def __getitem__(self, number: int, /) -> Sample:
        """Return a frame of one of the streets, the same for the same number."""
        rng = np.random.default_rng((self._seed, number))
        world = int(rng.integers(self._worlds))
        with self._locks[world]:  # a street has one canvas
            if world not in self._streets:
                width, height = self.SIZES[world % len(self.SIZES)]
                self._streets[world] = Street(self._seed + world, width, height)
            image, labels = self._streets[world].render(float(rng.uniform(0, self.SECONDS)))
        return image, self._values[labels]

    read = __getitem__


def open_dataset(spec: str, sets: TargetSets) -> tuple[Dataset, float]:
    """Open a data set and its weight from one ``--data`` argument.

    Raises:
        DataError: the argument is malformed or the data set cannot be used.
    """
    named = read_spec(spec)
    weight, loss = (_positive(named, option) for option in ("weight", "loss"))
    if named.kind in ("folder", "cityscapes") and named.path:
        try:
            pairs = _open_pairs(named, sets)
            if loss != 1:
                pairs.values = sets.weighted(pairs.values, loss)
        except ValueError as error:
            raise DataError(f"--data {spec}: {error}.") from error
        return pairs, weight
    if named.kind == "street" and not named.path:
        named.allow("weight", "worlds")
        try:
            worlds = int(named.options.get("worlds", StreetDataset.WORLDS))
        except ValueError:
            worlds = 0
        if not 1 <= worlds <= 1000:
            raise DataError(f"--data {spec}: worlds must be 1 to 1000 streets.")
        return StreetDataset(worlds, classes=sets.classes), weight
    raise DataError(f"--data {spec}: use folder:PATH, cityscapes:PATH or street.")


def _open_pairs(spec: DataSpec, sets: TargetSets) -> PairDataset:
    if spec.kind == "cityscapes":
        return open_cityscapes(spec, sets, "train", "weight", "loss")
    spec.allow("weight", "loss", "sets", *OPTIONS)
    return FolderDataset(spec.path, sets, spec.options.get("sets"), read_split(spec.options))


def _positive(spec: DataSpec, option: str) -> float:
    try:
        value = float(spec.options.get(option, 1))
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise DataError(f"--data {spec.text}: {option} must be a positive number.")
    return value


def repeat_factors(contents: Contents, threshold: float) -> NDArray[np.float64]:
    """Return how often each frame is to be drawn, for the rare targets that it holds.

    Repeat factor sampling (Gupta et al., LVIS, 2019): a target that less than ``threshold`` of the
    frames hold asks for √(threshold / that share), a frame gets the most that any of its own asks.
    """
    holds = contents.shares > Contents.SPECK
    share = holds.mean(axis=0).clip(min=1 / len(holds))
    asked = np.sqrt(np.maximum(threshold / share, 1))
    factors: NDArray[np.float64] = np.where(holds, asked, 1).max(axis=1)
    return factors


class Mix:
    """A weighted mix of data sets.

    Raises:
        DataError: one of the data sets cannot be used.
    """

    def __init__(self, specs: list[str], sets: TargetSets) -> None:
        opened = [open_dataset(spec, sets) for spec in specs]
        self.datasets: list[Dataset] = [dataset for dataset, _ in opened]
        weights = np.array([weight for _, weight in opened])
        self._shares = weights / weights.sum()
        self._drawn: dict[int, NDArray[np.float64]] = {}

    def favour(self, dataset: int, factors: NDArray[np.float64]) -> None:
        """Draw the frames of a data set as often as their factors say, relative to each other."""
        self._drawn[dataset] = np.cumsum(factors) / np.sum(factors)

    ENDLESS_EPOCH = 1000.0
    """Samples that count as an epoch where nothing is stored."""

    @property
    def epoch(self) -> float:
        """Samples after which as many stored images were drawn as there are."""
        lengths = np.array([len(dataset) for dataset in self.datasets])
        stored = lengths > 0
        if not stored.any():
            return self.ENDLESS_EPOCH
        return float(lengths.sum() / self._shares[stored].sum())

    ENDLESS = 2**40

    def pick(self, rng: np.random.Generator) -> Pick:
        """Return which sample comes next: of each data set as often as its weight says."""
        dataset = int(rng.choice(len(self.datasets), p=self._shares))
        drawn = self._drawn.get(dataset)
        if drawn is None:
            return Pick(dataset, int(rng.integers(len(self.datasets[dataset]) or self.ENDLESS)))
        number = np.searchsorted(drawn, rng.random(), side="right")
        return Pick(dataset, min(int(number), len(drawn) - 1))

    def fetch(self, pick: Pick) -> Sample:
        """Return the sample of that number."""
        return self.datasets[pick.dataset][pick.number]

    def sample(self, rng: np.random.Generator) -> Sample:
        """Return a sample drawn with ``rng``."""
        return self.fetch(self.pick(rng))
