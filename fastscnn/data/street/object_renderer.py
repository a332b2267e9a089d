"""Object renderer: puts the houses, objects and vehicles of the demo street on the canvas."""

from __future__ import annotations

from math import floor
from typing import NamedTuple

import cv2
import numpy as np

from fastscnn.data.street import scene
from fastscnn.data.street.ground_renderer import Chunks
from fastscnn.data.street.ground_textures import CHUNK
from fastscnn.data.street.lighting import BUILDING, LIGHT, POLE
from fastscnn.data.street.renderer import EYE, FAR, Wall
from fastscnn.data.street.texture_set import STEPS, TOWN
from fastscnn.data.street.vehicle_renderer import Pose, VehicleRenderer

_SOLID = {"brick": 0.98, "boards": 0.9, "hedge": 0.7, "forest": 0.55, "rail": 0.0}
"""Share of the height of a strip that has no holes."""

# Greatest reach to the side and height of the objects, in metres or, for those of a size of their
# own, in shares of it.
_REACH = {
    scene.TREE: (0.42, 1.01), scene.BUSH: (0.85, 1.02), scene.PEDESTRIAN: (0.22, 1.05),
    scene.LAMP: (2.8, 7.8), scene.SIGNPOST: (0.45, 3.2), scene.SIGNAL: (0.25, 3.6),
    scene.CYCLIST: (0.5, 1.9), scene.BICYCLES: (1.4, 1.1), scene.MOTORBIKE: (1.5, 1.4),
    scene.BOLLARD: (0.12, 1.0),
}  # fmt: skip
_SIZED = (scene.TREE, scene.BUSH, scene.PEDESTRIAN)


class Spot(NamedTuple):
    """Place of an object: pixel of its foot, pixels per metre, share of haze, distance."""

    u: float
    v: float
    scale: float
    haze: float
    z: float


class HouseShot(NamedTuple):
    """A house that is seen: its front if that is seen, and whether its end and roof are."""

    house: scene.House
    hidden: float
    front: Wall | None
    rest: bool


class ObjectRenderer(VehicleRenderer):
    """Renderer of everything that stands or moves on the street."""

    def _draw_standing(self, chunks: Chunks, objects: list[scene.SceneObject], time: float) -> None:
        """Draw all that stands or moves on the ground.

        Seen from the road, what stands farther to the side never hides what stands nearer to its
        middle.  So the order is by bands from the outside in, and by distance inside a band.  In
        the opposite order it is first found out what is seen at all.
        """
        bands: tuple[list[scene.SceneObject], ...] = ([], [], [], [])
        for item in sorted(objects, key=lambda t: -t.z):
            away = abs(item.x)
            bands[0 if away > 8.5 else 1 if away > 5.4 else 2 if away > 3.6 else 3].append(item)
        strips = [s for _, c in reversed(chunks) for s in c.strips]
        self._occlusion.clear()
        inner = [t for band in bands[1:] for t in band]
        inner_seen = self._see_objects(inner)
        low = self._see_strips([s for s in strips if s.x <= 15])
        outer_seen = self._see_objects(bands[0])
        houses = self._see_houses(chunks)
        for wall in self._see_strips([s for s in strips if s.x > 15]):
            self._draw_wall(wall)
        for shot in houses:
            self._draw_house(shot)
        self._draw_objects(outer_seen, time)
        for wall in low:
            self._draw_wall(wall)
        self._draw_objects(inner_seen, time)

    def _see_objects(
        self, objects: list[scene.SceneObject]
    ) -> list[tuple[scene.SceneObject, Spot | Pose]]:
        """Return the objects that are seen, in the same order; the last one is the nearest."""
        if not objects:
            return []
        x, z = np.array([(t.x, t.z - self._z) for t in objects]).T
        near = np.maximum(z, 1.0)
        scale = self._focal / near
        u = self._xc + (x - self._x + self._shifts(near)) * scale
        spots = np.stack((u, self._yh + EYE * scale, scale, self._hazes_at(near), z), axis=1)
        out: list[tuple[scene.SceneObject, Spot | Pose]] = []
        for t, at in zip(reversed(objects), reversed(spots.tolist()), strict=True):
            if t.kind == scene.VEHICLE:
                pose = self._see_vehicle(t)
                if pose:
                    out.append((t, pose))
                continue
            spot = Spot(*at)
            if not 1.5 < spot.z < FAR:
                continue
            half, tall = _REACH[t.kind]
            size = spot.scale * t.size if t.kind in _SIZED else spot.scale
            half = half * size + 2
            if self._occlusion.shows(spot.u - half, spot.u + half, spot.v - tall * size - 2):
                out.append((t, spot))
        out.reverse()
        return out

    def _draw_objects(self, seen: list[tuple[scene.SceneObject, Spot | Pose]], time: float) -> None:
        vehicles = iter(self._pose_vehicles([at for _, at in seen if isinstance(at, Pose)]))
        for t, at in seen:
            if isinstance(at, Pose):
                self._draw_polygons(next(vehicles))
            else:
                self._draw_thing(t, at, time)

    def _see_strips(self, strips: list[scene.Strip]) -> list[Wall]:
        """Return the strips that are seen; far ones first, as they were given."""
        out = []
        for strip in reversed(strips):
            z0, z1 = strip.z0 - self._z, strip.z1 - self._z
            if z1 < 1 or z0 > FAR:
                continue
            texture = self._textures.strips[strip.side][strip.kind]
            part = min((z1 - z0) / CHUNK, 1.0)
            wall = self._see_wall(
                texture, strip.side, strip.x, z0, z1, strip.height, part, _SOLID[strip.kind]
            )
            if wall:
                out.append(wall)
        out.reverse()
        return out

    def _see_houses(self, chunks: Chunks) -> list[HouseShot]:
        """Return the houses that are seen, far ones first."""
        out = []
        for b, hidden in reversed(self._row_of_houses(chunks)):
            z0, z1 = b.z0 - self._z, b.z1 - self._z
            if z1 < 1 or z0 > FAR - 1:
                continue
            near = max(z0, 1.0)
            u1, _ = self._project(b.side * (b.x + b.depth), 0.0, near)
            rest = b.roof > 0 or (z0 > 1 and b.height > hidden)
            if rest:  # the end and the roof, which hangs over a little
                u0, v = self._project(b.side * (b.x - 0.5), b.height + b.roof + 1.0, near)
                ends = (u0, u1, self._project(b.side * (b.x - 0.5), 0.0, min(z1, FAR))[0])
                rest = self._occlusion.shows(min(ends), max(ends), v)
            texture = self._textures.fronts[b.side][b.facade]
            part = min((z1 - z0) / 12.0, 1.0)
            front = self._see_wall(texture, b.side, b.x, z0, z1, b.height, part, 1.0)
            if z0 > 1.0:
                ax, ay = self._project(b.side * b.x, b.height, z0)
                self._occlusion.cover(min(ax, u1), max(ax, u1), ay)
            if rest or front:
                out.append(HouseShot(b, hidden, front, rest))
        out.reverse()
        return out

    @staticmethod
    def _row_of_houses(chunks: Chunks) -> list[tuple[scene.House, float]]:
        """Return every house, far ones first, and the height to which its neighbour hides it."""
        out = []
        before: dict[int, scene.House] = {}
        for house in sorted((b for _, c in chunks for b in c.houses), key=lambda b: b.z0):
            last = before.get(house.side)
            touching = last is not None and last.z1 > house.z0 - 0.1 and last.x <= house.x
            out.append((house, last.height if last is not None and touching else 0.0))
            before[house.side] = house
        out.reverse()
        return out

    def _draw_house(self, shot: HouseShot) -> None:
        if shot.rest:
            self._draw_end_and_roof(shot.house, shot.hidden)
        if shot.front:
            self._draw_wall(shot.front)

    def _draw_end_and_roof(self, b: scene.House, hidden: float) -> None:
        z0, z1 = b.z0 - self._z, b.z1 - self._z
        x, out = b.side * b.x, b.side * (b.x + b.depth)
        haze = self._haze_at(max((z0 + z1) / 2, 1.0))
        near = max(z0, 1.0)
        roof_color = self._textures.roofs[b.side][b.tint]
        gable = b.facade >= TOWN
        if b.roof:
            ridge = b.side * (b.x + (b.depth / 2 if gable else 2.6))
            top = b.height + b.roof
            pts = [
                self._project(x - b.side * 0.3, b.height - 0.1, near),
                self._project(x - b.side * 0.3, b.height - 0.1, z1),
                self._project(ridge, top, z1),
                self._project(ridge, top, near),
            ]
        if z0 > 1.0 and b.height + b.roof > hidden:  # the end that looks at the camera
            wall = self._textures.ends[b.tint]
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
                self._fill(end, self._mix(color, BUILDING, haze))
            top_edge, low_edge = ay - b.height * scale, ay - hidden * scale
            if b.height > hidden and haze > 0.2:  # too far for its windows to be seen
                box = [(ax, low_edge), (ax, top_edge), (bx, top_edge), (bx, low_edge)]
                self._fill(box, self._mix(color, BUILDING, haze))
            elif b.height > hidden:
                self._stamp_box(wall, min(ax, bx), top_edge, max(ax, bx), low_edge, haze)
        if b.roof:
            self._fill(pts, self._mix(roof_color, BUILDING, haze))
            if b.tint % 2 == 0:
                self._chimney(ridge, b.height + b.roof, (z0 + z1) / 2, haze)

    def _chimney(self, x: float, y: float, z: float, haze: float) -> None:
        if z < 3:
            return
        u, v = self._project(x, y, z)
        s = self._focal / z
        color = self._textures.brick
        box = [
            (u - 0.5 * s, v + 0.8 * s),
            (u - 0.5 * s, v - 0.9 * s),
            (u + 0.5 * s, v - 0.9 * s),
            (u + 0.5 * s, v + 0.8 * s),
        ]
        self._fill(box, self._mix(color, BUILDING, haze))

    def _draw_thing(self, t: scene.SceneObject, at: Spot, time: float) -> None:
        u, v, scale, haze, z = at
        if t.kind in (scene.TREE, scene.BUSH):
            textures = self._textures.bushes if t.kind == scene.BUSH else self._textures.trees
            texture = textures[t.variant % len(textures)]
            self._stamp(texture, u, v, t.size * scale, haze, int(t.z * 3) % 2 == 0)
        elif t.kind == scene.PEDESTRIAN:
            frames = self._textures.people[t.variant]
            walk = floor((time * 1.05 + t.phase) * STEPS) % STEPS
            step = walk if t.phase >= 0 else STEPS // 2
            flip = (t.facing > 0) != (t.x > 0)
            self._stamp(frames[step], u, v, t.size * scale * 1.03, haze, flip)
        elif t.kind == scene.CYCLIST:
            step = floor((time * 1.1 + t.phase) * STEPS) % STEPS
            bike, rider = self._textures.cyclists[t.variant][step]
            self._stamp(bike, u, v, 1.85 * scale, haze)
            self._stamp(rider, u, v, 1.85 * scale, haze)
        elif t.kind == scene.BICYCLES:
            self._stamp(self._textures.bicycles[t.variant], u, v, 1.05 * scale, haze)
        elif t.kind == scene.MOTORBIKE:
            self._stamp(self._textures.motorcycles[t.variant], u, v, 1.35 * scale, haze)
        else:
            self._draw_post(t, u, v, scale, haze, z)

    def _draw_post(
        self, t: scene.SceneObject, u: float, v: float, s: float, haze: float, z: float
    ) -> None:
        r, g, b = self._textures.front_light
        steel = (118 * r, 122 * g, 124 * b)
        if t.kind == scene.BOLLARD:
            self._bar(u, v, 0.14 * s, 0.95 * s, (56 * r, 58 * g, 60 * b), POLE, haze)
            self._bar(u, v - 0.75 * s, 0.15 * s, 0.1 * s, (206 * r, 204 * g, 200 * b), POLE, haze)
        elif t.kind == scene.LAMP:
            inward = -1 if t.x > 0 else 1
            dark = (84 * r, 90 * g, 90 * b)
            self._bar(u, v, 0.13 * s, 7.2 * s, dark, POLE, haze)
            self._bar(u, v, 0.22 * s, 1.1 * s, dark, POLE, haze)
            tip = u + inward * 1.9 * s
            pole = self._mix(dark, POLE, haze)
            thick = max(0.05 * s, 0.6)
            self._fill(
                [
                    (u, v - 7.1 * s + thick),
                    (u, v - 7.2 * s - thick),
                    (tip, v - 7.5 * s - thick),
                    (tip, v - 7.5 * s + thick),
                ],
                pole,
            )
            glow = self._tone.dark > 0
            lamp = (255.0, 226.0, 160.0) if glow else (190 * r, 192 * g, 190 * b)
            self._fill(
                [
                    (tip, v - 7.6 * s),
                    (tip + inward * 0.75 * s, v - 7.64 * s),
                    (tip + inward * 0.75 * s, v - 7.44 * s),
                    (tip, v - 7.42 * s),
                ],
                self._mix(lamp, POLE, haze * (0.4 if glow else 1)),
            )
        elif t.kind == scene.SIGNPOST:
            self._bar(u, v, 0.07 * s, 2.9 * s, steel, POLE, haze)
            self._stamp(self._textures.signs[t.variant], u, v - 2.2 * s, 0.78 * t.size * s, haze)
            if t.variant in (0, 6):
                size = 0.62 * s
                self._stamp(
                    self._textures.signs[5 if t.variant == 0 else 2], u, v - 1.6 * s, size, haze
                )
        else:
            self._draw_signal(t, u, v, s, haze, z)

    def _draw_signal(
        self, t: scene.SceneObject, u: float, v: float, s: float, haze: float, z: float
    ) -> None:
        """A traffic light; it turns green while the camera car comes nearer."""
        self._bar(u, v, 0.12 * s, 3.0 * s, (70.0, 74.0, 74.0), POLE, haze)
        away = t.facing == 1 and t.x < 0
        body = self._mix((34.0, 36.0, 36.0), LIGHT, haze)
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
            fill = self._mix(color, LIGHT, haze * (0.5 if on else 1.0))
            cv2.circle(self._canvas, center, radius, fill, -1, cv2.LINE_8, 4)
