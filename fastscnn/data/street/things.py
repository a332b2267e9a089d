"""Houses, things and vehicles of the demo street, put on the canvas."""

from __future__ import annotations

from math import floor

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street import scene
from fastscnn.data.street.art import STEPS, TOWN, Art
from fastscnn.data.street.floor import Chunks, GroundView
from fastscnn.data.street.ground import CHUNK
from fastscnn.data.street.light import BUILDING, LIGHT, POLE, Tone, vec
from fastscnn.data.street.models import (
    END,
    HEAD,
    MATERIALS,
    PAINT,
    PAINTS,
    SIDE,
    TAIL,
    TOP,
    Model,
)
from fastscnn.data.street.view import EYE, FAR

Fills = tuple[list[tuple[int, int]], NDArray[np.float32], NDArray[np.float32]]


class ThingView(GroundView):
    """A view that can draw everything that stands or moves on the street."""

    def __init__(
        self, street: scene.Scene, art: Art, tone: Tone, sun: int, width: int, height: int
    ) -> None:
        super().__init__(street, art, tone, sun, width, height)
        self._veil_color = vec((*tone.haze, 0.0))
        self._colors: dict[tuple[int, int, bool, int, bool], Fills] = {}

    @staticmethod
    def _row_of_houses(chunks: Chunks) -> list[tuple[scene.House, float]]:
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

    def _draw_strip(self, strip: scene.Strip) -> None:
        z0, z1 = strip.z0 - self._z, strip.z1 - self._z
        if z1 < 1 or z0 > FAR:
            return
        picture = self._art.strips[strip.side][strip.kind]
        part = min((z1 - z0) / CHUNK, 1.0)
        self._upright(picture, strip.side, strip.x, z0, z1, strip.height, 0.0, part)

    def _draw_house(self, b: scene.House, hidden: float) -> None:
        z0, z1 = b.z0 - self._z, b.z1 - self._z
        if z1 < 1 or z0 > FAR - 1:
            return
        picture = self._art.fronts[b.side][b.picture]
        x, out = b.side * b.x, b.side * (b.x + b.depth)
        haze = self._haze_at(max((z0 + z1) / 2, 1.0))
        near = max(z0, 1.0)
        roof_color = self._art.roofs[b.side][b.tint]
        gable = b.picture >= TOWN
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
            wall = self._art.ends[b.tint]
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
        width = (z1 - z0) / 12.0
        self._upright(picture, b.side, b.x, z0, z1, b.height, 0.0, min(width, 1.0))

    def _chimney(self, x: float, y: float, z: float, haze: float) -> None:
        if z < 3:
            return
        u, v = self._project(x, y, z)
        s = self._focal / z
        color = self._art.brick
        box = [
            (u - 0.5 * s, v + 0.8 * s),
            (u - 0.5 * s, v - 0.9 * s),
            (u + 0.5 * s, v - 0.9 * s),
            (u + 0.5 * s, v + 0.8 * s),
        ]
        self._fill(box, self._mix(color, BUILDING, haze))

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
            pictures = self._art.bushes if t.kind == scene.BUSH else self._art.trees
            picture = pictures[t.variant % len(pictures)]
            self._stamp(picture, u, v, t.size * scale, haze, int(t.z * 3) % 2 == 0)
        elif t.kind == scene.PEDESTRIAN:
            frames = self._art.people[t.variant]
            walk = floor((time * 1.05 + t.phase) * STEPS) % STEPS
            step = walk if t.phase >= 0 else STEPS // 2
            flip = (t.facing > 0) != (t.x > 0)
            self._stamp(frames[step], u, v, t.size * scale * 1.03, haze, flip)
        elif t.kind == scene.CYCLIST:
            step = floor((time * 1.1 + t.phase) * STEPS) % STEPS
            bike, rider = self._art.cyclists[t.variant][step]
            self._stamp(bike, u, v, 1.85 * scale, haze)
            self._stamp(rider, u, v, 1.85 * scale, haze)
        elif t.kind == scene.BICYCLES:
            self._stamp(self._art.bicycles[t.variant], u, v, 1.05 * scale, haze)
        elif t.kind == scene.MOTORBIKE:
            self._stamp(self._art.motorcycles[t.variant], u, v, 1.35 * scale, haze)
        else:
            self._draw_post(t, u, v, scale, haze, z)

    def _draw_post(
        self, t: scene.Thing, u: float, v: float, s: float, haze: float, z: float
    ) -> None:
        r, g, b = self._art.front_light
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
            self._stamp(self._art.signs[t.variant], u, v - 2.2 * s, 0.78 * t.size * s, haze)
            if t.variant in (0, 6):
                size = 0.62 * s
                self._stamp(self._art.signs[5 if t.variant == 0 else 2], u, v - 1.6 * s, size, haze)
        else:
            self._draw_signal(t, u, v, s, haze, z)

    def _draw_signal(
        self, t: scene.Thing, u: float, v: float, s: float, haze: float, z: float
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

    def _draw_vehicle(self, t: scene.Thing, z: float) -> None:
        model = self._art.fleets[t.facing][t.variant]
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

    def _fills(self, model: Model, color: int, lit: bool, detail: int, inner: bool) -> Fills:
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
                base = vec(PAINTS[color] if material == PAINT else MATERIALS[material])
                shown = vec(glow.get(material, base * light[facing] * factor + 6))
                faces.append((start, stop))
                colors.append([*np.minimum(shown, 255).tolist(), 0.0])
                shine.append(0.5 if material in glow else 1.0)
            found = self._colors[key] = (faces, vec(colors), vec(shine))
        return found
