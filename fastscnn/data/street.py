"""The demo street: an endless street seen from a moving car, with exact labels.

Nothing is loaded and nothing is stored: everything is painted from a seed.  A picture for any
moment can be asked for directly.  It serves as the demo source where there is no camera, as known
truth for the tests and as training data beside real pictures.

The world is in metres: x to the right from the middle of the road, y up, z along the road.  Colour
and train id are drawn together, as four channels of one canvas, by the same calls and masks, so
the labels are exact to the pixel.  Things are drawn from far to near: first the houses, then what
stands behind the pavement, then what stands and moves on the street.
"""

from __future__ import annotations

from math import ceil, cos, exp, floor, log2, pi, sin

import cv2
import numpy as np
from fastscnn.data import street_paint as paint
from fastscnn.data import street_scene as scene
from fastscnn.data.street_models import (
    END,
    HEAD,
    MATERIALS,
    PAINT,
    PAINTS,
    SIDE,
    TAIL,
    TOP,
    Model,
    fleet,
)
from fastscnn.data.street_paint import CHUNK, Image, Picture
from numpy.typing import NDArray

SPEED = 10.0
"""Speed of the camera car in m/s."""
LANE = 1.75
"""Middle of its lane, metres to the right of the middle of the road."""
EYE = 1.45
"""Height of the camera in metres."""
FAR = 132.0
"""Nothing but ground and sky is drawn farther away than this, in metres."""
MIN_SIZE = 64
MAX_SIZE = 8192
_STEPS = 8
_HAZES = 64
_RING = tuple((i * pi / 7, cos(i * pi / 7), sin(i * pi / 7)) for i in range(14))
_SMALL = 40
"""Pictures up to this many pixels high are drawn from a store of ready sizes."""
_TINY = 4
"""Pictures of fewer pixels are left out."""
_VEIL = 320
"""Side in pixels of the plain images that haze is mixed in from."""


def _resized(image: Image, wide: int, high: int, inside: tuple[int, int, int, int]) -> Image:
    """Part (x0, y0, x1, y1) of an image scaled to wide×high, without scaling the rest."""
    x0, y0, x1, y1 = inside
    if inside == (0, 0, wide, high):
        return np.asarray(cv2.resize(image, (wide, high)), np.uint8)
    fx, fy = image.shape[1] / wide, image.shape[0] / high
    a, b = max(0, floor(x0 * fx) - 1), min(image.shape[1], ceil(x1 * fx) + 1)
    c, d = max(0, floor(y0 * fy) - 1), min(image.shape[0], ceil(y1 * fy) + 1)
    left, top = min(round(a / fx), x0), min(round(c / fy), y0)
    right, low = max(round(b / fx), x1), max(round(d / fy), y1)
    part = cv2.resize(image[c:d, a:b], (right - left, low - top))
    return np.asarray(part[y0 - top : y1 - top, x0 - left : x1 - left], np.uint8)


class Street:
    """An endless, seeded street with labels.

    Args:
        seed: any integer; decides what stands where, the light and the weather.
        width, height: size of the pictures in pixels, 64–8192 each.

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
        self.seed, self.width, self.height = int(seed), int(width), int(height)
        rng = np.random.default_rng((abs(self.seed) * 2 + (self.seed < 0), 77))
        self._tone = paint.TONES[self.seed % len(paint.TONES)]
        self._sun = 1 if rng.random() < 0.5 else -1
        self._focal = 0.92 * max(width, 1.6 * height)
        self._center = (width - 1) / 2
        self._horizon = 0.43 * height
        self._bake(rng)
        heights = [p.height / paint.BRICK for p in self._fronts[0]]
        self._scene = scene.Scene(
            self.seed, self._town, heights, len(self._trees), len(self._people)
        )
        self._phase = rng.uniform(0, 6.28, 4).tolist()
        self._bake_lens(rng)

    # ---------------------------------------------------------------------------- preparation

    def _bake(self, rng: np.random.Generator) -> None:
        """Paint everything that frames are put together from."""
        tone, sun = self._tone, self._sun
        # Lit and unlit house fronts: those on the left look to the right and the other way round.
        face = {side: 0.9 if side != sun else 0.0 for side in (-1, 1)}
        self._face = face
        styles = ("shop", "flat", "shop", "office", "flat", "shop", "house", "house", "house")
        tall = (10.6, 13.8, 7.6, 15.2, 11.2, 13.9, 5.6, 5.8, 3.6)
        self._town = 6
        self._fronts = [
            [
                paint.facade(rng, tone, face[side], h, style)
                for style, h in zip(styles, tall, strict=True)
            ]
            for side in (-1, 1)
        ]
        self._ends = [paint.end_wall(rng, tone, 0.35) for _ in range(4)]
        shapes = ("round", "round", "tall", "round", "conifer", "tall")
        self._trees = [paint.tree(rng, tone, sun, shape) for shape in shapes]
        self._bushes = [paint.bush(rng, tone, sun) for _ in range(3)]
        plants = {"hedge": paint.hedge(rng, tone, False), "forest": paint.hedge(rng, tone, True)}
        kinds = ("brick", "boards", "rail")
        self._strips = [
            plants | {kind: paint.ribbon(rng, tone, face[side], kind) for kind in kinds}
            for side in (-1, 1)
        ]
        self._people = [paint.walker(rng, tone, _STEPS) for _ in range(6)]
        self._cyclists = [paint.cyclist(rng, tone, _STEPS) for _ in range(2)]
        self._bicycles = [paint.bicycle(rng, tone) for _ in range(4)]
        self._motorcycles = [paint.motorcycle(rng, tone) for _ in range(2)]
        self._signs = [paint.sign(tone, kind) for kind in range(7)]
        self._fleets = {1: fleet(front=False), -1: fleet(front=True)}
        self._ground = paint.ground(rng, tone)
        self._haze = np.float32(tone.haze)
        self._front_light = tuple(tone.face(0.45).tolist())
        roofs = np.float32(((96, 62, 52), (78, 78, 84), (110, 74, 58), (66, 62, 64)))
        self._roofs = {
            side: (roofs * tone.face(0.7 if face[side] else 0.25)).tolist() for side in (-1, 1)
        }
        self._brick = tuple((np.float32((120, 84, 70)) * tone.face(0.4)).tolist())
        levels = np.arange(256, dtype=np.float32)[:, None]
        self._luts = []
        for i in range(_HAZES + 1):
            part = i / _HAZES
            lut = np.empty((256, 1, 4), np.uint8)
            lut[:, 0, :3] = paint.clip8(levels * (1 - part) + self._haze * part)
            lut[:, 0, 3] = np.arange(256)
            self._luts.append(lut)

    def _bake_lens(self, rng: np.random.Generator) -> None:
        """Sky, haze of the ground, vignette and sensor noise for this size of picture."""
        w, h = self.width, self.height
        self._margin = ceil(0.25 * self._focal)
        rise = ceil(self._horizon + 0.03 * h) + 2
        self._sky = paint.sky(rng, self._tone, w + 2 * self._margin, rise, self._focal)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        r2 = ((x - w / 2) / w) ** 2 + ((y - h / 2) / h) ** 2
        self._vignette = np.repeat(paint.clip8(255 * (1 - 0.34 * r2))[..., None], 3, axis=2)
        sigma = 2.2 + 1.6 * self._tone.dark
        grain = rng.normal(2.5 * sigma, sigma, (h + 61, w + 67, 1))
        self._grain = paint.clip8(grain + rng.normal(0, sigma * 0.4, (h + 61, w + 67, 3)))
        # Haze of the ground, by rows below the horizon: what is left of it and what is added.
        z = self._focal * EYE / np.maximum(np.arange(h) + 0.5, 0.4)
        haze = np.array([self._haze_at(v) for v in np.minimum(z, FAR).tolist()], np.float32)
        self._hazy = int(np.count_nonzero(haze > 0.012))
        haze = haze[: self._hazy, None]
        self._ground_keep = paint.clip8(np.repeat(255 * (1 - haze), w, axis=1))
        added = np.zeros((self._hazy, w, 4), np.float32)
        added[..., :3] = haze[..., None] * self._haze
        self._ground_haze = paint.clip8(added)
        self._columns = np.arange(w, dtype=np.float32)[None]
        self._veil_color = np.float32((*self._tone.haze, 0.0))
        self._colors: dict[
            tuple[int, int, bool, int, bool],
            tuple[list[tuple[int, int]], NDArray[np.float32], NDArray[np.float32]],
        ] = {}
        self._small: dict[tuple[int, int, bool], tuple[Image, Image]] = {}
        self._veils: dict[int, Image] = {}

    # --------------------------------------------------------------------------------- frames

    def render(self, time: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Draw the street at one moment.

        Args:
            time: seconds since the start, 0 or more.

        Returns:
            The picture, height×width×3 uint8 RGB, and its train ids, height×width uint8.  The same
            seed, size and time always give the same bytes.
        """
        time = float(time)
        self._place(time)
        canvas = np.empty((self.height, self.width, 4), np.uint8)
        self._canvas = canvas
        self._draw_sky()
        first, last = floor(self._z / CHUNK), floor((self._z + FAR) / CHUNK)
        chunks = [(k, self._scene.chunk(k)) for k in range(first - 1, last + 1)]
        things = [t for _, c in chunks for t in c.things if 0.6 < t.z + 6 - self._z < FAR + 6]
        things += self._scene.moving(time, self._z, self._z + FAR)
        self._draw_ground(chunks, things)
        for _, chunk in reversed(chunks):
            for strip in chunk.strips:
                if strip.x > 15:
                    self._draw_strip(strip)
        for house, hidden in self._row_of_houses(chunks):
            self._draw_house(house, hidden)
        # Seen from the road, what stands farther to the side never hides what stands nearer to
        # its middle.  So the order is by bands from the outside in, and by distance inside a band.
        bands: tuple[list[scene.Thing], ...] = ([], [], [], [])
        for thing in sorted(things, key=lambda t: -t.z):
            away = abs(thing.x)
            bands[0 if away > 8.5 else 1 if away > 5.4 else 2 if away > 3.6 else 3].append(thing)
        for thing in bands[0]:
            self._draw_thing(thing, time)
        for _, chunk in reversed(chunks):
            for strip in chunk.strips:
                if strip.x <= 15:
                    self._draw_strip(strip)
        for band in bands[1:]:
            for thing in band:
                self._draw_thing(thing, time)
        return self._develop(time)

    @staticmethod
    def _row_of_houses(chunks: list[tuple[int, scene.Chunk]]) -> list[tuple[scene.House, float]]:
        """All houses, far ones first, with the height to which the nearer neighbour hides them."""
        out = []
        before: dict[int, scene.House] = {}
        for house in sorted((b for _, c in chunks for b in c.houses), key=lambda b: b.z0):
            last = before.get(house.side)
            touching = last is not None and last.z1 > house.z0 - 0.1 and last.x <= house.x
            out.append((house, last.height if last is not None and touching else 0.0))
            before[house.side] = house
        out.reverse()
        return out

    def _place(self, time: float) -> None:
        """Put the camera: on its lane, swaying a little like a car does."""
        p = self._phase
        s = self._scene
        self._z = z = SPEED * time
        self._x = LANE + 0.10 * sin(0.55 * time + p[0]) + 0.03 * sin(1.7 * time + p[1])
        self._bend0, self._slope0 = s.bend(z), s.slope(z)
        pitch = 0.0022 * sin(2.3 * time + p[2]) + 0.0012 * sin(5.1 * time + p[3])
        self._yh = self._horizon + pitch * self._focal
        # The driver looks into the bend, so the view turns with the road some way ahead.
        self._turn = (s.bend(z + 30) - self._bend0) / 30 - self._slope0
        self._xc = self._center - self._turn * self._focal

    def _shift(self, z: float) -> float:
        """Sideways position of the road ``z`` metres ahead, seen from the camera car."""
        return self._scene.bend(self._z + z) - self._bend0 - self._slope0 * z

    def _shifts(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """`_shift` for many distances at once."""
        bend = self._scene.bends(self._z + z)
        return np.asarray(bend - self._bend0 - self._slope0 * z, np.float64)

    def _haze_at(self, z: float) -> float:
        """Share of haze 0–1 at a distance in metres; 1 where things begin to be drawn."""
        reach = self._tone.range
        part = 1 - exp(-((z / reach) ** 1.6))
        fade = min(max((z - 78.0) / (FAR - 80.0), 0.0), 1.0)
        return float(part + (1 - part) * fade * fade)

    def _draw_sky(self) -> None:
        edge = min(self.height, ceil(self._yh) + 1)
        turn = self._slope0 + self._turn
        # The panorama repeats mirrored, so that any heading has a sky.
        x0 = round(self._margin + np.clip(turn * self._focal, -self._margin, self._margin))
        y0 = self._sky.shape[0] - edge - 1
        top = max(0, -y0)
        self._canvas[top:edge] = self._sky[
            max(y0, 0) : max(y0, 0) + edge - top, x0 : x0 + self.width
        ]
        if top:
            self._canvas[:top] = self._sky[0, x0 : x0 + self.width]

    def _draw_ground(
        self, chunks: list[tuple[int, scene.Chunk]], things: list[scene.Thing]
    ) -> None:
        """Look up every pixel below the horizon in the baked ground and lay the shadows on it."""
        w = self.width
        y0 = min(max(ceil(self._yh + 0.5), 0), self.height - 1)
        rows = np.arange(y0, self.height, dtype=np.float64)
        z = np.minimum(self._focal * EYE / np.maximum(rows - self._yh, 0.4), 600.0)
        near = np.minimum(z, FAR + 30)
        start = self._x - self._shifts(near) - self._xc * z / self._focal + paint.REACH
        step = (z / self._focal * paint.GRAIN).astype(np.float32)[:, None]
        map_x = step * self._columns
        map_x += (start * paint.GRAIN - 0.5).astype(np.float32)[:, None]
        # Row in the baked ground, for the left and for the right half of the street.
        place = self._z + near
        index = np.floor(place / CHUNK)
        local = (place - index * CHUNK) * paint.GRAIN
        known = {k: (c.left, c.right) for k, c in chunks}
        nearest = max(known)
        kinds = np.array([known[min(int(k), nearest)] for k in index.tolist()])
        footprint = z * z / (self._focal * EYE) * paint.GRAIN
        level = np.clip(np.log2(np.maximum(footprint, 1.0)) - 0.35, 0, 6).astype(np.int64)
        out = self._canvas[y0:]
        labels = np.empty((rows.size, w), np.uint8)
        map_y = np.empty((rows.size, w), np.float32)
        middle = np.float32(paint.REACH * paint.GRAIN)
        edges = [*np.flatnonzero(np.diff(level)).tolist(), rows.size - 1]
        first = 0
        for last in edges:
            band = slice(first, last + 1)
            first = last + 1
            k = int(level[last])
            image, ids, factor, high = self._ground.levels[k]
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
            cv2.remap(ids, mx, my, cv2.INTER_NEAREST, dst=labels[band], borderMode=edge)
        shade = self._shadows(y0, chunks, things)
        hazy = min(self._hazy, rows.size)
        cv2.multiply(shade[:hazy], self._ground_keep[:hazy], dst=shade[:hazy], scale=1 / 255)
        cv2.multiply(out, cv2.cvtColor(shade, cv2.COLOR_GRAY2RGBA), dst=out, scale=1 / 255)
        cv2.add(out[:hazy], self._ground_haze[:hazy], dst=out[:hazy])
        cv2.insertChannel(labels, out, 3)

    # -------------------------------------------------------------------------------- shadows

    def _shadows(
        self, y0: int, chunks: list[tuple[int, scene.Chunk]], things: list[scene.Thing]
    ) -> Image:
        """Brightness of the ground, (height − y0)×width uint8, drawn at half size."""
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
                    fill([(x, z0), (x, z1), (x + reach * tall, z1 + ahead * tall),
                          (x + reach * tall, z0 + ahead * tall)], cast)  # fmt: skip
        for t in things:
            z = t.z - self._z
            if z > 90 or z < -4:
                continue
            if t.kind == scene.VEHICLE:
                model = self._fleets[t.facing][t.variant]
                half, long, tall = model.half, model.length, model.height * 0.8
                if tone.shadow < 0.88:
                    # Outline of the footprint and its copy moved by the shadow of the roof.
                    dx, dz, s = reach * tall, ahead * tall, 1 if reach > 0 else -1
                    fill([(t.x - s * half, z), (t.x + s * half, z), (t.x + s * half + dx, z + dz),
                          (t.x + s * half + dx, z + long + dz), (t.x - s * half + dx, z + long + dz),
                          (t.x - s * half, z + long)], cast)  # fmt: skip
                side = half * 1.06
                fill([(t.x - side, z - 0.12), (t.x + side, z - 0.12),
                      (t.x + side, z + long + 0.1), (t.x - side, z + long + 0.1)], 70)  # fmt: skip
            elif t.kind in (scene.TREE, scene.BUSH):
                if tone.shadow < 0.95:
                    turn, r0 = t.z * 7.0, t.size * 0.33
                    x, d = t.x + reach * t.size * 0.62, z + ahead * t.size * 0.62
                    stretch = 1 + 0.35 * abs(reach)
                    ring = []
                    for a, c, s in _RING:
                        r = r0 * (1 + 0.16 * sin(3 * a + turn) + 0.10 * sin(5 * a + turn))
                        ring.append((x + r * stretch * c, d + r * s))
                    fill(ring, round(255 - (255 - cast) * 0.85))
            elif z > 45:
                continue
            elif tone.shadow < 0.88:
                tall = {scene.LAMP: 7.0, scene.SIGNPOST: 2.6, scene.SIGNAL: 3.4}.get(t.kind, 1.7)
                wide = 0.06 if t.kind in posts else 0.22
                fill([(t.x, z - wide), (t.x, z + wide), (t.x + reach * tall, z + ahead * tall + wide),
                      (t.x + reach * tall, z + ahead * tall - wide)], cast)  # fmt: skip
            elif t.kind not in posts:
                fill([(t.x - 0.3, z - 0.2), (t.x + 0.3, z - 0.2), (t.x + 0.3, z + 0.2),
                      (t.x - 0.3, z + 0.2)], 190)  # fmt: skip
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
        soft = cv2.blur(mask, (3, 3))
        return np.asarray(cv2.resize(soft, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)

    # --------------------------------------------------------------------------------- pieces

    def _project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Pixel position of a point; z is the distance from the camera."""
        scale = self._focal / z
        return (
            self._xc + (x - self._x + self._shift(z)) * scale,
            self._yh + (EYE - y) * scale,
        )

    def _mix(self, color: tuple[float, ...], label: int, haze: float) -> tuple[float, ...]:
        h, keep = self._tone.haze, 1 - haze
        return (
            color[0] * keep + h[0] * haze,
            color[1] * keep + h[1] * haze,
            color[2] * keep + h[2] * haze,
            label,
        )

    def _fill(self, points: list[tuple[float, float]], color: tuple[float, ...]) -> None:
        pts = np.array([(int(u * 16), int(v * 16)) for u, v in points], np.int32)
        cv2.fillConvexPoly(self._canvas, pts, color, cv2.LINE_8, 4)

    def _upright(
        self, picture: Picture, side: int, x: float, z0: float, z1: float, height: float,
        u0: float, u1: float,
    ) -> None:  # fmt: skip
        """Draw a picture on a wall along the street; u0–u1 is the part of its width, 0–1."""
        lateral = abs(side * x - self._x)
        reach = self.width / 2 + abs(self._xc - self._center) + 40
        near = max(z0, lateral * self._focal / reach * 0.8, 1.0)
        far = min(z1, FAR)
        if near >= far:
            return
        span = z1 - z0
        u0, u1 = u0 + (u1 - u0) * (near - z0) / span, u0 + (u1 - u0) * (far - z0) / span
        ax, ay = self._project(side * x, 0.0, near)
        bx, by = self._project(side * x, 0.0, far)
        at, bt = ay - height * self._focal / near, by - height * self._focal / far
        left, right = max(0, floor(min(ax, bx))), min(self.width, ceil(max(ax, bx)) + 1)
        top, low = max(0, floor(min(at, bt))), min(self.height, ceil(max(ay, by)) + 1)
        if left >= right or top >= low:
            return
        texels = (u1 - u0) * picture.width
        kx = min(picture.depth, max(0, int(log2(max(texels / (abs(bx - ax) + 0.5), 1.0)) + 0.3)))
        ky = min(picture.depth, max(0, int(log2(max(picture.height / (by - bt + 0.5), 1.0)))))
        ky = min(ky, kx)
        image = picture.images[kx, ky]
        high, wide = image.shape[:2]
        source = np.float32(
            [(u0 * wide, high), (u1 * wide, high), (u1 * wide, 0), (u0 * wide, 0)]
        ) - np.float32(0.5)
        target = np.float32([(ax, ay), (bx, by), (bx, bt), (ax, at)]) - np.float32((left, top))
        matrix = cv2.getPerspectiveTransform(source, target)
        size = (right - left, low - top)
        warped = cv2.warpPerspective(
            image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        warped = self._hazed(
            np.asarray(warped, np.uint8), self._haze_at(max((near + far) / 2, 1.0))
        )
        mask = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillConvexPoly(mask, (target * 16).round().astype(np.int32), 255, cv2.LINE_8, 4)
        if not picture.solid:
            alpha = cv2.warpPerspective(
                picture.alphas[kx, ky], matrix, size, flags=cv2.INTER_NEAREST
            )
            cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY, dst=alpha)
            cv2.bitwise_and(mask, alpha, dst=mask)
        cv2.copyTo(warped, mask, self._canvas[top:low, left:right])

    def _stamp(
        self, picture: Picture, u: float, v: float, height: float, haze: float, flip: bool = False
    ) -> None:
        """Draw a picture facing the camera; (u, v) is the middle of its lower edge in pixels."""
        high = round(height)
        if high < _TINY:
            return
        wide = max(1, round(picture.width * high / picture.height))
        x, y = round(u - wide / 2), round(v) - high
        x0, x1 = max(0, x), min(self.width, x + wide)
        y0, y1 = max(0, y), min(self.height, y + high)
        if x0 >= x1 or y0 >= y1:
            return
        inside = (x0 - x, y0 - y, x1 - x, y1 - y)
        if high <= _SMALL:
            image, alpha = self._small_picture(picture, wide, high, flip)
            if inside != (0, 0, wide, high):
                part = (slice(inside[1], inside[3]), slice(inside[0], inside[2]))
                image, alpha = image[part], alpha[part]
        else:
            k = min(picture.depth, max(0, int(log2(picture.height / high))))
            if flip:
                inside = (wide - inside[2], inside[1], wide - inside[0], inside[3])
            image = _resized(picture.images[k, k], wide, high, inside)
            if not picture.solid:
                alpha = _resized(picture.alphas[k, k], wide, high, inside)
                cv2.threshold(alpha, 118, 255, cv2.THRESH_BINARY, dst=alpha)
            if flip:
                image, alpha = cv2.flip(image, 1), cv2.flip(alpha, 1)
        image = self._hazed(image, haze)
        cv2.copyTo(image, alpha, self._canvas[y0:y1, x0:x1])

    def _small_picture(
        self, picture: Picture, wide: int, high: int, flip: bool
    ) -> tuple[Image, Image]:
        """A small picture and its mask in one size, from a store of ready ones."""
        key = (id(picture), high, flip)
        found = self._small.get(key)
        if found is None:
            if len(self._small) > 4000:
                self._small.clear()
            k = min(picture.depth, int(log2(picture.height / high)))
            image = cv2.resize(picture.images[k, k], (wide, high), interpolation=cv2.INTER_AREA)
            alpha = cv2.resize(picture.alphas[k, k], (wide, high), interpolation=cv2.INTER_AREA)
            if flip:
                image, alpha = cv2.flip(image, 1), cv2.flip(alpha, 1)
            alpha = cv2.threshold(alpha, 110, 255, cv2.THRESH_BINARY)[1]
            found = self._small[key] = (np.asarray(image, np.uint8), np.asarray(alpha, np.uint8))
        return found

    def _hazed(self, image: Image, haze: float) -> Image:
        """The image (one class) mixed with the colour of the haze; its fourth channel stays."""
        level = round(haze * _HAZES)
        if level < 2:
            return image
        if image.shape[0] > _VEIL or image.shape[1] > _VEIL:
            return np.asarray(cv2.LUT(image, self._luts[level]), np.uint8)
        label = int(image[0, 0, 3])
        veil = self._veils.get(label)
        if veil is None:
            veil = np.empty((_VEIL, _VEIL, 4), np.uint8)
            veil[:] = (*np.rint(self._haze).astype(int).tolist(), label)
            self._veils[label] = veil
        part = level / _HAZES
        veil = veil[: image.shape[0], : image.shape[1]]
        return np.asarray(cv2.addWeighted(image, 1 - part, veil, part, 0.0), np.uint8)

    def _draw_strip(self, strip: scene.Strip) -> None:
        z0, z1 = strip.z0 - self._z, strip.z1 - self._z
        if z1 < 1 or z0 > FAR:
            return
        picture = self._strips[strip.side > 0][strip.kind]
        part = min((z1 - z0) / CHUNK, 1.0)
        self._upright(picture, strip.side, strip.x, z0, z1, strip.height, 0.0, part)

    def _draw_house(self, b: scene.House, hidden: float) -> None:
        z0, z1 = b.z0 - self._z, b.z1 - self._z
        if z1 < 1 or z0 > FAR - 1:
            return
        picture = self._fronts[b.side > 0][b.picture]
        x, out = b.side * b.x, b.side * (b.x + b.depth)
        haze = self._haze_at(max((z0 + z1) / 2, 1.0))
        near = max(z0, 1.0)
        roof_color = self._roofs[b.side][b.tint]
        gable = b.picture >= self._town
        if b.roof:
            ridge = b.side * (b.x + (b.depth / 2 if gable else 2.6))
            top = b.height + b.roof
            pts = [self._project(x - b.side * 0.3, b.height - 0.1, near),
                   self._project(x - b.side * 0.3, b.height - 0.1, z1),
                   self._project(ridge, top, z1), self._project(ridge, top, near)]  # fmt: skip
        if z0 > 1.0 and b.height + b.roof > hidden:  # the end that looks at the camera
            wall = self._ends[b.tint]
            ax, ay = self._project(x, 0.0, z0)
            bx, _ = self._project(out, 0.0, z0)
            scale = self._focal / z0
            color = tuple(wall.images[wall.depth, wall.depth][0, 0, :3].tolist())
            if b.roof:
                end = [(ax, ay - b.height * scale), (bx, ay - b.height * scale)]
                if gable:
                    end.insert(1, pts[3])
                else:
                    end[1:1] = [pts[3], (bx, pts[3][1])]
                self._fill(end, self._mix(color, paint.BUILDING, haze))
            top_edge, low_edge = ay - b.height * scale, ay - hidden * scale
            if b.height > hidden:
                self._stamp_box(wall, min(ax, bx), top_edge, max(ax, bx), low_edge, haze)
        if b.roof:
            self._fill(pts, self._mix(roof_color, paint.BUILDING, haze))
            if b.tint % 2 == 0:
                self._chimney(ridge, b.height + b.roof, (z0 + z1) / 2, haze)
        width = (z1 - z0) / 12.0
        self._upright(picture, b.side, b.x, z0, z1, b.height, 0.0, min(width, 1.0))

    def _chimney(self, x: float, y: float, z: float, haze: float) -> None:
        if z < 3:
            return
        u, v = self._project(x, y, z)
        s = self._focal / z
        color = self._brick
        box = [(u - 0.5 * s, v + 0.8 * s), (u - 0.5 * s, v - 0.9 * s), (u + 0.5 * s, v - 0.9 * s),
               (u + 0.5 * s, v + 0.8 * s)]  # fmt: skip
        self._fill(box, self._mix(color, paint.BUILDING, haze))

    def _stamp_box(
        self, picture: Picture, x0: float, y0: float, x1: float, y1: float, haze: float
    ) -> None:
        """Draw a solid picture stretched over a box in pixels, cut off at the edges of the frame."""
        left, right = max(0, round(x0)), min(self.width, round(x1))
        top, low = max(0, round(y0)), min(self.height, round(y1))
        if left >= right or top >= low:
            return
        wide, high = max(1, round(x1) - round(x0)), max(1, round(y1) - round(y0))
        inside = (left - round(x0), top - round(y0), right - round(x0), low - round(y0))
        k = min(picture.depth, max(0, int(log2(picture.width / wide))))
        image = _resized(picture.images[k, k], wide, high, inside)
        self._canvas[top:low, left:right] = self._hazed(image, haze)

    # --------------------------------------------------------------------------------- things

    def _draw_thing(self, t: scene.Thing, time: float) -> None:
        z = t.z - self._z
        if t.kind == scene.VEHICLE:
            self._draw_vehicle(t, z)
            return
        if not 1.5 < z < FAR:
            return
        u, v = self._project(t.x, 0.0, z)
        scale = self._focal / z
        if not -6 * scale < u < self.width + 6 * scale:
            return
        haze = self._haze_at(z)
        if t.kind in (scene.TREE, scene.BUSH):
            pictures = self._bushes if t.kind == scene.BUSH else self._trees
            picture = pictures[t.variant % len(pictures)]
            self._stamp(picture, u, v, t.size * scale, haze, int(t.z * 3) % 2 == 0)
        elif t.kind == scene.PEDESTRIAN:
            frames = self._people[t.variant]
            if t.phase < 0:
                step = _STEPS // 2
            else:
                step = floor((time * 1.05 + t.phase) * _STEPS) % _STEPS
            flip = (t.facing > 0) != (t.x > 0)
            self._stamp(frames[step], u, v, t.size * scale * 1.03, haze, flip)
        elif t.kind == scene.CYCLIST:
            step = floor((time * 1.1 + t.phase) * _STEPS) % _STEPS
            bike, rider = self._cyclists[t.variant][step]
            self._stamp(bike, u, v, 1.85 * scale, haze)
            self._stamp(rider, u, v, 1.85 * scale, haze)
        elif t.kind == scene.BICYCLES:
            self._stamp(self._bicycles[t.variant], u, v, 1.05 * scale, haze)
        elif t.kind == scene.MOTORBIKE:
            self._stamp(self._motorcycles[t.variant], u, v, 1.35 * scale, haze)
        else:
            self._draw_post(t, u, v, scale, haze, z)

    def _bar(
        self, u: float, v: float, wide: float, high: float, color: tuple[float, float, float],
        label: int, haze: float,
    ) -> None:  # fmt: skip
        """An upright box standing on (u, v), lit from the sun's side; sizes in pixels."""
        half, top, low = max(wide, 1.0) / 2, round(v - high), round(v)
        box = self._mix(color, label, haze)
        x0, x1 = round(u - half), round(u + half) - 1
        cv2.rectangle(self._canvas, (x0, top), (max(x0, x1), low), box, -1)
        if wide > 3:
            edge = u + half * (0.55 if self._sun > 0 else -0.55)
            bright = (color[0] * 1.3 + 10, color[1] * 1.3 + 10, color[2] * 1.3 + 10)
            x0, x1 = round(edge - half * 0.4), round(edge + half * 0.4) - 1
            box = self._mix(bright, label, haze)
            cv2.rectangle(self._canvas, (x0, top), (max(x0, x1), low), box, -1)

    def _draw_post(
        self, t: scene.Thing, u: float, v: float, s: float, haze: float, z: float
    ) -> None:
        r, g, b = self._front_light
        steel = (118 * r, 122 * g, 124 * b)
        if t.kind == scene.BOLLARD:
            self._bar(u, v, 0.14 * s, 0.95 * s, (56 * r, 58 * g, 60 * b), paint.POLE, haze)
            self._bar(
                u, v - 0.75 * s, 0.15 * s, 0.1 * s, (206 * r, 204 * g, 200 * b), paint.POLE, haze
            )
        elif t.kind == scene.LAMP:
            inward = -1 if t.x > 0 else 1
            dark = (84 * r, 90 * g, 90 * b)
            self._bar(u, v, 0.13 * s, 7.2 * s, dark, paint.POLE, haze)
            self._bar(u, v, 0.22 * s, 1.1 * s, dark, paint.POLE, haze)
            tip = u + inward * 1.9 * s
            pole = self._mix(dark, paint.POLE, haze)
            thick = max(0.05 * s, 0.6)
            self._fill([(u, v - 7.1 * s + thick), (u, v - 7.2 * s - thick), (tip, v - 7.5 * s - thick),
                        (tip, v - 7.5 * s + thick)], pole)  # fmt: skip
            glow = self._tone.dark > 0
            lamp = (255.0, 226.0, 160.0) if glow else (190 * r, 192 * g, 190 * b)
            self._fill([(tip, v - 7.6 * s), (tip + inward * 0.75 * s, v - 7.64 * s),
                        (tip + inward * 0.75 * s, v - 7.44 * s), (tip, v - 7.42 * s)],
                       self._mix(lamp, paint.POLE, haze * (0.4 if glow else 1)))  # fmt: skip
        elif t.kind == scene.SIGNPOST:
            self._bar(u, v, 0.07 * s, 2.9 * s, steel, paint.POLE, haze)
            self._stamp(self._signs[t.variant], u, v - 2.2 * s, 0.78 * t.size * s, haze)
            if t.variant in (0, 6):
                size = 0.62 * s
                self._stamp(self._signs[5 if t.variant == 0 else 2], u, v - 1.6 * s, size, haze)
        else:
            self._draw_signal(t, u, v, s, haze, z)

    def _draw_signal(
        self, t: scene.Thing, u: float, v: float, s: float, haze: float, z: float
    ) -> None:
        """A traffic light; it turns green while the camera car comes nearer."""
        self._bar(u, v, 0.12 * s, 3.0 * s, (70.0, 74.0, 74.0), paint.POLE, haze)
        away = t.facing == 1 and t.x < 0
        body = self._mix((34.0, 36.0, 36.0), paint.LIGHT, haze)
        wide, top, low = 0.19 * s, v - 3.5 * s, v - 2.5 * s
        self._fill([(u - wide, low), (u - wide, top), (u + wide, top), (u + wide, low)], body)
        if away:
            return
        state = 2 if z < 55 else (1 if z < 62 else 0)
        lamps = ((236.0, 52.0, 40.0), (250.0, 176.0, 40.0), (64.0, 226.0, 130.0))
        for i, lamp in enumerate(lamps):
            on = i == state
            color = lamp if on else (lamp[0] * 0.22, lamp[1] * 0.22, lamp[2] * 0.22)
            center = (round(u * 16), round((top + (0.19 + 0.31 * i) * s) * 16))
            radius = max(1, round(0.125 * s * 16))
            fill = self._mix(color, paint.LIGHT, haze * (0.5 if on else 1.0))
            cv2.circle(self._canvas, center, radius, fill, -1, cv2.LINE_8, 4)

    def _draw_vehicle(self, t: scene.Thing, z: float) -> None:
        model = self._fleets[t.facing][t.variant]
        if z + model.length < 1.5 or z > FAR:
            return
        # Parked cars on the other side are met by their front, on the own side by their rear.
        near = max(z, 0.3)
        u, _ = self._project(t.x, 0.0, near)
        scale = self._focal / near
        if z > 6 and not -8 * scale < u < self.width + 8 * scale:
            return
        side = 1.0 if self._x - self._shift(near) > t.x else -1.0
        shift = self._shift(z)
        lean = (self._shift(z + model.length) - shift) / model.length
        pts = model.points
        depth = np.maximum(pts[:, 2] + np.float32(z), 0.4)
        x = pts[:, 0] * side + np.float32(t.x + shift - self._x) + pts[:, 2] * np.float32(lean)
        scaled = np.float32(self._focal) / depth
        screen = np.empty((len(pts), 2), np.float32)
        screen[:, 0] = self._xc + x * scaled
        screen[:, 1] = self._yh + (EYE - pts[:, 1]) * scaled
        fixed = np.clip(screen * 16, -4e5, 4e5).round().astype(np.int32)
        inner = abs(t.x + shift - self._x) < model.half
        fine = 32.0 if model.length < 6 else 55.0
        detail = 0 if z > 2 * fine else (1 if z > fine else 2)
        haze = self._haze_at(max(z + model.length / 2, 1.0))
        lit = side * self._sun > 0
        faces, base, shine = self._fills(model, int(t.size), lit, detail, inner)
        keep = (1 - haze * shine)[:, None]
        colors = (base * keep + self._veil_color * (1 - keep)).tolist()
        canvas = self._canvas
        for (start, stop), (r, g, b, _) in zip(faces, colors, strict=True):
            color = (r, g, b, model.label)
            cv2.fillConvexPoly(canvas, fixed[start:stop], color, cv2.LINE_8, 4)

    def _fills(
        self, model: Model, color: int, lit: bool, detail: int, inner: bool
    ) -> tuple[list[tuple[int, int]], NDArray[np.float32], NDArray[np.float32]]:
        """Faces of a vehicle that are to be drawn, their colours without haze (RGB and one spare)
        and how strongly the haze takes them."""
        key = (id(model), color, lit, detail, inner)
        found = self._colors.get(key)
        if found is None:
            tone = self._tone
            light = {
                SIDE: tone.face(0.9 if lit else 0.0),
                END: tone.face(0.4),
                TOP: tone.face(0.95),
            }
            glow = {HEAD: (255, 240, 200), TAIL: (255, 52, 40)} if tone.dark else {}
            faces, colors, shine = [], [], []
            for start, stop, material, facing, factor, rank in model.faces:
                if rank > detail or (inner and facing == SIDE):
                    continue
                base = np.float32(PAINTS[color] if material == PAINT else MATERIALS[material])
                shown = np.float32(glow.get(material, base * light[facing] * factor + 6))
                faces.append((start, stop))
                colors.append([*np.minimum(shown, 255).tolist(), 0.0])
                shine.append(0.5 if material in glow else 1.0)
            found = self._colors[key] = (faces, np.float32(colors), np.float32(shine))
        return found

    # ---------------------------------------------------------------------------------- camera

    def _develop(self, time: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What the lens and the sensor add: softness, darker corners, noise."""
        labels = np.asarray(cv2.extractChannel(self._canvas, 3), np.uint8)
        rgb = cv2.cvtColor(self._canvas, cv2.COLOR_RGBA2RGB)
        cv2.GaussianBlur(rgb, (3, 3), 0.55, dst=rgb)
        cv2.multiply(rgb, self._vignette, dst=rgb, scale=1 / 255)
        tick = int(time * 1000)
        dy, dx = (tick * 7919) % 61, (tick * 104729) % 67
        grain = self._grain[dy : dy + self.height, dx : dx + self.width]
        cv2.add(rgb, grain, dst=rgb)
        return np.asarray(rgb, np.uint8), labels
