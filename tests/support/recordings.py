"""Records pictures with the real recorder, and reads recordings back by PyAV and by OpenCV."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from app.config.settings import EncoderChoice, RecordingOptions
from app.core.events import EventBus
from app.core.frame import Frame, Prediction, Result, SessionInfo
from app.core.stats import Stats
from app.rendering.view_options import InferencePass, ViewOptions
from app.sinks.recording.recorder import Recorder
from app.sources.base import SourceInfo
from app.sources.source_spec import SourceSpec
from tests.support.media import count_by_opencv, picture, read_clip
from tests.support.waiting import PATIENCE


def result(
    image: NDArray[np.uint8],
    stamp: float,
    *,
    index: int = 0,
    segment: tuple[int, int] = (1, 0),
    labels: NDArray[np.uint8] | None = None,
) -> Result:
    """A result that shows ``image`` itself."""
    frame = Frame(image, index, stamp, time.monotonic(), segment=segment)
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


class _Told(EventBus):
    """Tells notices at once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.notice = say  # type: ignore[method-assign]


class _Fed(Recorder):
    """Recorder whose frames come of one source after the other, by the test's word."""

    rate: float
    sound: Callable[[int], Path | None]

    def put(self, result: Result, *, wait: bool) -> bool:
        number = result.frame.segment[0]
        file = self.sound(number)
        spec = SourceSpec("file", str(file)) if file is not None else SourceSpec("demo")
        info = SourceInfo("test", 160, 96, self.rate)
        frame = replace(result.frame, session=SessionInfo(number, spec, info))
        return super().put(replace(result, frame=frame), wait=wait)


def recorder_for(
    path: Path,
    *,
    rate: float = 30.0,
    sound: Callable[[int], Path | None] = lambda opening: None,
    choice: EncoderChoice | None = None,
    say: Callable[[str], None] | None = None,
    stats: Stats | None = None,
    events: EventBus | None = None,
    **more: Any,
) -> Recorder:
    """A recorder that is not started yet."""
    options = RecordingOptions(encoder=choice or EncoderChoice())
    bus = events or (_Told(say) if say is not None else EventBus())
    recorder = _Fed(path, stats or Stats(), bus, options, **more)
    recorder.rate, recorder.sound = rate, sound
    return recorder


def record(path: Path, what: Iterable[Result], **more: Any) -> Recorder:
    """Record results to the end; the recorder tells how it went."""
    recorder = recorder_for(path, **more)
    recorder.start()
    for item in what:
        if not recorder.put(item, wait=True):
            break
    recorder.finish()
    recorder.join(PATIENCE)
    assert not recorder.is_alive()
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
