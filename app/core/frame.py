"""Frames, predictions and results: the items that pass from thread to thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.cancel_token import CancelToken
from app.core.events import EventBus
from app.rendering.overlay import compose
from app.rendering.view_options import InferencePass, ViewOptions
from app.sources.base import SourceInfo
from app.sources.source_spec import SourceSpec
from fastscnn.labels import CITYSCAPES, UNKNOWN, ClassTable
from fastscnn.provenance import NetworkUse, WeightsFile, provenance


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One opened source, as its frames carry it.

    Attributes:
        id: number of the session, rising within a run.
        spec: what was opened.
        source: facts of the open source.
        events: where its user is told what its frames give occasion to.
    """

    id: int
    spec: SourceSpec
    source: SourceInfo
    events: EventBus | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture with its place in time.

    Attributes:
        image: RGB uint8 H×W×3, contiguous; nobody writes to it.
        index: how many frames came before it since its source was opened.
        time: presentation time in seconds, from its source.
        captured: monotonic time at which it was captured.
        token: cancelled when the user seeks or opens another source.
        read_seconds: how long the source took to deliver it.
        lossless: whether no stage may drop it.
        segment: the session's id, and a number that rises whenever the source's time was broken: by
            a seek, a loop, a step back, or a pause of a live source. A recording closes the gap
            between two segments.
        name: what it is called in its source, empty where it has no name.
        session: the opened source that it comes from.
        duration: seconds for which its source says that it is shown; 0 where it does not.
        wall_time: clock time at which it was captured, in seconds since 1970.
        ending: of its file's name in its source, where it has a name.
        truth: its true labels, H×W uint8 train ids, where its source knows them.
    """

    image: NDArray[np.uint8]
    index: int
    time: float
    captured: float
    token: CancelToken = field(default_factory=CancelToken)
    read_seconds: float = 0.0
    lossless: bool = False
    segment: tuple[int, int] = (0, 0)
    name: str = ""
    session: SessionInfo | None = None
    duration: float = 0.0
    wall_time: float = 0.0
    ending: str = ""
    truth: NDArray[np.uint8] | None = None

    @property
    def source(self) -> str:
        """Name of the source, as the window calls it; empty where it is of none."""
        return self.session.spec.name if self.session is not None else ""


@dataclass(frozen=True, slots=True)
class EndOfSource:
    """Follows the last frame of a source.

    Attributes:
        token: that of the frames before it.
        notice: what the user should know about the end.
        error: why the source failed, if it did.
        cut: whether there was more behind it, which was not asked for.
    """

    token: CancelToken
    notice: str = ""
    error: BaseException | None = None
    cut: bool = False

    @property
    def stale(self) -> bool:
        """True where another source was opened meanwhile, or the user went elsewhere."""
        return self.token.cause is not None and (self.error is None or self.token.cause != "seek")


@dataclass(frozen=True, slots=True)
class Prediction:
    """Output of one inference pass for a frame.

    Attributes:
        run: which network, how, and what besides the labels.
        labels: H×W uint8 numbers of classes, of the frame's size.
        logits: classes×h×w at 1/8 of the input size, from which ``pixel_probabilities`` of
            ``fastscnn.upsampling`` tells the probabilities of any one pixel.
        aligned: whether the network's logits are interpolated with corners aligned.
        confidence: H×W uint8, 0–255 for 0–1, of the run's measure.
        classes: the network's classes, whose numbers are in the labels.
        input_size: height and width of what the network saw.
        weights: the file of the network's weights.
        has_skip: whether there is a skip connection that could contribute.
    """

    run: InferencePass
    labels: NDArray[np.uint8]
    logits: NDArray[np.floating[Any]]
    aligned: bool = False
    confidence: NDArray[np.uint8] | None = None
    classes: ClassTable = CITYSCAPES
    input_size: tuple[int, int] = (0, 0)
    weights: WeightsFile = field(default_factory=WeightsFile)
    has_skip: bool = True

    @property
    def skip(self) -> bool | None:
        """Return whether the skip connection contributed; ``None`` where there is none."""
        return self.run.skip if self.has_skip else None

    @property
    def use(self) -> NetworkUse:
        """The network as it was used, for files that tell how they were made."""
        size = f"{self.input_size[0]}x{self.input_size[1]}"
        return NetworkUse(self.weights, size, self.skip, self.run.steady)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on a prediction by the truth of its frame: how right it is.

    Attributes:
        wrong: H×W uint8, 255 where its label is not the true one, 0 elsewhere.
        here: mean IoU of the frame over the classes that occur in it, 0–1, or NaN.
        so_far: that of all frames that were judged alike, over the classes that occur in them.
        frames: how many these are.
        class_iou: class → IoU of these frames, or NaN.
    """

    wrong: NDArray[np.uint8]
    here: float
    so_far: float
    frames: int
    class_iou: dict[str, float]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Truth of a frame, and the verdicts on its predictions.

    Attributes:
        truth: H×W uint8 numbers of classes, ``UNKNOWN`` where nothing is judged.
        classes: those that are numbered so.
        verdicts: one for each prediction; none where the network's classes cannot be judged.
    """

    truth: NDArray[np.uint8]
    classes: ClassTable = CITYSCAPES
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A frame and what the network saw in it.

    Attributes:
        frame: the frame.
        predictions: output of each inference pass; none while the network is being loaded.
        sides: what is shown, left to right: RGB uint8 of the frame's size, one or two.
        captions: what each side shows, in words.
        view: the options that the sides were drawn with.
        skip: the switch of the skip connection.
        stages: seconds spent on this frame by stage.
        repeated: the same frame drawn again because an option changed.
        drawn: monotonic time at which it was drawn.
        judgement: its truth, where that is known and wanted.
    """

    frame: Frame
    predictions: tuple[Prediction, ...]
    sides: tuple[NDArray[np.uint8], ...]
    captions: tuple[str, ...]
    view: ViewOptions
    skip: bool
    stages: dict[str, float] = field(default_factory=dict)
    repeated: bool = False
    drawn: float = 0.0
    judgement: Judgement | None = None

    def provenance(self, content: str) -> dict[str, Any]:
        """Return how it was made, for the file that it goes to.

        Args:
            content: what the file has of it.
        """
        return provenance(content, self.frame.source, [one.use for one in self.predictions])

    @property
    def labels(self) -> NDArray[np.uint8]:
        """Labels of the first run: H×W uint8 numbers of its ``classes``, of the frame's size.

        All are unknown before it.
        """
        if not self.predictions:
            return np.full(self.frame.image.shape[:2], UNKNOWN, np.uint8)
        return self.predictions[0].labels

    @property
    def classes(self) -> ClassTable:
        """Classes of the first run, which a legend tells."""
        return self.predictions[0].classes if self.predictions else CITYSCAPES

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
        """The labels that are seen with the divider there: of each side what it shows.

        A side whose network has other classes than the first is left out.
        """
        if not self.predictions:
            return (self.labels,)
        seen = [self.prediction_at(side) for side in range(len(self.view.sides))]
        shown = [one for one in seen if one is not None] or [self.predictions[0]]
        labels = [one.labels for one in shown]
        if self.view.view == "wipe" and len(labels) == 2:
            middle = round(split * labels[0].shape[1])
            labels = [labels[0][:, :middle], labels[1][:, middle:]]
        names = self.classes.names
        return tuple(
            part for one, part in zip(shown, labels, strict=True) if one.classes.names == names
        )

    def prediction_at(self, side: int) -> Prediction | None:
        """Return the prediction that a side shows; ``None`` while its network is not there."""
        shown = self.view.sides[side]
        run = shown.run(self.skip, self.view.measure, self.view.steady)
        found = next((seen for seen in self.predictions if seen.run.is_of(run)), None)
        if found is None and shown.content == "raw":
            return next(iter(self.predictions), None)
        return found

    def verdict_at(self, side: int) -> Verdict | None:
        """Return how right what a side shows is; ``None`` where that is not known."""
        seen, judgement = self.prediction_at(side), self.judgement
        if seen is None or judgement is None or not judgement.verdicts:
            return None
        place = next(n for n, one in enumerate(self.predictions) if one is seen)
        return judgement.verdicts[place]


class ResultHandler(Protocol):
    """Receiver of what the worker makes, on the worker's thread."""

    def deliver(self, result: Result) -> None:
        """Take a result, in order."""

    def end_of_source(self, end: EndOfSource) -> None:
        """Take the end of a source, after the results before it."""

    def interrupted(self) -> None:
        """Learn that frames in progress were lost: the network was changed, or failed."""
