"""The engine for CUDA: upload, network, labels and download of successive frames overlap.

Each step has a stream of its own and every frame a slot of pinned host and device buffers that are
allocated once per size: while frame *n* is in the network, *n+1* is uploaded and *n−1* downloaded.
All engines of a process share a device's streams: libraries keep memory for each that they saw.
"""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from app.core.frame import Frame, Prediction
from app.inference.engine import Engine, Segmented, labels_of
from app.rendering.view_options import InferencePass
from fastscnn.segmenter import Segmenter


class Queues(ABC):
    """Three in-order queues of device work and the marks between them."""

    pinned: bool
    device: torch.device

    @abstractmethod
    def use(self, queue: str) -> contextlib.AbstractContextManager[Any]:
        """Send the work inside the context to ``upload``, ``compute`` or ``download``."""

    @abstractmethod
    def mark(self, queue: str) -> Any:
        """A mark behind all that was sent to a queue."""

    @abstractmethod
    def wait(self, queue: str, mark: Any) -> None:
        """Let a queue's later work start after a mark."""

    @abstractmethod
    def finish(self, mark: Any) -> None:
        """Block until a mark is reached."""

    @abstractmethod
    def seconds(self, earlier: Any, later: Any) -> float:
        """Time between two reached marks."""

    @abstractmethod
    def free(self) -> None:
        """Give buffers that are not in use any more back to device and system."""


class CudaQueues(Queues):
    """CUDA streams and events; nothing runs on the default stream."""

    pinned = True

    def __init__(self, device: torch.device) -> None:
        self.device = device
        with torch.cuda.device(device):
            self._streams = _streams(torch.cuda.current_device())
        # The weights went up on the default stream: what follows must find them there.
        torch.cuda.synchronize(device)

    def use(self, queue: str) -> contextlib.AbstractContextManager[Any]:
        return torch.cuda.stream(self._streams[queue])

    def mark(self, queue: str) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(self._streams[queue])
        return event

    def wait(self, queue: str, mark: torch.cuda.Event) -> None:
        self._streams[queue].wait_event(mark)

    def finish(self, mark: torch.cuda.Event) -> None:
        mark.synchronize()

    def seconds(self, earlier: torch.cuda.Event, later: torch.cuda.Event) -> float:
        return float(earlier.elapsed_time(later)) / 1000

    def free(self) -> None:
        torch.cuda.empty_cache()
        free_pinned = getattr(torch._C, "_host_emptyCache", None)  # public from torch 2.12 on
        if free_pinned is not None:
            free_pinned()


@cache
def _streams(device: int) -> dict[str, torch.cuda.Stream]:
    return {
        name: torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        for name in ("upload", "compute", "download")
    }


class _Buffer:
    """Device memory of one thing that comes back, and where it comes back to."""

    def __init__(self, like: Tensor, queues: Queues) -> None:
        self.device = torch.empty_like(like, memory_format=torch.contiguous_format)
        self.host = torch.empty(like.shape, dtype=like.dtype, pin_memory=queues.pinned)


class _Slot:
    """The buffers of one frame under way, allocated anew only when sizes change."""

    def __init__(self, network: tuple[int, int], queues: Queues) -> None:
        self.network = network
        pixels, uint8 = (*network, 3), torch.uint8
        self.host_pixels = torch.empty(pixels, dtype=uint8, pin_memory=queues.pinned)
        self.pixels = torch.empty(pixels, dtype=uint8, device=queues.device)
        self._queues = queues
        self._buffers: dict[tuple[int, str], _Buffer] = {}

    def keep(self, run: int, what: str, values: Tensor) -> None:
        """Bring a run's values into this slot, in the queue in use."""
        buffer = self._buffers.get((run, what))
        if buffer is None or (buffer.host.shape, buffer.host.dtype) != (values.shape, values.dtype):
            buffer = self._buffers[run, what] = _Buffer(values, self._queues)
        buffer.device.copy_(values)

    def download(self, run: int, what: str) -> None:
        """Start bringing kept values back."""
        buffer = self._buffers[run, what]
        buffer.host.copy_(buffer.device, non_blocking=True)

    def take(self, run: int, what: str) -> NDArray[Any]:
        """A copy of what came back: the slot is used again while it lives on with the display."""
        return self._buffers[run, what].host.numpy().copy()


@dataclass(slots=True)
class _UnderWay:
    frame: Frame
    runs: tuple[InferencePass, ...]
    slot: _Slot
    fit_seconds: float
    steadying: dict[str, float]
    marks: dict[str, Any]


def _kept(run: InferencePass) -> tuple[str, ...]:
    return ("labels", "logits") + (("confidence",) if run.measure else ())


class StreamEngine(Engine):
    """A ring of slots over three queues."""

    depth = 3

    def __init__(self, segmenter: Segmenter, queues: Queues) -> None:
        super().__init__(segmenter)
        self._queues = queues
        self._free: deque[_Slot] = deque()
        self._under_way: deque[_UnderWay] = deque()

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def submit(self, frame: Frame, runs: Sequence[InferencePass]) -> None:
        if self.pending >= self.depth:
            raise RuntimeError("every slot is in use: collect first")
        height, width = frame.image.shape[:2]
        while True:
            seen = self._segmenter.network_size(height, width)
            try:
                self._start(frame, runs)
                return
            except torch.OutOfMemoryError as error:
                self._free.clear()  # their buffers are of the size that was too large
                self._shrink(frame, seen, error)

    def _start(self, frame: Frame, runs: Sequence[InferencePass]) -> None:
        queues, height, width = self._queues, *frame.image.shape[:2]
        started = time.monotonic()
        slot = self._slot(self._segmenter.network_size(height, width))
        self._segmenter.fit(frame.image, out=slot.host_pixels.numpy())
        fit_seconds = time.monotonic() - started
        marks = {"start": queues.mark("upload")}
        with queues.use("upload"):
            slot.pixels.copy_(slot.host_pixels, non_blocking=True)
        marks["upload"] = queues.mark("upload")
        queues.wait("compute", marks["upload"])
        with queues.use("compute"):
            marks["ready"] = queues.mark("compute")
            logits = self._logits(slot.pixels, runs)
            marks["network"] = queues.mark("compute")
            fitted = slot.host_pixels.numpy()
            logits, steadying = self._steadied(frame, fitted, runs, logits)
            marks["steady"] = queues.mark("compute")
            for index, (run, one) in enumerate(zip(runs, logits, strict=True)):
                labels, sure = labels_of(self._network(run), run, one, (height, width))
                slot.keep(index, "labels", labels)
                slot.keep(index, "logits", one[0].float())
                if sure is not None:
                    slot.keep(index, "confidence", sure)
        marks["labels"] = queues.mark("compute")
        queues.wait("download", marks["labels"])
        with queues.use("download"):
            for index, run in enumerate(runs):
                for what in _kept(run):
                    slot.download(index, what)
        marks["download"] = queues.mark("download")
        self._under_way.append(_UnderWay(frame, tuple(runs), slot, fit_seconds, steadying, marks))

    def collect(self) -> Segmented:
        done = self._under_way.popleft()
        queues, marks, slot = self._queues, done.marks, done.slot
        queues.finish(marks["download"])
        stages = {
            "upload": done.fit_seconds + queues.seconds(marks["start"], marks["upload"]),
            "network": queues.seconds(marks["ready"], marks["network"]),
            **done.steadying,
            "labels": queues.seconds(marks["steady"], marks["labels"]),
            "download": queues.seconds(marks["labels"], marks["download"]),
        }
        seen = tuple(
            Prediction(
                run,
                slot.take(index, "labels"),
                slot.take(index, "logits"),
                self._network(run).align_corners,
                slot.take(index, "confidence") if run.measure is not None else None,
                self._network(run).table,
                slot.network,
                self._network(run).weights,
                self._network(run).has_skip,
            )
            for index, run in enumerate(done.runs)
        )
        self._free.append(slot)
        return Segmented(done.frame, seen, stages)

    def _slot(self, network: tuple[int, int]) -> _Slot:
        while self._free:
            slot = self._free.popleft()
            if slot.network == network:
                return slot
        return _Slot(network, self._queues)

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):  # the device may have failed for good
            for under_way in self._under_way:
                self._queues.finish(under_way.marks["download"])
            self._under_way.clear()
            self._free.clear()
            self._queues.free()

    def warm(self, size: tuple[int, int], skips: Sequence[bool]) -> None:
        with self._queues.use(
            "compute"
        ):  # what is recorded is replayed in the queue that it is for
            super().warm(size, skips)

    def settle(self) -> None:
        if self._under_way and not self._under_way[-1].frame.lossless:
            self._queues.finish(self._under_way[-1].marks["labels"])
