"""What travels through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.rendering.overlay import compose
from app.rendering.view_options import InferencePass, ViewOptions


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture with its place in time.

    Attributes:
        image: RGB uint8 H×W×3, contiguous; nobody writes to it.
        index: how many frames came before it since its source was opened.
        time: presentation time in seconds, from its source.
        captured: monotonic time at which it was captured.
        generation: which opening of a source, or which move in it, it follows.
        read_seconds: how long the source took to deliver it.
        lossless: whether no stage may drop it.
        segment: the generation that opened its source, and a number that rises whenever the
            source's time was broken: by a seek, a loop, a step back, or a pause of a live source. A
            recording closes the gap between two segments.
        name: what it is called in its source, empty where it has no name.
    """

    image: NDArray[np.uint8]
    index: int
    time: float
    captured: float
    generation: int
    read_seconds: float = 0.0
    lossless: bool = False
    segment: tuple[int, int] = (0, 0)
    name: str = ""


@dataclass(frozen=True, slots=True)
class EndOfSource:
    """Follows the last frame of a source.

    Attributes:
        generation: which opening of a source, or which move in it, it follows.
        notice: what the user should know about the end.
        error: why the source failed, if it did.
    """

    generation: int
    notice: str = ""
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one run of the network saw in a frame.

    Attributes:
        run: which network, how, and what besides the labels.
        labels: H×W uint8 train ids, of the frame's size.
        logits: classes×h×w at 1/8 of the input size, from which ``pixel_probabilities`` of
            ``fastscnn.upsampling`` tells the probabilities of any one pixel.
        aligned: whether the network's logits are interpolated with corners aligned.
        confidence: H×W uint8, 0–255 for 0–1, of the run's measure.
    """

    run: InferencePass
    labels: NDArray[np.uint8]
    logits: NDArray[np.floating[Any]]
    aligned: bool = False
    confidence: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A frame and what the network saw in it.

    Attributes:
        frame: the frame.
        predictions: output of each inference pass; at least one.
        sides: what is shown, left to right: RGB uint8 of the frame's size, one or two.
        captions: what each side shows, in words.
        view: the options that the sides were drawn with.
        skip: the switch of the skip connection.
        stages: seconds spent on this frame by stage.
        repeated: the same frame drawn again because an option changed.
    """

    frame: Frame
    predictions: tuple[Prediction, ...]
    sides: tuple[NDArray[np.uint8], ...]
    captions: tuple[str, ...]
    view: ViewOptions
    skip: bool
    stages: dict[str, float] = field(default_factory=dict)
    repeated: bool = False

    @property
    def labels(self) -> NDArray[np.uint8]:
        """Labels of the first run: H×W uint8 train ids, of the frame's size."""
        return self.predictions[0].labels

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The view in one picture, as it was asked for: RGB uint8."""
        return self.picture_at(self.view.split_at(self.frame.time))

    def picture_at(self, split: float) -> NDArray[np.uint8]:
        """The view in one picture with the divider elsewhere: RGB uint8.

        It is of the frame's size, or two frames wide for ``side``.
        """
        return compose(self.sides, self.view.view, split, self.captions)

    def labels_at(self, split: float) -> tuple[NDArray[np.uint8], ...]:
        """The labels that are seen with the divider there: of each side what it shows."""
        seen = [self.prediction_at(side) for side in range(len(self.view.sides))]
        labels = [one.labels for one in seen if one is not None] or [self.labels]
        if self.view.view == "wipe" and len(labels) == 2:
            middle = round(split * labels[0].shape[1])
            return labels[0][:, :middle], labels[1][:, middle:]
        return tuple(labels)

    def prediction_at(self, side: int) -> Prediction | None:
        """What the network saw of a side; ``None`` while the side's network is not there."""
        shown = self.view.sides[side]
        run = shown.run(self.skip, self.view.measure)
        found = next((seen for seen in self.predictions if seen.run.is_of(run)), None)
        return self.predictions[0] if found is None and shown.content == "raw" else found
