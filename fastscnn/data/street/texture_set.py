"""Texture set: the baked textures of one demo street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastscnn.data.street import sprites
from fastscnn.data.street.building_textures import end_wall, facade, ribbon
from fastscnn.data.street.ground_textures import GroundTextures, ground
from fastscnn.data.street.lighting import Texture, Tone, vec
from fastscnn.data.street.vehicle_meshes import VehicleMesh, fleet

STEPS = 8
"""Phases of a walk and of a turn of the pedals."""
TOWN = 6
"""The first façades of each side make streets of houses, the others are suburban."""
_FRONTS = (
    ("shop", 10.6),
    ("flat", 13.8),
    ("shop", 7.6),
    ("office", 15.2),
    ("flat", 11.2),
    ("shop", 13.9),
    ("house", 5.6),
    ("house", 5.8),
    ("house", 3.6),
)
_ROOFS = ((96, 62, 52), (78, 78, 84), (110, 74, 58), (66, 62, 64))

Light = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class TextureSet:
    """Textures that frames are put together from; dictionaries go by side, −1 left and +1 right.

    Attributes:
        front_light: RGB factors of the light on what looks at the camera.
        fleets: models of vehicles by the way they face: 1 away from the camera, −1 toward it.
    """

    fronts: dict[int, list[Texture]]
    ends: list[Texture]
    strips: dict[int, dict[str, Texture]]
    trees: list[Texture]
    bushes: list[Texture]
    people: list[list[Texture]]
    cyclists: list[list[tuple[Texture, Texture]]]
    bicycles: list[Texture]
    motorcycles: list[Texture]
    signs: list[Texture]
    fleets: dict[int, tuple[VehicleMesh, ...]]
    ground: GroundTextures
    roofs: dict[int, list[Light]]
    brick: Light
    front_light: Light


def paint_all(rng: np.random.Generator, tone: Tone, sun: int) -> TextureSet:
    """Paint everything once; ``sun`` is the side the sun stands on."""
    sides = (-1, 1)
    # Fronts on the sun's side look away from it and lie in the shade.
    lit = {side: 0.0 if side == sun else 0.9 for side in sides}
    plants = {"hedge": sprites.hedge(rng, tone, False), "forest": sprites.hedge(rng, tone, True)}
    shapes = ("round", "round", "tall", "round", "conifer", "tall")
    r, g, b = tone.face(0.45).tolist()
    brick = vec((120, 84, 70)) * vec((r, g, b))
    return TextureSet(
        fronts={
            s: [facade(rng, tone, lit[s], high, style) for style, high in _FRONTS] for s in sides
        },
        ends=[end_wall(rng, tone, 0.35) for _ in range(4)],
        strips={
            s: plants | {k: ribbon(rng, tone, lit[s], k) for k in ("brick", "boards", "rail")}
            for s in sides
        },
        trees=[sprites.tree(rng, tone, sun, shape) for shape in shapes],
        bushes=[sprites.bush(rng, tone, sun) for _ in range(3)],
        people=[sprites.walker(rng, tone, STEPS) for _ in range(6)],
        cyclists=[sprites.cyclist(rng, tone, STEPS) for _ in range(2)],
        bicycles=[sprites.bicycle(rng, tone) for _ in range(4)],
        motorcycles=[sprites.motorcycle(rng, tone) for _ in range(2)],
        signs=[sprites.sign(tone, kind) for kind in range(7)],
        fleets={1: fleet(front=False), -1: fleet(front=True)},
        ground=ground(rng, tone),
        roofs={s: (vec(_ROOFS) * tone.face(0.7 if lit[s] else 0.25)).tolist() for s in sides},
        brick=(float(brick[0]), float(brick[1]), float(brick[2])),
        front_light=(r, g, b),
    )
