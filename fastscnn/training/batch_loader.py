"""Batch loader: prepares the next batch while the network works on the last one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Example = tuple[NDArray[np.uint8], NDArray[Any]]
"""An image (RGB uint8 H×W×3) and what it should become."""
Draw = Callable[[np.random.Generator, int], Example]
"""Source of one augmented sample of a step, called from several threads."""


class BatchSource(Protocol):
    """Source of a trainer's batches; ``BatchLoader`` is one.

    Attributes:
        about: a sentence for the user, or nothing.
    """

    about: str

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return images N×H×W×3, grey levels of any dtype, and targets of one step."""

    def close(self) -> None:
        """Stop what runs ahead."""


class BatchLoader:
    """Batches of samples, each sample a function of (seed, step, its place) alone.

    So a resumed run sees what the uninterrupted one would have seen, and it does not matter which
    thread prepares what.

    Args:
        draw: makes one sample of the step's crop; called from several threads.
        seed: of the run.
        places: which samples of a step are prepared here.
        steps: where the run ends; nothing is prepared beyond. 0 where nobody knows.
        workers: threads that prepare samples ahead; 0 prepares them when they are asked for.
        about: a sentence for the user, or nothing.
    """

    AHEAD = 2
    """Batches that may lie ready."""

    def __init__(
        self,
        draw: Draw,
        *,
        seed: int,
        places: Callable[[int], range],
        steps: int = 0,
        workers: int = 1,
        about: str = "",
    ) -> None:
        self._draw, self._seed, self._places, self.about = draw, seed, places, about
        self._steps = steps or sys.maxsize
        self._pool = ThreadPoolExecutor(workers, "samples") if workers else None
        self._ready: dict[int, list[Future[Example]]] = {}

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return images N×H×W×3 uint8 and targets, N×H×W uint8 in segmentation, of one step."""
        if self._pool is None:
            samples = [self._sample(step, place) for place in self._places(step)]
        else:
            for ahead in range(step, min(step + 1 + self.AHEAD, max(self._steps, step + 1))):
                if ahead not in self._ready:
                    self._ready[ahead] = [
                        self._pool.submit(self._sample, ahead, place)
                        for place in self._places(ahead)
                    ]
            samples = [future.result() for future in self._ready.pop(step)]
        images = torch.from_numpy(np.stack([image for image, _ in samples]))
        return images, torch.from_numpy(np.stack([target for _, target in samples]))

    def close(self) -> None:
        """Stop preparing; what is in progress is waited for."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._ready.clear()

    def _sample(self, step: int, place: int) -> Example:
        return self._draw(np.random.default_rng((self._seed, 2, step, place)), step)
