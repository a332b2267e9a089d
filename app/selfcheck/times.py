"""Times by stage: the network and its labels on the device, and the whole program."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

import torch

from app.selfcheck.findings import Findings, Setup, pictures
from app.selfcheck.whole_program import clip, play
from fastscnn.benchmarking.baseline import Baseline
from fastscnn.benchmarking.timing import SIZES, Way, measure
from fastscnn.checkpoints.checkpoint import load
from fastscnn.segmenter import Segmenter, default_checkpoint
from fastscnn.upsampling import upsample


@torch.inference_mode()
def network(setup: Setup) -> Findings:
    """Time network, labels, confidence and entropy, with all on the device, and the plain way."""
    found = Findings()
    segmenter = setup.segmenter("exact")
    plain = Baseline(load(default_checkpoint()), segmenter.device)
    rounds = 50 if setup.on_card else 3
    for name, size in SIZES.items():
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
    ways: dict[str, Way] = {name: partial(_finish, each, device) for name, each in work.items()}
    times = measure(ways, [image], burn_in=3, frames=rounds)
    return {name: 1000 * statistics.median(each) for name, each in times.items()}


def _finish(work: Callable[[], object], device: torch.device, image: object) -> None:
    """Do some work and wait until the device is done with it."""
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)


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
