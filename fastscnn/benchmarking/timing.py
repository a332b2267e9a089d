"""Timing of one way to labels, and the machine it ran on."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from fastscnn.segmenter import pick_device

Way = Callable[[NDArray[np.uint8]], object]
"""One measured way: an image in, its output on the host."""


SIZES = {"full": (1024, 2048), "half": (512, 1024), "quarter": (256, 512)}
"""Height and width of what is measured: the sizes of the paper's Table 5."""

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds per frame of one way at one size.

    Attributes:
        size: name of the size.
        output: what comes out: labels (*cls*), probabilities (*prob*), labels with confidence, or
            one part alone: the network, or labels from its logits.
        way: ``plain``, ``ours``, or a step between them.
        mean, median, p95: over the measured frames.
        ratio: how many times faster than plain with the same output, by medians.
        reached: the share of the device's limit (``roofline``), where it is known.
    """

    size: str
    output: str
    way: str
    mean: float
    median: float
    p95: float
    ratio: float
    reached: float | None = None


def measure(
    ways: dict[Key, Way],
    images: list[NDArray[np.uint8]],
    *,
    burn_in: int,
    frames: int,
) -> dict[Key, list[float]]:
    """Return seconds per frame of each way, measured in turn: a busy machine slows all alike."""
    times: dict[Key, list[float]] = {name: [] for name in ways}
    for number in tqdm(range(burn_in + frames), unit="frame", leave=False, disable=None):
        image = images[number % len(images)]
        for name, way in ways.items():
            started = time.perf_counter()
            way(image)  # ends with a copy to the host, so the device is done
            if number >= burn_in:
                times[name].append(time.perf_counter() - started)
    return times


def describe_machine(device: str) -> str:
    """Return processor or card, threads and versions, in one line."""
    picked = pick_device(device)
    name = torch.cuda.get_device_name(picked) if picked.type == "cuda" else _processor()
    return (
        f"{picked.type} ({name}), {torch.get_num_threads()} threads, torch {torch.__version__},"
        f" Python {platform.python_version()}, {platform.system()}"
    )


def _processor() -> str:
    """Return the processor's name as the system states it, or its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
