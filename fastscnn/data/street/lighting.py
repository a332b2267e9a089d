"""Light and weather of the demo street, and the tools that its textures are painted with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Color = tuple[float, float, float]

ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE, LIGHT, SIGN = range(8)
VEGETATION, TERRAIN, SKY, PERSON, RIDER, CAR, TRUCK, BUS = range(8, 16)
MOTORCYCLE, BICYCLE = 17, 18

GROUND_CODES = {ROAD: 64, SIDEWALK: 128, TERRAIN: 192}
"""Stand-ins for the train ids of the ground while they are scaled together with its colours.

A pavement always lies between road and grass, so a value between two codes is on the border of
these two: the nearer code is the train id.
"""


def vec(values: Any) -> NDArray[np.float32]:
    """Return numbers as a float32 array, for colour arithmetic."""
    return np.asarray(values, np.float32)


@dataclass(frozen=True, slots=True)
class Tone:
    """Weather and time of day.

    Attributes:
        zenith, horizon: sky colours, RGB 0–255.
        haze: colour that far things fade to, RGB 0–255.
        ambient, sun: light from the whole sky and from the sun, RGB factors.
        cloud: cloud colour; cover: 0 (clear) – 1 (closed).
        shadow: brightness factor inside cast shadows, 1 = no visible shadows.
        reach: length of the shadow across the street per metre of height.
        dark: 0 by day – 1 when lamps and windows are lit.
        range: distance in metres over which the haze builds up.
    """

    zenith: Color
    horizon: Color
    haze: Color
    ambient: Color
    sun: Color
    cloud: Color
    cover: float
    shadow: float
    reach: float
    dark: float
    range: float

    def face(self, toward_sun: float) -> NDArray[np.float32]:
        """RGB light factors of a surface; ``toward_sun`` is the cosine to the sun, 0–1."""
        return vec(self.ambient) + np.float32(toward_sun) * vec(self.sun)


TONES: tuple[Tone, ...] = (
    Tone(  # clear day
        (74, 128, 196), (196, 219, 236), (190, 208, 222), (0.50, 0.55, 0.63), (0.62, 0.56, 0.44),
        (250, 250, 250), 0.42, 0.50, 0.62, 0.0, 150.0,
    ),
    Tone(  # overcast
        (168, 176, 186), (222, 225, 228), (204, 208, 212), (0.84, 0.86, 0.89), (0.12, 0.12, 0.12),
        (236, 238, 240), 0.85, 0.90, 0.20, 0.0, 120.0,
    ),
    Tone(  # low warm sun
        (92, 128, 182), (250, 222, 180), (226, 206, 182), (0.46, 0.47, 0.54), (0.78, 0.58, 0.36),
        (255, 236, 212), 0.50, 0.52, 1.25, 0.0, 130.0,
    ),
    Tone(  # dusk
        (46, 58, 98), (222, 150, 112), (126, 110, 120), (0.35, 0.36, 0.46), (0.16, 0.09, 0.05),
        (120, 96, 112), 0.60, 0.86, 0.40, 1.0, 130.0,
    ),
)  # fmt: skip


def noise(
    rng: np.random.Generator, height: int, width: int, cell: float, octaves: int = 3
) -> NDArray[np.float32]:
    """Return a smooth random field, float32, about −1…1; ``cell`` is its largest feature."""
    total = np.zeros((height, width), np.float32)
    weight = 0.5
    for _ in range(octaves):
        grid = rng.random((int(height / cell) + 3, int(width / cell) + 3), np.float32) * 2 - 1
        full = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += weight * np.asarray(full, np.float32)
        cell, weight = max(cell / 2.3, 1.0), weight * 0.6
    return total


def clip8(values: NDArray[Any]) -> Image:
    """Round any number array into uint8, clipped to 0–255."""
    positive = np.maximum(np.asarray(values, np.float32), 0)
    return np.asarray(cv2.convertScaleAbs(positive), np.uint8)


class Texture:
    """A baked texture in several sizes.

    Args:
        rgb: H×W×3 numbers 0–255.
        label: the train id of the whole texture.
        alpha: H×W uint8, 255 where the texture is solid; None = everywhere.
        both: also keep sizes that are reduced more across than along (for slanted walls).
        depth: number of halvings.
    """

    def __init__(
        self,
        rgb: NDArray[Any],
        label: int,
        alpha: Image | None = None,
        both: bool = False,
        depth: int = 4,
    ) -> None:
        base = np.empty((*rgb.shape[:2], 4), np.uint8)
        base[..., :3] = clip8(rgb) if rgb.dtype != np.uint8 else rgb
        base[..., 3] = label
        self.height, self.width = base.shape[:2]
        self.depth = depth
        self.images: dict[tuple[int, int], Image] = {}
        self.alphas: dict[tuple[int, int], Image] = {}
        self.solid = alpha is None
        self._mirrored: dict[int, tuple[Image, Image]] = {}
        for ky in range(depth + 1):
            for kx in range(ky, depth + 1) if both else (ky,):
                size = (max(2, self.width >> kx), max(2, self.height >> ky))
                near = (kx - 1, ky) if (kx - 1, ky) in self.images else (ky - 1, ky - 1)
                self.images[kx, ky] = _shrunk(self.images.get(near, base), size)
                if alpha is not None:
                    self.alphas[kx, ky] = _shrunk(self.alphas.get(near, alpha), size)

    def level(self, k: int, flip: bool) -> tuple[Image, Image]:
        """Return texture and mask after ``k`` halvings, on demand mirrored left to right."""
        if not flip:
            return self.images[k, k], self.alphas[k, k]
        if k not in self._mirrored:
            image, alpha = cv2.flip(self.images[k, k], 1), cv2.flip(self.alphas[k, k], 1)
            self._mirrored[k] = np.asarray(image, np.uint8), np.asarray(alpha, np.uint8)
        return self._mirrored[k]


def _shrunk(image: Image, size: tuple[int, int]) -> Image:
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
