"""Run loop: steps, validations, checkpoints, log and progress bar."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from fastscnn.training.run_log import RunLog
from fastscnn.training.trainer import Trainer
from fastscnn.training.validation import Validate

LAST, BEST = "last.pth", "best.pth"


@dataclass(frozen=True, slots=True)
class Pace:
    """Intervals of validations and saved states; they do not change the weights.

    Attributes:
        val_every: steps between two validations.
        save_every: seconds between two saved states.
    """

    val_every: int
    save_every: float = 60.0


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

    def __call__(self) -> None:
        """Run to the end. However it is interrupted, the last saved state stands and is whole."""
        trainer, steps = self._trainer, self._trainer.recipe.steps
        saved = time.monotonic()
        quiet = not sys.stderr.isatty()
        with tqdm(
            total=steps,
            initial=trainer.step,
            unit="step",
            smoothing=0.05,
            mininterval=10 if quiet else 0.2,
            disable=not self._writes,
        ) as bar:
            try:
                if trainer.step == 0:
                    self._judge(bar, (math.nan, trainer.recipe.rate_at(0), 0.0, 0))
                while trainer.step < steps:
                    began = time.perf_counter()
                    loss = trainer.train_step()
                    self._report(bar, loss, time.perf_counter() - began)
                    if self._writes and time.monotonic() - saved > self._pace.save_every:
                        self._save()
                        saved = time.monotonic()
                self._save()
                self._draw()
            finally:
                trainer.batches.close()
                if self._log is not None:
                    self._log.close()

    def _report(self, bar: Any, loss: float, seconds: float) -> None:
        trainer = self._trainer
        recipe = trainer.recipe
        if math.isfinite(loss):
            self._smooth = loss if math.isnan(self._smooth) else 0.98 * self._smooth + 0.02 * loss
        rate = recipe.rate_at(trainer.step - 1)
        speed = recipe.batch / seconds
        refused = f", {trainer.refused} refused" * bool(trainer.refused)
        bar.set_postfix_str(
            f"loss {self._smooth:.3f}, rate {rate:.4f}, {speed:.1f} images/s{refused}",
            refresh=False,
        )
        bar.update()
        values = loss, rate, speed, trainer.refused
        due = trainer.step % self._pace.val_every == 0 or trainer.step == recipe.steps
        if due and self._validate is not None:
            self._judge(bar, values)
        elif self._log is not None:
            self._log.add(trainer.step, *values)

    def _judge(self, bar: Any, values: tuple[float, float, float, int]) -> None:
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
        self._log.add(trainer.step, *values, figures)
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
