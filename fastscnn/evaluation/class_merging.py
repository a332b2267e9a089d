"""Class merging: classes counted as one, so that figures fit coarser data sets.

Where a data set's "car" holds trucks, a predicted truck is right, and without merging it would
count as a mistake. Truth and predictions are merged alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fastscnn.data.dataset_spec import read_spec
from fastscnn.data.label_sets import SetTable, TargetSets, read_sets, shipped_tables
from fastscnn.labels import CLASS_NAMES, CLASSES, NUM_CLASSES, UNKNOWN, class_table
from fastscnn.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class ClassMerging:
    """A division of the classes into those that figures are given for.

    Attributes:
        names: what figures call each of them.
        members: of each, the train ids that it holds; no id is in two.
        table: the table of sets that this comes from, if any.
    """

    names: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    table: SetTable | None = None

    def __len__(self) -> int:
        return len(self.names)

    def predictions(self, classes: tuple[str, ...] = CLASS_NAMES) -> NDArray[np.uint8]:
        """Return 256 uint8: a network's class → its place in ``names``, else ``UNKNOWN``.

        Args:
            classes: names of the network's outputs, in order.

        Raises:
            ValueError: the network has no class that is known here.
        """
        if not set(classes) & set(CLASS_NAMES):
            raise ValueError(f"{class_table(classes).in_words} No labels here can judge them.")
        places = self._places()
        table = np.full(256, UNKNOWN, np.uint8)
        for output, name in enumerate(classes):
            if name in CLASS_NAMES:
                table[output] = places.get(CLASS_NAMES.index(name), UNKNOWN)
        return table

    def truth(self, sets: TargetSets) -> NDArray[np.uint8]:
        """Return 256 uint8: number of a target's set → its place in ``names``.

        A set that is not inside one of the merged classes cannot be judged: ``UNKNOWN``.
        """
        places = self._places()
        table = np.full(256, UNKNOWN, np.uint8)
        for number, row in enumerate(sets.members()):
            inside = {places.get(int(i), UNKNOWN) for i in torch.where(row)[0]}
            if len(inside) == 1:
                table[number] = inside.pop()
        return table

    def categories(self) -> dict[str, tuple[int, ...]]:
        """Return category → places in ``names``; empty where a merged class spans several."""
        found: dict[str, list[int]] = {}
        for place, members in enumerate(self.members):
            inside = {CLASSES[train_id].category for train_id in members}
            if len(inside) > 1:
                return {}
            found.setdefault(inside.pop(), []).append(place)
        return {category: tuple(places) for category, places in found.items()}

    def colors(self) -> NDArray[np.uint8]:
        """Return 256×3 uint8 RGB: place in ``names`` → colour of its first class, else black."""
        table = np.zeros((256, 3), np.uint8)
        for place, members in enumerate(self.members):
            named = CLASS_NAMES.index(self.names[place]) if self.names[place] in CLASS_NAMES else -1
            table[place] = CLASSES[named if named in members else members[0]].color
        return table

    def _places(self) -> dict[int, int]:
        return {i: place for place, members in enumerate(self.members) for i in members}


PLAIN = ClassMerging(CLASS_NAMES, tuple((train_id,) for train_id in range(NUM_CLASSES)))
"""The 19 classes as they are."""


def read_merging(text: str) -> ClassMerging:
    """Read the value of ``--merge``: a table of sets, or ``wall+fence=building,…``.

    Args:
        text: name or path of a table (see ``label_sets.read_sets``), or ``A+B=C`` for A and B that
            are counted as C, several of them separated by commas.

    Raises:
        ValueError: there is no such table or class, or a class would be counted twice.
    """
    if "=" in text:
        return _by_names(text)
    try:
        return merging_of(read_sets(text))
    except ValueError as error:
        raise ValueError(f"--merge {text}: {error}") from error


def merging_of(table: SetTable) -> ClassMerging:
    """Return the merging that a table of sets describes.

    Raises:
        ValueError: a class is in two of its sets.
    """
    values = sorted(table.sets)
    members = tuple(table.sets[value] for value in values)
    every = [train_id for ids in members for train_id in ids]
    twice = sorted({train_id for train_id in every if every.count(train_id) > 1})
    if twice:
        raise ValueError(f"{CLASS_NAMES[twice[0]]} is in two of its sets.")
    return ClassMerging(tuple(table.names[value] for value in values), members, table)


def merging_of_data(text: str) -> ClassMerging:
    """Return the merging by the table that a data set names in its option ``sets``, else none.

    Args:
        text: as ``open_frames`` takes it. A table whose sets overlap merges nothing.

    Raises:
        DataError: the text is malformed.
    """
    table = read_spec(text).options.get("sets")
    try:
        return merging_of(read_sets(table)) if table else PLAIN
    except ValueError:
        return PLAIN


def _by_names(text: str) -> ClassMerging:
    into = list(range(NUM_CLASSES))
    for part in filter(None, text.split(",")):
        sources, _, target = part.partition("=")
        named = [name.strip() for name in (target, *sources.split("+"))]
        for name in named:
            if name not in CLASS_NAMES:
                raise ValueError(
                    f"--merge: {name!r} is no class; use A+B=C with names of classes, or a table:"
                    f" {', '.join(shipped_tables())} or a JSON file."
                    f"{did_you_mean(name, CLASS_NAMES)}"
                )
        target_id, *source_ids = map(CLASS_NAMES.index, named)
        for train_id in source_ids:
            into[train_id] = target_id
    if any(into[target] != target for target in into):
        chained = next(target for target in into if into[target] != target)
        raise ValueError(
            f"--merge: {CLASS_NAMES[chained]} is merged into another class, so nothing can be"
            " merged into it."
        )
    kept = sorted(set(into))
    members = (tuple(i for i in range(NUM_CLASSES) if into[i] == target) for target in kept)
    return ClassMerging(tuple(CLASS_NAMES[target] for target in kept), tuple(members))
