"""Memory of the process: how much it holds, and that what was freed goes back to the system."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path


def resident_mb() -> float | None:
    """Return the memory that this process holds, in MiB; ``None`` where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:  # not Linux
        return None
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def return_freed_memory() -> None:
    """Give memory that was freed back to the system, where the C library keeps it (glibc does).

    Images of megabytes leave holes in the heaps of the threads that made them; heaps of threads
    that have ended keep them. It takes milliseconds: for the end of a source or of a network.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
