"""Score tables of reports: for the terminal, and in Markdown for a model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """

    name: str
    values: tuple[float, ...] = ()
    strong: bool = False


def figures(reports: Sequence[Report]) -> list[Row]:
    """Return class IoU, mean IoU, category IoU and pixel accuracy, one column per report."""
    first = reports[0]
    rows = [
        Row(name, tuple(report.class_iou[name] for report in reports))
        for name in first.merging.names
        if any(np.isfinite(report.class_iou[name]) for report in reports)
    ]
    rows.append(Row(""))
    rows.append(Row("mean IoU", tuple(r.mean_iou for r in reports), strong=True))
    if any(_differ(r.mean_iou, r.mean_iou_occurring) for r in reports):
        name = f"over the {first.occurring} that occur"
        rows.append(Row(name, tuple(r.mean_iou_occurring for r in reports)))
    rows.append(Row("pixel accuracy", tuple(r.pixel_accuracy for r in reports)))
    if first.category_iou:
        rows.append(Row(""))
        rows += [
            Row(f"category {name}", tuple(r.category_iou[name] for r in reports))
            for name in first.category_iou
            if any(np.isfinite(r.category_iou[name]) for r in reports)
        ]
        rows.append(
            Row("mean category IoU", tuple(r.mean_category_iou for r in reports), strong=True)
        )
    return rows


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
    skips = ["" if report.setting.skip else "skip off" for report in reports]
    width = max(8, *(len(size) for size in sizes))
    lines = ["".join([f"{corner:<{left}}", *(f"  {size:>{width}}" for size in sizes)])]
    if any(skips):
        lines.append("".join([" " * left, *(f"  {skip:>{width}}" for skip in skips)]).rstrip())
    for row in rows:
        cells = (f"  {_percent(value):>{width}}" for value in row.values)
        lines.append("".join([f"{row.name:<{left}}", *cells]).rstrip())
    return "\n".join(lines)


def as_markdown(rows: Sequence[Row], reports: Sequence[Report], corner: str = "class") -> str:
    """Return a Markdown table, in per cent."""
    lines = [
        "| " + " | ".join([corner, *(str(report.setting) for report in reports)]) + " |",
        "|---" * (len(reports) + 1) + "|",
    ]
    for row in rows:
        cells = [row.name, *map(_percent, row.values)]
        if row.name:
            lines.append("| " + " | ".join(f"**{c}**" if row.strong else c for c in cells) + " |")
    return "\n".join(lines)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}" if np.isfinite(value) else "–"


def _differ(a: float, b: float) -> bool:
    return np.isfinite(a) and abs(a - b) > 1e-9
