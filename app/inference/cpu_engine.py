"""Engines for devices without queues of their own: the CPU, and those that torch hides them of."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from app.core.frame import Frame, Prediction
from app.inference.engine import Engine, Segmented, labels_of
from app.rendering.view_options import InferencePass
from fastscnn.inference.processor import cpu_threads
from fastscnn.segmenter import Segmenter


class SerialEngine(Engine):
    """One frame at a time, on the calling thread."""

    depth = 1

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__(segmenter)
        self._done: deque[Segmented] = deque()

    @property
    def pending(self) -> int:
        return len(self._done)

    def submit(self, frame: Frame, runs: Sequence[InferencePass]) -> None:
        while True:
            t0 = time.monotonic()
            fitted = self._segmenter.fit(frame.image)
            pixels = torch.from_numpy(fitted).to(self._segmenter.device)
            t1 = time.monotonic()
            try:
                logits = self._logits(pixels, runs)
                break
            except torch.OutOfMemoryError as error:
                self._shrink(frame, (pixels.shape[0], pixels.shape[1]), error)
        t2 = time.monotonic()
        logits, steadying = self._steadied(frame, fitted, runs, logits)
        t3 = time.monotonic()
        seen = tuple(
            _see(self._network(run), frame, run, one, pixels)
            for run, one in zip(runs, logits, strict=True)
        )
        t4 = time.monotonic()
        stages = {"upload": t1 - t0, "network": t2 - t1, **steadying, "labels": t4 - t3}
        self._done.append(Segmented(frame, seen, stages))

    def collect(self) -> Segmented:
        return self._done.popleft()

    def close(self) -> None:
        self._done.clear()

    def settle(self) -> None:
        pass  # nothing is ever under way


@dataclass(slots=True)
class _UnderWay:
    frame: Frame
    runs: tuple[InferencePass, ...]
    pixels: Tensor
    fit_seconds: float
    found: Future[tuple[list[Tensor], float]]


class OverlappedEngine(Engine):
    """The network on a thread of its own, so that labels and drawing overlap with the next frame.

    A frame that may be dropped has all processors to itself, to be there soon. Of others, as many
    are in the network at the same time as there are processors (up to four), each on its share:
    threads that work on one frame wait for each other, those on different frames do not.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__(segmenter)
        self._beside = min(cpu_threads(), 4)
        self.depth = self._beside + 1
        self._threads = ThreadPoolExecutor(self._beside, thread_name_prefix="network")
        self._under_way: deque[_UnderWay] = deque()

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def submit(self, frame: Frame, runs: Sequence[InferencePass]) -> None:
        if self.pending >= self.depth:
            raise RuntimeError("every place is in use: collect first")
        started = time.monotonic()
        pixels = torch.from_numpy(self._segmenter.fit(frame.image))
        fit_seconds = time.monotonic() - started
        beside = self._beside if frame.lossless else 1
        found = self._threads.submit(self._run, pixels, tuple(runs), beside)
        self._under_way.append(_UnderWay(frame, tuple(runs), pixels, fit_seconds, found))

    def collect(self) -> Segmented:
        done = self._under_way.popleft()
        try:
            logits, network_seconds = done.found.result()
        except torch.OutOfMemoryError as error:
            logits, network_seconds = self._again(done, error)
        logits, steadying = self._steadied(done.frame, done.pixels.numpy(), done.runs, logits)
        started = time.monotonic()
        seen = tuple(
            _see(self._network(run), done.frame, run, one, done.pixels)
            for run, one in zip(done.runs, logits, strict=True)
        )
        stages = {
            "upload": done.fit_seconds,
            "network": network_seconds,
            **steadying,
            "labels": time.monotonic() - started,
        }
        return Segmented(done.frame, seen, stages)

    def close(self) -> None:
        self._under_way.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def settle(self) -> None:
        if self._under_way and not self._under_way[-1].frame.lossless:
            wait([each.found for each in self._under_way])

    def _again(self, done: _UnderWay, error: torch.OutOfMemoryError) -> tuple[list[Tensor], float]:
        """Run a frame that memory did not suffice for at smaller sizes, until it does."""
        pixels = done.pixels
        while True:
            self._shrink(done.frame, (pixels.shape[0], pixels.shape[1]), error)
            pixels = done.pixels = torch.from_numpy(self._segmenter.fit(done.frame.image))
            try:
                return self._run(pixels, done.runs, 1)
            except torch.OutOfMemoryError as another:
                error = another

    def _run(
        self, pixels: Tensor, runs: tuple[InferencePass, ...], beside: int
    ) -> tuple[list[Tensor], float]:
        started = time.monotonic()
        return self._logits(pixels, runs, beside), time.monotonic() - started


def _see(
    network: Segmenter, frame: Frame, run: InferencePass, logits: Tensor, pixels: Tensor
) -> Prediction:
    size = (frame.image.shape[0], frame.image.shape[1])
    labels, confidence = labels_of(network, run, logits, size)
    return Prediction(
        run,
        labels.cpu().numpy(),
        logits[0].float().cpu().numpy() if network.gives_logits else np.zeros((0, 0, 0)),
        network.align_corners,
        confidence.cpu().numpy() if confidence is not None else None,
        network.table,
        (pixels.shape[0], pixels.shape[1]),
        network.weights,
        network.has_skip,
    )
