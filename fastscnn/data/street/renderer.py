"""Camera of the demo street and the basic ways to put something on its canvas."""

from __future__ import annotations

from math import ceil, exp, floor, log2
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street.lighting import Image, Texture, Tone, vec
from fastscnn.data.street.occlusion_horizon import OcclusionHorizon
from fastscnn.data.street.scene import Scene

EYE = 1.45
"""Height of the camera in metres."""
FAR = 132.0
"""Nothing but ground and sky is drawn farther away than this, in metres."""
_HAZES = 64
_SMALL = 40
"""Textures up to this many pixels high are drawn from a store of ready sizes."""
_TINY = 4
"""Textures of fewer pixels are left out."""
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


End = tuple[float, float, float, float]


class Wall(NamedTuple):
    """A wall along the street that is seen and how it is drawn.

    Attributes:
        texture: what is on it.
        inside: first column of its seen part, one past the last and one past the last row.
        near, far: its ends: column, rows of its foot and of its upper edge, distance.
        u0, u1: the shown part of the width of the texture, 0–1.
        height: in metres.
    """

    texture: Texture
    inside: tuple[int, int, int]
    near: End
    far: End
    u0: float
    u1: float
    height: float


class Renderer:
    """A camera on the street and its canvas: four channels, RGB and train id, in one.

    Args:
        scene: gives the bends of the road.
        tone, sun: light and weather; side of the sun, −1 left or +1 right.
        width, height: size of the canvas in pixels.
    """

    def __init__(self, scene: Scene, tone: Tone, sun: int, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._scene, self._tone, self._sun = scene, tone, sun
        self._focal = 0.92 * max(width, 1.6 * height)
        self._center = (width - 1) / 2
        self._horizon = 0.43 * height
        self._canvas = np.empty((height, width, 4), np.uint8)
        self._occlusion = OcclusionHorizon(width)
        self._haze = vec(tone.haze)
        self._veils: dict[int, Image] = {}
        self._small: dict[tuple[int, int, bool], tuple[Image, Image]] = {}
        levels = np.arange(256, dtype=np.float32)[:, None]
        self._luts = []
        for i in range(_HAZES + 1):
            part = i / _HAZES
            lut = np.empty((256, 1, 4), np.uint8)
            lut[:, 0, :3] = np.rint(levels * (1 - part) + self._haze * part)
            lut[:, 0, 3] = np.arange(256)
            self._luts.append(lut)
        self._aim(0.0, 0.0, 0.0)

    def _aim(self, z: float, x: float, pitch: float) -> None:
        """Put the camera at the way point ``z``, ``x`` metres right of the middle of the road."""
        s = self._scene
        self._z, self._x = z, x
        self._bend0, self._slope0 = s.bend(z), s.slope(z)
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
        """Share of haze 0–1 at a distance in metres; 1 where objects begin to be drawn."""
        reach = self._tone.range
        part = 1 - exp(-((z / reach) ** 1.6))
        fade = min(max((z - 78.0) / (FAR - 80.0), 0.0), 1.0)
        return float(part + (1 - part) * fade * fade)

    def _hazes_at(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """`_haze_at` for many distances at once."""
        part = 1 - np.exp(-((z / self._tone.range) ** 1.6))
        fade = np.minimum(np.maximum((z - 78.0) / (FAR - 80.0), 0.0), 1.0)
        return np.asarray(part + (1 - part) * fade * fade, np.float64)

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

    def _bar(
        self,
        u: float,
        v: float,
        wide: float,
        high: float,
        color: tuple[float, float, float],
        label: int,
        haze: float,
    ) -> None:
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

    def _see_wall(
        self,
        texture: Texture,
        side: int,
        x: float,
        z0: float,
        z1: float,
        height: float,
        part: float,
        solid: float,
    ) -> Wall | None:
        """A wall along the street, or None if nothing of it is seen; it hides what is behind it.

        ``part`` is how much of the texture's width it shows and ``solid`` how much of its height
        is without holes, 0–1.
        """
        lateral = abs(side * x - self._x)
        reach = self.width / 2 + abs(self._xc - self._center) + 40
        near = max(z0, lateral * self._focal / reach * 0.8, 1.0)
        far = min(z1, FAR)
        if near >= far:
            return None
        ax, ay = self._project(side * x, 0.0, near)
        bx, by = self._project(side * x, 0.0, far)
        tall = height * self._focal
        at, bt = ay - tall / near, by - tall / far
        left, right = max(0, floor(min(ax, bx))), min(self.width, ceil(max(ax, bx)) + 1)
        if left >= right or min(at, bt) >= self.height:
            return None
        # Never quite zero, so that a wall seen from its edge keeps a slope.
        slope = (bt - at) / (bx - ax if abs(bx - ax) > 0.01 else 0.01)
        seen = self._occlusion.seen(
            left, right, at + (left - ax) * slope, at + (right - ax) * slope
        )
        if seen is None:
            return None
        left, right, low = seen
        low = min(low, self.height, ceil(max(ay, by)) + 1)
        if solid and far - near > 0.5:
            rise, fall = at + (ay - at) * (1 - solid), bt + (by - bt) * (1 - solid)
            ends = ((ax, rise), (bx, fall))
            (u0, t0), (u1, t1) = ends if ax < bx else ends[::-1]
            self._occlusion.cover(u0, u1, t0, t1)
        scale = part / (z1 - z0)
        near_end, far_end = (ax, ay, at, near), (bx, by, bt, far)
        return Wall(
            texture, (left, right, low), near_end, far_end,
            (near - z0) * scale, (far - z0) * scale, height,
        )  # fmt: skip

    def _draw_wall(self, wall: Wall) -> None:
        texture = wall.texture
        (ax, ay, at, near), (bx, by, bt, far) = wall.near, wall.far
        left, right, low = wall.inside
        slope = (bt - at) / (bx - ax if abs(bx - ax) > 0.01 else 0.01)
        top = min(at + (left - ax) * slope, at + (right - ax) * slope)
        top = max(0, floor(max(top, min(at, bt))))
        if left >= right or top >= low:
            return
        texels = (wall.u1 - wall.u0) * texture.width
        kx = min(texture.depth, max(0, int(log2(max(texels / (abs(bx - ax) + 0.5), 1.0)) + 0.3)))
        ky = min(texture.depth, max(0, int(log2(max(texture.height / (by - bt + 0.5), 1.0)))))
        ky = min(ky, kx)
        image = texture.images[kx, ky]
        high, wide = image.shape[:2]
        # Where a pixel lies in the texture: along the wall (p) and down it (q), both as shares of
        # the same divisor (r); all three are linear in the column and the row of the pixel.
        rx, r1 = near - far, far * bx - near * ax
        share = (wall.u1 - wall.u0) * near
        px, p1 = share + rx * wall.u0, r1 * wall.u0 - share * ax
        rest = 1 - EYE / wall.height
        qy = near * far * (bx - ax) / self._focal / wall.height
        qx, q1 = rx * rest, r1 * rest - qy * self._yh
        r1, p1, q1 = r1 + rx * left, p1 + px * left, q1 + qx * left + qy * top
        matrix = np.array(
            (
                (px * wide - rx / 2, 0.0, p1 * wide - r1 / 2),
                (qx * high - rx / 2, qy * high, q1 * high - r1 / 2),
                (rx, 0.0, r1),
            )
        )
        size = (right - left, low - top)
        warp = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpPerspective(
            image, matrix, size, flags=warp, borderMode=cv2.BORDER_REPLICATE
        )
        haze = self._haze_at(max((near + far) / 2, 1.0))
        warped = self._hazed(np.asarray(warped, np.uint8), haze)
        mask = np.zeros((size[1], size[0]), np.uint8)
        outline = [
            (int((u - left) * 16), int((v - top) * 16))
            for u, v in ((ax, ay), (bx, by), (bx, bt), (ax, at))
        ]
        cv2.fillConvexPoly(mask, np.array(outline, np.int32), 255, cv2.LINE_8, 4)
        if not texture.solid:
            warp = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
            alpha = cv2.warpPerspective(texture.alphas[kx, ky], matrix, size, flags=warp)
            cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY, dst=alpha)
            cv2.bitwise_and(mask, alpha, dst=mask)
        cv2.copyTo(warped, mask, self._canvas[top:low, left:right])

    def _stamp(
        self, texture: Texture, u: float, v: float, height: float, haze: float, flip: bool = False
    ) -> None:
        """Draw a texture with a mask, facing the camera.

        (u, v) is the middle of its lower edge and ``height`` its height, in pixels.
        """
        high = round(height)
        if high < _TINY:
            return
        wide = max(1, round(texture.width * high / texture.height))
        x, y = round(u - wide / 2), round(v) - high
        x0, x1 = max(0, x), min(self.width, x + wide)
        y0, y1 = max(0, y), min(self.height, y + high)
        if x0 >= x1 or y0 >= y1:
            return
        inside = (x0 - x, y0 - y, x1 - x, y1 - y)
        if high <= _SMALL:
            image, alpha = self._small_texture(texture, wide, high, flip)
            if inside != (0, 0, wide, high):
                part = (slice(inside[1], inside[3]), slice(inside[0], inside[2]))
                image, alpha = image[part], alpha[part]
        else:
            k = min(texture.depth, max(0, int(log2(texture.height / high))))
            whole = texture.level(k, flip)
            image, alpha = (_resized(part, wide, high, inside) for part in whole)
            cv2.threshold(alpha, 118, 255, cv2.THRESH_BINARY, dst=alpha)
        image = self._hazed(image, haze)
        cv2.copyTo(image, alpha, self._canvas[y0:y1, x0:x1])

    def _stamp_box(
        self, texture: Texture, x0: float, y0: float, x1: float, y1: float, haze: float
    ) -> None:
        """Draw a solid texture stretched over a box in pixels."""
        left, right = max(0, round(x0)), min(self.width, round(x1))
        top, low = max(0, round(y0)), min(self.height, round(y1))
        if left >= right or top >= low:
            return
        wide, high = max(1, round(x1) - round(x0)), max(1, round(y1) - round(y0))
        inside = (left - round(x0), top - round(y0), right - round(x0), low - round(y0))
        k = min(texture.depth, max(0, int(log2(texture.width / wide))))
        image = _resized(texture.images[k, k], wide, high, inside)
        self._canvas[top:low, left:right] = self._hazed(image, haze)

    def _small_texture(
        self, texture: Texture, wide: int, high: int, flip: bool
    ) -> tuple[Image, Image]:
        """Return a small texture and its mask in one size, from a store of ready ones."""
        key = (id(texture), high, flip)
        found = self._small.get(key)
        if found is None:
            if len(self._small) > 4000:
                self._small.clear()
            k = min(texture.depth, int(log2(texture.height / high)))
            whole = texture.level(k, flip)
            image, alpha = (
                cv2.resize(part, (wide, high), interpolation=cv2.INTER_AREA) for part in whole
            )
            alpha = cv2.threshold(alpha, 110, 255, cv2.THRESH_BINARY)[1]
            found = self._small[key] = (np.asarray(image, np.uint8), np.asarray(alpha, np.uint8))
        return found

    def _hazed(self, image: Image, haze: float) -> Image:
        """The image (one class) mixed with the colour of the haze; its fourth channel stays."""
        level = round(haze * _HAZES)
        if level < 3:
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
