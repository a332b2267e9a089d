"""Formatting of times, counts and shares for people."""

from __future__ import annotations

import math


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    whole = max(0, int(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def fine_clock(seconds: float) -> str:
    """The same with tenths of a second."""
    tenths = max(0, int(seconds * 10 + 1e-6))
    return f"{clock(tenths // 10)}.{tenths % 10}"


def frames(count: int) -> str:
    """So many frames, in words."""
    return f"{count} frame" if count == 1 else f"{count} frames"


def shortened(name: str, most: int) -> str:
    """A name of so many characters at most, without its middle where it is longer.

    Example:
        >>> shortened("a drive in the rain.mp4", 15)
        'a drive…ain.mp4'
    """
    if len(name) <= most:
        return name
    return f"{name[: most // 2]}…{name[len(name) - (most - most // 2 - 1) :]}"


def iou(share: float) -> str:
    """An IoU in words; it is not known of what does not occur.

    Example:
        >>> iou(0.6571), iou(float("nan"))
        ('IoU 65.7 %', 'IoU –')
    """
    return f"IoU {100 * share:.1f} %" if math.isfinite(share) else "IoU –"


def percent(share: float) -> str:
    """A share in words, as short as can be: nothing, less than a percent, or percents.

    Example:
        >>> percent(0), percent(0.002), percent(0.314)
        ('–', '<1 %', '31 %')
    """
    if share < 0.0005:
        return "–"
    return "<1 %" if share < 0.01 else f"{100 * share:.0f} %"
