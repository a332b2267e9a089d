"""Cityscapes classes: names, ids, train ids, categories and colours.

This is the only place in the project where they stand. Facts from the Cityscapes dataset
(Cordts et al., CVPR 2016) and its official label table.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fastscnn.suggestions import did_you_mean

UNKNOWN = 255
"""Train id of pixels that carry no evaluated class."""
_LONGEST_NAME = 40

Color = tuple[int, int, int]
"""RGB, 0–255 each."""


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One row of the Cityscapes label table.

    Attributes:
        name: the official English name.
        id: the id in ``*_labelIds.png`` files (-1 for licence plates).
        train_id: 0–18 for the evaluated classes, 255 (``UNKNOWN``) for all others; of a network
            with other classes the number of its output.
        category: one of the 8 groups (7 evaluated ones and ``void``).
        color: RGB, 0–255 each.
    """

    name: str
    id: int
    train_id: int
    category: str
    color: Color


LABELS: tuple[LabelClass, ...] = (
    LabelClass("unlabeled", 0, UNKNOWN, "void", (0, 0, 0)),
    LabelClass("ego vehicle", 1, UNKNOWN, "void", (0, 0, 0)),
    LabelClass("rectification border", 2, UNKNOWN, "void", (0, 0, 0)),
    LabelClass("out of roi", 3, UNKNOWN, "void", (0, 0, 0)),
    LabelClass("static", 4, UNKNOWN, "void", (0, 0, 0)),
    LabelClass("dynamic", 5, UNKNOWN, "void", (111, 74, 0)),
    LabelClass("ground", 6, UNKNOWN, "void", (81, 0, 81)),
    LabelClass("road", 7, 0, "flat", (128, 64, 128)),
    LabelClass("sidewalk", 8, 1, "flat", (244, 35, 232)),
    LabelClass("parking", 9, UNKNOWN, "flat", (250, 170, 160)),
    LabelClass("rail track", 10, UNKNOWN, "flat", (230, 150, 140)),
    LabelClass("building", 11, 2, "construction", (70, 70, 70)),
    LabelClass("wall", 12, 3, "construction", (102, 102, 156)),
    LabelClass("fence", 13, 4, "construction", (190, 153, 153)),
    LabelClass("guard rail", 14, UNKNOWN, "construction", (180, 165, 180)),
    LabelClass("bridge", 15, UNKNOWN, "construction", (150, 100, 100)),
    LabelClass("tunnel", 16, UNKNOWN, "construction", (150, 120, 90)),
    LabelClass("pole", 17, 5, "object", (153, 153, 153)),
    LabelClass("polegroup", 18, UNKNOWN, "object", (153, 153, 153)),
    LabelClass("traffic light", 19, 6, "object", (250, 170, 30)),
    LabelClass("traffic sign", 20, 7, "object", (220, 220, 0)),
    LabelClass("vegetation", 21, 8, "nature", (107, 142, 35)),
    LabelClass("terrain", 22, 9, "nature", (152, 251, 152)),
    LabelClass("sky", 23, 10, "sky", (70, 130, 180)),
    LabelClass("person", 24, 11, "human", (220, 20, 60)),
    LabelClass("rider", 25, 12, "human", (255, 0, 0)),
    LabelClass("car", 26, 13, "vehicle", (0, 0, 142)),
    LabelClass("truck", 27, 14, "vehicle", (0, 0, 70)),
    LabelClass("bus", 28, 15, "vehicle", (0, 60, 100)),
    LabelClass("caravan", 29, UNKNOWN, "vehicle", (0, 0, 90)),
    LabelClass("trailer", 30, UNKNOWN, "vehicle", (0, 0, 110)),
    LabelClass("train", 31, 16, "vehicle", (0, 80, 100)),
    LabelClass("motorcycle", 32, 17, "vehicle", (0, 0, 230)),
    LabelClass("bicycle", 33, 18, "vehicle", (119, 11, 32)),
    LabelClass("license plate", -1, UNKNOWN, "vehicle", (0, 0, 142)),
)
"""The full official table, in its order."""

CLASSES: tuple[LabelClass, ...] = tuple(
    sorted((c for c in LABELS if c.train_id != UNKNOWN), key=lambda c: c.train_id)
)
"""The 19 evaluated classes; the position is the train id."""

CLASS_NAMES: tuple[str, ...] = tuple(c.name for c in CLASSES)
NUM_CLASSES = len(CLASSES)

CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(c.category for c in CLASSES))
"""The 7 evaluated categories, in the order of the table."""


def _palette() -> NDArray[np.uint8]:
    colors = np.zeros((256, 3), np.uint8)
    for c in CLASSES:
        colors[c.train_id] = c.color
    colors.setflags(write=False)
    return colors


def _id_to_train_id() -> NDArray[np.uint8]:
    table = np.full(256, UNKNOWN, np.uint8)
    for c in LABELS:
        if c.id >= 0:
            table[c.id] = c.train_id
    table.setflags(write=False)
    return table


def _train_id_to_id() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for c in CLASSES:
        table[c.train_id] = c.id
    table.setflags(write=False)
    return table


PALETTE = _palette()
"""256×3 uint8 RGB, indexed by train id; black for everything that is no evaluated class."""

TRAIN_ID_TO_ID = _train_id_to_id()
"""256 uint8: train id → Cityscapes id; 0 (unlabeled) for everything that is no evaluated class."""

ID_TO_TRAIN_ID = _id_to_train_id()
"""256 uint8: Cityscapes id (as in ``*_labelIds.png``) → train id."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassTable:
    """Table of the classes that a network tells apart, by their numbers.

    What a class is called belongs to the network: names of Cityscapes bring their colours and
    groups along, others get colours that differ.

    Attributes:
        names: of the network's outputs, in order.
        rows: a row of each; its ``train_id`` is the output's number, its ``id`` -1 where the name
            is none of Cityscapes.
        palette: 256×3 uint8 RGB by number, black for what is no class.
        ids: 256 uint8, number → Cityscapes id; ``None`` where a class is none of Cityscapes.
        colors: colours that the network brings, RGB by number; else empty.
    """

    names: tuple[str, ...]
    rows: tuple[LabelClass, ...]
    palette: NDArray[np.uint8]
    ids: NDArray[np.uint8] | None
    colors: tuple[Color, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def own(self) -> tuple[str, ...]:
        """Names that are none of Cityscapes."""
        return tuple(row.name for row in self.rows if row.id < 0)

    def numbers_of(self, names: Iterable[str]) -> frozenset[int]:
        """Return the numbers of classes by their names, or by those of their groups.

        Large letters, underscores and hyphens make no difference.

        Raises:
            ValueError: a name that is none, in a sentence.
        """
        found: set[int] = set()
        groups = dict.fromkeys(row.category for row in self.rows if row.id >= 0)
        for name in names:
            wanted = _plain(name)
            members = self.numbers_among([name])
            if not members:
                some = f", or a group of them: {', '.join(groups)}" if groups else ""
                raise ValueError(
                    f"{name.strip()!r} is no class: use {', '.join(self.names)}{some}."
                    f"{did_you_mean(wanted, (*self.names, *groups))}"
                )
            found |= members
        return frozenset(found)

    def numbers_among(self, names: Iterable[str]) -> frozenset[int]:
        """Return the same, without those of names that are none."""
        found: set[int] = set()
        for wanted in map(_plain, names):
            found |= {
                row.train_id
                for row in self.rows
                if wanted == _plain(row.name) or (row.id >= 0 and wanted == row.category)
            }
        return frozenset(found)

    @property
    def in_words(self) -> str:
        """A sentence about a network with other classes than the 19; else empty."""
        if self.names == CLASS_NAMES:
            return ""
        unknown = self.own or self.names
        some = ", ".join(unknown[:5]) + ", …" * (len(unknown) > 5)
        what = f"{len(self)} classes in an order of their own"
        if self.own:
            part = f", {len(self.own)} of them" * (len(self.own) < len(self))
            what = f"{len(self)} classes{part} of their own"
        return (
            f"These weights know {what} ({some}): labels are their numbers, not train ids of"
            " Cityscapes."
        )


def tidy_name(name: str) -> str:
    """Return a name, which a stranger may have written, as one short line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in name[:1000]).split())
    return line[:_LONGEST_NAME]


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.strip().lower())


@lru_cache(maxsize=16)
def class_table(names: tuple[str, ...] = CLASS_NAMES, colors: tuple[Color, ...] = ()) -> ClassTable:
    """Return the table of a network's classes by their names, with colours of its own if any."""
    known = {row.name: row for row in CLASSES}
    rows: list[LabelClass] = []
    for number, name in enumerate(names):
        row = known.get(name)
        id_, category = (row.id, row.category) if row is not None else (-1, "own classes")
        usual = row.color if row is not None else _own_color(number)
        rows.append(LabelClass(name, id_, number, category, colors[number] if colors else usual))
    palette, ids = np.zeros((256, 3), np.uint8), np.zeros(256, np.uint8)
    palette[: len(rows)] = [row.color for row in rows]
    ids[: len(rows)] = [max(row.id, 0) for row in rows]
    for table in (palette, ids):
        table.setflags(write=False)
    whole = all(row.id >= 0 for row in rows)
    return ClassTable(names, tuple(rows), palette, ids if whole else None, colors)


def _own_color(number: int) -> Color:
    """Return a colour that differs from those of the numbers before."""
    # Steps of the golden ratio go round the hues without meeting one again.
    rgb = colorsys.hsv_to_rgb(
        number * 0.618034 % 1, (0.85, 0.5)[number % 2], (0.95, 0.7)[number // 2 % 2]
    )
    red, green, blue = (round(255 * part) for part in rgb)
    return red, green, blue


CITYSCAPES = class_table()
"""The table of the 19 classes, whose numbers are train ids."""


def colorize(labels: NDArray[np.uint8], names: Sequence[str] = CLASS_NAMES) -> NDArray[np.uint8]:
    """Paint labels in the colours of their classes.

    Args:
        labels: H×W uint8 numbers of classes.
        names: what the classes are called, as ``Segmenter.classes``; those of Cityscapes have the
            official colours.

    Returns:
        H×W×3 uint8 RGB, contiguous; unknown pixels are black.

    Example:
        >>> import numpy as np
        >>> colorize(np.array([[10]], np.uint8)).tolist()
        [[[70, 130, 180]]]
    """
    return np.ascontiguousarray(class_table(tuple(names)).palette[labels])
