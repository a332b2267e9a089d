"""Which engine serves which device."""

from __future__ import annotations

from app.pipeline.engine import Engine
from app.pipeline.serial import OverlappedEngine, SerialEngine
from app.pipeline.streams import CudaQueues, StreamEngine
from fastscnn.segmenter import Segmenter


def make_engine(segmenter: Segmenter) -> Engine:
    """The engine for the segmenter's device."""
    if segmenter.device.type == "cuda":
        return StreamEngine(segmenter, CudaQueues(segmenter.device))
    if segmenter.device.type == "cpu":
        return OverlappedEngine(segmenter)
    return SerialEngine(segmenter)
