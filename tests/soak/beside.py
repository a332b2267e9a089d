"""Four live sources beside each other, three times what the network can do: as long as wanted."""

from __future__ import annotations

import time

import numpy as np

from app.config.settings import NetworkOptions, Settings
from app.core.frame import Result
from app.core.memory import resident_mb
from app.pipeline.pipeline import Pipeline
from app.sinks.base import Sink
from app.sources.source_spec import SourceSpec
from tests.soak.overload import memory_figures, most_growth, overloaded
from tests.support.waiting import wait_until

RATES = (15.0, 30.0, 30.0, 60.0)
OVERLOAD = 3.0
_FAIR = 1.5
"""The oldest and the seldomest source, as a multiple of the best served one."""
_WARM = 5
"""Frames of each source before it is measured."""


class _Newest(Sink):
    """The time at which the newest picture was captured, and the longest pause between two."""

    lossless = False

    def __init__(self) -> None:
        self.captured = self._came = 0.0
        self.longest = 0.0

    def put(self, result: Result, *, wait: bool) -> bool:
        now = time.monotonic()
        self.longest = max(self.longest, now - self._came) if self._came else 0.0
        self.captured, self._came = result.frame.captured, now
        return True


def beside(seconds: float) -> dict[str, object]:
    """Run; returns figures by source.

    Raises:
        AssertionError: a source starves, memory grows, or frames are not accounted for.
    """
    settings = Settings(network=NetworkOptions(device="cpu", input_size=(64, 128)))
    pipelines: list[Pipeline] = []
    newest = [_Newest() for _ in RATES]
    with overloaded(RATES, OVERLOAD):
        try:
            for sink in newest:
                one = Pipeline(settings, display=False, beside=pipelines[0] if pipelines else None)
                pipelines.append(one)
                one.sinks.add(sink)
            for number, one in enumerate(pipelines):
                one.start()
                one.open(SourceSpec("camera", str(number)))
            processed = [one.stats.counters for one in pipelines]
            wait_until(lambda: all(each().processed > _WARM for each in processed))
            for sink in newest:
                sink.longest = 0.0
            before = [each().processed for each in processed]
            mean, times, memory = _watch(newest, seconds)
            frames = [each().processed - n for each, n in zip(processed, before, strict=True)]
        finally:
            if pipelines:
                pipelines[0].stop(*pipelines[1:])
    for one in pipelines:
        counters = one.stats.counters()
        assert counters.captured == counters.processed + counters.dropped_total
    figures: dict[str, object] = {
        "seconds": round(seconds),
        "rates": RATES,
        "captured": [one.stats.counters().captured for one in pipelines],
        "processed": frames,
        "mean age": [round(float(age), 3) for age in mean],
        "longest pause": [round(sink.longest, 3) for sink in newest],
        "ages, ratio": round(float(mean.max() / mean.min()), 2),
        "frames, ratio": round(max(frames) / max(1, min(frames)), 3),
        **memory_figures(times, memory),
    }
    print(figures, flush=True)
    assert max(frames) <= _FAIR * min(frames), figures
    # Over a few seconds, what else the machine does decides who is looked at when.
    assert seconds < 60 or mean.max() <= _FAIR * mean.min(), figures
    assert memory_figures(times, memory)["MB per minute"] < most_growth(seconds), figures
    return figures


def _watch(newest: list[_Newest], seconds: float) -> tuple[np.ndarray, list[float], list[float]]:
    """Return the mean age of each one's newest picture, and memory at some times."""
    ages, looks = np.zeros(len(newest)), 0
    times, memory = [], []
    started = time.monotonic()
    while (now := time.monotonic() - started) < seconds:
        ages += [time.monotonic() - sink.captured for sink in newest]
        looks += 1
        if not times or now - times[-1] > seconds / 100:  # many samples would be growth themselves
            times.append(now)
            memory.append(resident_mb() or 0.0)
        time.sleep(0.02)
    return ages / looks, times, memory
