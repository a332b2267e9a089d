"""Scores of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscnn.evaluation.class_merging import ClassMerging
from fastscnn.evaluation.metrics import category_iou, class_iou, mean_iou, occurring, pixel_accuracy
from fastscnn.inference.input_size import InputSize


@dataclass(frozen=True, slots=True)
class Setting:
    """Setting that the network is run in.

    Attributes:
        input_size: what it sees of an image, see ``fastscnn.inference.input_size``.
        skip: whether the skip connection contributes (§4.2).
        steady: whether logits are carried over from frame to frame, see ``Steadier``.
    """

    input_size: InputSize = "half"
    skip: bool = True
    steady: bool = False

    @property
    def size_name(self) -> str:
        """The input size in words."""
        size = self.input_size
        return size if isinstance(size, str) else f"{size[0]}x{size[1]}"

    @property
    def file_name(self) -> str:
        """The setting as part of a file's name."""
        return f"{self.size_name}_skip-{'on' if self.skip else 'off'}"

    def __str__(self) -> str:
        return ", ".join([self.size_name, *self.switches])

    @property
    def switches(self) -> tuple[str, ...]:
        """Words for the switches that are not as usual."""
        return (*(() if self.skip else ("skip off",)), *(("steady",) if self.steady else ()))


@dataclass(frozen=True, slots=True)
class FrameScore:
    """Score of one frame.

    Attributes:
        index: its number in the data set.
        name: what it is called.
        accuracy: share of its labelled pixels that are right.
    """

    index: int
    name: str
    accuracy: float


@dataclass(frozen=True, slots=True)
class Report:
    """Report of one setting: its figures are shares, 0 to 1, or NaN where there is none.

    Attributes:
        setting: how the network was run.
        merging: which classes the figures are for.
        confusion: pixels by true and predicted class, see ``metrics.confusion_matrix``.
        frames: how many were judged.
        drives: the confusion of each drive's frames, in the order in which they came.
        worst: the frames with the smallest share of right pixels, the worst first.
        flicker: of a clip, the share of pixels whose label changes from one frame to the next among
            those whose truth does not; NaN where frames do not follow each other.
    """

    setting: Setting
    merging: ClassMerging
    confusion: NDArray[np.int64]
    frames: int
    drives: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    worst: tuple[FrameScore, ...] = ()
    flicker: float = float("nan")

    @property
    def mean_iou(self) -> float:
        """Mean IoU as in the benchmark: a class that is predicted and never true counts as zero."""
        return mean_iou(self.confusion)

    @property
    def mean_iou_occurring(self) -> float:
        """Mean IoU over the classes that occur in the truth."""
        return mean_iou(self.confusion, only_occurring=True)

    @property
    def occurring(self) -> int:
        """Number of classes that occur in the truth."""
        return int(occurring(self.confusion).sum())

    @property
    def pixel_accuracy(self) -> float:
        """Share of labelled pixels that are right."""
        return pixel_accuracy(self.confusion)

    @property
    def class_iou(self) -> dict[str, float]:
        """Class → IoU."""
        return dict(zip(self.merging.names, class_iou(self.confusion).tolist(), strict=True))

    @property
    def category_iou(self) -> dict[str, float]:
        """Category → IoU; empty where merged classes span several categories."""
        return category_iou(self.confusion, self.merging.categories())

    @property
    def mean_category_iou(self) -> float:
        """Mean over the categories that have an IoU."""
        return _mean(self.category_iou.values())

    @property
    def categories_occurring(self) -> tuple[str, ...]:
        """Categories of classes that occur in the truth."""
        there = occurring(self.confusion)
        categories = self.merging.categories()
        return tuple(name for name, places in categories.items() if there[list(places)].any())

    @property
    def mean_category_iou_occurring(self) -> float:
        """Mean over the categories that occur in the truth."""
        return _mean(self.category_iou[name] for name in self.categories_occurring)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON, with ``None`` for what has no figure."""
        return {
            "input_size": self.setting.size_name,
            "skip": self.setting.skip,
            "steady": self.setting.steady,
            "frames": self.frames,
            "mean_iou": _plain(self.mean_iou),
            "mean_iou_occurring": _plain(self.mean_iou_occurring),
            "classes_occurring": self.occurring,
            "pixel_accuracy": _plain(self.pixel_accuracy),
            "flicker": _plain(self.flicker),
            "class_iou": {name: _plain(iou) for name, iou in self.class_iou.items()},
            "classes_averaged": int(np.isfinite(list(self.class_iou.values())).sum()),
            "mean_category_iou": _plain(self.mean_category_iou),
            "mean_category_iou_occurring": _plain(self.mean_category_iou_occurring),
            "category_iou": {name: _plain(iou) for name, iou in self.category_iou.items()},
            "confusion": self.confusion.tolist(),
            "drives": {
                drive: {
                    "mean_iou_occurring": _plain(mean_iou(confusion, only_occurring=True)),
                    "pixel_accuracy": _plain(pixel_accuracy(confusion)),
                }
                for drive, confusion in self.drives.items()
            },
            "worst": [
                {"frame": score.name, "pixel_accuracy": score.accuracy} for score in self.worst
            ],
        }


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return sum(known) / len(known) if known else float("nan")


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
