"""Demo street frames to judge a network by."""

from __future__ import annotations

import threading

from fastscnn.data.cityscapes_dataset import street_values
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError, Sample
from fastscnn.data.street import Street

SEEDS = (77,)
"""Streets that no training run draws from (see ``dataset_mix.StreetDataset``)."""


class StreetFrames:
    """Frames of streets, a few seconds apart, drawn when asked for.

    Args:
        seeds: of the streets.
        frames: of each street.
        classes: what its labels are brought to.

    Raises:
        DataError: there are no frames.
    """

    SIZE = (1024, 512)
    SECONDS = 3.0

    def __init__(
        self,
        seeds: tuple[int, ...] = SEEDS,
        frames: int = 60,
        classes: ClassSet = CITYSCAPES_SET,
    ) -> None:
        if not seeds or frames < 1:
            raise DataError("The demo street needs at least one seed and one frame.")
        self.sets, self._values = TargetSets(classes), street_values(classes)
        self._seeds, self._frames = seeds, frames
        self._street: Street | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seeds) * self._frames

    def name(self, index: int) -> str:
        """Return the frame's name."""
        return f"{self.drive(index)}_{index % self._frames:04d}"

    def drive(self, index: int) -> str:
        """Return the street's seed, which is what stands for a drive here."""
        return f"street{self._seeds[index // self._frames]}"

    def read(self, index: int) -> Sample:
        """Return an image and its labels, which are exact."""
        seed = self._seeds[index // self._frames]
        with self._lock:  # a street draws one image at a time, and one street is in memory
            if self._street is None or self._street.seed != seed:
                self._street = Street(seed, *self.SIZE)
            image, labels = self._street.render(self.SECONDS * (index % self._frames))
        return image, self._values[labels]
