"""Dataset check before a training run: finds what would otherwise end it after hours.

Missing pairs are found when a data set is opened. Sizes and values are looked at here: every
label file and the header of every image. What they hold is kept, since it was read already.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fastscnn.data.image_files import PictureError, picture_size
from fastscnn.data.pair_dataset import DataError, PairDataset, SizeError, UnreadableError
from fastscnn.labels import UNKNOWN

LARGE = 500
"""Number of pairs from which on a progress bar is shown."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Contents of a data set's label files.

    Attributes:
        sizes: frames×2: height and width.
        shares: frames×256: which share of each frame every target covers.
    """

    sizes: NDArray[np.int64]
    shares: NDArray[np.float32]

    SPECK: ClassVar[float] = 1e-4
    """Share of a frame below which a target cannot be learned from it."""


def check(datasets: Iterable[object], *, progress: bool = True) -> list[Contents | None]:
    """Look at every pair of those data sets that are made of files.

    Args:
        datasets: any; those that are no ``PairDataset`` have nothing to look at.
        progress: show a bar for large ones where there is a terminal.

    Returns:
        What each holds; ``None`` for one that is not made of files.

    Raises:
        DataError: one sentence for each kind of trouble, with its first case and how many there
            are.
    """
    return [
        _check_pairs(dataset, progress) if isinstance(dataset, PairDataset) else None
        for dataset in datasets
    ]


def _check_pairs(dataset: PairDataset, progress: bool) -> Contents:
    troubles: dict[type[DataError], list[str]] = {}
    sizes: list[tuple[int, ...]] = []
    shares: list[NDArray[np.float32]] = []
    count = len(dataset)
    bar = tqdm(
        total=count,
        desc="checking labels",
        unit="file",
        leave=False,
        disable=None if progress and count >= LARGE else True,
    )
    # Decoding happens outside Python's lock, so threads share the work.
    with bar, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for found in pool.map(lambda index: _look(dataset, index), range(count)):
            if isinstance(found, DataError):
                troubles.setdefault(type(found), []).append(str(found))
            else:
                sizes.append(found[0])
                shares.append(found[1])
            bar.update()
    if troubles:
        raise DataError(" ".join(_sentence(cases, count) for cases in troubles.values()))
    contents = Contents(np.array(sizes, np.int64), np.stack(shares))
    if not contents.shares[:, :UNKNOWN].any():
        raise DataError(
            f"{dataset.pairs[0].truth.parent} holds no labelled pixel: there is nothing to learn."
        )
    return contents


def _look(
    dataset: PairDataset, index: int
) -> DataError | tuple[tuple[int, ...], NDArray[np.float32]]:
    """Return what is wrong with a pair, or its size and the targets' shares of it."""
    pair = dataset.pairs[index]
    try:
        truth = dataset.read_truth(index)
        size = picture_size(pair.image)
        if size != truth.shape:
            raise SizeError(pair, size, truth.shape)
    except PictureError as error:
        return UnreadableError(f"{pair.image} {error}")
    except DataError as error:
        return error
    counts = cv2.calcHist([truth], [0], None, [256], [0, 256]).ravel()
    shares = np.bincount(dataset.values, counts / truth.size, minlength=256)
    return size, shares.astype(np.float32)


def _sentence(cases: list[str], count: int) -> str:
    if len(cases) == 1:
        return cases[0]
    more = f"{len(cases) - 1} more of {count} pairs"
    return f"{cases[0].removesuffix('.')} (the same trouble in {more})."
