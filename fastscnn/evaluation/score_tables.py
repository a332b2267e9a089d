"""Score tables of reports: for the terminal, and in Markdown for a model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from fastscnn.evaluation.metrics import mean_iou
from fastscnn.evaluation.scores import Report


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        name: what the figures are of; empty for a rule between lines.
        values: shares, NaN where there is none.
        strong: whether the line is what most readers look for.
        number: whether the values are numbers of something.
    """

    name: str
    values: tuple[float, ...] = ()
    strong: bool = False
    number: bool = False


def figures(reports: Sequence[Report]) -> list[Row]:
    """Return class IoU, mean IoU, category IoU and pixel accuracy, one column per report.

    The benchmark counts a class that is predicted and never true, in one column perhaps and not in
    another. Means over different classes tell nothing beside each other, so those over the classes
    that occur, which are the same in all columns, go first then.
    """
    first = reports[0]
    rows = _shares([report.class_iou for report in reports], "")
    rows.append(Row(""))
    rows += _means(
        "mean IoU",
        [report.class_iou for report in reports],
        [(report.mean_iou, report.mean_iou_occurring) for report in reports],
        "classes",
        first.occurring,
    )
    rows.append(Row("pixel accuracy", tuple(r.pixel_accuracy for r in reports)))
    if np.isfinite([report.flicker for report in reports]).any():
        rows.append(Row("flicker", tuple(r.flicker for r in reports), strong=True))
    if first.category_iou:
        rows.append(Row(""))
        rows += _shares([report.category_iou for report in reports], "category ")
        rows += _means(
            "mean category IoU",
            [report.category_iou for report in reports],
            [(r.mean_category_iou, r.mean_category_iou_occurring) for r in reports],
            "categories",
            len(first.categories_occurring),
        )
    return rows


def _shares(columns: Sequence[dict[str, float]], before: str) -> list[Row]:
    """Return a line for each name that has a figure in any column."""
    return [
        Row(before + name, tuple(column[name] for column in columns))
        for name in columns[0]
        if any(np.isfinite(column[name]) for column in columns)
    ]


def _means(
    name: str,
    columns: Sequence[dict[str, float]],
    means: Sequence[tuple[float, float]],
    things: str,
    occurring: int,
) -> list[Row]:
    """Return the means of some columns, with the number of figures in each.

    Args:
        name: what they are called.
        columns: the figures that are averaged.
        means: of each column, as the benchmark averages and over what occurs.
        things: what the figures are of.
        occurring: how many of these occur.
    """
    averaged = [{n for n, iou in column.items() if np.isfinite(iou)} for column in columns]
    alike = all(each == averaged[0] for each in averaged)
    benchmark, over_occurring = (tuple(values) for values in zip(*means, strict=True))
    mean = Row(name if alike else f"{name} as the benchmark's", benchmark, strong=alike)
    number = Row(f"{things} averaged", tuple(float(len(each)) for each in averaged), number=True)
    if not any(_differ(*pair) for pair in means):
        return [mean, number]
    same = Row(f"{name} over the {occurring} that occur", over_occurring, strong=not alike)
    return [mean, number, same] if alike else [same, mean, number]


def by_drive(reports: Sequence[Report]) -> list[Row]:
    """Return the mean IoU of each drive over its occurring classes, one column per report."""
    return [
        Row(
            drive,
            tuple(mean_iou(report.drives[drive], only_occurring=True) for report in reports),
        )
        for drive in sorted(reports[0].drives)
    ]


def as_text(rows: Sequence[Row], reports: Sequence[Report], corner: str = "class") -> str:
    """Return a table for the terminal, in per cent."""
    left = max(len(corner), *(len(row.name) for row in rows))
    sizes = [report.setting.size_name for report in reports]
    switches = [report.setting.switches for report in reports]
    width = max(8, *(len(size) for size in sizes))
    lines = ["".join([f"{corner:<{left}}", *(f"  {size:>{width}}" for size in sizes)])]
    for words in zip_longest(*switches, fillvalue=""):
        lines.append("".join([" " * left, *(f"  {word:>{width}}" for word in words)]).rstrip())
    for row in rows:
        cells = (f"  {_cell(row, value):>{width}}" for value in row.values)
        lines.append("".join([f"{row.name:<{left}}", *cells]).rstrip())
    return "\n".join(lines)


def as_markdown(rows: Sequence[Row], reports: Sequence[Report], corner: str = "class") -> str:
    """Return a Markdown table, in per cent."""
    lines = [
        "| " + " | ".join([corner, *(str(report.setting) for report in reports)]) + " |",
        "|---" * (len(reports) + 1) + "|",
    ]
    for row in rows:
        cells = [row.name, *(_cell(row, value) for value in row.values)]
        if row.name:
            lines.append("| " + " | ".join(f"**{c}**" if row.strong else c for c in cells) + " |")
    return "\n".join(lines)


def _cell(row: Row, value: float) -> str:
    if row.number:
        return f"{value:.0f}"
    return f"{100 * value:.1f}" if np.isfinite(value) else "–"


def _differ(a: float, b: float) -> bool:
    return np.isfinite(a) and abs(a - b) > 1e-9
