"""Occlusion horizon: how far up the image nearer objects cover it, by columns."""

from __future__ import annotations

from math import ceil

_CELL = 4
"""Width in pixels of a column of the record."""
_OPEN = 1e9


class OcclusionHorizon:
    """Upper edge of what covers the image, by columns of a few pixels.

    Everything stands on the ground, so what is nearer covers a column from its upper edge down to
    the ground.  Asked from near to far, the record tells what need not be drawn.  It errs on the
    side of drawing.

    Args:
        width: width of the image in pixels.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        # A plain list: most questions are about so few columns that an array would be slower.
        self._edge = [_OPEN] * ceil(width / _CELL)

    def clear(self) -> None:
        """Discard everything that covers."""
        self._edge = [_OPEN] * len(self._edge)

    def shows(self, u0: float, u1: float, top: float) -> bool:
        """Return whether what reaches from ``u0`` to ``u1`` and up to the row ``top`` is seen."""
        if u1 < 0 or u0 >= self._width:
            return False
        return max(self._edge[max(int(u0), 0) // _CELL : int(u1) // _CELL + 1]) > top

    def seen(self, u0: int, u1: int, t0: float, t1: float) -> tuple[int, int, int] | None:
        """Return the part of a wall that may be seen.

        Its columns go from ``u0`` to ``u1``, its upper edge falls or rises from ``t0`` to ``t1``.

        Returns:
            First column, one past the last, one past the last row; None if it is all hidden.
        """
        first = u0 // _CELL
        part = self._edge[first : (u1 - 1) // _CELL + 1]
        # Upper edge of the wall over each column, on its higher side.
        slope = (t1 - t0) / max(u1 - u0, 1) * _CELL
        start = min(t0, t0 + slope) - abs(slope) - 1
        free = [i for i, edge in enumerate(part) if edge > start + i * slope]
        if not free:
            return None
        a, b = free[0], free[-1] + 1
        low = int(max(part[a:b]))
        return max(u0, (first + a) * _CELL), min(u1, (first + b) * _CELL), low

    def cover(self, u0: float, u1: float, t0: float, t1: float | None = None) -> None:
        """Note something solid from ``u0`` to ``u1`` with its upper edge at ``t0`` (to ``t1``)."""
        a, b = max(ceil(u0 / _CELL), 0), min(int(u1 + 1) // _CELL, len(self._edge))
        if u1 < 0 or a >= b:
            return
        slope = 0.0 if t1 is None else (t1 - t0) / max(u1 - u0, 1e-6)
        top = t0 + (a * _CELL - u0) * slope + max(slope * _CELL, 0.0) + 2
        slope *= _CELL
        edge = self._edge
        for i in range(a, b):
            if top < edge[i]:
                edge[i] = top
            top += slope
