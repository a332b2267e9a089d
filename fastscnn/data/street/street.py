"""The demo street: an endless street seen from a moving car, with exact labels.

Nothing is loaded and nothing is stored: everything is painted from a seed.  An image for any
moment can be asked for directly.  It serves as the demo source where there is no camera, as known
truth for the tests and as training data beside real images.

The world is in metres: x to the right from the middle of the road, y up, z along the road.  Colour
and train id are drawn together, as four channels of one canvas, by the same calls and masks, so
the labels are exact to the pixel.  Objects are drawn from far to near: first the houses, then what
stands behind the pavement, then what stands and moves on the street.
"""

from __future__ import annotations

from math import ceil, floor, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street.building_textures import BRICK
from fastscnn.data.street.ground_textures import CHUNK, sky
from fastscnn.data.street.lighting import GROUND_CODES, TONES, clip8
from fastscnn.data.street.object_renderer import ObjectRenderer
from fastscnn.data.street.renderer import FAR
from fastscnn.data.street.scene import Scene
from fastscnn.data.street.texture_set import TOWN, paint_all
from fastscnn.data.street.traffic import Traffic

SPEED = 10.0
"""Speed of the camera car in m/s."""
LANE = 1.75
"""Middle of its lane, metres to the right of the middle of the road."""
MIN_SIZE = 64
MAX_SIZE = 8192


class Street(ObjectRenderer):
    """An endless, seeded street with labels.

    Args:
        seed: any integer; decides what stands where, the light and the weather.
        width, height: size of the images in pixels, 64–8192 each.

    Raises:
        ValueError: if a size is out of range.

    Example:
        >>> rgb, labels = Street(seed=1, width=320, height=160).render(2.5)
        >>> rgb.shape, labels.shape
        ((160, 320, 3), (160, 320))
    """

    def __init__(self, seed: int = 0, width: int = 1024, height: int = 512) -> None:
        for name, value in (("width", width), ("height", height)):
            if not MIN_SIZE <= value <= MAX_SIZE:
                raise ValueError(
                    f"The street's {name} must be {MIN_SIZE} to {MAX_SIZE} pixels, not {value}."
                )
        self.seed = int(seed)
        rng = np.random.default_rng((abs(self.seed) * 2 + (self.seed < 0), 77))
        tone = TONES[self.seed % len(TONES)]
        sun = 1 if rng.random() < 0.5 else -1
        textures = paint_all(rng, tone, sun)
        heights = [p.height / BRICK for p in textures.fronts[1]]
        street = Scene(self.seed, TOWN, heights, len(textures.trees), len(textures.people))
        self._traffic = Traffic(self.seed, len(textures.people))
        super().__init__(street, textures, tone, sun, int(width), int(height))
        self._phase = rng.uniform(0, 6.28, 4).tolist()
        self._bake_lens(rng)

    def _bake_lens(self, rng: np.random.Generator) -> None:
        """Sky, vignette and sensor noise for this size of image."""
        w, h = self.width, self.height
        self._margin = ceil(0.25 * self._focal)
        rise = ceil(self._horizon + 0.03 * h) + 2
        self._sky = sky(rng, self._tone, w + 2 * self._margin, rise, self._focal)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        r2 = ((x - w / 2) / w) ** 2 + ((y - h / 2) / h) ** 2
        self._vignette = np.repeat(clip8(255 * (1 - 0.34 * r2))[..., None], 3, axis=2)
        # Train ids by what the canvas holds; on the ground it holds codes, see `GROUND_CODES`.
        names = np.arange(256)
        for train_id, code in GROUND_CODES.items():
            names[code - 32 : code + 32] = train_id
        self._train_ids = names.astype(np.uint8)
        sigma = 2.2 + 1.6 * self._tone.dark
        grain = rng.normal(2.5 * sigma, sigma, (h + 61, w + 67, 1))
        self._grain = clip8(grain + rng.normal(0, sigma * 0.4, (h + 61, w + 67, 3)))

    def render(self, time: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Draw the street at one moment.

        Args:
            time: seconds since the start, 0 or more.

        Returns:
            The image, height×width×3 uint8 RGB, and its train ids, height×width uint8.  The same
            seed, size and time always give the same bytes.
        """
        time = float(time)
        p = self._phase
        # The car sways a little on its lane and nods on its springs.
        x = LANE + 0.10 * sin(0.55 * time + p[0]) + 0.03 * sin(1.7 * time + p[1])
        self._aim(
            SPEED * time, x, 0.0022 * sin(2.3 * time + p[2]) + 0.0012 * sin(5.1 * time + p[3])
        )
        first, last = floor(self._z / CHUNK), floor((self._z + FAR) / CHUNK)
        chunks = [(k, self._scene.chunk(k)) for k in range(first - 1, last + 1)]
        objects = [t for _, c in chunks for t in c.objects if 0.6 < t.z + 6 - self._z < FAR + 6]
        objects += self._traffic.moving(time, self._z, self._z + FAR)
        self._draw_sky()
        self._draw_ground(chunks, objects)
        self._draw_standing(chunks, objects, time)
        return self._develop(time)

    def _draw_sky(self) -> None:
        edge = min(self.height, ceil(self._yh) + 1)
        turn = self._slope0 + self._turn
        x0 = round(self._margin + np.clip(turn * self._focal, -self._margin, self._margin))
        y0 = self._sky.shape[0] - edge - 1
        top = max(0, -y0)
        self._canvas[top:edge] = self._sky[
            max(y0, 0) : max(y0, 0) + edge - top, x0 : x0 + self.width
        ]
        if top:
            self._canvas[:top] = self._sky[0, x0 : x0 + self.width]

    def _develop(self, time: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Add what the lens and the sensor do: softness, darker corners, noise."""
        labels = np.asarray(cv2.extractChannel(self._canvas, 3), np.uint8)
        ground = labels[max(ceil(self._yh), 0) :]
        cv2.LUT(ground, self._train_ids, dst=ground)
        rgb = cv2.cvtColor(self._canvas, cv2.COLOR_RGBA2RGB)
        cv2.GaussianBlur(rgb, (3, 3), 0.55, dst=rgb)
        cv2.multiply(rgb, self._vignette, dst=rgb, scale=1 / 255)
        tick = int(time * 1000)
        dy, dx = (tick * 7919) % 61, (tick * 104729) % 67
        grain = self._grain[dy : dy + self.height, dx : dx + self.width]
        cv2.add(rgb, grain, dst=rgb)
        return np.asarray(rgb, np.uint8), labels
