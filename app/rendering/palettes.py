"""Palettes: colours of the classes, of Cityscapes, for colour-blind eyes, or the user's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from fastscnn.data.class_sets import class_set, parse_color
from fastscnn.labels import ClassTable, Color, class_table
from fastscnn.paths import expand_user

CITYSCAPES, COLOUR_BLIND = PALETTES = "cityscapes", "colour-blind"

_MOST_BYTES = 100_000

_COLOUR_BLIND: Mapping[str, Color] = {
    "road": (96, 88, 104),
    "sidewalk": (255, 255, 255),
    "building": (170, 150, 130),
    "wall": (114, 116, 164),
    "fence": (123, 23, 0),
    "pole": (40, 40, 200),
    "traffic light": (255, 200, 80),
    "traffic sign": (255, 255, 160),
    "vegetation": (6, 109, 57),
    "terrain": (160, 200, 120),
    "sky": (86, 180, 233),
    "person": (255, 255, 0),
    "rider": (200, 120, 0),
    "car": (0, 0, 255),
    "truck": (80, 120, 255),
    "bus": (40, 200, 200),
    "train": (80, 80, 160),
    "motorcycle": (40, 0, 120),
    "bicycle": (0, 40, 80),
}
"""Colours chosen one after the other, each as far as possible in CIELAB from all before it, to
usual eyes and to those without red or green cones (Machado et al. 2009): any two are 20 apart."""


def parse_palette(text: str) -> str:
    """Return the name of a palette, or the absolute path of a file of colours, checked.

    The file is JSON, from names of classes to colours: ``{"car": "#0000ff"}``, or that of a set of
    classes with their colours.

    Raises:
        ValueError: it is neither, in a sentence.
    """
    if text in PALETTES:
        return text
    path = str(expand_user(text).absolute())
    _colors(path)
    return path


def recolored(names: tuple[str, ...], palette: str, own: tuple[Color, ...] = ()) -> ClassTable:
    """Return the table of classes in the colours of a palette, as ``parse_palette`` returned it.

    Classes that it does not name keep their own.
    """
    return _recolored(names, palette, own)  # one table for all ways to ask for it


@lru_cache(maxsize=16)
def _recolored(names: tuple[str, ...], palette: str, own: tuple[Color, ...]) -> ClassTable:
    table, colors = class_table(names, own), _colors(palette)
    if not colors:
        return table
    rows = tuple(replace(row, color=colors.get(row.name, row.color)) for row in table.rows)
    painted = np.zeros_like(table.palette)
    painted[: len(rows)] = [row.color for row in rows]
    painted.setflags(write=False)
    return replace(table, rows=rows, palette=painted)


@lru_cache(maxsize=16)
def _colors(palette: str) -> Mapping[str, Color]:
    if palette == CITYSCAPES:
        return {}
    if palette == COLOUR_BLIND:
        return _COLOUR_BLIND
    path = Path(palette)
    advice = f'write {path.name} as {{"car": "#0000ff"}}, or use {CITYSCAPES} or {COLOUR_BLIND}.'
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(
            f"{palette!r} is no palette, and no file that can be read ({error.strerror}):"
            f" use {CITYSCAPES}, {COLOUR_BLIND}, or a JSON file of colours."
        ) from error
    try:
        said = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The colours in {path.name} are no JSON ({error}): {advice}") from error
    if not isinstance(said, dict):
        raise ValueError(f"The colours in {path.name} are not one object: {advice}")
    if "classes" not in said:
        return {name: _color(name, value, advice) for name, value in said.items()}
    try:
        return {row.name: row.color for row in class_set(said).table.rows}
    except ValueError as error:
        raise ValueError(f"The colours in {path.name} cannot be used: its {error}.") from error


def _color(name: str, value: object, advice: str) -> Color:
    color = parse_color(value)
    if color is None:
        raise ValueError(f"The colour of {name!r} is {value!r}: {advice}")
    return color
