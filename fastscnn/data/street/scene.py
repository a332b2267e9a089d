"""Scene: contents and layout of the demo street.

The street is endless.  It is cut into chunks of `CHUNK` metres; what stands in a chunk follows
from a hash of (seed, chunk) alone.  So every place can be asked for directly, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, floor, sin

import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street.ground_textures import AVENUE, CHUNK, CITY, CROSS, KERB, PARK, SUBURB
from fastscnn.data.street.vehicle_meshes import TRUCK_MODEL, VAN

LEFT, RIGHT = -1, 1

# Kinds of objects.
TREE, LAMP, SIGNPOST, SIGNAL, VEHICLE, PEDESTRIAN, CYCLIST, BICYCLES, MOTORBIKE, BOLLARD, BUSH = (
    range(11)
)


@dataclass(frozen=True, slots=True)
class House:
    """A building; ``x`` is the distance of its front from the middle of the road, z in metres."""

    side: int
    z0: float
    z1: float
    x: float
    height: float
    facade: int
    roof: float
    depth: float
    tint: int


@dataclass(frozen=True, slots=True)
class Strip:
    """A hedge, wall, fence or far row of trees along the street, ``x`` like in `House`."""

    side: int
    z0: float
    z1: float
    x: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class SceneObject:
    """Object that stands or moves on one spot (x is signed: right is positive)."""

    kind: int
    x: float
    z: float
    variant: int = 0
    size: float = 1.0
    facing: int = 0
    phase: float = 0.0


@dataclass(slots=True)
class Chunk:
    """One piece of street: kinds of its left and right side and everything that stands there."""

    left: int
    right: int
    houses: list[House] = field(default_factory=list)
    strips: list[Strip] = field(default_factory=list)
    objects: list[SceneObject] = field(default_factory=list)


def seed_number(seed: int) -> int:
    """Return any integer as one that is not negative, each another one."""
    return abs(int(seed)) * 2 + (seed < 0)


def generator(number: int, stream: int, index: int) -> np.random.Generator:
    """Return the random numbers of one piece of a street; ``number`` comes from `seed_number`."""
    return np.random.default_rng((number, stream, index + (1 << 32)))


class Scene:
    """The contents of the street for one seed.

    Args:
        seed: any integer.
        town: number of baked façades for streets of houses; the others are for suburbs.
        heights: height in metres of every baked façade.
        trees: number of baked trees.
        people: number of baked people.
    """

    def __init__(self, seed: int, town: int, heights: list[float], trees: int, people: int) -> None:
        self._number = seed_number(seed)
        self._town = town
        self._heights = heights
        self._trees = trees
        self._people = people
        self._chunks: dict[int, Chunk] = {}
        rng = self._rng(0, 0)
        self._phase = rng.uniform(0, 6.28, 4).tolist()

    def _rng(self, stream: int, index: int) -> np.random.Generator:
        return generator(self._number, stream, index)

    def bend(self, z: float) -> float:
        """Sideways position of the road in metres at the way point ``z``."""
        p = self._phase
        return 9.0 * sin(z / 96 + p[0]) + 3.5 * sin(z / 41 + p[1])

    def bends(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """`bend` for many places at once."""
        p = self._phase
        return np.asarray(9.0 * np.sin(z / 96 + p[0]) + 3.5 * np.sin(z / 41 + p[1]), np.float64)

    def slope(self, z: float) -> float:
        """Derivative of `bend`."""
        p = self._phase
        return 9.0 / 96 * cos(z / 96 + p[0]) + 3.5 / 41 * cos(z / 41 + p[1])

    def chunk(self, k: int) -> Chunk:
        """Return everything that stands between CHUNK·k and CHUNK·(k+1) metres."""
        found = self._chunks.get(k)
        if found is None:
            if len(self._chunks) > 64:
                self._chunks.clear()
            found = self._chunks[k] = self._make(k)
        return found

    def _district(self, group: int) -> tuple[int, int]:
        kind = (group + self._number) % 4 if group < 2 else int(self._rng(1, group).integers(0, 5))
        return ((CITY, CITY), (SUBURB, SUBURB), (AVENUE, AVENUE), (CITY, AVENUE), (PARK, SUBURB))[
            kind
        ]

    def _make(self, k: int) -> Chunk:
        rng = self._rng(2, k)
        left, right = self._district(floor(k / 7))
        if k % 7 == 6 or (k % 7 == 3 and left == CITY and rng.random() < 0.6):
            left = right = CROSS
        chunk = Chunk(left, right)
        for side, kind in ((LEFT, left), (RIGHT, right)):
            if kind == CROSS:
                self._corner(chunk, rng, k, side)
            elif kind in (CITY, AVENUE):
                self._town_side(chunk, rng, k, side, kind)
            else:
                self._green_side(chunk, rng, k, side, kind)
        return chunk

    def _corner(self, chunk: Chunk, rng: np.random.Generator, k: int, side: int) -> None:
        z = k * CHUNK
        near, far = z + 0.9, z + CHUNK - 0.9
        chunk.objects.append(SceneObject(SIGNAL, side * 6.1, near, 0, 1.0, 0))
        chunk.objects.append(SceneObject(SIGNAL, side * 6.1, far, 0, 1.0, 1))
        for at in (z + 5.5, z + CHUNK - 5.2):
            for x in (8.6, 9.6):
                chunk.objects.append(SceneObject(BOLLARD, side * x, at))
        if rng.random() < 0.7:
            kind = (3, 5, 4, 1)[int(rng.integers(4))]
            chunk.objects.append(SceneObject(SIGNPOST, side * 6.4, near + 4.2, kind, 1.0))
        for _ in range(int(rng.integers(0, 3))):
            who = int(rng.integers(self._people))
            chunk.objects.append(
                SceneObject(
                    PEDESTRIAN,
                    side * rng.uniform(6.6, 8.4),
                    far - rng.uniform(0, 2),
                    who,
                    rng.uniform(1.62, 1.86),
                    int(rng.choice([-1, 1])),
                    -1.0,
                )
            )
        # The side road runs into greenery far away, so that the gap is not a hole.
        chunk.strips.append(Strip(side, z - 12, z + CHUNK + 12, 34.0, 7.0, "forest"))
        for at in (z + 1.5, z + CHUNK - 2):
            facade = int(rng.integers(self._town))
            height = self._heights[facade]
            width = 4.0 if at < z + 5 else 2.0
            if side == LEFT or rng.random() < 0.6:
                chunk.houses.append(
                    House(
                        side,
                        at - 1.5,
                        at - 1.5 + width,
                        9.2,
                        height,
                        facade,
                        0.0,
                        22.0,
                        int(rng.integers(4)),
                    )
                )

    def _town_side(
        self, chunk: Chunk, rng: np.random.Generator, k: int, side: int, kind: int
    ) -> None:
        z = k * CHUNK
        front = 9.2 if kind == CITY else 10.8
        plans = (
            (12.0, 12.0),
            (8.0, 8.0, 8.0),
            (12.0, 8.0, -4.0),
            (8.0, 12.0, 4.0),
            (-3.0, 9.0, 12.0),
        )
        at = z
        for width in plans[int(rng.choice(5, p=(0.4, 0.2, 0.12, 0.2, 0.08)))]:
            if width > 0:
                facade = int(rng.integers(self._town))
                height = self._heights[facade] * rng.uniform(0.92, 1.08)
                roof = float(rng.choice([0.0, 2.4, 3.0])) if height < 14 else 0.0
                set_back = float(rng.choice([0.0, 0.0, 0.0, 0.6]))
                chunk.houses.append(
                    House(
                        side,
                        at,
                        at + width,
                        front + set_back,
                        height,
                        facade,
                        roof,
                        rng.uniform(9, 14),
                        int(rng.integers(4)),
                    )
                )
            else:
                chunk.strips.append(Strip(side, at, at - width, front, 2.2, "brick"))
                tree = int(rng.integers(self._trees))
                chunk.objects.append(
                    SceneObject(TREE, side * (front + 4), at - width / 2, tree, 8.0)
                )
            at += abs(width)
        if kind == AVENUE:
            for i in range(3):
                chunk.objects.append(
                    SceneObject(
                        TREE,
                        side * 6.15,
                        z + 4 + 8 * i,
                        int(rng.integers(self._trees)),
                        rng.uniform(6.8, 8.6),
                    )
                )
            if rng.random() < 0.6:
                chunk.strips.append(Strip(side, z, z + CHUNK, 8.6, rng.uniform(0.7, 1.1), "hedge"))
        elif rng.random() < 0.3:
            chunk.objects.append(
                SceneObject(
                    TREE,
                    side * 6.3,
                    z + rng.uniform(2, 22),
                    int(rng.integers(self._trees)),
                    rng.uniform(5.5, 7.5),
                )
            )
        self._furniture(chunk, rng, k, side, kind)
        self._parked(chunk, rng, k, side, kind, 0.62)

    def _green_side(
        self, chunk: Chunk, rng: np.random.Generator, k: int, side: int, kind: int
    ) -> None:
        z = k * CHUNK
        chunk.strips.append(Strip(side, z, z + CHUNK, 27.0, rng.uniform(7.5, 9.5), "forest"))
        style = ("boards", "hedge", "brick", "rail")[int(rng.choice(4, p=(0.32, 0.28, 0.2, 0.2)))]
        if kind == PARK:
            style = ("rail", "hedge", "brick")[int(rng.choice(3, p=(0.6, 0.2, 0.2)))]
        tall = {"boards": 1.5, "hedge": 1.3, "brick": 1.1, "rail": 1.2}[style]
        if kind == SUBURB and rng.random() < 0.85:
            at = z + rng.uniform(4, 9)
            facade = self._town + int(rng.integers(len(self._heights) - self._town))
            chunk.houses.append(
                House(
                    side,
                    at,
                    at + 12,
                    rng.uniform(12.0, 14.0),
                    self._heights[facade],
                    facade,
                    3.0,
                    8.0,
                    int(rng.integers(4)),
                )
            )
            gate = at + 5.0
            chunk.strips.append(Strip(side, z, gate, 7.5, tall, style))
            chunk.strips.append(Strip(side, gate + 2.5, z + CHUNK, 7.5, tall, style))
            spots = [z + rng.uniform(0, 3), z + CHUNK - rng.uniform(0, 3)]
        else:
            if rng.random() < 0.75:
                chunk.strips.append(Strip(side, z, z + CHUNK, 7.5, tall, style))
            spots = [z + 3 + 6 * i + rng.uniform(-2, 2) for i in range(4)]
        for at in spots:
            if rng.random() < 0.85:
                chunk.objects.append(
                    SceneObject(
                        TREE,
                        side * rng.uniform(9.2, 13.5),
                        at,
                        int(rng.integers(self._trees)),
                        rng.uniform(6.5, 11.0),
                    )
                )
        for _ in range(int(rng.integers(0, 4))):
            chunk.objects.append(
                SceneObject(
                    BUSH,
                    side * rng.uniform(8.2, 10.5),
                    z + rng.uniform(0, 24),
                    int(rng.integers(self._trees)),
                    rng.uniform(0.9, 1.7),
                )
            )
        self._furniture(chunk, rng, k, side, kind)
        if kind == SUBURB and rng.random() < 0.5:
            self._parked(chunk, rng, k, side, kind, 0.25)

    def _furniture(
        self, chunk: Chunk, rng: np.random.Generator, k: int, side: int, kind: int
    ) -> None:
        z, kerb = k * CHUNK, KERB[kind]
        if (k + (side > 0)) % 2 == 0 or kind == CITY:
            chunk.objects.append(SceneObject(LAMP, side * (kerb + 0.45), z + 12.0))
        if rng.random() < 0.55:
            chunk.objects.append(
                SceneObject(
                    SIGNPOST,
                    side * (kerb + 0.5),
                    z + rng.uniform(6, 20),
                    int(rng.integers(7)),
                    rng.uniform(0.9, 1.05),
                )
            )
        if kind in (CITY, AVENUE):
            if rng.random() < 0.35:
                at = z + rng.uniform(2, 16)
                for i in range(int(rng.integers(2, 5))):
                    chunk.objects.append(
                        SceneObject(BICYCLES, side * 8.3, at + 0.8 * i, int(rng.integers(4)))
                    )
            if rng.random() < 0.3:
                for i in range(5):
                    chunk.objects.append(
                        SceneObject(BOLLARD, side * (kerb + 0.4), z + 14.5 + 1.8 * i)
                    )
        if rng.random() < (0.4 if kind == CITY else 0.2):
            at, first = z + rng.uniform(2, 20), int(rng.integers(self._people))
            for i in range(int(rng.integers(1, 4))):
                chunk.objects.append(
                    SceneObject(
                        PEDESTRIAN,
                        side * (7.0 + 0.55 * i),
                        at + rng.uniform(-0.5, 0.5),
                        (first + i) % self._people,
                        rng.uniform(1.6, 1.88),
                        1 if i % 2 else -1,
                        -1.0,
                    )
                )

    def _parked(
        self, chunk: Chunk, rng: np.random.Generator, k: int, side: int, kind: int, share: float
    ) -> None:
        for i in range(4):
            roll = rng.random()
            at = k * CHUNK + 6 * i + rng.uniform(0.5, 0.9)
            paint = int(rng.integers(11))
            x = side * (4.6 if kind in (CITY, AVENUE) else 4.2)
            if roll < share:
                model = int(rng.choice((0, 1, 2, 3, VAN), p=(0.26, 0.24, 0.26, 0.14, 0.10)))
                chunk.objects.append(SceneObject(VEHICLE, x, at, model, paint, side))
            elif roll < share + 0.07:
                chunk.objects.append(
                    SceneObject(MOTORBIKE, x + side * 0.2, at + 1, int(rng.integers(2)))
                )
            elif roll < share + 0.10 and i == 0:
                chunk.objects.append(SceneObject(VEHICLE, side * 4.3, at, TRUCK_MODEL, paint, side))
