"""Evaluation on a clip: how right labels are, and how much they flicker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fastscnn.data.label_folder import LabelFolder
from fastscnn.data.label_sets import SetTable, TargetSets
from fastscnn.data.pair_dataset import DataError
from fastscnn.evaluation.evaluator import Evaluator
from fastscnn.evaluation.metrics import confusion_matrix, flicker
from fastscnn.evaluation.scores import Report, Setting

Image = NDArray[np.uint8]


class LabelledClip:
    """A video and the labels of its frames: a PNG for each, in the order of their names.

    Args:
        clip: the video.
        labels: the folder of the PNGs, or one that holds them.
        sets: where sets of classes are numbered.
        table: what the labels' values stand for; ``None`` are values of the classes.

    Raises:
        DataError: there is no such video or folder, or no PNG in it.
    """

    def __init__(
        self, clip: Path, labels: Path, sets: TargetSets, table: SetTable | None = None
    ) -> None:
        self.labels = LabelFolder(labels, sets, table)
        if not clip.is_file():
            raise DataError(f"There is no video {clip}: check the path.")
        self.clip, self.files = clip, self.labels.files

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[tuple[Image, Image]]:
        """Yield each frame (RGB uint8 H×W×3) and its targets (uint8 H×W), in order.

        Raises:
            DataError: the video or a label file cannot be read, or they do not match.
        """
        video = cv2.VideoCapture(str(self.clip), cv2.CAP_FFMPEG)
        try:
            for number in range(len(self)):
                there, frame = video.read()
                if not there:
                    if not number:
                        raise DataError(f"{self.clip} cannot be read as a video.")
                    self.labels.check_count(number, self.clip)
                target = self.labels.target(number, frame.shape[:2], f"its frame in {self.clip}")
                yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)), target
            if video.grab():
                self.labels.check_count(len(self) + 1, self.clip)
        finally:
            video.release()


@dataclass(slots=True)
class _Count:
    """Counts of one setting."""

    confusion: NDArray[np.int64]
    before: Image | None = None
    changed: int = 0
    still: int = 0


def evaluate_clip(
    evaluator: Evaluator,
    clip: LabelledClip,
    settings: Sequence[Setting],
    *,
    progress: bool = False,
) -> list[Report]:
    """Return the figures on all frames of a clip, among them how much labels flicker.

    Args:
        evaluator: the network; labels are compared at the clip's own size.
        clip: the frames, with the truth.
        settings: how to run the network.
        progress: show a progress bar where there is a terminal.

    Returns:
        One report per setting, in order.

    Raises:
        DataError: the clip or its labels cannot be read.
    """
    merging = evaluator.merging
    counts = [_Count(np.zeros((len(merging), len(merging) + 1), np.int64)) for _ in settings]
    true_before: Image | None = None
    for image, target in tqdm(clip, unit="frame", leave=False, disable=None if progress else True):
        truth = evaluator.truth(target)
        for count, labels in zip(counts, evaluator.labels(image, settings), strict=True):
            count.confusion += confusion_matrix(truth, labels, len(merging))
            if true_before is not None and count.before is not None:
                changed, still = flicker(truth, true_before, labels, count.before)
                count.changed += changed
                count.still += still
            count.before = labels
        true_before = truth
    return [
        Report(
            setting,
            merging,
            count.confusion,
            len(clip),
            flicker=count.changed / count.still if count.still else float("nan"),
        )
        for setting, count in zip(settings, counts, strict=True)
    ]
