"""Targets: what a labelled pixel may be.

A pixel's truth is a *set* of classes. Exact labels name sets of one; coarse data sets name larger
ones (IDD Lite's "far objects": building or vegetation). One byte per pixel holds the number of the
set, 255 is ignored. Numbers 0–18 are the classes themselves, larger ones are registered here.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.labels import CLASS_NAMES, NUM_CLASSES, UNKNOWN


class TargetSets:
    """The numbered sets of classes that a training run's data sets use between them."""

    def __init__(self) -> None:
        self._sets: list[tuple[int, ...]] = [(train_id,) for train_id in range(NUM_CLASSES)]

    def number(self, train_ids: tuple[int, ...]) -> int:
        """The number of a set, registered when it is new."""
        members = tuple(sorted(set(train_ids)))
        if members not in self._sets:
            self._sets.append(members)
        return self._sets.index(members)

    def members(self) -> Tensor:
        """Sets×classes bool: which classes each numbered set holds."""
        table = torch.zeros(len(self._sets), NUM_CLASSES, dtype=torch.bool)
        for row, members in enumerate(self._sets):
            table[row, list(members)] = True
        return table


def read_sets(name: str) -> dict[int, tuple[int, ...]]:
    """A table of sets: value in the ``groups/`` pictures → train ids.

    Args:
        name: a table that ships with the program (``idd_lite``) or the path of a JSON file that
            maps each value to a list of class names.

    Raises:
        ValueError: there is no such table, or it names what is no class.
    """
    shipped = resources.files("fastscnn.data") / "sets" / f"{name}.json"
    try:
        text = shipped.read_text("utf-8") if shipped.is_file() else Path(name).read_text("utf-8")
        table = json.loads(text)
        unknown = {n for names in table.values() for n in names} - set(CLASS_NAMES)
        if unknown:
            raise ValueError(f"{min(unknown)!r} is no class")
        return {
            int(value): tuple(CLASS_NAMES.index(class_name) for class_name in class_names)
            for value, class_names in table.items()
        }
    except OSError as error:
        raise ValueError(
            f"There is no table of sets {name!r}: use idd_lite or a JSON file."
        ) from error
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{name} is no table of value → class names ({error}).") from error


def lookup(table: dict[int, tuple[int, ...]], sets: TargetSets) -> NDArray[np.uint8]:
    """256 uint8: value in a label picture → number of its set, 255 where the table is silent."""
    numbers = np.full(256, UNKNOWN, np.uint8)
    for value, train_ids in table.items():
        numbers[value] = sets.number(train_ids)
    return numbers
