"""Evaluator: every frame through the network, every pixel counted."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import Sample
from fastscnn.evaluation.class_merging import PLAIN, ClassMerging
from fastscnn.evaluation.metrics import confusion_matrix, pixel_accuracy
from fastscnn.evaluation.scores import FrameScore, Report, Setting
from fastscnn.ignored_regions import Polygon, without_regions
from fastscnn.inference.input_size import InputSize
from fastscnn.inference.steadier import Steadier
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.segmenter import Segmenter

Image = NDArray[np.uint8]

READERS = min(4, os.cpu_count() or 1)
"""Threads that read frames while the network is busy with one."""
AHEAD = READERS + 1
"""Frames that are read or being read: so many are in memory, whatever the data set."""


class Frames(Protocol):
    """Labelled frames that can be asked for by number, as ``PairDataset`` has them."""

    @property
    def sets(self) -> TargetSets:
        """Sets of classes that the numbers in targets stand for."""

    def __len__(self) -> int:
        """Return the number of frames."""

    def read(self, index: int) -> Sample:
        """Return an image and its targets; nothing is kept. Called from several threads."""

    def name(self, index: int) -> str:
        """Return the frame's name."""

    def drive(self, index: int) -> str:
        """Return the drive that it was filmed on."""


@dataclass(slots=True)
class _Count:
    """Counts of one setting."""

    confusion: NDArray[np.int64]
    drives: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    worst: list[FrameScore] = field(default_factory=list)

    def add(self, found: NDArray[np.int64], drive: str, score: FrameScore, worst: int) -> None:
        self.confusion += found
        self.drives.setdefault(drive, np.zeros_like(found))
        self.drives[drive] += found
        if np.isfinite(score.accuracy):
            self.worst = sorted([*self.worst, score], key=lambda s: s.accuracy)[:worst]


class Evaluator:
    """A network, with predictions and truth brought to the classes that are counted.

    Args:
        segmenter: runs the network.
        sets: where the targets' sets of classes are numbered.
        merging: which classes are counted as one, in predictions and truth.
        ignored: regions of every frame that are not judged.

    Raises:
        ValueError: the network has no classes that could be judged.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        sets: TargetSets,
        merging: ClassMerging,
        ignored: Sequence[Polygon] = (),
    ) -> None:
        self.merging, self._ignored = merging, ignored
        self._segmenter = segmenter
        self._predictions = merging.predictions(segmenter.classes)
        self._truth = merging.truth(sets)
        self._steadiers: dict[InputSize, Steadier] = {}

    def labels(self, image: Image, settings: Sequence[Setting]) -> list[Image]:
        """Return the network's labels in each setting; what settings share is computed once.

        Where a setting is steady, the image follows that of the call before.

        Args:
            image: RGB uint8 H×W×3.
            settings: how to run the network.

        Returns:
            For each setting, in order: places in the merging's names, H×W of the image's size.
        """
        found: dict[Setting, Image] = {}
        for size in dict.fromkeys(setting.input_size for setting in settings):
            segmenter = self._segmenter.at(size)
            same = [setting for setting in settings if setting.input_size == size]
            fitted = segmenter.fit(image)
            pixels = torch.from_numpy(fitted).to(segmenter.device)
            skips = list(dict.fromkeys(setting.skip for setting in same))
            logits = dict(zip(skips, segmenter.logits_of(pixels, skips), strict=True))
            steady: dict[Hashable, Tensor] = {s.skip: logits[s.skip] for s in same if s.steady}
            if steady:
                steady = self._steadiers.setdefault(size, Steadier()).steady(fitted, steady)
            for setting in same:
                one = steady[setting.skip] if setting.steady else logits[setting.skip]
                labels = segmenter.labels(one, image.shape[:2]).cpu().numpy()
                found[setting] = _look_up(self._predictions, labels)
        return [found[setting] for setting in settings]

    def truth(self, target: Image) -> Image:
        """Return the truth as places in the merging's names, ``UNKNOWN`` where there is none."""
        return without_regions(_look_up(self._truth, target), self._ignored)


def evaluate(
    network: Segmenter | FastSCNN,
    frames: Frames,
    *,
    setting: Setting | None = None,
    merging: ClassMerging = PLAIN,
    limit: int | None = None,
    progress: bool = False,
) -> Report:
    """Return the figures of a network on labelled frames, in one setting.

    Args:
        network: a segmenter, or a network (one in training too: it is copied, put into evaluation
            mode, and run on the device that it is on).
        frames: what to judge it by.
        setting: how to run it; a segmenter's own input size and skip on when not given.
        merging: which classes are counted as one.
        limit: judge only so many frames, evenly spread.
        progress: show a progress bar where there is a terminal.

    Raises:
        DataError: a frame cannot be read.
        ValueError: the network has no classes that the frames could evaluator.
    """
    if isinstance(network, FastSCNN):
        device = str(next(network.parameters()).device)
        network = Segmenter(Checkpoint(network), device=device, precision="fp32", runtime="torch")
    evaluator = Evaluator(network, frames.sets, merging)
    settings = [setting or Setting(network.input_size)]
    return evaluate_settings(evaluator, frames, settings, limit=limit, progress=progress)[0]


def evaluate_settings(
    evaluator: Evaluator,
    frames: Frames,
    settings: Sequence[Setting],
    *,
    limit: int | None = None,
    worst: int = 0,
    on_labels: Callable[[str, Setting, Image], None] | None = None,
    progress: bool = False,
) -> list[Report]:
    """Return the figures in several settings; each frame is read once, and kept by none.

    Args:
        evaluator: the network; labels are compared at each image's own size.
        frames: what to judge it by.
        settings: how to run the network.
        limit: judge only so many frames, evenly spread.
        worst: how many of the worst frames the report lists.
        on_labels: called with each frame's name, the setting and its ``Evaluator.labels``.
        progress: show a progress bar where there is a terminal.

    Returns:
        One report per setting, in order.

    Raises:
        DataError: a frame cannot be read.
    """
    merging = evaluator.merging
    chosen = _spread(len(frames), limit)
    counts = [_Count(np.zeros((len(merging), len(merging) + 1), np.int64)) for _ in settings]
    bar = tqdm(total=len(chosen), unit="frame", leave=False, disable=None if progress else True)
    with bar:
        for index, (image, target) in zip(chosen, _read_ahead(frames, chosen), strict=True):
            truth = evaluator.truth(target)
            everything = evaluator.labels(image, settings)
            for count, setting, labels in zip(counts, settings, everything, strict=True):
                if on_labels:
                    on_labels(frames.name(index), setting, labels)
                found = confusion_matrix(truth, labels, len(merging))
                score = FrameScore(index, frames.name(index), pixel_accuracy(found))
                count.add(found, frames.drive(index), score, worst)
            bar.update()
    return [
        Report(setting, merging, count.confusion, len(chosen), count.drives, tuple(count.worst))
        for setting, count in zip(settings, counts, strict=True)
    ]


def _look_up(table: Image, values: Image) -> Image:
    # OpenCV's is four times faster than numpy's indexing.
    return np.asarray(cv2.LUT(values, table), np.uint8)


def _spread(count: int, limit: int | None) -> list[int]:
    if limit is None or limit >= count:
        return list(range(count))
    return [round(i * (count - 1) / max(limit - 1, 1)) for i in range(limit)]


def _read_ahead(frames: Frames, indices: list[int]) -> Iterator[Sample]:
    """Yield frames in order, read by threads while the network is busy."""
    with ThreadPoolExecutor(READERS, "reader") as pool:
        waiting: deque[Future[Sample]] = deque()
        try:
            for index in indices:
                waiting.append(pool.submit(frames.read, index))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
