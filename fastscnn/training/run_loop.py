"""Run loop: steps, validations, checkpoints, log and progress bar."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from tqdm import tqdm

from fastscnn.training.run_log import Row, RunLog
from fastscnn.training.trainer import Trainer
from fastscnn.training.validation import Validate

LAST, BEST = "last.pth", "best.pth"


@dataclass(frozen=True, slots=True)
class Pace:
    """Intervals of validations and saved states; they do not change the weights.

    Attributes:
        val_every: steps between two validations; 0 for 20 of them, evenly over the run.
        save_every: seconds between two saved states.
        read_every: steps between two looks at what the device found, which wait for it.
    """

    val_every: int
    save_every: float = 60.0
    read_every: int = 1

    JUDGED: ClassVar[int] = 20


class TrainingRun:
    """Run of a trainer to the end of its recipe.

    Args:
        trainer: what is driven.
        pace: how often what happens.
        validate: judges the network; ``None`` keeps the last checkpoint alone.
        figures: names of what it finds.
    """

    def __init__(
        self,
        trainer: Trainer,
        pace: Pace,
        validate: Validate | None = None,
        figures: list[str] | None = None,
    ) -> None:
        self._trainer, self._pace, self._validate = trainer, pace, validate
        self._writes = trainer.world.is_first
        self._log: RunLog | None = None
        if self._writes:
            recipe = trainer.recipe
            self._log = RunLog(trainer.folder, figures or [], recipe.steps, trainer.step)
        self._smooth = math.nan
        self._part = int(pace.JUDGED * trainer.progress)

    def __call__(self) -> None:
        """Run to the end. However it is interrupted, the last saved state stands and is whole."""
        trainer = self._trainer
        quiet = not sys.stderr.isatty()
        with tqdm(
            total=trainer.recipe.steps or None,
            initial=trainer.step,
            unit="step",
            smoothing=0.05,
            mininterval=10 if quiet else 0.2,
            disable=not self._writes,
        ) as bar:
            try:
                if trainer.step == 0:
                    self._judge(bar, Row(0, math.nan, trainer.rate, 0.0, 0))
                began = saved = time.monotonic()
                before = trainer.elapsed
                while trainer.progress < 1:
                    rows = self._advance()
                    elapsed = before + time.monotonic() - began
                    trainer.elapsed = trainer.world.agree(elapsed)
                    self._report(bar, rows)
                    if self._writes and time.monotonic() - saved > self._pace.save_every:
                        self._save()
                        saved = time.monotonic()
                self._save()
                self._draw()
            finally:
                trainer.batches.close()
                if self._log is not None:
                    self._log.close()

    def _advance(self) -> list[Row]:
        """Make steps up to the next look at what the device found."""
        trainer, recipe = self._trainer, self._trainer.recipe
        looks = [every for every in (self._pace.read_every, self._pace.val_every) if every]
        began, first = time.perf_counter(), trainer.step
        rates: list[float] = []
        found: list[Tensor] = []
        while not found or (
            trainer.step != recipe.steps and all(trainer.step % every for every in looks)
        ):
            rates.append(trainer.rate)
            found.append(trainer.train_step())
        numbers = torch.stack(found).tolist()
        seconds = time.perf_counter() - began
        steps = range(first, trainer.step)
        speed = sum(recipe.at(step).batch for step in steps) / seconds
        return [
            Row(step + 1, loss, rate, speed, int(refused))
            for step, rate, (loss, refused) in zip(steps, rates, numbers, strict=True)
        ]

    def _report(self, bar: Any, rows: list[Row]) -> None:
        trainer, last = self._trainer, rows[-1]
        for row in rows:
            if math.isfinite(row.loss):
                old = row.loss if math.isnan(self._smooth) else self._smooth
                self._smooth = 0.98 * old + 0.02 * row.loss
        refused = f", {last.refused} refused" * bool(last.refused)
        minutes = trainer.recipe.minutes
        time_left = f", {trainer.elapsed / 60:.1f} of {minutes:g} minutes" * bool(minutes)
        bar.set_postfix_str(
            f"loss {self._smooth:.3f}, rate {last.rate:.4f}, {last.speed:.1f} images/s{refused}"
            + time_left,
            refresh=False,
        )
        bar.update(len(rows))
        judged = self._validate is not None and self._due()
        if self._log is not None:
            for row in rows[: len(rows) - judged]:
                self._log.add(row)
        if judged:
            self._judge(bar, last)

    def _due(self) -> bool:
        trainer, every = self._trainer, self._pace.val_every
        part, before = int(self._pace.JUDGED * trainer.progress), self._part
        self._part = part
        return trainer.progress >= 1 or (trainer.step % every == 0 if every else part > before)

    def _judge(self, bar: Any, row: Row) -> None:
        """Validate, keep the best, and report it."""
        if self._validate is None or self._log is None:
            return
        trainer = self._trainer
        figures = self._validate(trainer.weights)
        name, figure = next(iter(figures.items()))
        others = "".join(f", {n} {100 * f:.1f}" for n, f in figures.items() if n != name)
        better = trainer.best is None or figure > trainer.best
        bar.write(
            f"step {trainer.step}: {name} {100 * figure:.1f} %{others}"
            + (", the best so far" if better and trainer.step else "")
        )
        sys.stdout.flush()
        self._log.add(row, figures)
        if better:
            trainer.best = figure
            trainer.save_checkpoint(BEST, {"figures": figures})
        if trainer.step:
            self._save()
            self._draw()

    def _save(self) -> None:
        if self._log is None:
            return
        self._trainer.save_state()
        self._trainer.save_checkpoint(LAST)

    def _draw(self) -> None:
        if self._log is not None and self._log.can_draw():
            self._log.draw()
