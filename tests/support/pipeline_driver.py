"""Drives a pipeline as an impatient user would: random switches, seeks, starts and stops."""

from __future__ import annotations

import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config.settings import NetworkOptions, Settings
from app.core.stats import Counters
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec

TINY = Settings(network=NetworkOptions(device="cpu", input_size=(64, 96), runtime="torch"))
"""For tests of what is around the network: PyTorch is at its first frame at once, where other
runtimes compile two graphs before."""


@dataclass(frozen=True)
class Driven:
    """What came of it.

    Attributes:
        commands: how often each was given.
        counters: the frames at the end, everything stopped.
        recordings: what was recorded, in order.
        unforeseen: errors that are none of the program's own sentences.
        threads_left: threads that did not end, each with where it is.
    """

    commands: Counter[str]
    counters: Counters
    recordings: list[Path]
    unforeseen: list[str]
    threads_left: list[str]


def drive(
    settings: Settings,
    sources: Sequence[SourceSpec],
    folder: Path,
    *,
    steps: int = 500,
    seed: int = 0,
    pause: float = 0.05,
) -> Driven:
    """Give random commands to a pipeline with a display that looks at every picture.

    Args:
        settings: for the pipeline.
        sources: to switch among; some may not open.
        folder: gets the recordings.
        steps: how many commands.
        seed: of the choice.
        pause: mean seconds between two commands.
    """
    choose = random.Random(seed)
    before = set(threading.enumerate())
    pipeline = Pipeline(settings, display=True)
    pipeline.start()
    pipeline.open(sources[0])
    commands: Counter[str] = Counter()
    recordings: list[Path] = []
    unforeseen: list[str] = []
    end = time.monotonic() + 60
    while pipeline.networks.waiting and time.monotonic() < end:  # on a busy machine, for long
        _look(pipeline, 0.05, unforeseen)
    for _ in range(steps):
        command = choose.choice(
            ["open", "seek", "seek", "step", "pause", "play", "speed", "loop", "record", "stop"]
        )
        commands[command] += 1
        if command == "open":
            pipeline.open(choose.choice(sources))
        elif command == "seek":
            pipeline.session.seek(choose.uniform(-1, 12))
        elif command == "step":
            pipeline.session.step(choose.choice([-5, -1, 1, 4]))
        elif command == "pause":
            pipeline.session.pause()
        elif command == "play":
            pipeline.play()
        elif command == "speed":
            pipeline.session.set_speed(choose.choice([0.25, 1, 4]))
        elif command == "loop":
            pipeline.session.set_loop(choose.choice([None, "whole", (0.5, 1.5)]))
        elif command == "record":
            recordings.append(folder / f"{len(recordings):04}.mp4")
            pipeline.start_recording(recordings[-1])
        else:
            pipeline.stop_recording()
        _look(pipeline, choose.expovariate(1 / pause), unforeseen)
    pipeline.stop_recording()
    pipeline.session.set_loop(None)
    pipeline.play()
    _look(pipeline, 1.0, unforeseen)
    pipeline.stop()
    _look(pipeline, 0.0, unforeseen)
    end = time.monotonic() + 30
    while (left := _of_pipelines(before)) and time.monotonic() < end:
        time.sleep(0.02)
    return Driven(commands, pipeline.stats.counters(), recordings, unforeseen, _where(left))


def _of_pipelines(before: set[threading.Thread]) -> list[threading.Thread]:
    names = {"capture", "worker", "recorder", "loader", "pictures", "camera"}
    return [each for each in threading.enumerate() if each.name in names and each not in before]


def _where(threads: list[threading.Thread]) -> list[str]:
    frames = sys._current_frames()
    return [
        f"{each.name}:\n" + "".join(traceback.format_stack(frames.get(each.ident or 0)))
        for each in threads
    ]


def _look(pipeline: Pipeline, seconds: float, unforeseen: list[str]) -> None:
    end = time.monotonic() + seconds
    while True:
        pipeline.take()
        pipeline.status()
        while not pipeline.events.empty():
            event = pipeline.events.get()
            if event.kind == "error" and "unforeseen" in event.text:
                unforeseen.append(event.text)
        if time.monotonic() >= end:
            return
        time.sleep(0.002)
