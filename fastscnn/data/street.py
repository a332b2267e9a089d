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

from math import ceil, floor, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data import street_paint as paint
from fastscnn.data import street_scene as scene
from fastscnn.data.street_models import END, MATERIALS, PAINT, PAINTS, TOP, fleet
from fastscnn.data.street_models import HEAD, SIDE, TAIL
from fastscnn.data.street_paint import CHUNK, Image, Picture

SPEED = 10.0
"""Speed of the camera car in m/s."""
LANE = 1.75
"""Middle of its lane, metres to the right of the middle of the road."""
EYE = 1.45
"""Height of the camera in metres."""
FAR = 168.0
"""Nothing but ground and sky is drawn farther away than this, in metres."""
MIN_SIZE = 64
MAX_SIZE = 8192
_STEPS = 8
_HAZES = 64


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
        self._scene = scene.Scene(self.seed, self._town, heights, len(self._trees), len(self._people))
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
            [paint.facade(rng, tone, face[side], h, style) for style, h in zip(styles, tall, strict=True)]
            for side in (-1, 1)
        ]
        self._ends = [paint.end_wall(rng, tone, 0.35) for _ in range(4)]
        shapes = ("round", "round", "tall", "round", "conifer", "tall")
        self._trees = [paint.tree(rng, tone, sun, shape) for shape in shapes]
        self._strips = [
            {kind: paint.ribbon(rng, tone, face[side], kind) for kind in ("brick", "boards", "rail")}
            | {"hedge": paint.hedge(rng, tone, face[side], False),
               "forest": paint.hedge(rng, tone, face[side], True)}
            for side in (-1, 1)
        ]  # fmt: skip
        self._people = [paint.walker(rng, tone, _STEPS) for _ in range(6)]
        self._cyclists = [paint.cyclist(rng, tone, _STEPS) for _ in range(2)]
        self._bicycles = [paint.bicycle(rng, tone) for _ in range(4)]
        self._motorcycles = [paint.motorcycle(rng, tone) for _ in range(2)]
        self._signs = [paint.sign(tone, kind) for kind in range(7)]
        self._fleets = {1: fleet(front=False), -1: fleet(front=True)}
        self._ground = paint.ground(rng, tone)
        self._haze = np.float32(tone.haze)
        levels = np.arange(256, dtype=np.float32)[:, None]
        self._luts = []
        for i in range(_HAZES + 1):
            part = i / _HAZES
            lut = np.empty((256, 1, 4), np.uint8)
            lut[:, 0, :3] = paint.clip8(levels * (1 - part) + self._haze * part)
            lut[:, 0, 3] = np.arange(256)
            self._luts.append(lut)
        self._light = {SIDE: tone.face(0.45), END: tone.face(0.4), TOP: tone.face(0.95)}

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
        self._lift = round(2.5 * sigma)

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
        for _, chunk in reversed(chunks):
            for house in sorted(chunk.houses, key=lambda b: -b.z0):
                self._draw_house(house)
        things.sort(key=lambda t: -t.z)
        for thing in things:
            if abs(thing.x) > 8.5:
                self._draw_thing(thing, time)
        for _, chunk in reversed(chunks):
            for strip in chunk.strips:
                if strip.x <= 15:
                    self._draw_strip(strip)
        for thing in things:
            if abs(thing.x) <= 8.5:
                self._draw_thing(thing, time)
        return self._develop(time)

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

    def _haze_at(self, z: float) -> float:
        """Share of haze 0–1 at a distance in metres; 1 where things begin to be drawn."""
        reach = self._tone.range
        part = 1 - 2.718281828 ** -((z / reach) ** 1.6)
        fade = min(max((z - 110.0) / (FAR - 112.0), 0.0), 1.0)
        return float(part + (1 - part) * fade * fade)

    def _draw_sky(self) -> None:
        edge = min(self.height, ceil(self._yh) + 1)
        turn = self._slope0 + self._turn
        # The panorama repeats mirrored, so that any heading has a sky.
        x0 = round(self._margin + np.clip(turn * self._focal, -self._margin, self._margin))
        y0 = self._sky.shape[0] - edge - 1
        top = max(0, -y0)
        self._canvas[top:edge] = self._sky[max(y0, 0) : max(y0, 0) + edge - top, x0 : x0 + self.width]
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
        bend = self._scene.bend
        near = np.minimum(z, FAR + 30)
        shift = np.array([bend(self._z + v) for v in near.tolist()])
        shift -= self._bend0 + self._slope0 * near
        start = self._x - shift - self._xc * z / self._focal + paint.REACH
        step = z / self._focal
        columns = np.arange(w, dtype=np.float32)
        across = step.astype(np.float32)[:, None] * columns + start.astype(np.float32)[:, None]
        # Row of the baked ground, for the left and for the right half of the street.
        place = self._z + near
        index = np.floor(place / CHUNK)
        local = (place - index * CHUNK) * paint.GRAIN - 0.5
        known = {k: (c.left, c.right) for k, c in chunks}
        nearest = max(known)
        kinds = np.array([known[min(int(k), nearest)] for k in index.tolist()])
        footprint = z * z / (self._focal * EYE) * paint.GRAIN
        level = np.clip(np.log2(np.maximum(footprint, 1.0)) - 0.35, 0, 6).astype(np.int64)
        right = across >= paint.REACH
        out = np.empty((rows.size, w, 3), np.uint8)
        full = self._ground.labels.shape[0] // 5
        for k in range(7):
            part = np.flatnonzero(level == k)
            if not part.size:
                continue
            band = slice(int(part[0]), int(part[-1]) + 1)
            image, scale, high = self._ground.levels[k]
            at = np.clip((local[band] + 0.5) / (1 << k) - 0.5, 0, high - 1)
            both = [(kinds[band, i] * high + at).astype(np.float32)[:, None] for i in (0, 1)]
            map_y = np.where(right[band], both[1], both[0])
            map_x = across[band] * np.float32(scale) - np.float32(0.5)
            cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, dst=out[band], borderMode=cv2.BORDER_REPLICATE)
        at = np.clip(local, 0, full - 1)
        both = [(kinds[:, i] * full + at).astype(np.float32)[:, None] for i in (0, 1)]
        map_y = np.where(right, both[1], both[0])
        map_x = across * np.float32(paint.GRAIN) - np.float32(0.5)
        labels = cv2.remap(
            self._ground.labels, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        )
        shade = self._shadows(y0, chunks, things)
        haze = np.array([self._haze_at(v) for v in np.minimum(z, FAR).tolist()], np.float32)
        keep = cv2.multiply(shade, np.repeat((1 - haze)[:, None], w, axis=1), dtype=cv2.CV_8U)
        cv2.multiply(out, cv2.cvtColor(keep, cv2.COLOR_GRAY2RGB), dst=out, scale=1 / 255)
        hazy = int(np.count_nonzero(haze > 0.004))
        if hazy:
            add = paint.clip8(haze[:hazy, None, None] * self._haze)
            cv2.add(out[:hazy], np.repeat(add, w, axis=1), dst=out[:hazy])
        target = self._canvas[y0:]
        cv2.mixChannels([out, np.asarray(labels)], [target], [0, 0, 1, 1, 2, 2, 3, 3])

    # -------------------------------------------------------------------------------- shadows

    def _shadows(
        self, y0: int, chunks: list[tuple[int, scene.Chunk]], things: list[scene.Thing]
    ) -> Image:
        """Brightness of the ground, (height − y0)×width uint8, drawn at half size."""
        w, h = self.width, self.height - y0
        mask = np.full(((h + 1) // 2 + 1, (w + 1) // 2 + 1), 255, np.uint8)
        tone, sun = self._tone, self._sun
        cast, reach = round(255 * tone.shadow), tone.reach * -sun
        ahead = 0.35 * abs(reach)

        def fill(ground: list[tuple[float, float]], value: int) -> None:
            pts = []
            for x, z in ground:
                u, v = self._project(x, 0.0, max(z, 1.2))
                pts.append((round(u * 8), round((v - y0) * 8)))
            cv2.fillConvexPoly(mask, np.array(pts, np.int32), value, cv2.LINE_8, 4)

        if tone.shadow < 0.88:
            for _, chunk in reversed(chunks):
                for b in chunk.houses:
                    z0, z1 = b.z0 - self._z, b.z1 - self._z
                    if b.side != sun or z1 < 1.5 or z0 > 120:
                        continue
                    x, tall = b.side * b.x, b.height
                    fill([(x, z0), (x, z1), (x + reach * tall, z1 + ahead * tall),
                          (x + reach * tall, z0 + ahead * tall)], cast)  # fmt: skip
        for t in things:
            z = t.z - self._z
            if z > 90 or z < -3:
                continue
            if t.kind == scene.VEHICLE:
                model = self._fleets[t.facing][t.variant]
                half, long, tall = model.half, model.length, model.height * 0.8
                foot = [(t.x - half, z), (t.x + half, z), (t.x + half, z + long), (t.x - half, z + long)]
                if tone.shadow < 0.95:
                    moved = [(x + reach * tall, d + ahead * tall) for x, d in foot]
                    hull = cv2.convexHull(np.array(foot + moved, np.float32))[:, 0]
                    fill([(float(x), float(d)) for x, d in hull], cast)
                under = [(t.x - half * 1.06, z - 0.12), (t.x + half * 1.06, z - 0.12),
                         (t.x + half * 1.06, z + long + 0.1), (t.x - half * 1.06, z + long + 0.1)]  # fmt: skip
                fill(under, 70)
            elif t.kind in (scene.TREE, scene.BUSH):
                tall = t.size
                center = (t.x + reach * tall * 0.62, z + ahead * tall * 0.62)
                turn = t.z * 7.0
                ring = []
                for i in range(14):
                    a = i * 0.4488
                    r = tall * 0.33 * (1 + 0.16 * sin(3 * a + turn) + 0.10 * sin(5 * a + turn))
                    stretch = 1 + 0.35 * abs(reach)
                    ring.append((center[0] + r * stretch * sin(a + 1.5708), center[1] + r * sin(a)))
                fill(ring, round(255 - (255 - cast) * 0.85))
            elif z < 50 and tone.shadow < 0.88:
                tall = {scene.LAMP: 7.0, scene.SIGNPOST: 2.6, scene.SIGNAL: 3.4}.get(t.kind, 1.7)
                wide = 0.06 if t.kind in (scene.LAMP, scene.SIGNPOST, scene.SIGNAL) else 0.22
                fill([(t.x, z - wide), (t.x, z + wide), (t.x + reach * tall, z + ahead * tall + wide),
                      (t.x + reach * tall, z + ahead * tall - wide)], cast)  # fmt: skip
            elif z < 50:
                fill([(t.x - 0.3, z - 0.2), (t.x + 0.3, z - 0.2), (t.x + 0.3, z + 0.2),
                      (t.x - 0.3, z + 0.2)], 190)  # fmt: skip
        soft = cv2.blur(mask, (3, 3))
        full = cv2.resize(soft, (soft.shape[1] * 2, soft.shape[0] * 2), interpolation=cv2.INTER_LINEAR)
        return np.asarray(full[:h, :w], np.uint8)

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
        pts = (np.array(points, np.float64) * 16).round().astype(np.int32)
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
        kx = min(picture.depth, max(0, int(np.log2(max(texels / (abs(bx - ax) + 0.5), 1.0)) + 0.3)))
        ky = min(picture.depth, max(0, int(np.log2(max(picture.height / (by - bt + 0.5), 1.0)))))
        image = picture.images[kx, ky]
        high, wide = image.shape[:2]
        source = np.float32(
            [(u0 * wide, high), (u1 * wide, high), (u1 * wide, 0), (u0 * wide, 0)]
        ) - np.float32(0.5)
        target = np.float32([(ax, ay), (bx, by), (bx, bt), (ax, at)]) - np.float32((left, top))
        matrix = cv2.getPerspectiveTransform(source, target)
        size = (right - left, low - top)
        warped = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        haze = round(self._haze_at(max((near + far) / 2, 1.0)) * _HAZES)
        if haze:
            cv2.LUT(warped, self._luts[haze], dst=warped)
        mask = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillConvexPoly(mask, (target * 16).round().astype(np.int32), 255, cv2.LINE_8, 4)
        if not picture.solid:
            alpha = cv2.warpPerspective(picture.alphas[kx, ky], matrix, size, flags=cv2.INTER_LINEAR)
            cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY, dst=alpha)
            cv2.bitwise_and(mask, alpha, dst=mask)
        cv2.copyTo(warped, mask, self._canvas[top:low, left:right])

    def _stamp(
        self, picture: Picture, u: float, v: float, height: float, haze: float, flip: bool = False
    ) -> None:
        """Draw a picture facing the camera; (u, v) is the middle of its lower edge in pixels."""
        scale = height / picture.height
        wide = picture.width * scale
        left, right = max(0, floor(u - wide / 2)), min(self.width, ceil(u + wide / 2) + 1)
        top, low = max(0, floor(v - height)), min(self.height, ceil(v) + 1)
        if left >= right or top >= low or height < 1.5:
            return
        k = min(picture.depth, max(0, int(np.log2(1 / scale)))) if scale < 1 else 0
        image = picture.images[k, k]
        step = height / image.shape[0]
        step_x = wide / image.shape[1]
        matrix = np.array(
            [
                [-step_x if flip else step_x, 0, (u + wide / 2 if flip else u - wide / 2) - left],
                [0, step, v - height - top],
            ]
        )
        size = (right - left, low - top)
        warped = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        level = round(haze * _HAZES)
        if level:
            cv2.LUT(warped, self._luts[level], dst=warped)
        if picture.solid:
            self._canvas[top:low, left:right] = warped
            return
        alpha = cv2.warpAffine(picture.alphas[k, k], matrix, size, flags=cv2.INTER_LINEAR)
        cv2.threshold(alpha, 118, 255, cv2.THRESH_BINARY, dst=alpha)
        cv2.copyTo(warped, alpha, self._canvas[top:low, left:right])

    def _draw_strip(self, strip: scene.Strip) -> None:
        z0, z1 = strip.z0 - self._z, strip.z1 - self._z
        if z1 < 1 or z0 > FAR:
            return
        picture = self._strips[strip.side > 0][strip.kind]
        at = z0
        # Pieces of 12 m keep the picture from being stretched and follow the bend.
        while at < z1 - 0.01:
            end = min(at + 12.0, z1)
            self._upright(picture, strip.side, strip.x, at, end, strip.height, 0.0, (end - at) / 12)
            at = end

    def _draw_house(self, b: scene.House) -> None:
        z0, z1 = b.z0 - self._z, b.z1 - self._z
        if z1 < 1 or z0 > FAR - 1:
            return
        picture = self._fronts[b.side > 0][b.picture]
        x, out = b.side * b.x, b.side * (b.x + b.depth)
        haze = self._haze_at(max((z0 + z1) / 2, 1.0))
        tone = self._tone
        near = max(z0, 1.0)
        roof = ((96, 62, 52), (78, 78, 84), (110, 74, 58), (66, 62, 64))[b.tint]
        lit = tone.face(0.7 if self._face[b.side] else 0.25)
        roof_color = tuple((np.float32(roof) * lit).tolist())
        gable = b.picture >= self._town
        if b.roof:
            ridge = b.side * (b.x + (b.depth / 2 if gable else 2.6))
            top = b.height + b.roof
            pts = [self._project(x - b.side * 0.3, b.height - 0.1, near),
                   self._project(x - b.side * 0.3, b.height - 0.1, z1),
                   self._project(ridge, top, z1), self._project(ridge, top, near)]  # fmt: skip
        if z0 > 1.0:  # the end that looks at the camera
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
            box = (b.height + 0.0) * scale
            self._stamp_box(wall, min(ax, bx), ay - box, max(ax, bx), ay, haze)
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
        color = tuple((np.float32((120, 84, 70)) * self._tone.face(0.4)).tolist())
        box = [(u - 0.5 * s, v + 0.8 * s), (u - 0.5 * s, v - 0.9 * s), (u + 0.5 * s, v - 0.9 * s),
               (u + 0.5 * s, v + 0.8 * s)]  # fmt: skip
        self._fill(box, self._mix(color, paint.BUILDING, haze))

    def _stamp_box(
        self, picture: Picture, x0: float, y0: float, x1: float, y1: float, haze: float
    ) -> None:
        """Draw a solid picture stretched over a box in pixels, cut off at the edges of the frame."""
        left, right = max(0, floor(x0 + 0.5)), min(self.width, floor(x1 + 0.5) + 1)
        top, low = max(0, floor(y0 + 0.5)), min(self.height, floor(y1 + 0.5) + 1)
        if left >= right or top >= low:
            return
        scale = (y1 - y0) / picture.height
        k = min(picture.depth, max(0, int(np.log2(1 / scale)))) if scale < 1 else 0
        image = picture.images[k, k]
        sx, sy = (x1 - x0) / image.shape[1], (y1 - y0) / image.shape[0]
        matrix = np.array([[sx, 0, x0 - left], [0, sy, y0 - top]])
        size = (right - left, low - top)
        warped = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        level = round(haze * _HAZES)
        if level:
            cv2.LUT(warped, self._luts[level], dst=warped)
        self._canvas[top:low, left:right] = warped

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
            bush = t.kind == scene.BUSH
            sunk = v + 0.45 * t.size * scale if bush else v
            size = t.size * scale * (1.9 if bush else 1.0)
            if bush:
                self._bush(t, u, v, size, haze)
            else:
                self._stamp(self._trees[t.variant], u, sunk, size, haze, int(t.z * 3) % 2 == 0)
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

    def _bush(self, t: scene.Thing, u: float, v: float, size: float, haze: float) -> None:
        """A bush is the crown of a tree without its trunk."""
        picture = self._trees[t.variant % 2]
        keep = self._canvas
        low = min(self.height, max(0, ceil(v)))
        if low < 2:
            return
        # Draw into the rows above the ground only: the trunk falls below them.
        full = self.height
        self._canvas, self.height = keep[:low], low
        self._stamp(picture, u, v + 0.42 * size, size, haze)
        self._canvas, self.height = keep, full

    def _bar(
        self, u: float, v: float, wide: float, high: float, color: tuple[float, float, float],
        label: int, haze: float,
    ) -> None:  # fmt: skip
        """An upright box standing on (u, v), lit from the sun's side; sizes in pixels."""
        wide = max(wide, 1.0)
        left = self._mix(color, label, haze)
        self._fill([(u - wide / 2, v), (u - wide / 2, v - high), (u + wide / 2, v - high),
                    (u + wide / 2, v)], left)  # fmt: skip
        if wide > 3:
            edge = u + wide * (0.28 if self._sun > 0 else -0.28)
            bright = tuple(min(c * 1.3 + 10, 255) for c in color)
            self._fill([(edge - wide / 5, v), (edge - wide / 5, v - high), (edge + wide / 5, v - high),
                        (edge + wide / 5, v)], self._mix(bright, label, haze))  # fmt: skip

    def _draw_post(
        self, t: scene.Thing, u: float, v: float, s: float, haze: float, z: float
    ) -> None:
        light = self._light[SIDE]
        r, g, b = (float(c) for c in light)
        steel = (118 * r, 122 * g, 124 * b)
        if t.kind == scene.BOLLARD:
            self._bar(u, v, 0.14 * s, 0.95 * s, (56 * r, 58 * g, 60 * b), paint.POLE, haze)
            self._bar(u, v - 0.75 * s, 0.15 * s, 0.1 * s, (206 * r, 204 * g, 200 * b), paint.POLE, haze)
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
        fine = 42.0 if model.length < 6 else 70.0
        haze = self._haze_at(max(z + model.length / 2, 1.0))
        glowing = self._tone.dark
        lit = 0.9 if side * self._sun > 0 else 0.0
        light = {SIDE: self._tone.face(lit), END: self._light[END], TOP: self._light[TOP]}
        color = PAINTS[int(t.size)]
        canvas = self._canvas
        for start, stop, material, facing, factor, detail in model.faces:
            if (detail and z > fine) or (facing == SIDE and inner):
                continue
            base = color if material == PAINT else MATERIALS[material]
            if glowing and material in (HEAD, TAIL) and z > 0:
                bright = (255.0, 240.0, 200.0) if material == HEAD else (255.0, 52.0, 40.0)
                fill = self._mix(bright, model.label, haze * 0.5)
            else:
                r, g, b = (float(c) * factor for c in light[facing])
                fill = self._mix(
                    (min(base[0] * r + 6, 255), min(base[1] * g + 6, 255), min(base[2] * b + 6, 255)),
                    model.label, haze,
                )  # fmt: skip
            cv2.fillConvexPoly(canvas, fixed[start:stop], fill, cv2.LINE_8, 4)

    # ---------------------------------------------------------------------------------- camera

    def _develop(self, time: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What the lens and the sensor add: softness, darker corners, noise."""
        labels = np.ascontiguousarray(self._canvas[..., 3])
        rgb = cv2.cvtColor(self._canvas, cv2.COLOR_RGBA2RGB)
        cv2.GaussianBlur(rgb, (3, 3), 0.55, dst=rgb)
        cv2.multiply(rgb, self._vignette, dst=rgb, scale=1 / 255)
        tick = int(time * 1000)
        dy, dx = (tick * 7919) % 61, (tick * 104729) % 67
        grain = self._grain[dy : dy + self.height, dx : dx + self.width]
        cv2.add(rgb, grain, dst=rgb)
        return np.asarray(rgb, np.uint8), labels
