"""Confusion plot: the matrix as an image, by matplotlib."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastscnn.evaluation.scores import Report


def missing() -> str | None:
    """Return the advice for a user who has no matplotlib."""
    if importlib.util.find_spec("matplotlib"):
        return None
    return "The confusion matrix as a picture needs matplotlib: pip install matplotlib."


def draw_confusion(reports: Sequence[Report], path: Path) -> None:
    """Write one panel per report: of each true class, what share was called what.

    Classes that are neither true nor predicted anywhere are left out.

    Raises:
        OSError: the file cannot be written.
    """
    # pyplot would look for a screen; a figure of its own does not.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    used = sum(report.confusion for report in reports)
    assert isinstance(used, np.ndarray)
    count = len(used)
    rows = np.flatnonzero(used.sum(axis=1))
    columns = np.flatnonzero(used.sum(axis=0) + np.append(used.sum(axis=1), 0))
    if not rows.size:  # nothing is labelled: the classes alone
        rows = columns = np.arange(count)
    names = [*reports[0].merging.names, "no class"]
    across = min(2, len(reports))
    down = -(-len(reports) // across)
    side = 2.6 + 0.42 * len(columns)
    figure = Figure(figsize=(side * across, side * down), layout="constrained")
    FigureCanvasAgg(figure)
    for number, report in enumerate(reports):
        axes = figure.add_subplot(down, across, number + 1)
        true = report.confusion.sum(axis=1, keepdims=True)
        share = 100 * report.confusion / np.maximum(true, 1)
        shown = share[np.ix_(rows, columns)]
        axes.imshow(shown, cmap="Blues", vmin=0, vmax=100)
        for y, row in enumerate(rows):
            for x, column in enumerate(columns):
                value = share[row, column]
                if value >= 0.5:
                    axes.text(
                        x, y, f"{value:.0f}", ha="center", va="center", fontsize=8,
                        color="white" if value > 55 else "black",
                        weight="bold" if row == column else "normal",
                    )  # fmt: skip
        axes.set_xticks(range(len(columns)), [names[c] for c in columns], rotation=60, ha="right")
        axes.set_yticks(range(len(rows)), [names[r] for r in rows])
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.set_title(f"{report.setting}: mean IoU {100 * report.mean_iou:.1f} %")
        axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="0.9", linewidth=0.5)
        axes.tick_params(which="minor", length=0)
    figure.suptitle(f"Per cent of each true class's pixels, {count} classes judged")
    figure.savefig(path, dpi=110, format="png")
