"""Records pictures with the real recorder, and reads recordings back by PyAV and by OpenCV."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from app.core.frame import Frame, Prediction, Result
from app.core.stats import Stats
from app.rendering.view_options import InferencePass, ViewOptions
from app.sinks.recording.recorder import Recorder
from tests.support.media import count_by_opencv, picture, read_clip


def result(
    image: NDArray[np.uint8],
    stamp: float,
    *,
    index: int = 0,
    generation: int = 1,
    segment: tuple[int, int] = (1, 0),
    labels: NDArray[np.uint8] | None = None,
) -> Result:
    """A result that shows ``image`` itself."""
    frame = Frame(image, index, stamp, time.monotonic(), generation, segment=segment)
    if labels is None:
        labels = np.zeros(image.shape[:2], np.uint8)
    seen = Prediction(InferencePass(), labels, np.zeros((19, 1, 1), np.float32))
    return Result(frame, (seen,), (image,), ("overlay",), ViewOptions(), True)


def results(
    stamps: Iterable[float], size: tuple[int, int] = (160, 96), **more: Any
) -> Iterable[Result]:
    """One result per stamp, with pictures that tell their index."""
    return (
        result(picture(index, *size), stamp, index=index, **more)
        for index, stamp in enumerate(stamps)
    )


def recorder_for(path: Path, *, rate: float = 30.0, **more: Any) -> Recorder:
    """A recorder that is not started yet."""
    more.setdefault("stats", Stats())
    more.setdefault("closed", lambda _: None)
    return Recorder(path, rate=lambda: rate, **more)


def record(path: Path, what: Iterable[Result], **more: Any) -> Recorder:
    """Record results to the end; the recorder tells how it went."""
    closed = threading.Event()
    recorder = recorder_for(path, closed=lambda _: closed.set(), **more)
    recorder.start()
    for item in what:
        if not recorder.put(item, wait=True):
            break
    recorder.finish()
    recorder.join(30)
    assert closed.is_set()
    return recorder


def reopened(path: Path) -> tuple[list[float], list[NDArray[np.uint8]]]:
    """Times and pictures of a recording by PyAV, once OpenCV has found as many.

    OpenCV's own FFmpeg has no decoder for AV1.
    """
    times, images = read_clip(path)
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context.codec.canonical_name
    assert codec == "av1" or count_by_opencv(path) == len(times)
    assert times == sorted(set(times))
    return times, images


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait, with a generous limit, until something is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)
