"""Class sets: what a network tells apart, in what colours, and which values of labels stand for it.

One JSON object says it everywhere: in the file of a training's ``--classes``, in what stands beside
an ONNX graph or in its metadata, in checkpoints and in the state of a run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscnn.labels import (
    CLASS_NAMES,
    LABELS,
    TRAIN_ID_TO_ID,
    UNKNOWN,
    ClassTable,
    Color,
    class_table,
    tidy_name,
)
from fastscnn.paths import expand_user

MOST_CLASSES = UNKNOWN
"""One byte holds the number of a class, and one number is for what is unknown."""
_MOST_BYTES = 2**20
_IDS = {label.name: label.id for label in LABELS if label.id >= 0}


@dataclass(frozen=True)
class ClassSet:
    """Set of the classes that a network tells apart; by default the 19 of Cityscapes.

    Attributes:
        names: of the network's outputs, in order.
        colors: RGB of each; empty for the usual ones.
        values: of label files, each with the number of its class, ``UNKNOWN`` where it is ignored;
            empty where data sets say themselves what their values mean.
        parts: of a class that takes in several of Cityscapes, their ids, each with its number.
    """

    names: tuple[str, ...] = CLASS_NAMES
    colors: tuple[Color, ...] = ()
    values: tuple[tuple[int, int], ...] = ()
    parts: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def table(self) -> ClassTable:
        """Table of the classes, in their colours."""
        return class_table(self.names, self.colors)

    @property
    def label_values(self) -> dict[int, int]:
        """Value of a label file → number of its class, or ``UNKNOWN``."""
        return dict(self.values) or {number: number for number in range(len(self))}

    @cached_property
    def of_cityscapes(self) -> NDArray[np.uint8]:
        """256 uint8: id of Cityscapes → number of the class that it is part of, or its name's."""
        found = np.full(256, UNKNOWN, np.uint8)
        for number, name in enumerate(self.names):
            if name in _IDS:
                found[_IDS[name]] = number
        for id_, number in self.parts:
            found[id_] = number
        return found

    @cached_property
    def to_values(self) -> NDArray[np.uint8]:
        """256 uint8: number of a class → the first value that stands for it in label files."""
        if not self.values:
            return TRAIN_ID_TO_ID
        ignored = [value for value, number in self.values if number == UNKNOWN]
        found = np.full(256, ignored[0] if ignored else UNKNOWN, np.uint8)
        for value, number in reversed(self.values):
            if number != UNKNOWN:
                found[number] = value
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return what ``class_set`` reads."""
        said: dict[str, Any] = {"classes": list(self.names)}
        if self.colors:
            said["colors"] = [list(color) for color in self.colors]
        if self.values:
            said["ids"] = {
                name: [value for value, of in self.values if of == number]
                for number, name in enumerate(self.names)
            }
            said["ignore"] = [value for value, of in self.values if of == UNKNOWN]
        if self.parts:
            names = {id_: name for name, id_ in _IDS.items()}
            said["cityscapes"] = {
                self.names[number]: [names[id_] for id_, of in self.parts if of == number]
                for _, number in self.parts
            }
        return said


CITYSCAPES_SET = ClassSet()


def class_set(said: Mapping[str, Any]) -> ClassSet:
    """Return the classes that one JSON object describes; other things in it are left alone.

    Args:
        said: ``classes``, a list of names; ``colors``, a list with one for each, or name → colour;
            ``ids``, name → value of label files, or several; ``ignore``, values that are left out,
            or ``others``; ``cityscapes``, name → those of Cityscapes that are part of the class.
            Without ``classes`` there are no names.

    Raises:
        ValueError: what is wrong, in words that follow "its".
    """
    names = said.get("classes", ())
    if not isinstance(names, list | tuple) or len(names) > MOST_CLASSES:
        raise ValueError(f'"classes" are no list of at most {MOST_CLASSES} names')
    tidy = tuple(tidy_name(str(name)) for name in names)
    colors = _colors(tidy, said.get("colors", ()))
    return ClassSet(tidy, colors, _values(tidy, said), _parts(tidy, said.get("cityscapes", {})))


def read_classes(path: str | Path) -> ClassSet:
    """Read the file of a training's classes.

    Raises:
        ValueError: it cannot be read or used, in a sentence.
    """
    path = expand_user(path)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        said = json.loads(data, object_pairs_hook=_once) if len(data) <= _MOST_BYTES else None
        if not isinstance(said, dict):
            raise ValueError("is not one JSON object of a few kilobytes")
        _check_names(said.get("classes"))
        found = class_set(said)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no JSON ({error}): see docs/training.md.") from error
    except (ValueError, RecursionError) as error:
        text = str(error)
        its = " its" if text.startswith('"') else ""
        raise ValueError(f"{path} cannot be used:{its} {text}; see docs/training.md.") from error
    return found if found.values else replace(found, values=_numbers(len(found)))


def parse_color(value: object) -> Color | None:
    """Return a colour written as ``"#rrggbb"`` or ``[red, green, blue]``; ``None`` for neither."""
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        value = list(bytes.fromhex(value[1:]))
    if not isinstance(value, list | tuple) or len(value) != 3 or not all(map(_is_byte, value)):
        return None
    red, green, blue = value
    return red, green, blue


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object whose names all differ."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it says {tidy_name(twice)!r} twice")
    return found


def _numbers(count: int) -> tuple[tuple[int, int], ...]:
    return tuple((number, number) for number in range(count))


def _check_names(names: object) -> None:
    """Check names that a person wrote, which become those of files, columns and flags."""
    if not isinstance(names, list) or not 2 <= len(names) <= MOST_CLASSES:
        raise ValueError(f'"classes" must be a list of 2 to {MOST_CLASSES} names')
    seen: dict[str, object] = {}
    for number, name in enumerate(names):
        if not isinstance(name, str) or not name or tidy_name(name) != name or "," in name:
            raise ValueError(
                f'"classes" have no name of one line, 1 to 40 signs and no comma in place {number}'
            )
        if name.lower() in seen:
            raise ValueError(f'"classes" name {name!r} twice')
        seen[name.lower()] = name


def _colors(names: tuple[str, ...], said: Any) -> tuple[Color, ...]:
    wanted = f'"colors" are no list of {len(names)} colours "#rrggbb" or [red, green, blue]'
    if isinstance(said, Mapping):
        strange = next((name for name in said if name not in names), None)
        if strange is not None:
            raise ValueError(f'"colors" name {tidy_name(strange)!r}, which is no class')
        said = [said.get(row.name, row.color) for row in class_table(names).rows]
    if not isinstance(said, list | tuple):
        raise ValueError(wanted)
    found = tuple(color for color in map(parse_color, said) if color is not None)
    if len(found) != len(said) or (said and len(said) != len(names)):
        raise ValueError(f"{wanted} of 0 to 255")
    return found


def _values(names: tuple[str, ...], said: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    ids, ignored = said.get("ids"), said.get("ignore", [])
    if ids is None and not ignored:
        return ()
    if ids is None:
        ids = {name: number for number, name in enumerate(names)}
    found: dict[int, int] = {}
    lists = _lists("ids", ids, names)
    for number, name in enumerate(names):
        values = lists.get(name, [])
        if not values or not all(map(_is_byte, values)):
            raise ValueError(f'"ids" have no values of label files, 0 to 255, for {name!r}')
        for value in values:
            if found.setdefault(value, number) != number:
                raise ValueError(f'"ids" give {value} to {names[found[value]]!r} and {name!r}')
    if ignored == "others":
        ignored = [value for value in range(256) if value not in found]
    if not isinstance(ignored, list | tuple) or not all(map(_is_byte, ignored)):
        raise ValueError('"ignore" is no list of values of label files, 0 to 255, nor "others"')
    for value in ignored:
        if found.setdefault(value, UNKNOWN) != UNKNOWN:
            raise ValueError(f'"ignore" leaves out {value}, which is {names[found[value]]!r}')
    return tuple(found.items())


def _parts(names: tuple[str, ...], said: Any) -> tuple[tuple[int, int], ...]:
    found: dict[int, int] = {}
    for name, parts in _lists("cityscapes", said, names).items():
        for part in parts:
            if not isinstance(part, str) or part not in _IDS:
                shown = tidy_name(str(part))
                raise ValueError(f'"cityscapes" name {shown!r}, which is no class of Cityscapes')
            if found.setdefault(_IDS[part], names.index(name)) != names.index(name):
                raise ValueError(f'"cityscapes" give {part!r} to two classes')
    return tuple(found.items())


def _lists(key: str, said: Any, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return what belongs to each class: one thing or several."""
    if not isinstance(said, Mapping):
        raise ValueError(f'"{key}" are no object with the names of classes')
    strange = next((name for name in said if name not in names), None)
    if strange is not None:
        raise ValueError(f'"{key}" name {tidy_name(str(strange))!r}, which is no class')
    return {name: list(v) if isinstance(v, list | tuple) else [v] for name, v in said.items()}


def _is_byte(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
