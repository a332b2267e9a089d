"""Times as people write them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    whole = max(0, int(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def fine_clock(seconds: float) -> str:
    """The same with tenths of a second."""
    tenths = max(0, int(seconds * 10 + 1e-6))
    return f"{clock(tenths // 10)}.{tenths % 10}"
