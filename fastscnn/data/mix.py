"""What a training run learns from: a weighted mix of data sets, named on the command line.

``folder:PATH?weight=2&sets=idd_lite`` is a folder of labelled pictures, ``street?weight=1`` the
demo street. Weights are relative: how often a sample comes from each.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qsl

import numpy as np

from fastscnn.data.folder import DataError, FolderDataset, Sample
from fastscnn.data.street import Street
from fastscnn.data.targets import TargetSets


class Dataset(Protocol):
    """Anything that samples can be drawn from."""

    def sample(self, rng: np.random.Generator) -> Sample:
        """A picture and its targets, drawn with ``rng``."""


class StreetDataset:
    """The demo street at random places, times and sizes; every label is exact."""

    SIZES = ((1024, 512), (768, 512), (640, 480), (512, 384))
    WORLDS = 24
    """How many differently seeded streets there are; building one takes a while."""
    SECONDS = 600.0

    def __init__(self, seed: int = 1000) -> None:
        self._seed = seed
        self._streets: dict[int, Street] = {}

    def sample(self, rng: np.random.Generator) -> Sample:
        """A frame of one of the streets."""
        world = int(rng.integers(self.WORLDS))
        if world not in self._streets:
            width, height = self.SIZES[world % len(self.SIZES)]
            self._streets[world] = Street(self._seed + world, width, height)
        return self._streets[world].render(float(rng.uniform(0, self.SECONDS)))


def open_dataset(spec: str, sets: TargetSets) -> tuple[Dataset, float]:
    """A data set and its weight from one ``--data`` argument.

    Raises:
        DataError: the argument is malformed or the data set cannot be used.
    """
    name, _, query = spec.partition("?")
    options = dict(parse_qsl(query))
    unknown = sorted(set(options) - {"weight", "sets"})
    if unknown:
        raise DataError(f"--data {spec}: {unknown[0]!r} is no option, there are weight and sets.")
    try:
        weight = float(options.get("weight", 1))
    except ValueError:
        weight = -1.0
    if not 0 < weight < float("inf"):
        raise DataError(f"--data {spec}: the weight must be a positive number.")
    kind, _, path = name.partition(":")
    if kind == "folder" and path:
        return FolderDataset(path, sets, options.get("sets")), weight
    if name == "street":
        return StreetDataset(), weight
    raise DataError(f"--data {spec}: use folder:PATH or street.")


class Mix:
    """A weighted mix of data sets.

    Raises:
        DataError: one of the data sets cannot be used.
    """

    def __init__(self, specs: list[str], sets: TargetSets) -> None:
        opened = [open_dataset(spec, sets) for spec in specs]
        self._datasets = [dataset for dataset, _ in opened]
        weights = np.array([weight for _, weight in opened])
        self._shares = weights / weights.sum()

    def sample(self, rng: np.random.Generator) -> Sample:
        """A sample of one of the data sets, each as often as its weight says."""
        return self._datasets[int(rng.choice(len(self._datasets), p=self._shares))].sample(rng)
