"""Times by stage: the network and its labels on the device, and the whole program."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from app.selfcheck.findings import Findings, Setup, pictures
from app.selfcheck.whole_program import clip, play
from fastscnn.benchmarking.baseline import Baseline
from fastscnn.checkpoints.checkpoint import load
from fastscnn.segmenter import Segmenter, default_checkpoint
from fastscnn.upsampling import upsample

_SIZES = {"full": (1024, 2048), "half": (512, 1024), "quarter": (256, 512)}


def _milliseconds(work: Callable[[], object], device: torch.device, rounds: int) -> float:
    """Return the median, each time waiting until the device is done."""
    times = []
    for number in range(rounds + 3):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if number >= 3:
            times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


@torch.inference_mode()
def network(setup: Setup) -> Findings:
    """Time network, labels, confidence and entropy, with all on the device, and the plain way."""
    found = Findings()
    segmenter = setup.segmenter("exact")
    plain = Baseline(load(default_checkpoint()), segmenter.device)
    rounds = 50 if setup.on_card else 3
    for name, size in _SIZES.items():
        if not setup.on_card and (name == "full" or (setup.quick and name == "half")):
            continue
        figures = _stages(segmenter, plain, size, rounds)
        found.figures[name] = figures
        found.facts.append(
            f"{name}: {figures['network and labels']:.2f} ms,"
            f" {figures['plain'] / figures['network and labels']:.1f} × plain"
        )
    found.facts.append(segmenter.runtime)
    return found


def _stages(
    segmenter: Segmenter, plain: Baseline, size: tuple[int, int], rounds: int
) -> dict[str, float]:
    image = pictures(1, size[1], size[0])[0]
    device = segmenter.device
    pixels = torch.from_numpy(image).to(device)
    logits = segmenter.logits(pixels)
    work: dict[str, Callable[[], object]] = {
        "plain": lambda: upsample.labels_reference(plain.logits(image), size),
        "network and labels": lambda: segmenter.labels(segmenter.logits(pixels), size),
        "network": lambda: segmenter.logits(pixels),
        "labels": lambda: segmenter.labels(logits, size),
        "labels and confidence": lambda: segmenter.labels_and_confidence(logits, size),
        "labels and entropy": lambda: segmenter.labels_and_entropy(logits, size),
        "upload": lambda: torch.from_numpy(image).to(device),
    }
    return {name: _milliseconds(each, device, rounds) for name, each in work.items()}


def program(setup: Setup) -> Findings:
    """Time the run of a clip without a window, and its stages."""
    found = Findings()
    frames = 600 if setup.on_card else 40 if setup.quick else 120
    with clip(120, 960, 540) as spec:
        fps, stats = play(setup, spec, frames, loop=True)
    stages = stats.stage_rates()
    slowest = min(stages, key=lambda stage: stages[stage])
    found.facts.append(f"{fps:.0f} fps; slowest stage {slowest}, {stages[slowest]:.0f} fps")
    found.figures |= {"fps": fps, "stages_fps": stages}
    return found
