"""The network's side of the worker: what takes frames and gives back what the network saw in them.

``make_engine`` in ``app.inference.engine_factory`` picks the one for the device.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.core.frame import Frame, Prediction, SessionInfo
from app.rendering.view_options import InferencePass, Weights
from fastscnn.inference.input_size import InputSize, smaller_size
from fastscnn.inference.steadier import Steadier
from fastscnn.segmenter import Segmenter

_MOST_STREAMS = 16
"""Sources whose labels are held steady at once; what is kept of each is a frame's logits."""


@dataclass(frozen=True, slots=True)
class Segmented:
    """Predictions of one frame, and seconds spent by stage."""

    frame: Frame
    predictions: tuple[Prediction, ...]
    stages: dict[str, float]


class Engine(ABC):
    """Takes frames and gives back what the network saw in them, in the same order."""

    depth: int
    """Number of frames that may be in progress at once."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._asked_size = segmenter.input_size
        self.second: Segmenter | None = None
        """Network of the second checkpoint, see ``compare_with``."""
        self._streams: OrderedDict[int, _Stream] = OrderedDict()

    def compare_with(self, second: Segmenter | None) -> None:
        """Have a second checkpoint; one for another device or input size is no match and not had.

        Only while nothing is pending.
        """
        self._streams.clear()
        asked = (self._segmenter.device, self._asked_size)
        if second is None or (second.device, second.input_size) != asked:
            self.second = None
        else:
            self.second = second.at(self._segmenter.input_size) if self.shrunk else second

    @property
    def segmenter(self) -> Segmenter:
        """The network in use; another than at first once memory has run out."""
        return self._segmenter

    @property
    def shrunk(self) -> bool:
        """Return whether memory has run out and the network sees less than was asked for."""
        return self._segmenter.input_size != self._asked_size

    def _shrink(self, frame: Frame, seen: tuple[int, int], error: torch.OutOfMemoryError) -> None:
        """Go on with the next smaller input size after memory ran out; raises where there is none.

        Args:
            frame: what the network was on.
            seen: the size at which it saw it; if that is not in use any more, nothing changes.
            error: that memory ran out.
        """
        height, width = frame.image.shape[:2]
        if self._segmenter.network_size(height, width) != seen:
            return  # a frame before this one has had the same
        smaller = smaller_size(self._segmenter.input_size, height, width)
        if smaller is None:
            raise error
        if self._segmenter.device.type == "cuda":
            torch.cuda.empty_cache()
        self.resize(smaller)

    def resize(self, size: InputSize) -> None:
        """Let the network see frames at another size from the next on."""
        self._segmenter = self._segmenter.at(size)
        self.second = self.second.at(size) if self.second is not None else None

    def warm(self, size: tuple[int, int], skips: Sequence[bool]) -> None:
        """Run the network once at another size, beside frames and on a thread of the caller's.

        What a runtime sets up for a size is then there when it is used.
        """
        for segmenter in filter(None, (self._segmenter, self.second)):
            other = segmenter.at(size)
            pixels = torch.zeros(*size, 3, dtype=torch.uint8, device=other.device)
            for skip in skips:
                other.logits_of(pixels, (skip,))

    @property
    @abstractmethod
    def pending(self) -> int:
        """Number of frames in progress."""

    @abstractmethod
    def submit(self, frame: Frame, runs: Sequence[InferencePass]) -> None:
        """Start on a frame; only while fewer than ``depth`` are pending.

        Runs of the second checkpoint need one.
        """

    @abstractmethod
    def collect(self) -> Segmented:
        """Wait for the oldest pending frame."""

    @abstractmethod
    def close(self) -> None:
        """Free what only this engine needs; what is pending is lost."""

    @abstractmethod
    def settle(self) -> None:
        """Wait until a frame that may be dropped can start at once.

        What is taken from a live source before that only grows old while it waits here; behind
        frames of which none may be dropped, the next is taken ahead.
        """

    def _network(self, run: InferencePass) -> Segmenter:
        segmenter = self._segmenter if run.weights == "a" else self.second
        if segmenter is None:
            raise RuntimeError("there is no second checkpoint")
        return segmenter

    def _logits(
        self, pixels: Tensor, runs: Sequence[InferencePass], beside: int = 1
    ) -> list[Tensor]:
        """Logits of every run: what its network has before the skip connection is run once.

        ``beside`` is how many frames this is done for at the same time.
        """
        found: dict[tuple[Weights, bool], Tensor] = {}
        for weights in dict.fromkeys(run.weights for run in runs):
            mine = [run for run in runs if run.weights == weights]
            skips = list(dict.fromkeys(run.skip for run in mine))
            logits = self._network(mine[0]).logits_of(pixels, skips, beside=beside)
            found |= zip(((weights, skip) for skip in skips), logits, strict=True)
        return [found[run.weights, run.skip] for run in runs]

    def _steadied(
        self,
        frame: Frame,
        pixels: NDArray[np.uint8],
        runs: Sequence[InferencePass],
        logits: Sequence[Tensor],
    ) -> tuple[list[Tensor], dict[str, float]]:
        """Hold the logits of steady runs; frames come here in their order.

        Args:
            frame: what the network saw.
            pixels: the frame at the network's size.
            runs: the runs of the network.
            logits: what it gave for each.

        Returns:
            Logits of every run, and the seconds that this took where there was anything to do.
        """
        steady: dict[Hashable, Tensor] = {
            (run.weights, run.skip): one
            for run, one in zip(runs, logits, strict=True)
            if run.steady and self._network(run).gives_logits
        }
        key = id(frame.session)
        if not steady:
            self._streams.pop(key, None)
            return list(logits), {}
        started = time.monotonic()
        stream = self._streams.pop(key, None) or _Stream(frame.session)
        self._streams[key] = stream
        while len(self._streams) > _MOST_STREAMS:
            self._streams.popitem(last=False)
        steady = stream.steady(frame, pixels, steady)
        held = [
            steady.get((run.weights, run.skip), one) if run.steady else one
            for run, one in zip(runs, logits, strict=True)
        ]
        return held, {"steady": time.monotonic() - started}


class _Stream:
    """Frames of one opened source, whose labels are held steady.

    Args:
        session: the source; kept, so that no other object takes its place in memory.
    """

    def __init__(self, session: SessionInfo | None) -> None:
        self.session = session
        self._steadier = Steadier()
        self._last: tuple[tuple[int, int], int] | None = None

    def steady(
        self, frame: Frame, pixels: NDArray[np.uint8], logits: dict[Hashable, Tensor]
    ) -> dict[Hashable, Tensor]:
        """Return logits of a frame with those before it carried over."""
        place, before = (frame.segment, frame.index), self._last
        self._last = place
        if before is None or before[0] != frame.segment:
            self._steadier.forget()
        if place == before:  # drawn again: it is shown as it was
            return {key: self._as_before(key, one) for key, one in logits.items()}
        return self._steadier.steady(pixels, logits)

    def _as_before(self, key: Hashable, logits: Tensor) -> Tensor:
        last = self._steadier.last(key)
        if last is None or last.shape != logits.shape:
            return logits
        return last.to(logits.dtype)


def labels_of(
    network: Segmenter, run: InferencePass, logits: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor | None]:
    """Return a pass's prediction: labels, and the confidence where it is asked for."""
    if run.measure is None or not network.gives_logits:
        return network.labels(logits, size), None
    if run.measure == "entropy":
        return network.labels_and_entropy(logits, size)
    return network.labels_and_confidence(logits, size)
