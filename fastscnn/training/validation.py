"""Validation of the network while it learns."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from fastscnn.data.dataset_factory import open_frames
from fastscnn.evaluation.class_merging import Judging
from fastscnn.evaluation.evaluator import Frames, evaluate
from fastscnn.evaluation.scores import Setting
from fastscnn.inference.input_size import parse_input_size
from fastscnn.segmenter import Segmenter
from fastscnn.training.task import Segmentation

Validate = Callable[[dict[str, Tensor]], dict[str, float]]
"""Figures of a network with these weights, as shares; the first one decides which is best."""


class Validation:
    """Mean IoU on data sets that the run does not learn from.

    Args:
        task: what is trained.
        data: specs as ``open_frames`` takes them.
        merge: which classes are counted as one, as ``read_merging`` takes it; ``None`` as each
            data set's own table says.
        input_size: what the network sees.
        limit: judge so many frames of each, evenly spread.
        device: to run on.

    Raises:
        DataError: a data set cannot be used.
        ValueError: the merging or the size cannot be meant.
    """

    def __init__(
        self,
        task: Segmentation,
        data: list[str],
        *,
        merge: str | None = None,
        input_size: str = "half",
        limit: int | None = None,
        device: str = "auto",
    ) -> None:
        self._task, self._device, self._limit = task, device, limit
        self._setting = Setting(parse_input_size(input_size))
        judging = Judging.by(merge, task.classes)
        self._sets = [
            (text, open_frames(text, judging.table, task.classes), judging.merging(text))
            for text in data
        ]

    @property
    def frames(self) -> list[Frames]:
        """Frames that are judged, of each data set."""
        return [frames for _, frames, _ in self._sets]

    @property
    def names(self) -> list[str]:
        """Names of the figures, in order."""
        single = len(self._sets) == 1
        return ["mean IoU"] + ([] if single else [f"mean IoU {text}" for text, _, _ in self._sets])

    def __call__(self, weights: dict[str, Tensor]) -> dict[str, float]:
        """Return the mean IoU over occurring classes; of several data sets their mean first."""
        segmenter = Segmenter(
            self._task.checkpoint(weights, {}),
            device=self._device,
            precision="fp32",
            input_size=self._setting.input_size,
            runtime="torch",
        )
        found = [
            evaluate(segmenter, frames, setting=self._setting, merging=merging, limit=self._limit)
            for _, frames, merging in self._sets
        ]
        figures = [report.mean_iou_occurring for report in found]
        mean = math.fsum(figures) / len(figures)
        return dict(zip(self.names, [mean, *figures], strict=False))
