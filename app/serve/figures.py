"""Figures of the run for programs: JSON, and the text that Prometheus reads."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from app.config.value_parsers import format_input_size
from app.pipeline.pipeline import Pipeline
from app.serve.browser_sink import BrowserSink


def age_of(sink: BrowserSink) -> float | None:
    """Seconds since the newest picture was captured; ``None`` before the first."""
    newest = sink.newest
    return round(time.monotonic() - newest.result.frame.captured, 3) if newest is not None else None


def figures_of(number: int, pipeline: Pipeline, sink: BrowserSink) -> dict[str, Any]:
    """The state of one source, as ``/stats.json`` has it."""
    status = pipeline.status(by_display=False)
    source, network, recording = status.source, status.network, status.recording
    spec, newest = pipeline.session.opened_spec, sink.newest
    name = source.name if source is not None else spec.name if spec is not None else ""
    classes = network.classes if network is not None else status.view.numbering
    view = status.view.numbered_as(classes)
    return {
        "source": number,
        "name": name,
        "state": status.state,
        "offline": status.offline,
        "loading": status.loading,
        "size": [source.width, source.height] if source is not None else None,
        "picture": newest.number if newest is not None else 0,
        "fps": round(status.fps, 2),
        "latency": round(status.latency, 4),
        "age": age_of(sink),
        "position": round(status.position, 3),
        "duration": source.duration if source is not None else None,
        "skip": status.skip,
        "view": view.view,
        "alpha": view.alpha,
        "hidden": sorted(classes[each] for each in view.hidden if each < len(classes)),
        "recording": {
            "file": recording.path.name,
            "frames": recording.frames,
            "seconds": round(recording.seconds, 2),
        }
        if recording is not None
        else None,
        "network": {
            "device": network.device,
            "precision": network.precision,
            "weights": network.weights,
            "runtime": network.runtime,
            "input_size": format_input_size(network.input_size),
            "size": status.network_size,
        }
        if network is not None
        else None,
        "counters": {
            "captured": status.counters.captured,
            "processed": status.counters.processed,
            "shown": status.counters.shown,
            "dropped": status.counters.dropped,
            "recorded": status.counters.recorded,
            "not_recorded": status.counters.not_recorded,
        },
        "stages": {stage: round(seconds, 5) for stage, seconds in status.stages.items()},
    }


def metrics_of(watched: Iterable[tuple[int, tuple[Pipeline, BrowserSink]]], clients: int) -> str:
    """All counts and times in Prometheus' text format."""
    frames: list[str] = []
    seconds: list[str] = []
    counted: list[str] = []
    ages: list[str] = []
    for number, (pipeline, sink) in watched:
        counters, of = pipeline.stats.counters(), f'source="{number}"'
        fates = {
            **{what: getattr(counters, what) for what in ("captured", "processed", "shown")},
            **{f"dropped_{cause}": n for cause, n in counters.dropped.items()},
            "recorded": counters.recorded,
            **{f"not_recorded_{cause}": n for cause, n in counters.not_recorded.items()},
        }
        frames += (f'fastscnn_frames_total{{{of},fate="{fate}"}} {n}' for fate, n in fates.items())
        for stage, (spent, times) in pipeline.stats.stage_totals().items():
            labels = f'{of},stage="{stage}"'
            seconds.append(f"fastscnn_stage_seconds_total{{{labels}}} {spent:.6f}")
            counted.append(f"fastscnn_stage_frames_total{{{labels}}} {times}")
        if (age := age_of(sink)) is not None:
            ages.append(f"fastscnn_age_seconds{{{of}}} {age}")
    families = (
        ("frames_total", "counter", "Frames by what became of them.", frames),
        ("stage_seconds_total", "counter", "Seconds spent by stage.", seconds),
        ("stage_frames_total", "counter", "Frames that a stage has worked on.", counted),
        ("age_seconds", "gauge", "Age of the newest picture.", ages),
        ("clients", "gauge", "Streams open.", [f"fastscnn_clients {clients}"]),
    )
    lines: list[str] = []
    for name, kind, text, samples in families:
        lines += [f"# HELP fastscnn_{name} {text}", f"# TYPE fastscnn_{name} {kind}", *samples]
    return "\n".join(lines) + "\n"
