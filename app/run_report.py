"""Report of a run for programs: ``--stats-json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app import __version__
from app.config.value_parsers import format_input_size
from app.core.frame import Verdict
from app.errors import outputs_of_app
from app.pipeline.pipeline import Pipeline
from app.pipeline.status import PipelineStatus
from fastscnn import outputs
from fastscnn.provenance import NetworkUse, provenance

_PLACES = 1000
"""Places of damage that a report names."""


def check_report(path: Path, *, overwrite: bool) -> None:
    """Find out before any work whether the report can go to a file.

    Raises:
        OutputError: it cannot.
    """
    with outputs_of_app():
        outputs.check_file(path, overwrite)


def report(pipeline: Pipeline, seconds: float, exit_code: int) -> dict[str, Any]:
    """All that was counted and measured, and what was in use.

    Args:
        pipeline: it has stopped.
        seconds: from the loaded network to the end.
        exit_code: what the program ends with.
    """
    status = pipeline.status()
    counters = status.counters
    stats = pipeline.stats
    return {
        "version": __version__,
        "provenance": _provenance(status),
        "exit_code": exit_code,
        "seconds": round(seconds, 3),
        "fps": round(counters.processed / seconds, 3) if seconds > 0 else 0.0,
        "source": asdict(status.source) if status.source is not None else None,
        "network": asdict(status.network) if status.network is not None else None,
        "network_size": status.network_size,
        "counters": asdict(counters)
        | {
            "dropped_total": counters.dropped_total,
            "not_recorded_total": counters.not_recorded_total,
        },
        "damage": [
            {"source": source, **asdict(place)} for source, place in stats.damage()[:_PLACES]
        ],
        "truth": _truth(pipeline.truth.newest),
        "stage_fps": {stage: round(rate, 2) for stage, rate in stats.stage_rates().items()},
        "recordings": [
            {
                "path": str(info.path),
                "frames": info.frames,
                "seconds": round(info.seconds, 3),
                "encoder": info.encoder,
                "lost": info.lost,
                "error": error,
            }
            for info, error in pipeline.recordings.all()
        ],
    }


def _truth(verdict: Verdict | None) -> dict[str, Any] | None:
    """Return how right the network was, where that is known; ``None`` for what has no figure."""
    if verdict is None:
        return None
    return {
        "frames": verdict.frames,
        "mean_iou_occurring": _plain(verdict.so_far),
        "class_iou": {name: _plain(iou) for name, iou in verdict.class_iou.items()},
    }


def _plain(figure: float) -> float | None:
    return round(figure, 6) if math.isfinite(figure) else None


def reports(
    pipelines: Sequence[Pipeline], seconds: float, exit_codes: Sequence[int]
) -> dict[str, Any]:
    """The report of a run: that of its source, or of each where several ran beside each other.

    Args:
        pipelines: they have stopped.
        seconds: from the loaded network to the end.
        exit_codes: of each source.
    """
    each = [
        report(pipeline, seconds, code)
        for pipeline, code in zip(pipelines, exit_codes, strict=True)
    ]
    return each[0] if len(each) == 1 else {"exit_code": max(exit_codes), "sources": each}


def _provenance(status: PipelineStatus) -> dict[str, Any]:
    """Return what was in use at the end."""
    source, network = status.source, status.network
    used = []
    if network is not None:
        size = format_input_size(network.input_size)
        skip = status.skip if network.has_skip else None
        used = [NetworkUse(network.file, size, skip, status.view.steady)]
    return provenance("report", source.name if source is not None else "", used)


def write_report(path: Path, content: dict[str, Any], *, overwrite: bool) -> None:
    """Write a report, all of it or nothing.

    Raises:
        OutputError: it cannot be written.
    """
    with outputs_of_app():
        outputs.write_json(path, content, new=not overwrite)
