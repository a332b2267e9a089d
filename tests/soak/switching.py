"""Random switches, seeks, starts and stops: everything adds up, nothing hangs, all files play."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.config.settings import NetworkOptions, RecordingOptions, Settings
from app.core.stats import Counters
from app.pipeline import capture
from app.pipeline.pipeline import Pipeline
from app.sources.base import Source
from app.sources.source_spec import SourceSpec
from tests.support.media import ScriptedSource, write_clip
from tests.support.recordings import reopened

MOST_IN_FLIGHT = 16
"""Inbox, engine, display slot and one in every hand; more would be a leak."""


def random_run(
    operations: int, seed: int, folder: Path, *, longest: float = 0.1
) -> dict[str, object]:
    """Drive a pipeline at random for so many operations; returns figures.

    Between two of them it is left alone for up to ``longest`` seconds.

    Raises:
        AssertionError: something did not add up, hung, failed or does not play.
    """
    dice = random.Random(seed)
    settings = Settings(
        network=NetworkOptions(device="cpu", input_size=(64, 96)),
        recording=RecordingOptions(
            on_switch=dice.choice(["close", "continue"]), audio=dice.random() < 0.5
        ),
    )
    real = capture.open_source
    capture.open_source = _open_live_too(real)
    before = set(threading.enumerate())
    pipeline = Pipeline(settings, display=True)
    try:
        pipeline.start()
        done = _drive(pipeline, dice, operations, folder, longest)
    finally:
        started = time.monotonic()
        pipeline.stop()
        capture.open_source = real
    stopping = time.monotonic() - started
    counters = pipeline.stats.counters()
    _assert_adds_up(counters, standing=True)
    _await_threads(before)
    errors = [e.text for e in _events(pipeline) if e.kind == "error"]
    assert not errors, errors
    recordings = pipeline.recordings.all()
    for info, error in recordings:
        assert not error, error
        if info.frames:
            times, _ = reopened(info.path)
            assert len(times) == info.frames, info
        else:
            assert not info.path.exists(), info
    assert sum(info.frames for info, _ in recordings) == counters.recorded
    return {
        "seed": seed,
        **done,
        "captured": counters.captured,
        "shown": counters.shown,
        "dropped": counters.dropped,
        "recorded": counters.recorded,
        "not recorded": counters.not_recorded,
        "recordings": sum(info.frames > 0 for info, _ in recordings),
        "seconds to stop": round(stopping, 2),
    }


def _drive(
    pipeline: Pipeline, dice: random.Random, operations: int, folder: Path, longest: float
) -> Counter[str]:
    specs = _specs(folder)
    did: Counter[str] = Counter()

    def open_any() -> None:
        pipeline.open(dice.choice(specs))

    def record() -> None:
        pipeline.start_recording(pipeline.recording_path(folder))

    def loop() -> None:
        begin = dice.uniform(0, 1)
        pipeline.session.set_loop(dice.choice([None, "whole", (begin, begin + 0.3)]))

    def view() -> None:
        pipeline.live.skip = dice.random() < 0.5
        pipeline.view = replace(pipeline.view, alpha=dice.random())

    acts: dict[str, tuple[int, Callable[[], object]]] = {
        "open": (20, open_any),
        "seek": (25, lambda: pipeline.session.seek(dice.uniform(-0.5, 3.0))),
        "step": (10, lambda: pipeline.session.step(dice.choice([-10, -2, -1, 1, 2, 7]))),
        "pause": (8, lambda: pipeline.session.pause()),
        "play": (14, pipeline.play),
        "speed": (4, lambda: pipeline.session.set_speed(dice.choice([0.25, 1, 2, 4]))),
        "loop": (4, loop),
        "view": (5, view),
        "record": (12, record),
        "stop recording": (8, pipeline.stop_recording),
    }
    open_any()
    while not pipeline.status().network:
        time.sleep(0.01)
    for _ in range(operations):
        name = dice.choices(list(acts), [weight for weight, _ in acts.values()])[0]
        started = time.monotonic()
        acts[name][1]()
        # Commands return at once; a busy machine may take its time with other things.
        assert time.monotonic() - started < 5, name
        did[name] += 1
        end = time.monotonic() + dice.choice([0, 0.05, 0.3, 1.0]) * longest
        while True:
            if dice.random() < 0.8:
                pipeline.take()
            _assert_adds_up(pipeline.status().counters, standing=False)
            if time.monotonic() >= end:
                break
            time.sleep(0.003)
    return did


def _assert_adds_up(counters: Counters, *, standing: bool) -> None:
    flying = counters.captured - counters.shown - counters.dropped_total
    waiting = counters.offered - counters.recorded - counters.not_recorded_total
    most = 0 if standing else MOST_IN_FLIGHT
    assert 0 <= flying <= most, counters
    assert 0 <= waiting <= most * 2, counters


def _specs(folder: Path) -> list[SourceSpec]:
    clips = {
        "even.mp4": {"stamps": 60},
        "odd.mkv": {"stamps": 40, "size": (133, 77), "codec": "ffv1"},
        "uneven.mp4": {"stamps": [i * 0.04 + (i % 3) * 0.011 for i in range(50)]},
        "short.mp4": {"stamps": 3},
    }
    for name, how in clips.items():
        if not (folder / name).exists():
            write_clip(folder / name, **how)  # type: ignore[arg-type]
    files = [SourceSpec("file", str(folder / name)) for name in clips]
    return [*files, SourceSpec("demo", width=128, height=96), SourceSpec("file", "live")]


def _open_live_too(real: Callable[[SourceSpec], Source]) -> Callable[[SourceSpec], Source]:
    def opened(spec: SourceSpec) -> Source:
        if spec.value == "live":
            return ScriptedSource(live=True, rate=200, size=(96, 64))
        return real(spec)

    return opened


def _events(pipeline: Pipeline) -> list[object]:
    found = []
    while True:
        try:
            found.append(pipeline.events.get_nowait())
        except queue.Empty:
            return found


def _await_threads(before: set[threading.Thread]) -> None:
    """Nothing that the run began may go on; slow ones get a moment."""
    end = time.monotonic() + 60  # a demo street that is being painted is finished first
    while left := {t.name for t in set(threading.enumerate()) - before}:
        assert time.monotonic() < end, f"still running: {left}"
        time.sleep(0.02)
