"""A camera on the network that stalls, breaks off and dies, over and over, while it is recorded."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app.config.settings import NetworkOptions, Settings
from app.core.memory import resident_mb
from app.pipeline.pipeline import Pipeline
from app.sources import network_stream as stream
from app.sources import parse_source
from tests.support.media import count_by_opencv
from tests.support.recordings import reopened
from tests.support.stream_servers import MjpegServer


def broken_stream(times: int, folder: Path) -> dict[str, object]:
    """Break a stream so many times; returns figures.

    Raises:
        AssertionError: it did not come back, frames are not accounted for, threads or memory pile
            up, or the recording does not play.
    """
    # Silence is noticed sooner than users would want it: this is about what happens then.
    stream.SILENCE, stream._FIRST_PAUSE = 1.0, 0.1
    camera = MjpegServer()
    pipeline = Pipeline(
        Settings(network=NetworkOptions(device="cpu", input_size=(64, 96))), display=True
    )
    faults: Counter[str] = Counter()
    path = folder / "stream.mp4"
    longest = 0.0
    memory: list[float] = []
    threads: list[int] = []
    last = -1.0
    try:
        pipeline.start()
        pipeline.open(parse_source(camera.url))
        _until(lambda: pipeline.take() is not None, "the first picture")
        pipeline.start_recording(path)
        for kind in itertools.islice(itertools.cycle(["stall", "break", "die"]), times):
            if kind == "stall":
                camera.silent.set()
            else:
                (camera.refusing.set if kind == "die" else camera.silent.clear)()
                camera.cut()
            if kind != "break":
                _until(lambda: _offline(pipeline) is not None, f"that the {kind} is seen")
                time.sleep(0.3)
            camera.silent.clear()
            camera.refusing.clear()
            begun = time.monotonic()
            while pipeline.take() is not None:
                pass
            shown = []
            _until(lambda shown=shown: _take(pipeline, shown) >= 3, f"pictures after a {kind}")
            longest = max(longest, time.monotonic() - begun)
            assert shown[0] > last, "time went back"
            last = shown[-1]
            assert _offline(pipeline) is None
            faults[kind] += 1
            memory.append(resident_mb())
            threads.append(threading.active_count())
    finally:
        pipeline.stop()
        camera.close()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total
    assert counters.offered == counters.recorded + counters.not_recorded_total
    assert len(reopened(path)[0]) == counters.recorded == count_by_opencv(path)
    half = len(memory) // 2
    figures = {
        "faults": dict(faults),
        "longest seconds to come back": round(longest, 2),
        "threads": (threads[0], threads[-1]),
        "MB": (round(memory[half], 1), round(memory[-1], 1)),
        "captured": counters.captured,
        "dropped": counters.dropped,
        "recorded": counters.recorded,
    }
    assert threads[-1] <= threads[0] + 6, figures  # the server's own threads come and go
    assert memory[-1] < memory[half] + 15, figures
    return figures


def _offline(pipeline: Pipeline) -> float | None:
    return pipeline.status().offline


def _take(pipeline: Pipeline, shown: list[float]) -> int:
    result = pipeline.take()
    if result is not None:
        shown.append(result.frame.time)
    return len(shown)


def _until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come in {seconds:.0f} s"
        time.sleep(0.01)
