"""Memory of the process: what was freed goes back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


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
