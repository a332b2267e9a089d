"""Ground and shadows of the demo street."""

from __future__ import annotations

from math import ceil, cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street import scene
from fastscnn.data.street.ground_textures import CHUNK, GRAIN, REACH
from fastscnn.data.street.lighting import Image, Tone, clip8
from fastscnn.data.street.renderer import EYE, FAR, Renderer
from fastscnn.data.street.texture_set import TextureSet

Chunks = list[tuple[int, scene.Chunk]]
_COARSE = 2.5
"""Pixels per texel of the ground from which on every second column is looked up."""


def _ring(turn: float) -> list[tuple[float, float]]:
    """Outline of the shadow of a tree, about 1 in radius."""
    out = []
    for a in (i * pi / 7 for i in range(14)):
        r = 1 + 0.16 * sin(3 * a + turn) + 0.10 * sin(5 * a + turn)
        out.append((r * cos(a), r * sin(a)))
    return out


_RINGS = [_ring(i * pi / 8) for i in range(16)]


class GroundRenderer(Renderer):
    """Renderer of the ground with everything that lies on it as a shadow."""

    def __init__(
        self,
        street: scene.Scene,
        textures: TextureSet,
        tone: Tone,
        sun: int,
        width: int,
        height: int,
    ) -> None:
        super().__init__(street, tone, sun, width, height)
        self._textures = textures
        # Haze of the ground, by rows below the horizon: what is left of it and what is added.
        z = self._focal * EYE / np.maximum(np.arange(height) + 0.5, 0.4)
        haze = self._hazes_at(np.minimum(z, FAR)).astype(np.float32)
        self._hazy = int(np.count_nonzero(haze > 0.012))
        haze = haze[: self._hazy, None]
        self._ground_keep = clip8(np.repeat(255 * (1 - haze), width, axis=1))
        added = np.zeros((self._hazy, width, 4), np.float32)
        added[..., :3] = haze[..., None] * self._haze
        self._ground_haze = clip8(added)
        self._columns = np.arange(width, dtype=np.float32)[None]
        # Near the camera a texel covers pixels; there every second column is enough.
        self._half_columns = self._columns[:, : (width + 1) // 2] * 2 + np.float32(0.5)
        self._far_rows = 2 * ceil(EYE * GRAIN * _COARSE / 2)

    def _draw_ground(self, chunks: Chunks, objects: list[scene.SceneObject]) -> None:
        """Look up every pixel below the horizon in the baked ground and lay the shadows on it."""
        y0 = min(max(ceil(self._yh + 0.5), 0), self.height - 1)
        out = self._canvas[y0:]
        shade = self._shadows(y0, chunks, objects)
        split, middle = min(self._far_rows, len(out)), self._far_rows // 2
        rows = np.arange(y0, self.height, dtype=np.float64)
        self._look_up(rows[:split], self._columns, chunks, out[:split])
        part = shade[: middle + 1]
        light = cv2.resize(part, (self.width, 2 * len(part)), interpolation=cv2.INTER_LINEAR)
        self._shade(out[:split], np.asarray(light[:split], np.uint8), 0)
        if split < len(out):
            part = shade[middle - 1 :]
            wide = part.shape[1]
            half = np.empty((len(out) - split, wide, 4), np.uint8)
            self._look_up(rows[split:], self._half_columns, chunks, half)
            light = cv2.resize(part, (wide, 2 * len(part)), interpolation=cv2.INTER_LINEAR)
            self._shade(half, np.asarray(light[2 : 2 + len(half)], np.uint8), split)
            out[split:] = cv2.resize(half, (2 * wide, len(half)))[:, : self.width]

    def _look_up(
        self, rows: NDArray[np.float64], columns: NDArray[np.float32], chunks: Chunks, out: Image
    ) -> None:
        """Look up the ground of some rows of the image at some columns."""
        z = np.minimum(self._focal * EYE / np.maximum(rows - self._yh, 0.4), 600.0)
        near = np.minimum(z, FAR + 30)
        start = self._x - self._shifts(near) - self._xc * z / self._focal + REACH
        map_x = (z / self._focal * GRAIN).astype(np.float32)[:, None] * columns
        map_x += (start * GRAIN - 0.5).astype(np.float32)[:, None]
        # Row in the baked ground, for the left and for the right half of the street.
        place = self._z + near
        index = np.floor(place / CHUNK)
        local = (place - index * CHUNK) * GRAIN
        known = np.array([(c.left, c.right) for _, c in chunks])
        kinds = known[np.minimum(index.astype(np.int64) - chunks[0][0], len(known) - 1)]
        footprint = z * z / (self._focal * EYE) * GRAIN
        level = np.clip(np.log2(np.maximum(footprint, 1.0)) - 0.35, 0, 6).astype(np.int64)
        map_y = np.empty_like(map_x)
        middle = np.float32(REACH * GRAIN)
        edges = [*np.flatnonzero(np.diff(level)).tolist(), rows.size - 1]
        first = 0
        for last in edges:
            band = slice(first, last + 1)
            first = last + 1
            k = int(level[last])
            image, factor, high = self._textures.ground.levels[k]
            at = np.clip(local[band] / (1 << k) - 0.5, 0, high - 1)
            left, right = ((kinds[band, i] * high + at).astype(np.float32)[:, None] for i in (0, 1))
            map_y[band] = right
            if (left != right).any():
                np.copyto(map_y[band], left, where=map_x[band] < middle)
            mx, my = map_x[band], map_y[band]
            if factor != 1.0:
                mx = mx * np.float32(factor)
            edge = cv2.BORDER_REPLICATE
            cv2.remap(image, mx, my, cv2.INTER_LINEAR, dst=out[band], borderMode=edge)

    def _shade(self, out: Image, light: Image, first: int) -> None:
        """Lay shadows and haze on rows of the ground, ``first`` rows below the horizon."""
        wide = out.shape[1]
        hazy = min(max(self._hazy - first, 0), len(out))
        if hazy:
            keep = self._ground_keep[first : first + hazy, :wide]
            cv2.multiply(light[:hazy], keep, dst=light[:hazy], scale=1 / 255)
        cv2.multiply(out, cv2.cvtColor(light, cv2.COLOR_GRAY2RGBA), dst=out, scale=1 / 255)
        if hazy:
            cv2.add(out[:hazy], self._ground_haze[first : first + hazy, :wide], dst=out[:hazy])

    def _shadows(self, y0: int, chunks: Chunks, objects: list[scene.SceneObject]) -> Image:
        """Brightness of the ground below the row ``y0``, uint8, in half the size."""
        w, h = self.width, self.height - y0
        mask = np.full(((h + 1) // 2, (w + 1) // 2), 255, np.uint8)
        tone, sun = self._tone, self._sun
        cast, reach = round(255 * tone.shadow), tone.reach * -sun
        ahead = 0.35 * abs(reach)
        posts = (scene.LAMP, scene.SIGNPOST, scene.SIGNAL)
        points: list[tuple[float, float]] = []
        areas: list[tuple[int, int]] = []

        def fill(ground: list[tuple[float, float]], value: int) -> None:
            points.extend(ground)
            areas.append((len(points), value))

        if tone.shadow < 0.88:
            for _, chunk in chunks:
                for b in chunk.houses:
                    z0, z1 = b.z0 - self._z, b.z1 - self._z
                    if b.side != sun or z1 < 1.5 or z0 > 100:
                        continue
                    x, tall = b.side * b.x, b.height
                    fill(
                        [
                            (x, z0),
                            (x, z1),
                            (x + reach * tall, z1 + ahead * tall),
                            (x + reach * tall, z0 + ahead * tall),
                        ],
                        cast,
                    )
        for t in objects:
            z = t.z - self._z
            if z > 90 or z < -4:
                continue
            if t.kind == scene.VEHICLE:
                model = self._textures.fleets[t.facing][t.variant]
                half, long, tall = model.half, model.length, model.height * 0.8
                if tone.shadow < 0.88:
                    # Outline of the footprint and its copy moved by the shadow of the roof.
                    dx, dz, s = reach * tall, ahead * tall, 1.0 if reach > 0 else -1.0
                    fill(
                        [
                            (t.x - s * half, z),
                            (t.x + s * half, z),
                            (t.x + s * half + dx, z + dz),
                            (t.x + s * half + dx, z + long + dz),
                            (t.x - s * half + dx, z + long + dz),
                            (t.x - s * half, z + long),
                        ],
                        cast,
                    )
                side = half * 1.06
                fill(
                    [
                        (t.x - side, z - 0.12),
                        (t.x + side, z - 0.12),
                        (t.x + side, z + long + 0.1),
                        (t.x - side, z + long + 0.1),
                    ],
                    70,
                )
            elif t.kind in (scene.TREE, scene.BUSH):
                if tone.shadow < 0.95:
                    ring, r = _RINGS[int(t.z * 7.0) % len(_RINGS)], t.size * 0.33
                    x, d = t.x + reach * t.size * 0.62, z + ahead * t.size * 0.62
                    wide = r * (1 + 0.35 * abs(reach))
                    outline = [(x + wide * c, d + r * e) for c, e in ring]
                    fill(outline, round(255 - (255 - cast) * 0.85))
            elif z > 45:
                continue
            elif tone.shadow < 0.88:
                tall = {scene.LAMP: 7.0, scene.SIGNPOST: 2.6, scene.SIGNAL: 3.4}.get(t.kind, 1.7)
                wide = 0.06 if t.kind in posts else 0.22
                fill(
                    [
                        (t.x, z - wide),
                        (t.x, z + wide),
                        (t.x + reach * tall, z + ahead * tall + wide),
                        (t.x + reach * tall, z + ahead * tall - wide),
                    ],
                    cast,
                )
            elif t.kind not in posts:
                fill(
                    [
                        (t.x - 0.3, z - 0.2),
                        (t.x + 0.3, z - 0.2),
                        (t.x + 0.3, z + 0.2),
                        (t.x - 0.3, z + 0.2),
                    ],
                    190,
                )
        if areas:
            ground = np.array(points)
            depth = np.maximum(ground[:, 1], 1.2)
            scale = self._focal / depth
            pixels = np.empty((len(points), 2))
            pixels[:, 0] = self._xc + (ground[:, 0] - self._x + self._shifts(depth)) * scale
            pixels[:, 1] = self._yh - y0 + EYE * scale
            fixed = np.clip(pixels * 8, -4e5, 4e5).round().astype(np.int32)
            start = 0
            for stop, value in areas:
                cv2.fillConvexPoly(mask, fixed[start:stop], value, cv2.LINE_8, 4)
                start = stop
        return np.asarray(cv2.blur(mask, (3, 3)), np.uint8)
