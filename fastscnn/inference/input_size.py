"""Input sizes of the network for an image."""

from __future__ import annotations

InputSize = str | tuple[int, int]
"""Input size: ``full``, ``half``, ``quarter``, ``exact``, or (height, width)."""

MIN_SIDE = 32
"""The smallest input height and width: below it the last stage has nothing left to look at."""

MAX_SIDE = 4096
"""The longest input side: it bounds memory whatever the user or a file asks for."""

SHORT_SIDES = {"full": 1024, "half": 512, "quarter": 256}
"""Named input sizes and the short side that the network then sees."""


def parse_input_size(text: InputSize) -> InputSize:
    """Read ``full``, ``half``, ``quarter``, ``exact``, or ``HxW`` as a pair; a pair is one already.

    Raises:
        ValueError: anything else, or a side outside 32–4096.
    """
    if not isinstance(text, str):
        whole = isinstance(text, tuple | list) and all(isinstance(side, int) for side in text)
        text = "x".join(map(str, text)) if whole else str(text)
    name = text.strip().lower()
    if name in SHORT_SIDES or name == "exact":
        return name
    height, times, width = name.replace("×", "x").partition("x")
    if not (times and height.isdecimal() and width.isdecimal()):
        raise ValueError(
            f"{text!r} is no input size: use full, half, quarter, exact or HEIGHTxWIDTH."
        )
    size = int(height), int(width)
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in size):
        raise ValueError(f"The sides of the input size {text} must be {MIN_SIDE} to {MAX_SIDE}.")
    return size


def network_size(input_size: InputSize, height: int, width: int) -> tuple[int, int]:
    """Return the network's input size for an H×W image.

    A named size sets the short side; the long one follows the image's aspect to the nearest
    multiple of 32 and is at most 4096. ``exact`` is the image's own size within 32–4096.

    Example:
        >>> network_size("half", 540, 960)
        (512, 896)
    """
    if isinstance(input_size, tuple):
        return input_size
    if input_size == "exact":
        return _bounded(height), _bounded(width)
    return with_short_side(SHORT_SIDES[input_size], height, width)


def with_short_side(short: int, height: int, width: int) -> tuple[int, int]:
    """Return the size with this short side for an H×W image, as ``network_size`` of a named one."""
    long = _bounded(round(short * max(height, width) / min(height, width) / 32) * 32)
    return (short, long) if height <= width else (long, short)


def smaller_size(input_size: InputSize, height: int, width: int) -> InputSize | None:
    """Return the next smaller named size for an H×W image; ``None`` where there is none.

    Example:
        >>> smaller_size("exact", 540, 960)
        'half'
    """
    now = min(network_size(input_size, height, width))
    return next((name for name, short in SHORT_SIDES.items() if short < now), None)


def _bounded(side: int) -> int:
    return min(max(side, MIN_SIDE), MAX_SIDE)
