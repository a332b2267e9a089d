"""Overload: live sources that bring more than the network can do, at rates that a run names."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.inference import engine_factory
from app.pipeline import capture
from app.sources.base import Picture, Source, SourceInfo
from app.sources.demo import DemoSource
from app.sources.source_spec import SourceSpec


class LiveDemo(Source):
    """The demo street at its own pace, whether or not anybody keeps up."""

    live = True

    def __init__(self, rate: float) -> None:
        super().__init__()
        info, self._pictures = _street()
        self._rate, self._count = rate, 0
        self._started = time.monotonic()
        name = f"live street at {rate:g} fps"
        self.info = replace(info, name=name, rate=rate, seekable=False)

    def read(self) -> Picture:
        due = self._started + self._count / self._rate
        time.sleep(max(0.0, due - time.monotonic()))
        image = self._pictures[self._count % len(self._pictures)].image
        self._count += 1
        return Picture(image, (self._count - 1) / self._rate)

    def close(self) -> None:
        """Leave the pictures to the others."""


@functools.cache
def _street() -> tuple[SourceInfo, list[Picture]]:
    """Pictures of a street, which take longer to draw than live sources have."""
    street = DemoSource(SourceSpec("demo", width=320, height=160))
    with contextlib.closing(street):
        return street.info, [street.read() for _ in range(60)]


class SlowEngine:
    """An engine that gives so many results a second at most."""

    def __init__(self, real: Any, rate: float) -> None:
        self._real, self._rate = real, rate
        self._last = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def collect(self) -> Any:
        done = self._real.collect()
        time.sleep(max(0.0, self._last + 1 / self._rate - time.monotonic()))
        self._last = time.monotonic()
        return done


@contextlib.contextmanager
def overloaded(rates: Sequence[float], by: float) -> Iterator[None]:
    """Let cameras be live streets of these rates, for a network that is so many times too slow."""
    _street()  # drawn before anybody waits for it
    real_open, real_engine = capture.open_source, engine_factory.make_engine
    capture.open_source = lambda spec: LiveDemo(rates[int(spec.value)])
    engine_factory.make_engine = lambda segmenter: SlowEngine(  # type: ignore[assignment,return-value]
        real_engine(segmenter), sum(rates) / by
    )
    try:
        yield
    finally:
        capture.open_source, engine_factory.make_engine = real_open, real_engine


def memory_figures(times: Sequence[float], memory: Sequence[float]) -> Mapping[str, float]:
    """How memory grew once the run was warm: megabytes at samples of these times, in seconds."""
    at, used = np.array(times), np.array(memory)
    warm = at >= min(120.0, at[-1] * 0.25)
    slope, _ = np.polyfit(at[warm] / 60, used[warm], 1)
    count = max(1, int(warm.sum()) // 4)
    return {
        "MB per minute": round(float(slope), 3),
        "MB after warm-up": round(float(np.median(used[warm][:count])), 1),
        "MB at the end": round(float(np.median(used[warm][-count:])), 1),
    }


def most_growth(seconds: float) -> float:
    """Megabytes a minute that memory may seem to grow: over a short run, noise looks like it."""
    return 1.0 if seconds >= 600 else 10.0 if seconds >= 60 else 200.0
