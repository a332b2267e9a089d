"""How good labels are: the confusion matrix and what follows from it.

Definitions are those of the Cityscapes benchmark: IoU = TP / (TP + FP + FN), with all frames'
pixels in one matrix and pixels whose truth is unknown left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastscnn.labels import NUM_CLASSES, UNKNOWN


def confusion_matrix(
    truth: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int = NUM_CLASSES
) -> NDArray[np.int64]:
    """Count pixels by true (row) and predicted (column) class.

    Args:
        truth: train ids of any shape; ``UNKNOWN`` is left out.
        predicted: train ids of the same shape.
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
    known = truth != UNKNOWN
    rows = truth[known].astype(np.int64)
    if rows.size and rows.max() >= classes:
        raise ValueError(f"The truth holds {rows.max()}, which is no class.")
    columns = np.minimum(predicted[known], classes).astype(np.int64)
    counts = np.bincount(rows * (classes + 1) + columns, minlength=classes * (classes + 1))
    return counts.reshape(classes, classes + 1)


def class_iou(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """IoU of each class; NaN for classes that do not occur in the truth."""
    hits = np.diagonal(confusion).astype(np.float64)
    truth = confusion.sum(axis=1)
    union = truth + confusion[:, : len(truth)].sum(axis=0) - hits
    return np.where(truth > 0, hits / np.maximum(union, 1), np.nan)


def mean_iou(confusion: NDArray[np.int64]) -> float:
    """Mean over the classes that occur in the truth; NaN when none does."""
    iou = class_iou(confusion)
    return float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan")


def pixel_accuracy(confusion: NDArray[np.int64]) -> float:
    """Share of labelled pixels that are right; NaN when none is labelled."""
    total = confusion.sum()
    return float(np.diagonal(confusion).sum() / total) if total else float("nan")
