"""View options: layout, contents and colours, with no Qt in it.

A *view* is one picture, or two compared: next to each other (``side``) or under a divider
(``wipe``). Each of the two is a ``Side``: what it shows, and of which run of the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from fastscnn.labels import CLASS_NAMES, class_table

Content = Literal["overlay", "labels", "confidence", "raw", "truth", "errors"]
"""Content of one picture: labels blended over the frame, the labels' colours alone, how sure the
network is, the frame as it came, or where its true labels are known, these in place of the
network's, and the pixels in which the two differ."""

View = Literal["overlay", "labels", "confidence", "raw", "truth", "errors", "side", "wipe"]
"""One content, or two sides next to each other or under a divider."""

Measure = Literal["probability", "entropy"]
"""Measure of confidence: the highest softmax probability, or the entropy of all of them as a
share of the highest possible."""

Weights = Literal["a", "b"]
"""The checkpoint in use, or the second one that it is compared with."""

VIEWS: tuple[View, ...] = get_args(View)
CONTENTS: tuple[Content, ...] = get_args(Content)
PAIRED: frozenset[View] = frozenset({"side", "wipe"})
JUDGING: frozenset[Content] = frozenset({"truth", "errors"})
"""Contents that need the truth."""


_UNSEEN = frozenset({"raw", "truth"})
"""Contents in which nothing of the network is seen."""


@dataclass(frozen=True, slots=True)
class InferencePass:
    """One way to run the network on a frame.

    Attributes:
        skip: whether the skip connection contributes.
        weights: which checkpoint runs.
        measure: what is computed besides the labels, if anything.
        steady: whether logits are carried over from the frames before.
    """

    skip: bool = True
    weights: Weights = "a"
    measure: Measure | None = None
    steady: bool = False

    def is_of(self, other: InferencePass) -> bool:
        """Return whether both give the same labels, whatever is computed besides."""
        return replace(self, measure=None) == replace(other, measure=None)


@dataclass(frozen=True, slots=True)
class Side:
    """One picture of a view.

    Attributes:
        content: what it shows.
        skip: whether the skip connection contributes here; ``None`` goes by the switch.
        weights: which checkpoint's labels it shows.
        steady: whether labels are held steady here; ``None`` goes by the switch.
    """

    content: Content = "overlay"
    skip: bool | None = None
    weights: Weights = "a"
    steady: bool | None = None

    @property
    def words(self) -> str:
        """The side as ``parse_side`` reads it."""
        words: list[str] = [self.content]
        for name, switch in (("skip", self.skip), ("steady", self.steady)):
            if switch is not None:
                words.append(f"{name}-{'on' if switch else 'off'}")
        return "+".join([*words, *(["weights-b"] if self.weights == "b" else [])])

    def run(self, skip: bool, measure: Measure, steady: bool = False) -> InferencePass:
        """The run of the network that it shows, with the switches at ``skip`` and ``steady``.

        Without a network behind it (``raw``) it is the run that hovering tells about.
        """
        return InferencePass(
            skip if self.skip is None else self.skip,
            self.weights,
            measure if self.content == "confidence" else None,
            steady if self.steady is None else self.steady,
        )


PAIRS: dict[str, tuple[Side, Side]] = {
    "raw | overlay": (Side("raw"), Side("overlay")),
    "skip on | skip off": (Side(skip=True), Side(skip=False)),
    "overlay | confidence": (Side("overlay"), Side("confidence")),
    "checkpoint A | checkpoint B": (Side(weights="a"), Side(weights="b")),
    "as it comes | steady": (Side(steady=False), Side(steady=True)),
    "overlay | truth": (Side("overlay"), Side("truth")),
    "overlay | errors": (Side("overlay"), Side("errors")),
}
"""The usual comparisons, by the names they have in menus."""


@dataclass(frozen=True, slots=True)
class NamedClasses:
    """Classes and groups named before it is known what the network tells apart.

    Attributes:
        names: what they are called.
        only: whether all others are hidden, not these.
    """

    names: tuple[str, ...]
    only: bool = False

    def hidden(self, classes: tuple[str, ...]) -> frozenset[int]:
        """Return the numbers that are hidden of a network's classes."""
        named = class_table(classes).numbers_among(self.names)
        return frozenset(range(len(classes))) - named if self.only else named

    def unknown(self, classes: tuple[str, ...]) -> str:
        """Return a sentence on names that the network does not know; empty where it knows all."""
        try:
            class_table(classes).numbers_of(self.names)
        except ValueError as error:
            return f"--{'only' if self.only else 'hide'}: {error}"
        return ""


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """Options that results are drawn by.

    Attributes:
        view: one content, or two sides compared.
        left, right: the sides of ``side`` and ``wipe``.
        split: where the divider of the wipe is, 0–1 of the width.
        sweep: seconds in which the divider goes there and back by itself, by the source's own time;
            0 lets it stand.
        alpha: weight of the colours in the overlay, 0–1.
        contours: whether borders between classes are drawn.
        class_names: whether large regions have the names of their classes on them.
        palette: colours of the classes, as ``palettes.parse_palette`` returns them.
        hidden: numbers of the classes whose colours are left out.
        selected: number of the class that is outlined.
        measure: what the confidence shows.
        blurred: names of classes and groups whose regions are blurred in the picture.
        steady: whether labels are held steady from frame to frame.
        numbering: names of the classes that are numbered so; another network may have others.
        named: classes to hide or to show alone by what they are called, until the network is known.
    """

    view: View = "overlay"
    left: Side = Side("raw")
    right: Side = Side("overlay")
    split: float = 0.5
    sweep: float = 0.0
    alpha: float = 0.5
    contours: bool = False
    class_names: bool = False
    palette: str = "cityscapes"
    hidden: frozenset[int] = field(default_factory=frozenset)
    selected: int | None = None
    measure: Measure = "probability"
    blurred: tuple[str, ...] = ()
    steady: bool = False
    numbering: tuple[str, ...] = field(default=CLASS_NAMES, repr=False)
    named: NamedClasses | None = field(default=None, repr=False)

    @property
    def sides(self) -> tuple[Side, ...]:
        """Sides that are shown, left to right: one or two."""
        if self.view == "side" or self.view == "wipe":
            return self.left, self.right
        return (Side(self.view),)

    @property
    def goes_by_switch(self) -> bool:
        """Return whether the switch of the skip connection changes anything that is shown."""
        return any(side.skip is None and side.content not in _UNSEEN for side in self.sides)

    @property
    def goes_by_steady(self) -> bool:
        """Return whether the switch of steady labels changes anything that is shown."""
        return any(side.steady is None and side.content not in _UNSEEN for side in self.sides)

    @property
    def judges(self) -> bool:
        """Return whether anything shown needs the truth."""
        return any(side.content in JUDGING for side in self.sides)

    @property
    def compares_weights(self) -> bool:
        """Return whether a second checkpoint is shown."""
        return any(side.weights == "b" for side in self.sides)

    def runs(self, skip: bool, *, second: bool = False) -> tuple[InferencePass, ...]:
        """The runs of the network that the sides need, each once and never none.

        Args:
            skip: the switch of the skip connection.
            second: whether there is a second checkpoint to run.
        """
        found: list[InferencePass] = []
        for side in self.sides:
            run = side.run(skip, self.measure, self.steady)
            if side.content == "raw" or (run.weights == "b" and not second):
                continue
            for place, other in enumerate(found):
                if other.is_of(run):
                    found[place] = replace(other, measure=other.measure or run.measure)
                    break
            else:
                found.append(run)
        return tuple(found) or (InferencePass(skip, steady=self.steady),)

    def draws_as(self, other: ViewOptions) -> bool:
        """Return whether both give the same pictures; the divider only lies between them."""
        return replace(self, split=0, sweep=0) == replace(other, split=0, sweep=0)

    def split_at(self, time: float) -> float:
        """Return the divider's place at a time of the source in seconds, 0–1 of the width."""
        if not self.sweep:
            return self.split
        phase = (time / self.sweep) % 1.0
        there = 2 * phase if phase < 0.5 else 2 - 2 * phase
        return 0.06 + 0.88 * there * there * (3 - 2 * there)  # slower at both ends

    def next(self, *, judged: bool = False) -> ViewOptions:
        """The view after this one; those that need the truth only where it is known."""
        views = [v for v in VIEWS if judged or v not in JUDGING or v == self.view]
        return replace(self, view=views[(views.index(self.view) + 1) % len(views)])

    def comparing(self, left: Side, right: Side) -> ViewOptions:
        """Two sides compared: as a wipe unless they were next to each other before."""
        view: View = self.view if self.view in PAIRED else "wipe"
        return replace(self, view=view, left=left, right=right)

    def numbered_as(self, names: tuple[str, ...]) -> ViewOptions:
        """The same classes hidden and outlined, by their names, as another network numbers them."""
        if self.named is not None:
            hidden = self.named.hidden(names)
            return replace(self, hidden=hidden, numbering=names, named=None)
        if names == self.numbering:
            return self
        gone = {self.numbering[number] for number in self.hidden}
        selected = self.numbering[self.selected] if self.selected is not None else None
        return replace(
            self,
            hidden=frozenset(number for number, name in enumerate(names) if name in gone),
            selected=names.index(selected) if selected in names else None,
            numbering=names,
        )

    def captions(
        self, skip: bool, names: tuple[str, str] = ("checkpoint A", "checkpoint B")
    ) -> tuple[str, ...]:
        """Return captions of the sides: the words in which the two differ.

        Args:
            skip: the switch of the skip connection.
            names: the checkpoints' names.
        """
        sides = self.sides
        runs = [side.run(skip, self.measure, self.steady) for side in sides]
        content = len({side.content for side in sides}) > 1 or sides[0].content != "overlay"
        skips = len({run.skip for run in runs}) > 1
        weights = len({run.weights for run in runs}) > 1
        steadies = len({run.steady for run in runs}) > 1
        out: list[str] = []
        for side, run in zip(sides, runs, strict=True):
            words = []
            if side.content in _UNSEEN:
                out.append(side.content)
                continue
            if content:
                words.append(self.measure_name if side.content == "confidence" else side.content)
            if weights:
                words.append(names[run.weights == "b"])
            if skips or not run.skip:
                words.append("skip on" if run.skip else "skip off")
            if steadies:
                words.append("steady" if run.steady else "as it comes")
            out.append(" · ".join(words or [side.content]))
        return tuple(out)

    @property
    def measure_name(self) -> str:
        """Words at both ends of the confidence's scale."""
        return "confidence" if self.measure == "probability" else "entropy"


_SIDE_WORDS = ("skip-on", "skip-off", "steady-on", "steady-off", "weights-a", "weights-b")


def parse_side(text: str) -> Side:
    """A side in words joined by ``+``: a content, ``skip-on`` or ``skip-off``, ``steady-on`` or
    ``steady-off``, ``weights-a`` or ``weights-b``; what is left out is an overlay, by the switches,
    of the checkpoint in use.

    Raises:
        ValueError: other words, or two that exclude each other.

    Example:
        >>> parse_side("labels+skip-off")
        Side(content='labels', skip=False, weights='a', steady=None)
    """
    said: dict[str, str] = {}
    for word in text.strip().lower().split("+"):
        kind, _, value = word.partition("-")
        if word in CONTENTS:
            kind, value = "content", word
        elif word not in _SIDE_WORDS:
            raise ValueError(
                f"{word!r} is nothing to show: use {', '.join(CONTENTS)},"
                f" {', '.join(_SIDE_WORDS[:-1])} or {_SIDE_WORDS[-1]}, joined by +."
            )
        if said.setdefault(kind, value) != value:
            raise ValueError(f"{text!r} says two things at once: {said[kind]} and {value}.")
    content = next(c for c in CONTENTS if c == said.get("content", "overlay"))
    switch = {"on": True, "off": False}
    skip, steady = (switch.get(said.get(name, "")) for name in ("skip", "steady"))
    return Side(content, skip, "b" if said.get("weights") == "b" else "a", steady)
