"""Memory of the process: how much it holds, and that what was freed goes back to the system."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

_M_ARENA_MAX = -8
"""Number of that option in glibc's ``malloc.h``."""
_HEAPS = 4
"""Least number of heaps; as many as processors where that is more, so that they do not wait for
each other. Four sources on two cores were as fast with 1, 2 and 4 as with the usual 16."""


def resident_mb() -> float | None:
    """Return the memory that this process holds, in MiB; ``None`` where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:  # not Linux
        return None
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def share_heaps() -> None:
    """Let all threads share a few heaps, where the C library would make many (glibc does).

    It makes up to eight per processor. Each source that is opened has threads of its own, and they
    get another heap than those before: one after the other grows to what a source needs, and keeps
    of it what ``return_freed_memory`` cannot give back. For the beginning of a process, or of its
    work: of the heaps that are there by then none goes.
    """
    if sys.platform == "linux" and not {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"} & os.environ.keys():
        limit = getattr(ctypes.CDLL(None), "mallopt", None)
        if limit is not None:
            limit(_M_ARENA_MAX, max(_HEAPS, os.cpu_count() or 1))


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
