"""Vehicles of the demo street as small polygon models.

A model is seen from one of its ends, as vehicles on a street are: either its rear or its front is
the near end.  Coordinates are metres: x across (the side toward the camera is positive; the other
side is never seen), y up from the road, d away from the near end.  The faces are listed in drawing
order, far to near, so that no depth buffer is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street.lighting import BUS, CAR, TRUCK

Point = tuple[float, float, float]

# What a face is made of; PAINT takes the colour of the vehicle.
PAINT, GLASS, DARK, TYRE, RIM, TAIL, HEAD, PLATE, BOX, SKYLIT = range(10)
MATERIALS: tuple[tuple[int, int, int], ...] = (
    (0, 0, 0), (44, 54, 64), (38, 38, 42), (24, 24, 26), (128, 130, 134), (176, 26, 24),
    (236, 238, 232), (226, 222, 196), (218, 216, 208), (128, 146, 162),
)  # fmt: skip
SIDE, END, TOP = range(3)
"""Direction that a face looks in; decides the light on it."""

PAINTS: tuple[tuple[int, int, int], ...] = (
    (216, 218, 220), (172, 176, 180), (92, 96, 102), (34, 36, 40), (40, 66, 118), (150, 28, 32),
    (200, 202, 204), (60, 62, 66), (46, 78, 70), (178, 164, 136), (96, 132, 168),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VehicleMesh:
    """A vehicle seen from one end.

    Attributes:
        points: N×3 float32, (x, y, d) of all faces in a row.
        faces: per face (first point, one past the last, material, facing, factor, rank); faces of
            rank 2 are left out when the vehicle is far away, those of rank 1 when it is very far,
            ``SIDE`` ones when it is dead ahead.
        half, length, height: size in metres.
        label: train id.
    """

    points: NDArray[np.float32]
    faces: tuple[tuple[int, int, int, int, float, int], ...]
    half: float
    length: float
    height: float
    label: int


class _Builder:
    def __init__(self) -> None:
        self.points: list[Point] = []
        self.faces: list[tuple[int, int, int, int, float, int]] = []

    def face(
        self, points: list[Point], material: int, facing: int, factor: float = 1.0, fine: int = 0
    ) -> None:
        start = len(self.points)
        self.points += points
        self.faces.append((start, len(self.points), material, facing, factor, fine))

    def end(
        self, outline: list[tuple[float, float]], d: float, material: int, factor: float = 1.0,
        fine: int = 0, both: bool = True,
    ) -> None:  # fmt: skip
        """A face that looks at the camera; ``outline`` is its right half if ``both``."""
        points = [(x, y, d) for x, y in outline]
        if both:
            points += [(-x, y, d) for x, y in reversed(outline)]
        self.face(points, material, END, factor, fine)

    def pair(
        self, x0: float, x1: float, y0: float, y1: float, d: float, material: int,
        factor: float = 1.0, fine: int = 0,
    ) -> None:  # fmt: skip
        """The same rectangle on the left and on the right of an end."""
        for s in (-1, 1):
            points = [(s * x0, y0, d), (s * x0, y1, d), (s * x1, y1, d), (s * x1, y0, d)]
            self.face(points, material, END, factor, fine)

    def wheel(self, x: float, d: float, radius: float) -> None:
        def ring(r: float, out: float) -> list[Point]:
            turns = [2 * pi * i / 12 for i in range(12)]
            return [(x + out, radius + r * sin(a), d + r * cos(a)) for a in turns]

        self.face(ring(radius * 1.18, 0.0), DARK, SIDE, 0.6, 2)
        self.face(ring(radius, 0.01), TYRE, SIDE, 1.0, 0)
        self.face(ring(radius * 0.62, 0.02), RIM, SIDE, 1.0, 2)
        self.face(ring(radius * 0.2, 0.02), DARK, SIDE, 1.0, 2)

    def model(self, half: float, length: float, height: float, label: int) -> VehicleMesh:
        points = np.array(self.points, np.float32)
        return VehicleMesh(points, tuple(self.faces), half, length, height, label)


def _car(
    front: bool, length: float, height: float, hood: float, trunk: float, half: float
) -> VehicleMesh:
    """A passenger car; ``hood`` and ``trunk`` are the lengths ahead of and behind the cabin."""
    b = _Builder()
    belt, nose = 0.64 * height, 0.48 * height + 0.04
    top = half * 0.68  # half width of the roof
    near, far = (hood, trunk) if front else (trunk, hood)
    near_y, far_y = (nose, belt) if front else (belt - 0.02, nose)
    slope_near = 0.85 if front else (0.42 if trunk < 0.2 else 0.7)
    slope_far = 0.5 if front else 0.85

    def side(points: list[tuple[float, float]], material: int, factor: float = 1.0,
             fine: int = 0) -> None:  # fmt: skip
        """A face on the flank; above the belt it leans inward."""
        lean = (half - top) / (height - 0.02 - belt)
        out = [(half - max(0.0, y - belt) * lean, y, d) for d, y in points]
        b.face(out, material, SIDE, factor, fine)

    flank = [(0.06, 0.24), (0.0, 0.5), (0.05, near_y), (max(near, 0.1), belt),
             (length - max(far, 0.1), belt + 0.01), (length - 0.06, far_y), (length, 0.5),
             (length - 0.06, 0.24)]  # fmt: skip
    side(flank, PAINT, 0.92)
    side([(0.05, near_y - 0.03), (near + 0.1, belt - 0.05), (length - far - 0.1, belt - 0.05),
          (length - 0.1, far_y - 0.03), (length - 0.1, far_y - 0.14), (0.05, near_y - 0.14)],
         PAINT, 1.12, 2)  # fmt: skip
    side([(0.9, 0.24), (0.9, 0.36), (length - 0.9, 0.36), (length - 0.9, 0.24)], DARK, 1.0, 2)
    b.wheel(half, 0.78 if front else 0.74, 0.32)
    b.wheel(half, length - 0.78, 0.32)
    roof0, roof1 = near + slope_near, length - far - slope_far
    side(
        [(near, belt), (roof0, height - 0.02), (roof1, height - 0.02), (length - far, belt)],
        PAINT,
        0.86,
    )
    mid = (near + length - far) / 2 + (0.2 if front else -0.2)
    low, high = belt + 0.05, height - 0.1
    cut = 0.86
    side([(near + 0.22, low), (near + slope_near * cut + 0.12, high), (mid - 0.05, high),
          (mid - 0.05, low)], GLASS)  # fmt: skip
    side([(mid + 0.05, low), (mid + 0.05, high), (length - far - slope_far * cut - 0.1, high),
          (length - far - 0.2, low)], GLASS)  # fmt: skip
    side([(mid - 0.04, 0.3), (mid - 0.04, belt), (mid, belt), (mid, 0.3)], DARK, 1.6, 2)
    b.face([(top, height - 0.02, roof0), (top * 0.9, height + 0.02, (roof0 + roof1) / 2),
            (-top * 0.9, height + 0.02, (roof0 + roof1) / 2), (-top, height - 0.02, roof0)],
           PAINT, TOP, 0.95)  # fmt: skip
    # Near window with a brighter sky reflection along its upper part.
    base = half
    b.face([(base, belt, near), (top, height - 0.02, roof0), (-top, height - 0.02, roof0),
            (-base, belt, near)], PAINT, END, 0.8)  # fmt: skip
    w0, w1 = base - 0.14, top - 0.04
    d0, d1 = near + slope_near * 0.1, near + slope_near * 0.86
    y0, y1 = belt + (height - belt) * 0.1, belt + (height - belt) * 0.86
    b.face([(w0, y0, d0), (w1, y1, d1), (-w1, y1, d1), (-w0, y0, d0)], GLASS, END, 1.1)
    dm, ym, wm = (d0 + d1) / 2, (y0 + y1) / 2, (w0 + w1) / 2
    b.face([(wm, ym, dm), (w1, y1, d1), (-w1, y1, d1), (-wm * 0.3, ym, dm)], SKYLIT, END, 0.75, 2)
    b.face([(half, near_y - 0.02, 0.0), (base, belt + 0.01, near), (-base, belt + 0.01, near),
            (-half, near_y - 0.02, 0.0)], PAINT, TOP, 1.0)  # fmt: skip
    if near > 0.2:
        b.face([(half - 0.3, near_y + 0.02, 0.15), (half - 0.36, belt, near - 0.1),
                (-half + 0.36, belt, near - 0.1), (-half + 0.3, near_y + 0.02, 0.15)],
               PAINT, TOP, 1.06, 2)  # fmt: skip
    b.pair(half - 0.24, half - 0.03, 0.0, 0.34, 0.1, TYRE)
    # The rounded corner between flank and end, so that nothing shines through there.
    b.end([(half, 0.24), (half, near_y)], 0.06, PAINT, 0.84)
    b.end([(half - 0.1, 0.2), (half - 0.04, 0.3)], 0.05, DARK, 0.7, 1)
    b.end(
        [(half - 0.05, 0.26), (half, 0.46), (half, 0.62), (half - 0.05, near_y)], 0.0, PAINT, 0.95
    )
    b.end([(half - 0.06, 0.25), (half - 0.02, 0.4)], 0.0, PAINT, 0.7, 2)
    if front:
        b.end([(0.44, 0.4), (0.5, near_y - 0.12)], 0.0, DARK, 0.9)
        b.pair(0.46, half - 0.05, near_y - 0.19, near_y - 0.05, 0.0, HEAD)
        b.pair(0.52, 0.7, 0.3, 0.38, 0.0, DARK, 1.4, 2)
        b.end([(0.26, 0.36), (0.26, 0.46)], -0.01, PLATE, 1.0, 2)
    else:
        b.end([(0.4, 0.34), (0.46, 0.42)], 0.0, DARK, 1.1, 2)
        high_lamp = near_y - 0.02
        b.pair(half - 0.25, half - 0.02, high_lamp - 0.24, high_lamp - 0.02, 0.0, TAIL)
        b.pair(half - 0.19, half - 0.05, high_lamp - 0.22, high_lamp - 0.16, 0.0, HEAD, 0.8, 2)
        b.end([(half - 0.3, near_y - 0.07), (half - 0.3, near_y - 0.05)], 0.0, DARK, 1.4, 2)
        b.end([(0.26, 0.5), (0.26, 0.61)], -0.01, PLATE, 1.0, 2)
    return b.model(half, length, height, CAR)


def _large(front: bool, kind: str) -> VehicleMesh:
    """A bus, a lorry or a van."""
    length, half, height = {"bus": (11.0, 1.25, 3.0), "truck": (8.0, 1.22, 3.3),
                            "van": (5.2, 0.98, 2.1)}[kind]  # fmt: skip
    b = _Builder()
    skin = BOX if kind == "truck" else PAINT
    wheel = 0.34 if kind == "van" else 0.48

    def side(d0: float, d1: float, y0: float, y1: float, material: int, factor: float = 1.0,
             fine: int = 0) -> None:  # fmt: skip
        points = [(half, y0, d0), (half, y1, d0), (half, y1, d1), (half, y0, d1)]
        b.face(points, material, SIDE, factor, fine)

    side(0, length, 0.32, height, skin, 0.94)
    side(0, length, 0.32, 0.5, DARK, 1.0)
    if kind == "bus":
        side(0.4, length - 0.4, 1.35, 2.45, GLASS)
        for d in np.arange(1.6, length - 1, 1.6).tolist():
            side(d, d + 0.12, 1.35, 2.45, DARK, 0.8, 2)
        side(0.4, length - 0.4, 2.0, 2.45, SKYLIT, 0.7, 2)
        side(0.0, length, 0.95, 1.1, BOX, 0.95, 2)
    elif kind == "truck":
        cab0, cab1 = (0.0, 2.0) if front else (length - 2.0, length)
        side(cab0, cab1, 0.45, 2.7, PAINT)
        side(cab0 + 0.3, cab1 - 0.6, 1.6, 2.4, GLASS)
        side(
            2.3 if front else 0.3, length - 0.3 if front else length - 2.3, 1.6, 2.6, PAINT, 0.9, 2
        )
    else:
        cab = (0.5, 1.6) if front else (length - 1.6, length - 0.5)
        side(cab[0], cab[1], 1.2, 1.8, GLASS)
        side(1.8 if front else 1.7, 1.84 if front else 1.74, 0.4, 1.9, DARK, 1.4, 2)
    b.wheel(half, 1.5 if kind != "van" else 0.95, wheel)
    b.wheel(half, length - (2.0 if kind != "van" else 0.95), wheel)
    b.pair(half - 0.36, half - 0.06, 0.0, 0.5, 0.3, TYRE)
    b.end([(half - 0.06, 0.3), (half, 0.6), (half, height - 0.12), (half - 0.08, height)], 0.0,
          PAINT if front or kind != "truck" else BOX, 0.97)  # fmt: skip
    b.end([(half - 0.04, 0.3), (half, 0.56)], 0.0, DARK, 1.1)
    if front:
        top = height - 0.25 if kind != "truck" else 2.5
        low = 1.25 if kind != "bus" else 1.0
        if kind == "truck":
            b.end([(half, 2.75), (half, height)], 0.0, BOX, 0.9)
        b.end([(half - 0.1, low), (half - 0.16, top - 0.1)], 0.0, GLASS)
        b.end([(half - 0.16, low + 0.6), (half - 0.16, top - 0.1)], 0.0, SKYLIT, 0.7, 2)
        if kind == "bus":
            b.end([(0.8, height - 0.28), (0.8, height - 0.06)], 0.0, DARK)
            b.end([(0.5, height - 0.22), (0.5, height - 0.12)], 0.0, HEAD, 0.9, 2)
        b.end([(0.5, 0.66), (0.5, 0.92)], 0.0, DARK, 1.2, 2)
        b.pair(half - 0.42, half - 0.1, 0.66, 0.84, 0.0, HEAD)
        b.pair(half + 0.02, half + 0.16, 1.5, 2.0, 0.1, DARK, 0.9)
    else:
        if kind != "truck":
            b.end([(half - 0.16, height * 0.56), (half - 0.2, height - 0.3)], 0.0, GLASS)
            b.end([(half - 0.2, height * 0.72), (half - 0.2, height - 0.3)], 0.0, SKYLIT, 0.7, 2)
            b.end([(0.02, 0.6), (0.02, height - 0.3)], 0.0, DARK, 1.3, 2)
        else:
            b.end([(0.02, 0.6), (0.02, height - 0.1)], 0.0, DARK, 2.6)
            b.end([(half - 0.06, height - 0.16), (half - 0.06, height - 0.1)], 0.0, DARK, 2.6, 2)
        b.pair(half - 0.24, half - 0.05, 0.62, 0.95 if kind != "van" else 1.1, 0.0, TAIL)
        b.pair(half - 0.24, half - 0.05, 0.56, 0.64, 0.0, HEAD, 0.8, 2)
    b.end([(0.27, 0.42), (0.27, 0.53)], -0.01, PLATE, 1.0, 2)
    label = {"bus": BUS, "truck": TRUCK, "van": CAR}[kind]
    return b.model(half, length, height, label)


def fleet(front: bool) -> tuple[VehicleMesh, ...]:
    """Return the models seen from the front or from the rear: four cars, van, bus, lorry."""
    return (
        _car(front, 3.9, 1.48, 0.85, 0.06, 0.86),
        _car(front, 4.5, 1.44, 1.05, 0.75, 0.89),
        _car(front, 4.4, 1.50, 1.00, 0.08, 0.88),
        _car(front, 4.5, 1.70, 1.00, 0.08, 0.92),
        _large(front, "van"),
        _large(front, "bus"),
        _large(front, "truck"),
    )


VAN, BUS_MODEL, TRUCK_MODEL = 4, 5, 6
"""Places in a fleet."""
