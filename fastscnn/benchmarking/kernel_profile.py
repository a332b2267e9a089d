"""Kernel profile: which of a device's kernels a way spends its time in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

_FRAMES = 20


def kernel_times(work: Callable[[], object], device: torch.device) -> list[tuple[str, int, float]]:
    """Return kernels by the time that they take, the longest first.

    Args:
        work: one frame's; what sets itself up at a first frame has done so before.
        device: where it runs; on the CPU operations of PyTorch stand for kernels.

    Returns:
        For each its name, how often a frame runs it, and seconds per frame.
    """
    on_card = device.type == "cuda"
    activity = ProfilerActivity.CUDA if on_card else ProfilerActivity.CPU
    work()
    with profile(activities=[activity]) as found:
        for _ in range(_FRAMES):
            work()
        if on_card:
            torch.cuda.synchronize(device)
    counts: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for event in found.events():
        if on_card and event.device_type.name != "CUDA":
            continue
        name = _short(event.name)
        counts[name] += 1
        times[name] += event.self_device_time_total if on_card else event.self_cpu_time_total
    return [
        (name, round(counts[name] / _FRAMES), microseconds / 1e6 / _FRAMES)
        for name, microseconds in times.most_common()
        if microseconds > 0
    ]


def kernel_table(times: list[tuple[str, int, float]], most: int) -> str:
    """Return the longest kernels as text, and what all take together."""
    lines = [
        f"{1e6 * seconds:9.1f} µs {count:5} ×  {name}" for name, count, seconds in times[:most]
    ]
    total = sum(seconds for _name, _count, seconds in times)
    lines.append(f"{1e6 * total:9.1f} µs {sum(count for _, count, _ in times):5} ×  all")
    return "\n".join(lines)


def _short(name: str) -> str:
    """Return a kernel's name without what C++ adds for its types."""
    plain = re.sub(r"<.*|\(.*", "", name.removeprefix("void "))
    return plain.replace("(anonymous namespace)::", "") or name[:80]
