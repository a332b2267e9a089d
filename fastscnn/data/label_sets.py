"""Label sets: the classes that a labelled pixel may have.

A pixel's truth is a *set* of classes. Exact labels name sets of one; coarse data sets name larger
ones (IDD Lite's "far objects": building or vegetation). One byte per pixel holds the number of the
set, 255 is ignored. The first numbers are the classes themselves, larger ones are registered here;
so are those of data sets whose labels are less sure and count less in the loss.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet
from fastscnn.labels import CLASS_NAMES, UNKNOWN
from fastscnn.paths import expand_user
from fastscnn.suggestions import did_you_mean

if TYPE_CHECKING:
    from torch import Tensor  # imported where it is needed: who only reads labels is fast without


class TargetSets:
    """The numbered sets of classes that a training run's data sets use between them.

    Args:
        classes: those that there are; data sets bring what they hold to these.
    """

    def __init__(self, classes: ClassSet = CITYSCAPES_SET) -> None:
        self.classes = classes
        self._sets: list[tuple[tuple[int, ...], float]] = [((i,), 1.0) for i in range(len(classes))]

    def number(self, train_ids: tuple[int, ...], weight: float = 1.0) -> int:
        """Return the number of a set whose pixels count so much, registered when it is new.

        Raises:
            ValueError: one byte has no number left.
        """
        entry = tuple(sorted(set(train_ids))), weight
        if entry not in self._sets:
            if len(self._sets) == UNKNOWN:
                raise ValueError(
                    f"all {UNKNOWN} numbers of sets of classes are taken: give data sets the same"
                    " loss=N, or leave some out"
                )
            self._sets.append(entry)
        return self._sets.index(entry)

    def weighted(self, numbers: NDArray[np.uint8], weight: float) -> NDArray[np.uint8]:
        """Return a table of numbers with those of the same sets whose pixels count ``weight``.

        Raises:
            ValueError: one byte has no number left.
        """
        changed = np.arange(UNKNOWN + 1, dtype=np.uint8)
        for number in np.unique(numbers[numbers != UNKNOWN]):
            changed[number] = self.number(self._sets[number][0], weight)
        return changed[numbers]

    def numbered(self) -> list[tuple[int, ...]]:
        """Return the numbers of the classes that each numbered set holds."""
        return [members for members, _ in self._sets]

    def members(self) -> Tensor:
        """Return sets×classes bool: which classes each numbered set holds."""
        import torch

        table = torch.zeros(len(self._sets), len(self.classes), dtype=torch.bool)
        for row, (members, _) in enumerate(self._sets):
            table[row, list(members)] = True
        return table

    def weights(self) -> Tensor:
        """Return what a pixel of each numbered set counts in the loss."""
        import torch

        return torch.tensor([weight for _, weight in self._sets])


@dataclass(frozen=True, slots=True)
class SetTable:
    """Table of the sets of classes that the values of a coarser data set's labels stand for.

    Attributes:
        folder: of the data set, where these images lie: ``labels`` or ``groups``.
        sets: value → train ids of the classes that it may be.
        names: value → what the set is called.
        ignored: other values that may occur and are left out.
    """

    folder: str
    sets: dict[int, tuple[int, ...]]
    names: dict[int, str]
    ignored: tuple[int, ...] = ()

    @property
    def known(self) -> set[int]:
        """All values that may occur."""
        return {*self.sets, *self.ignored, UNKNOWN}


def shipped_tables() -> list[str]:
    """Return the names of the tables that ship with the program."""
    folder = resources.files("fastscnn.data") / "sets"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".json"))


def read_sets(name: str, classes: Sequence[str] = CLASS_NAMES) -> SetTable:
    """Read a table of sets, such as ``fastscnn/data/sets/camvid.json``.

    It is a JSON object of ``folder`` (``labels`` or ``groups``), ``sets`` (value → list of class
    names) and optionally ``names`` (value → what figures call the set). An object that maps values
    to lists alone is one for ``groups``.

    Args:
        name: a table that ships with the program (see ``shipped_tables``) or a JSON file's path.
        classes: names of those that it may name.

    Raises:
        ValueError: there is no such table, or it names what is no class.
    """
    try:
        if name in shipped_tables():
            text = (resources.files("fastscnn.data") / "sets" / f"{name}.json").read_text("utf-8")
        else:
            text = expand_user(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"There is no table of sets {name!r}: use {', '.join(shipped_tables())} or a JSON file."
            f"{did_you_mean(name, shipped_tables())}"
        ) from error
    try:
        return _parse(json.loads(text), classes)
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"{name} is no table of value → class names ({error}).") from error


def _parse(table: dict[str, Any], known: Sequence[str]) -> SetTable:
    if "sets" not in table:
        table = {"folder": "groups", "sets": table}
    if table["folder"] not in ("labels", "groups"):
        raise ValueError(f"its folder is {table['folder']!r}, not labels or groups")
    sets, names = {}, {}
    for text, classes in table["sets"].items():
        value = int(text)
        if not 0 <= value < UNKNOWN:
            raise ValueError(f"{value} is no value of an 8-bit label, 255 is ignored")
        if not isinstance(classes, list) or not classes:
            raise ValueError(f"{value} needs a list of class names")
        unknown = set(classes) - set(known)
        if unknown:
            raise ValueError(f"{min(unknown)!r} is no class")
        sets[value] = tuple(known.index(class_name) for class_name in classes)
        names[value] = str(table.get("names", {}).get(text, " or ".join(classes)))
    return SetTable(str(table["folder"]), sets, names)


def table_of(classes: ClassSet) -> SetTable:
    """Return what the values of labels stand for where they are those of classes alone."""
    values = classes.label_values
    named = {value: number for value, number in values.items() if number != UNKNOWN}
    return SetTable(
        "labels",
        {value: (number,) for value, number in named.items()},
        {value: classes.names[number] for value, number in named.items()},
        tuple(values.keys() - named.keys()),
    )


def lookup(table: dict[int, tuple[int, ...]], sets: TargetSets) -> NDArray[np.uint8]:
    """Return 256 uint8: value in a label image → number of its set, 255 where there is none."""
    numbers = np.full(256, UNKNOWN, np.uint8)
    for value, train_ids in table.items():
        numbers[value] = sets.number(train_ids)
    return numbers
