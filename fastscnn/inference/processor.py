"""Processor: threads and number formats of the CPU."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    pass


def cpu_threads() -> int:
    """Return the threads for the network on the CPU: all processors, but one from four on.

    That one is for capture, encoder and window; with fewer the network cannot spare it.
    ``OMP_NUM_THREADS`` may say that there are fewer.
    """
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        usable = os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdecimal() and int(said):
        usable = min(usable, int(said))
    return usable if usable < 4 else usable - 1


def threads_beside(images: int) -> int:
    """Return the threads for each of some images that run at the same time."""
    return max(1, cpu_threads() // images)


def cpu_has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 in hardware (AMX or AVX512-BF16)."""
    wanted = {"amx_bf16", "avx512_bf16"}
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        return any(capabilities().get(name) for name in wanted)
    try:  # torch before 2.12, on Linux
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return False
    return not wanted.isdisjoint(flags.split())
