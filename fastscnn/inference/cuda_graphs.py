"""CUDA graphs: the network's work for one size, recorded once, replayed without Python.

A small network on a fast card waits for its launches more than for its arithmetic. Not yet
measured, and run on no GPU so far: what is recorded when, and what happens when that fails, is
tested with a recorder on the host.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

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


class CudaGraphRecorder(GraphRecorder):
    """Recorder of CUDA graphs."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def queue(self) -> Hashable:
        return torch.cuda.current_stream(self._device).cuda_stream

    def record(self, work: Callable[[], Outputs]) -> tuple[Callable[[], None], Outputs]:
        graph = torch.cuda.CUDAGraph()
        # Other threads may be loading weights meanwhile, which a stricter mode would forbid.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            outputs = work()
        return graph.replay, outputs


@dataclass(frozen=True, slots=True)
class _Recorded:
    pixels: Tensor
    replay: Callable[[], None]
    outputs: Outputs


_Key = tuple[Hashable, tuple[int, ...], tuple[bool, ...]]


class GraphReplay:
    """Runner of work: as it is the first time, and as a recording from then on.

    Together with the first recording for a size, the one for the other setting of the skip
    connection is made, so that the toggle finds it ready. What was used lately is kept.

    Args:
        run: the work.
        recorder: records it.

    Attributes:
        refused: why nothing is recorded any more; empty as long as that works.
    """

    _KEPT = 6

    def __init__(self, run: Run, recorder: GraphRecorder) -> None:
        self._run, self._recorder = run, recorder
        self._ready: OrderedDict[_Key, _Recorded] = OrderedDict()
        self.refused = ""

    def __call__(self, pixels: Tensor, skips: Sequence[bool]) -> Outputs:
        key: _Key = (self._recorder.queue(), tuple(pixels.shape), tuple(skips))
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
            self._ready.clear()  # smaller sizes, which come next, need the room
            raise
        self._record(key, pixels)
        if len(skips) == 1:
            other: _Key = (queue, shape, (not skips[0],))
            if other not in self._ready:
                self._record(other, pixels)
        return outputs

    def _record(self, key: _Key, like: Tensor) -> None:
        if self.refused:
            return
        skips = key[2]
        pixels = like.clone()
        try:
            self._run(pixels, skips)  # libraries set themselves up the first time
            replay, outputs = self._recorder.record(lambda: self._run(pixels, skips))
        except RuntimeError as error:  # running out of memory is one of them
            self.refused = (str(error) or type(error).__name__).splitlines()[0]
            self._ready.clear()
            _log.info("the network is not recorded: %s", error)
            return
        self._ready[key] = _Recorded(pixels, replay, outputs)
        while len(self._ready) > self._KEPT:
            self._ready.popitem(last=False)
