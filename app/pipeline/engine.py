"""The network's side of the worker: upload, network, labels, download, overlapped.

On CUDA each step has a stream of its own and every frame a slot of pinned host and device buffers
that are allocated once per size: while frame *n* is in the network, *n+1* is uploaded and *n−1*
downloaded. On other devices the same steps run one after the other.
"""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.pipeline.frame import Frame
from fastscnn.segmenter import Segmenter


@dataclass(frozen=True, slots=True)
class Segmented:
    """What came back for one frame: labels of its size and seconds spent by stage."""

    frame: Frame
    labels: NDArray[np.uint8]
    skip: bool
    stages: dict[str, float]


class Engine(ABC):
    """Takes frames and gives their labels back in the same order."""

    depth: int
    """How many frames may be under way at once."""

    @property
    @abstractmethod
    def pending(self) -> int:
        """How many are."""

    @abstractmethod
    def submit(self, frame: Frame, skip: bool) -> None:
        """Start on a frame; only while fewer than ``depth`` are pending."""

    @abstractmethod
    def collect(self) -> Segmented:
        """Wait for the oldest pending frame."""


def make_engine(segmenter: Segmenter) -> Engine:
    """The engine for the segmenter's device."""
    if segmenter.device.type == "cuda":
        return StreamEngine(segmenter, CudaQueues(segmenter.device))
    return SerialEngine(segmenter)


class SerialEngine(Engine):
    """One frame at a time, on the calling thread."""

    depth = 1

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._done: deque[Segmented] = deque()

    @property
    def pending(self) -> int:
        return len(self._done)

    def submit(self, frame: Frame, skip: bool) -> None:
        height, width = frame.image.shape[:2]
        t0 = time.monotonic()
        pixels = torch.from_numpy(self._segmenter.fit(frame.image)).to(self._segmenter.device)
        t1 = time.monotonic()
        logits = self._segmenter.logits(pixels, skip)
        t2 = time.monotonic()
        labels = self._segmenter.labels(logits, (height, width)).cpu().numpy()
        t3 = time.monotonic()
        stages = {"upload": t1 - t0, "network": t2 - t1, "labels": t3 - t2}
        self._done.append(Segmented(frame, np.asarray(labels, np.uint8), skip, stages))

    def collect(self) -> Segmented:
        return self._done.popleft()


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


class CudaQueues(Queues):
    """CUDA streams and events; nothing runs on the default stream."""

    pinned = True

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._streams = {
            name: torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            for name in ("upload", "compute", "download")
        }
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


class _Slot:
    """The buffers of one frame under way, allocated anew only when sizes change."""

    def __init__(self, network: tuple[int, int], shown: tuple[int, int], queues: Queues) -> None:
        self.sizes = (network, shown)
        pixels, uint8, device = (*network, 3), torch.uint8, queues.device
        self.host_pixels = torch.empty(pixels, dtype=uint8, pin_memory=queues.pinned)
        self.pixels = torch.empty(pixels, dtype=uint8, device=device)
        self.labels = torch.empty(shown, dtype=uint8, device=device)
        self.host_labels = torch.empty(shown, dtype=uint8, pin_memory=queues.pinned)


@dataclass(slots=True)
class _UnderWay:
    frame: Frame
    skip: bool
    slot: _Slot
    fit_seconds: float
    marks: dict[str, Any]


class StreamEngine(Engine):
    """A ring of slots over three queues."""

    depth = 3

    def __init__(self, segmenter: Segmenter, queues: Queues) -> None:
        self._segmenter = segmenter
        self._queues = queues
        self._free: deque[_Slot] = deque()
        self._under_way: deque[_UnderWay] = deque()

    @property
    def pending(self) -> int:
        return len(self._under_way)

    def submit(self, frame: Frame, skip: bool) -> None:
        if self.pending >= self.depth:
            raise RuntimeError("every slot is in use: collect first")
        queues, height, width = self._queues, *frame.image.shape[:2]
        started = time.monotonic()
        slot = self._slot(self._segmenter.network_size(height, width), (height, width))
        self._segmenter.fit(frame.image, out=slot.host_pixels.numpy())
        fit_seconds = time.monotonic() - started
        marks = {"start": queues.mark("upload")}
        with queues.use("upload"):
            slot.pixels.copy_(slot.host_pixels, non_blocking=True)
        marks["upload"] = queues.mark("upload")
        queues.wait("compute", marks["upload"])
        with queues.use("compute"):
            marks["ready"] = queues.mark("compute")
            logits: Tensor = self._segmenter.logits(slot.pixels, skip)
            marks["network"] = queues.mark("compute")
            slot.labels.copy_(self._segmenter.labels(logits, (height, width)))
        marks["labels"] = queues.mark("compute")
        queues.wait("download", marks["labels"])
        with queues.use("download"):
            slot.host_labels.copy_(slot.labels, non_blocking=True)
        marks["download"] = queues.mark("download")
        self._under_way.append(_UnderWay(frame, skip, slot, fit_seconds, marks))

    def collect(self) -> Segmented:
        done = self._under_way.popleft()
        queues, marks = self._queues, done.marks
        queues.finish(marks["download"])
        stages = {
            "upload": done.fit_seconds + queues.seconds(marks["start"], marks["upload"]),
            "network": queues.seconds(marks["ready"], marks["network"]),
            "labels": queues.seconds(marks["network"], marks["labels"]),
            "download": queues.seconds(marks["labels"], marks["download"]),
        }
        # The slot is used again at once, while the labels live on with the display and recorder.
        labels = done.slot.host_labels.numpy().copy()
        self._free.append(done.slot)
        return Segmented(done.frame, labels, done.skip, stages)

    def _slot(self, network: tuple[int, int], shown: tuple[int, int]) -> _Slot:
        while self._free:
            slot = self._free.popleft()
            if slot.sizes == (network, shown):
                return slot
        return _Slot(network, shown, self._queues)
