"""Dataset check before a training run: finds what would otherwise end it after hours.

Missing pairs are found when a data set is opened. Sizes and values are looked at here: every
label file and the header of every image.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from fastscnn.data.image_files import PictureError, picture_size
from fastscnn.data.pair_dataset import DataError, PairDataset, SizeError, UnreadableError
from fastscnn.labels import UNKNOWN

LARGE = 500
"""Number of pairs from which on a progress bar is shown."""


def check(datasets: Iterable[object], *, progress: bool = True) -> None:
    """Look at every pair of those data sets that are made of files.

    Args:
        datasets: any; those that are no ``PairDataset`` have nothing to look at.
        progress: show a bar for large ones where there is a terminal.

    Raises:
        DataError: one sentence for each kind of trouble, with its first case and how many there
            are.
    """
    for dataset in datasets:
        if isinstance(dataset, PairDataset):
            _check_pairs(dataset, progress)


def _check_pairs(dataset: PairDataset, progress: bool) -> None:
    troubles: dict[type[DataError], list[str]] = {}
    labelled = False
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
                labelled |= found
            bar.update()
    if troubles:
        raise DataError(" ".join(_sentence(cases, count) for cases in troubles.values()))
    if not labelled:
        raise DataError(
            f"{dataset.pairs[0].truth.parent} holds no labelled pixel: there is nothing to learn."
        )


def _look(dataset: PairDataset, index: int) -> DataError | bool:
    """Return what is wrong with a pair, or whether any of its pixels is labelled."""
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
    return bool(np.any(dataset.values[truth] != UNKNOWN))


def _sentence(cases: list[str], count: int) -> str:
    if len(cases) == 1:
        return cases[0]
    more = f"{len(cases) - 1} more of {count} pairs"
    return f"{cases[0].removesuffix('.')} (the same trouble in {more})."
