"""Engine factory: the engine for a device."""

from __future__ import annotations

from app.inference.cpu_engine import OverlappedEngine, SerialEngine
from app.inference.cuda_engine import CudaQueues, StreamEngine
from app.inference.engine import Engine
from fastscnn.segmenter import Segmenter


def make_engine(segmenter: Segmenter) -> Engine:
    """The engine for the segmenter's device."""
    if segmenter.device.type == "cuda":
        return StreamEngine(segmenter, CudaQueues(segmenter.device))
    if segmenter.device.type == "cpu":
        return OverlappedEngine(segmenter)
    return SerialEngine(segmenter)
