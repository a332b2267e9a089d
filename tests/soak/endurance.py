"""A live source, a network three times too slow, a window, a recording: as long as wanted."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from app.core.memory import resident_mb
from app.sources.source_spec import SourceSpec
from tests.soak.overload import memory_figures, most_growth, overloaded
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

    samples: list[tuple[float, float, float]] = []
    path = folder / "endurance.mp4"
    tiny = replace(SMALL, network=replace(SMALL.network, input_size=(128, 256)))
    with overloaded([RATE], SLOWER), window(tiny, recordings=folder) as made:
        made.open(SourceSpec("camera", "0"))
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
    assert figures["MB per minute"] < most_growth(seconds), figures
    grown = figures["age at the end"] >= 1.5 * figures["age after warm-up"] + 0.05
    assert seconds < 60 or not grown, figures
    return figures


def _figures(samples: list[tuple[float, float, float]]) -> dict[str, Any]:
    times, memory, age = np.array(samples).T
    warm = times >= min(120.0, times[-1] * 0.25)
    count = max(1, int(warm.sum()) // 4)
    return {
        **memory_figures(times, memory),
        "age after warm-up": round(float(np.median(age[warm][:count])), 4),
        "age at the end": round(float(np.median(age[warm][-count:])), 4),
        "longest age": round(float(age[warm].max()), 4),
    }
