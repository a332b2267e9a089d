"""Traffic: vehicles, cyclists and people that move along the demo street.

It comes in streams of numbered slots that travel at a fixed speed; what fills a slot follows from
a hash of (seed, stream, slot).  So every moment can be asked for directly, in any order.
"""

from __future__ import annotations

from math import floor

from fastscnn.data.street.scene import (
    CYCLIST,
    PEDESTRIAN,
    VEHICLE,
    SceneObject,
    generator,
    seed_number,
)
from fastscnn.data.street.vehicle_meshes import BUS_MODEL, TRUCK_MODEL, VAN


class Traffic:
    """Vehicles, cyclists and people on their way.

    Args:
        seed: any integer.
        people: number of baked people.
    """

    def __init__(self, seed: int, people: int) -> None:
        self._number = seed_number(seed)
        self._people = people
        self._slots: dict[tuple[int, int], tuple[float, ...]] = {}

    def _slot(self, stream: int, index: int) -> tuple[float, ...]:
        key = (stream, index)
        found = self._slots.get(key)
        if found is None:
            if len(self._slots) > 2000:
                self._slots.clear()
            rng = generator(self._number, 10 + stream, index)
            found = self._slots[key] = tuple(rng.random(5).tolist())
        return found

    def moving(self, time: float, start: float, stop: float) -> list[SceneObject]:
        """Return everything that moves between the way points ``start`` and ``stop`` at a time."""
        out: list[SceneObject] = []
        # (stream, spacing, speed, x, share of filled slots)
        for stream, gap, speed, x, share in (
            (0, 26.0, -9.0, -1.8, 0.62),
            (1, 11.0, 1.35, 7.05, 0.5),
            (2, 11.0, -1.2, 6.45, 0.5),
            (3, 11.0, 1.25, -6.45, 0.5),
            (4, 11.0, -1.3, -7.05, 0.5),
            (5, 55.0, 4.5, 3.15, 0.55),
            (6, 70.0, -4.8, -3.2, 0.5),
        ):
            travelled = speed * time
            for i in range(
                floor((start - 12 - travelled) / gap), floor((stop - travelled) / gap) + 1
            ):
                a, b, c, d, e = self._slot(stream, i)
                z = (i + 0.35 * b) * gap + travelled
                if a > share or not start - 12 < z < stop:
                    continue
                facing = 1 if speed > 0 else -1
                if stream == 0:
                    model = (
                        int(c * 4)
                        if c < 0.8
                        else (VAN, BUS_MODEL, TRUCK_MODEL)[int((c - 0.8) * 15) % 3]
                    )
                    out.append(SceneObject(VEHICLE, x, z, model, int(d * 11), facing))
                elif stream < 5:
                    who, shift = int(c * self._people) % self._people, (d - 0.5) * 0.5
                    out.append(
                        SceneObject(PEDESTRIAN, x + shift, z, who, 1.6 + 0.28 * e, facing, b)
                    )
                    if e > 0.7:
                        out.append(
                            SceneObject(
                                PEDESTRIAN,
                                x + shift + 0.6 * (1 if x > 0 else -1),
                                z + 0.2,
                                (who + 1) % self._people,
                                1.62 + 0.2 * a,
                                facing,
                                d,
                            )
                        )
                else:
                    out.append(SceneObject(CYCLIST, x, z, int(c * 2), 1.78, facing, b))
        out += self._ahead(time, start)
        return out

    def _ahead(self, time: float, start: float) -> list[SceneObject]:
        """The vehicles in the own lane; their distance drifts from one target to the next."""
        out = []
        window = floor(time / 16.0)
        part = time / 16.0 - window
        part = part * part * (3 - 2 * part)
        distance = 0.0
        for rank, base in ((0, 13.0), (1, 20.0)):
            gaps = []
            for w in (window, window + 1):
                slot = self._slot(20 + rank, w)
                gaps.append(base + 12 * slot[1] + (150.0 if slot[0] > 0.62 else 0.0))
            distance += gaps[0] + (gaps[1] - gaps[0]) * part
            who = self._slot(23 + rank, self._era(rank, window))
            model = int(who[2] * 4) if who[2] < 0.75 else VAN + int(who[3] * 3)
            if distance < 130:
                out.append(SceneObject(VEHICLE, 1.8, start + distance, model, int(who[4] * 11), 1))
        return out

    def _era(self, rank: int, window: int) -> int:
        """The last window that began with the vehicle far away: there it may become another one."""
        for back in range(window, window - 16, -1):
            if self._slot(20 + rank, back)[0] > 0.62:
                return back
        return 0
