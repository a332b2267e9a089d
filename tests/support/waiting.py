"""Waiting for what must come, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds after which something that must come is not waited for any more."""


def wait_until(
    condition: Callable[[], object],
    what: str = "it",
    *,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Wait until something is true.

    Args:
        condition: what is waited for.
        what: what it is, in words.
        pause: lets a few milliseconds pass.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen in {PATIENCE:.0f} s"
        pause(0.004)
