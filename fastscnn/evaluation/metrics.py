"""Segmentation metrics: the confusion matrix and what follows from it.

Definitions are those of the Cityscapes benchmark: IoU = TP / (TP + FP + FN), with all frames'
pixels in one matrix and pixels whose truth is unknown left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.labels import NUM_CLASSES, UNKNOWN

_EXACT = 2**24
"""Pixels counted at a time: OpenCV counts in float32, which holds whole numbers up to here."""


def confusion_matrix(
    truth: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int = NUM_CLASSES
) -> NDArray[np.int64]:
    """Count pixels by true (row) and predicted (column) class.

    Args:
        truth: train ids of any shape; ``UNKNOWN`` is left out.
        predicted: train ids of the same shape; any that are no class are counted as none.
        classes: number of classes.

    Returns:
        classes×(classes + 1) int64; the last column counts pixels predicted as no class.

    Raises:
        ValueError: the shapes differ, or the truth holds values that are no class.

    Example:
        >>> confusion_matrix(np.uint8([0, 0, 1, 255]), np.uint8([0, 1, 1, 0]), 2).tolist()
        [[1, 1, 0], [0, 1, 0]]
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"The labels are {predicted.shape}, their truth {truth.shape}.")
    counts = np.zeros((256, 256), np.int64)
    for start in range(0, truth.size, _EXACT):
        part = slice(start, start + _EXACT)
        planes = [np.ascontiguousarray(a.reshape(-1)[part])[:, None] for a in (truth, predicted)]
        # Several times faster than numpy's counting, and exact: see _EXACT.
        counts += cv2.calcHist(planes, [0, 1], None, [256, 256], [0, 256, 0, 256]).astype(np.int64)
    strange = np.flatnonzero(counts[classes:UNKNOWN].sum(axis=1))
    if strange.size:
        raise ValueError(f"The truth holds {classes + strange[-1]}, which is no class.")
    known = counts[:classes]
    return np.column_stack([known[:, :classes], known[:, classes:].sum(axis=1)])


def class_iou(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the IoU of each class; NaN for classes neither true nor predicted where known.

    As in the benchmark, a class that is predicted and never true has an IoU of zero.
    """
    hits = np.diagonal(confusion).astype(np.float64)
    union = confusion.sum(axis=1) + confusion[:, : len(hits)].sum(axis=0) - hits
    return np.where(union > 0, hits / np.maximum(union, 1), np.nan)


def occurring(confusion: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which classes occur in the truth."""
    return np.asarray(confusion.sum(axis=1) > 0)


def mean_iou(confusion: NDArray[np.int64], *, only_occurring: bool = False) -> float:
    """Return the mean over the classes that have an IoU; NaN when none has.

    Args:
        confusion: see ``confusion_matrix``.
        only_occurring: leave out the zeros of classes that are never true, which the benchmark
            counts. For parts of a data set, where most classes may be absent.
    """
    return _mean(class_iou(confusion)[occurring(confusion) if only_occurring else slice(None)])


def category_iou(
    confusion: NDArray[np.int64], categories: Mapping[str, Sequence[int]]
) -> dict[str, float]:
    """Return the IoU of groups of classes, within which confusion does not count.

    Args:
        confusion: see ``confusion_matrix``.
        categories: name → rows of its classes; each row in one category.

    Returns:
        Name → IoU, NaN for categories that do not occur.
    """
    group = np.full(confusion.shape[1], len(categories))
    for number, rows in enumerate(categories.values()):
        group[list(rows)] = number
    merged = np.zeros((len(categories) + 1, len(categories) + 1), np.int64)
    np.add.at(merged, (group[:-1, None], group[None, :]), confusion)
    # The last row holds classes of no category, whose pixels are no one's.
    return dict(zip(categories, class_iou(merged[:-1]).tolist(), strict=True))


def pixel_accuracy(confusion: NDArray[np.int64]) -> float:
    """Return the share of labelled pixels that are right; NaN when none is labelled."""
    total = confusion.sum()
    return float(np.diagonal(confusion).sum() / total) if total else float("nan")


def flicker(
    truth: NDArray[np.uint8],
    truth_before: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    labels_before: NDArray[np.uint8],
) -> tuple[int, int]:
    """Count what changes from one frame to the next although the truth does not.

    Args:
        truth, truth_before: the truth of both frames; where it is ``UNKNOWN`` nothing is counted.
        labels, labels_before: what the network said.

    Returns:
        Pixels whose label changes, and all pixels whose truth is known and stays.
    """
    still = (truth == truth_before) & (truth != UNKNOWN)
    return int(np.count_nonzero(still & (labels != labels_before))), int(np.count_nonzero(still))


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
