"""Run log: a table, a curve, and TensorBoard's files where it is installed."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from fastscnn.paths import unicode_name

TABLE, CURVE = FILES = "log.csv", "curve.png"
ROWS = 2000
"""Number of rows of a whole run's table, about."""


class Row(NamedTuple):
    """Row of the table: what a step found.

    Attributes:
        step: how many were made.
        loss: of that step.
        rate: the learning rate.
        speed: images per second.
        refused: steps that were left out so far.
    """

    step: int
    loss: float
    rate: float
    speed: float
    refused: int


class RunLog:
    """The log of one run: ``log.csv``, ``curve.png`` and ``tensorboard/`` in its folder.

    Args:
        folder: of the run; made if need be.
        figures: names of what validations find.
        steps: of the whole run, 0 where nobody knows.
        step: where the run goes on; what was written beyond is forgotten, since it comes again.
    """

    COLUMNS = ("step", "loss", "rate", "images_per_second", "refused")

    def __init__(self, folder: Path, figures: Sequence[str], steps: int, step: int = 0) -> None:
        self._folder, self._figures = folder, list(figures)
        self._every = max(1, steps // ROWS)
        self._losses: list[float] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._header = [*self.COLUMNS, *self._figures]
        self._rows = [row for row in self._read() if int(row["step"]) <= step] if step else []
        self._rewrite()
        self._board: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    @property
    def path(self) -> Path:
        """The table."""
        return self._folder / TABLE

    def add(self, found: Row, figures: dict[str, float] | None = None) -> None:
        """Take in one step; a row is written now and then, and whenever there are figures."""
        step, loss, rate, speed, refused = found
        if math.isfinite(loss):
            self._losses.append(loss)
        if not figures and step % self._every:
            return
        mean = math.fsum(self._losses) / len(self._losses) if self._losses else math.nan
        self._losses.clear()
        values = [step, f"{mean:.5f}", f"{rate:.6g}", f"{speed:.2f}", refused]
        row = dict.fromkeys(self._header, "") | dict(
            zip(self.COLUMNS, map(str, values), strict=True)
        )
        row |= {name: f"{value:.5f}" for name, value in (figures or {}).items()}
        self._rows.append(row)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self._header).writerow(row)
        if self._board is not None:
            for name, text in row.items():
                if name != "step" and text not in ("", "nan"):
                    self._board.add_scalar(name, float(text), step)

    def draw(self) -> None:
        """Draw ``curve.png``: the loss, and what validations found."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.subplots()
        steps = [int(row["step"]) for row in self._rows]
        losses = [float(row["loss"]) for row in self._rows]
        axes.plot(steps, losses, color="tab:gray", linewidth=0.8, label="loss")
        axes.set(xlabel="step", ylabel="loss")
        axes.set_title(unicode_name(self._folder.resolve()), parse_math=False)
        axes.grid(alpha=0.3)
        if self._figures:
            right = axes.twinx()
            for number, name in enumerate(self._figures):
                points = [(int(r["step"]), 100 * float(r[name])) for r in self._rows if r[name]]
                x, y = zip(*points, strict=True) if points else ((), ())
                right.plot(x, y, color=f"C{number}", marker=".", label=name)
            right.set(ylabel="per cent", ylim=(0, 100))
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
        temporary = self._folder / f"curve.{os.getpid()}.part.png"
        try:
            figure.savefig(temporary, dpi=110)
            os.replace(temporary, self._folder / CURVE)
        finally:
            temporary.unlink(missing_ok=True)

    @staticmethod
    def can_draw() -> bool:
        """Return whether matplotlib is installed."""
        return find_spec("matplotlib") is not None

    def close(self) -> None:
        """Finish what is in progress."""
        if self._board is not None:
            self._board.close()

    def _read(self) -> list[dict[str, str]]:
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
        except (OSError, csv.Error, UnicodeDecodeError):
            return []
        # a kill may have left half a row behind
        whole = [row for row in rows if None not in row.values() and row.get("step", "").isdigit()]
        return [{name: row.get(name) or "" for name in self._header} for row in whole]

    def _rewrite(self) -> None:
        temporary = self.path.with_name(f"log.{os.getpid()}.part.csv")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self._header)
            writer.writeheader()
            writer.writerows(self._rows)
        os.replace(temporary, self.path)
