"""CUDA graphs: the network's work for one size, recorded once, replayed without Python.

A small network on a fast card waits for its launches more than for its arithmetic. What is recorded
when, and what happens when that fails, is tested with a recorder on the host; on a card,
``python -m app.selfcheck`` checks the rest.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

Outputs = tuple[Tensor, ...]
Run = Callable[[Tensor, Sequence[bool]], Outputs]
"""Work: pixels and settings of the skip connection in, logits for each setting out."""

_log = logging.getLogger(__name__)


class GraphRecorder(ABC):
    """Recorder of device work."""

    @abstractmethod
    def queue(self) -> Hashable:
        """Return the queue that work goes to at present.

        What was recorded is replayed in one queue only: in two, it could still be read by one
        while the other writes it.
        """

    @abstractmethod
    def record(self, work: Callable[[], Outputs]) -> tuple[Callable[[], None], Outputs]:
        """Record work that has run before; return what replays it, and the memory it writes.

        Raises:
            RuntimeError: it cannot be recorded.
        """

    @abstractmethod
    def seconds(self, replay: Callable[[], None]) -> float:
        """Return how long a replay takes: the shortest of some."""

    @abstractmethod
    def free(self) -> None:
        """Give memory that recordings held back to the device."""


class CudaGraphRecorder(GraphRecorder):
    """Recorder of CUDA graphs."""

    _RECORDING = threading.Lock()
    """One recording at a time in a process: beginning one waits for the whole device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def queue(self) -> Hashable:
        return torch.cuda.current_stream(self._device).cuda_stream

    def record(self, work: Callable[[], Outputs]) -> tuple[Callable[[], None], Outputs]:
        graph = torch.cuda.CUDAGraph()
        # torch records on the current device, which is another one for cuda:1 and up.
        with self._RECORDING, torch.cuda.device(self._device):
            before = torch.cuda.current_stream()
            stream = _recording_stream(torch.cuda.current_device())
            try:
                # Other threads may be loading weights, which a stricter mode would forbid.
                with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                    outputs = work()
            finally:
                # Where a recording fails, torch leaves the stream that it was made on current.
                torch.cuda.set_stream(before)
        return graph.replay, outputs

    def seconds(self, replay: Callable[[], None]) -> float:
        with torch.cuda.device(self._device):
            for _ in range(5):
                replay()
            times = []
            for _ in range(10):
                marks = [torch.cuda.Event(enable_timing=True) for _ in range(2)]  # type: ignore[no-untyped-call]
                marks[0].record()
                replay()
                marks[1].record()
                marks[1].synchronize()
                times.append(float(marks[0].elapsed_time(marks[1])) / 1000)
        return min(times)

    def free(self) -> None:
        torch.cuda.empty_cache()


@cache
def _recording_stream(device: int) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class _Recorded:
    pixels: Tensor
    replay: Callable[[], None]
    outputs: Outputs


_Key = tuple[Hashable, tuple[int, ...], tuple[bool, ...]]


class GraphReplay:
    """Runner of work: as it is the first time, and as a recording from then on.

    Together with the first recording for a size, the one for the other setting of the skip
    connection is made, so that the toggle finds it ready. What was used lately is kept. Any number
    of threads may call it: filling a recording's memory, replaying it and copying the result are
    one step for the others.

    Args:
        run: the work.
        recorder: records it.
    """

    _KEPT = 6
    _PATIENCE = 200
    """Images after which recording is tried again where memory had run out."""

    def __init__(self, run: Run, recorder: GraphRecorder) -> None:
        self._run, self._recorder = run, recorder
        self._ready: OrderedDict[_Key, _Recorded] = OrderedDict()
        self._lock = threading.Lock()
        self._refused = ""
        self._waits = 0

    @property
    def kept(self) -> int:
        """Number of recordings that are kept."""
        return len(self._ready)

    @property
    def refused(self) -> str:
        """Reason why nothing is recorded, for now or any more; empty as long as that works."""
        return self._refused or ("memory ran out" if self._waits else "")

    def __call__(self, pixels: Tensor, skips: Sequence[bool]) -> Outputs:
        key: _Key = (self._recorder.queue(), tuple(pixels.shape), tuple(skips))
        with self._lock:
            recorded = self._ready.get(key)
            if recorded is None:
                return self._first(key, pixels)
            self._ready.move_to_end(key)
            recorded.pixels.copy_(pixels)
            recorded.replay()
            # The recording's own memory is written again by the next frame.
            return tuple(output.clone() for output in recorded.outputs)

    def _first(self, key: _Key, pixels: Tensor) -> Outputs:
        queue, shape, skips = key
        try:
            outputs = self._run(pixels, skips)
        except torch.OutOfMemoryError:
            if not self._ready:
                raise
            self._drop()
            outputs = self._run(pixels, skips)
        if self._waits:
            self._waits -= 1
        if not self.refused:
            self._record(key, pixels)
        if len(skips) == 1 and not self.refused:
            other: _Key = (queue, shape, (not skips[0],))
            if other not in self._ready:
                self._record(other, pixels)
        return outputs

    def _drop(self) -> None:
        self._ready.clear()
        self._recorder.free()

    def _record(self, key: _Key, like: Tensor) -> None:
        run, skips = self._run, key[2]
        try:
            pixels = like.clone()
            run(pixels, skips)  # libraries set themselves up the first time
            replay, outputs = self._recorder.record(lambda: run(pixels, skips))
        except RuntimeError as error:
            self._drop()
            if _out_of_memory(error):
                self._waits = self._PATIENCE
            else:
                self._refused = (str(error) or type(error).__name__).splitlines()[0]
            _log.info("the network is not recorded: %s", error)
            return
        self._ready[key] = _Recorded(pixels, replay, outputs)
        while len(self._ready) > self._KEPT:
            self._ready.popitem(last=False)


def _out_of_memory(error: BaseException | None) -> bool:
    """Return whether memory ran out, which the end of a broken recording may have covered."""
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError):
            return True
        error = error.__context__
    return False
