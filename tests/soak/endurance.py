"""A live source, a network three times too slow, a window, a recording: as long as wanted."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from app.inference import engine
from app.pipeline import capture
from app.sources.base import Picture, Source
from app.sources.demo import DemoSource
from app.sources.source_spec import SourceSpec
from tests.support.media import count_by_opencv

RATE = 30.0
SLOWER = 3.0


def endurance(seconds: float, folder: Path) -> dict[str, object]:
    """Run; returns figures on memory and the age of frames.

    Raises:
        AssertionError: memory or age grows, frames are not accounted for, or the file does not
            play.
    """
    from PyQt6.QtTest import QTest

    from tests.support.window_driver import SMALL, window

    real_open, real_engine = capture.open_source, engine.make_engine
    capture.open_source = lambda spec: LiveDemo()
    engine.make_engine = lambda segmenter: SlowEngine(real_engine(segmenter))  # type: ignore[assignment,return-value]
    samples: list[tuple[float, float, float]] = []
    path = folder / "endurance.mp4"
    try:
        with window(
            replace(SMALL, network=replace(SMALL.network, input_size=(128, 256))), recordings=folder
        ) as made:
            made.open(SourceSpec("demo"))
            while made.pipeline.stats.counters().shown < 5:
                QTest.qWait(20)
            made.pipeline.start_recording(path, overwrite=True)
            started = time.monotonic()
            while (now := time.monotonic() - started) < seconds:
                QTest.qWait(500)
                samples.append((now, resident_mb(), made.pipeline.stats.latency()))
                if len(samples) % 120 == 0:
                    _, memory, age = samples[-1]
                    print(f"{now:.0f} s: {memory:.1f} MB, {age:.3f} s", flush=True)
            stats = made.pipeline.stats
            fps = stats.fps()
    finally:
        capture.open_source, engine.make_engine = real_open, real_engine
    counters = stats.counters()
    with av.open(str(path)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert frames == counters.recorded == count_by_opencv(path)
    assert counters.captured == counters.shown + counters.dropped_total
    assert counters.offered == counters.recorded + counters.not_recorded_total
    figures = _figures(samples)
    figures |= {
        "seconds": round(seconds),
        "captured": counters.captured,
        "shown": counters.shown,
        "dropped": counters.dropped,
        "recorded": counters.recorded,
        "not recorded": counters.not_recorded,
        "fps": round(fps, 1),
        "file MB": round(path.stat().st_size / 1e6, 1),
    }
    print(figures, flush=True)
    limit = 1.0 if seconds >= 600 else 10.0  # over a minute, noise looks like growth
    assert figures["MB per minute"] < limit, figures
    assert figures["age at the end"] < 1.5 * figures["age after warm-up"] + 0.05, figures
    return figures


class LiveDemo(Source):
    """The demo street at its own pace, whether or not anybody keeps up."""

    live = True

    def __init__(self) -> None:
        super().__init__()
        self._street = DemoSource(SourceSpec("demo", width=320, height=160))
        self._pictures = [self._street.read() for _ in range(90)]
        self._count = 0
        self._started = time.monotonic()
        self.info = replace(self._street.info, name="live street")

    def read(self) -> Picture:
        due = self._started + self._count / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        image = self._pictures[self._count % len(self._pictures)].image
        self._count += 1
        return Picture(image, (self._count - 1) / RATE)

    def close(self) -> None:
        self._street.close()


class SlowEngine:
    """An engine that takes three times as long for a frame as the source."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._last = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def collect(self) -> Any:
        done = self._real.collect()
        time.sleep(max(0.0, self._last + SLOWER / RATE - time.monotonic()))
        self._last = time.monotonic()
        return done


def _figures(samples: list[tuple[float, float, float]]) -> dict[str, Any]:
    times, memory, age = np.array(samples).T
    warm = times >= min(120.0, times[-1] * 0.25)
    slope, _ = np.polyfit(times[warm] / 60, memory[warm], 1)
    count = max(1, int(warm.sum()) // 4)
    return {
        "MB per minute": round(float(slope), 3),
        "MB after warm-up": round(float(np.median(memory[warm][:count])), 1),
        "MB at the end": round(float(np.median(memory[warm][-count:])), 1),
        "age after warm-up": round(float(np.median(age[warm][:count])), 4),
        "age at the end": round(float(np.median(age[warm][-count:])), 4),
        "longest age": round(float(age[warm].max()), 4),
    }


def resident_mb() -> float:
    """Memory of this process that is in use."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
