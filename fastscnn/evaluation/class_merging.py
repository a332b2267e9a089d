"""Class merging: classes counted as one, so that figures fit coarser data sets.

Where a data set's "car" holds trucks, a predicted truck is right, and without merging it would
count as a mistake. Truth and predictions are merged alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet
from fastscnn.data.dataset_spec import read_spec
from fastscnn.data.label_sets import SetTable, TargetSets, read_sets, shipped_tables
from fastscnn.labels import CLASS_NAMES, UNKNOWN, class_table
from fastscnn.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class ClassMerging:
    """A division of the classes into those that figures are given for.

    Attributes:
        names: what figures call each of them.
        members: of each, the numbers of the classes that it holds; none is in two.
        table: the table of sets that this comes from, if any.
        classes: those that are divided.
    """

    names: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    table: SetTable | None = None
    classes: ClassSet = CITYSCAPES_SET

    def __len__(self) -> int:
        return len(self.names)

    def predictions(self, classes: tuple[str, ...] = CLASS_NAMES) -> NDArray[np.uint8]:
        """Return 256 uint8: a network's class → its place in ``names``, else ``UNKNOWN``.

        Args:
            classes: names of the network's outputs, in order.

        Raises:
            ValueError: the network has no class that is known here.
        """
        known = self.classes.names
        if not set(classes) & set(known):
            raise ValueError(
                f"{class_table(classes).in_words} No labels here can judge them: name the classes"
                " of the labels by --classes FILE."
            )
        places = self._places()
        table = np.full(256, UNKNOWN, np.uint8)
        for output, name in enumerate(classes):
            if name in known:
                table[output] = places.get(known.index(name), UNKNOWN)
        return table

    def truth(self, sets: TargetSets) -> NDArray[np.uint8]:
        """Return 256 uint8: number of a target's set → its place in ``names``.

        A set that is not inside one of the merged classes cannot be judged: ``UNKNOWN``.
        """
        places = self._places()
        table = np.full(256, UNKNOWN, np.uint8)
        for number, members in enumerate(sets.numbered()):
            inside = {places.get(train_id, UNKNOWN) for train_id in members}
            if len(inside) == 1:
                table[number] = inside.pop()
        return table

    def categories(self) -> dict[str, tuple[int, ...]]:
        """Return category → places in ``names``; empty where a merged class spans several.

        Own classes are of no category.
        """
        found: dict[str, list[int]] = {}
        table = self.classes.table
        if table.own:
            return {}
        for place, members in enumerate(self.members):
            inside = {table.rows[number].category for number in members}
            if len(inside) > 1:
                return {}
            found.setdefault(inside.pop(), []).append(place)
        return {category: tuple(places) for category, places in found.items()}

    def colors(self) -> NDArray[np.uint8]:
        """Return 256×3 uint8 RGB: place in ``names`` → colour of its first class, else black."""
        table = np.zeros((256, 3), np.uint8)
        known, rows = self.classes.names, self.classes.table.rows
        for place, members in enumerate(self.members):
            named = known.index(self.names[place]) if self.names[place] in known else -1
            table[place] = rows[named if named in members else members[0]].color
        return table

    def _places(self) -> dict[int, int]:
        return {i: place for place, members in enumerate(self.members) for i in members}


def unmerged(classes: ClassSet) -> ClassMerging:
    """Return classes as they are."""
    alone = tuple((number,) for number in range(len(classes)))
    return ClassMerging(classes.names, alone, classes=classes)


PLAIN = unmerged(CITYSCAPES_SET)
"""The 19 classes as they are."""


NONE = "none"
"""Word for no merging, where data name one."""


def read_merging(text: str, classes: ClassSet = CITYSCAPES_SET) -> ClassMerging:
    """Read the value of ``--merge``: a table of sets, or ``wall+fence=building,…``.

    Args:
        text: name or path of a table (see ``label_sets.read_sets``), or ``A+B=C`` for A and B that
            are counted as C, several of them separated by commas.
        classes: those that are merged.

    Raises:
        ValueError: there is no such table or class, or a class would be counted twice.
    """
    if "=" in text:
        return _by_names(text, classes)
    try:
        return merging_of(read_sets(text, classes.names), classes)
    except ValueError as error:
        raise ValueError(f"--merge {text}: {error}") from error


@dataclass(frozen=True, slots=True)
class Judging:
    """Judging of classes: those that labels are brought to, and what of them is merged.

    Attributes:
        classes: those of the labels.
        asked: the merging that is asked for, if any; it may be to merge nothing.
    """

    classes: ClassSet
    asked: ClassMerging | None = None

    @classmethod
    def by(cls, merge: str | None, classes: ClassSet) -> Judging:
        """Return the judging by the value of ``--merge``, ``NONE`` among them.

        Raises:
            ValueError: there is no such table or class, or a class would be counted twice.
        """
        if merge == NONE:
            return cls(classes, unmerged(classes))
        return cls(classes, read_merging(merge, classes) if merge else None)

    @property
    def table(self) -> SetTable | None:
        """The table of sets that is asked for, if any."""
        return self.asked.table if self.asked else None

    def merging(self, data: str | None = None) -> ClassMerging:
        """Return what is asked for, or else what data name.

        Raises:
            DataError: the data's name is malformed.
        """
        if self.asked is None and data is not None:
            return merging_of_data(data, self.classes)
        return self.asked or unmerged(self.classes)


def merging_of(table: SetTable, classes: ClassSet = CITYSCAPES_SET) -> ClassMerging:
    """Return the merging that a table of sets describes.

    Raises:
        ValueError: a class is in two of its sets.
    """
    values = sorted(table.sets)
    members = tuple(table.sets[value] for value in values)
    every = [train_id for ids in members for train_id in ids]
    twice = sorted({train_id for train_id in every if every.count(train_id) > 1})
    if twice:
        raise ValueError(f"{classes.names[twice[0]]} is in two of its sets.")
    return ClassMerging(tuple(table.names[value] for value in values), members, table, classes)


def merging_of_data(text: str, classes: ClassSet = CITYSCAPES_SET) -> ClassMerging:
    """Return the merging by the table that a data set names in its option ``sets``, else none.

    Args:
        text: as ``open_frames`` takes it. A table whose sets overlap merges nothing.
        classes: those that are merged.

    Raises:
        DataError: the text is malformed.
    """
    table = read_spec(text).options.get("sets")
    try:
        if table:
            return merging_of(read_sets(table, classes.names), classes)
    except ValueError:
        pass
    return unmerged(classes)


def _by_names(text: str, classes: ClassSet) -> ClassMerging:
    known = classes.names
    into = list(range(len(known)))
    for part in filter(None, text.split(",")):
        sources, _, target = part.partition("=")
        named = [name.strip() for name in (target, *sources.split("+"))]
        for name in named:
            if name not in known:
                raise ValueError(
                    f"--merge: {name!r} is no class; use A+B=C with names of classes, or a table:"
                    f" {', '.join(shipped_tables())} or a JSON file."
                    f"{did_you_mean(name, known)}"
                )
        target_id, *source_ids = map(known.index, named)
        for train_id in source_ids:
            into[train_id] = target_id
    if any(into[target] != target for target in into):
        chained = next(target for target in into if into[target] != target)
        raise ValueError(
            f"--merge: {known[chained]} is merged into another class, so nothing can be"
            " merged into it."
        )
    kept = sorted(set(into))
    members = (tuple(i for i, place in enumerate(into) if place == target) for target in kept)
    return ClassMerging(tuple(known[target] for target in kept), tuple(members), classes=classes)
