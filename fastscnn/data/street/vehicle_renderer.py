"""Vehicle renderer: puts the vehicles of the demo street on the canvas."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street import scene
from fastscnn.data.street.ground_renderer import GroundRenderer
from fastscnn.data.street.lighting import Tone, vec
from fastscnn.data.street.renderer import EYE, FAR
from fastscnn.data.street.texture_set import TextureSet
from fastscnn.data.street.vehicle_meshes import (
    END,
    HEAD,
    MATERIALS,
    PAINT,
    PAINTS,
    SIDE,
    TAIL,
    TOP,
    VehicleMesh,
)


class Faces(NamedTuple):
    """The faces of a vehicle that are to be drawn.

    Attributes:
        points: N×3 points of all faces in a row.
        starts: first point of every face.
        colors: colours without haze, RGB and train id.
        shine: how strongly the haze takes them.
    """

    points: NDArray[np.float32]
    starts: NDArray[np.intp]
    colors: NDArray[np.float32]
    shine: NDArray[np.float32]


class Pose(NamedTuple):
    """A vehicle as it is seen: at ``x`` metres beside the camera and ``z`` metres ahead."""

    faces: Faces
    x: float
    z: float
    lean: float
    side: float
    haze: float


Drawn = list[tuple[NDArray[np.int32], tuple[float, ...]]]
"""Polygons with their colours."""


class VehicleRenderer(GroundRenderer):
    """Renderer of vehicles."""

    def __init__(
        self,
        street: scene.Scene,
        textures: TextureSet,
        tone: Tone,
        sun: int,
        width: int,
        height: int,
    ) -> None:
        super().__init__(street, textures, tone, sun, width, height)
        self._faces: dict[tuple[int, int, bool, int, bool], Faces] = {}

    def _see_vehicle(self, t: scene.SceneObject) -> Pose | None:
        """A vehicle, or None if nothing of it is seen; it hides what is behind it."""
        model = self._textures.fleets[t.facing][t.variant]
        z = t.z - self._z
        if z + model.length < 1.5 or z > FAR:
            return None
        near, far = max(z, 0.4), max(z + model.length, 0.8)
        shift, shift_far = self._shift(z), self._shift(z + model.length)
        x, x_far = t.x + shift - self._x, t.x + shift_far - self._x
        s, s_far = self._focal / near, self._focal / far
        # Models are a little wider where they have mirrors.
        half, tall = model.half + 0.2, (EYE - model.height - 0.05)
        left = self._xc + min((x - half) * s, (x_far - half) * s_far)
        right = self._xc + max((x + half) * s, (x_far + half) * s_far)
        if not self._occlusion.shows(left, right, self._yh + min(tall * s, tall * s_far)):
            return None
        side = 1.0 if x < 0 else -1.0
        inner = abs(x) < model.half
        if z > 2:
            self._cover_vehicle(model, x, x_far, z, side, inner)
        fine = 32.0 if model.length < 6 else 55.0
        detail = 0 if z > 2 * fine else (1 if z > fine else 2)
        lit = side * self._sun > 0
        faces = self._model_faces(model, int(t.size), lit, detail, inner)
        haze = self._haze_at(max(z + model.length / 2, 1.0))
        return Pose(faces, x, z, (x_far - x) / model.length, side, haze)

    def _cover_vehicle(
        self, model: VehicleMesh, x: float, x_far: float, z: float, side: float, inner: bool
    ) -> None:
        """Note what the body and the cabin of a vehicle hide."""
        s = self._focal / z
        half = model.half - 0.05
        ends = [(x - half) * s, (x + half) * s]
        boxy = model.height > 1.9
        if not inner and not boxy:
            ends.append((x_far + side * half) * self._focal / (z + model.length - 0.1))
        body = model.height - 0.15 if boxy else 0.47 * model.height
        top = self._yh + (EYE - body) * s
        self._occlusion.cover(self._xc + min(ends), self._xc + max(ends), top)
        if not boxy:
            s = self._focal / (z + 1.9)
            x += (x_far - x) * 1.9 / model.length
            half = model.half * 0.62
            u0, u1 = self._xc + (x - half) * s, self._xc + (x + half) * s
            self._occlusion.cover(u0, u1, self._yh + (EYE - model.height + 0.04) * s)

    def _pose_vehicles(self, poses: list[Pose]) -> list[Drawn]:
        """The polygons of all seen vehicles of a frame, put on it at once."""
        if not poses:
            return []
        sizes = np.array([len(p.faces.points) for p in poses])
        each = np.repeat(
            np.array([(p.x, p.z, p.lean, p.side) for p in poses], np.float32), sizes, axis=0
        )
        points = np.concatenate([p.faces.points for p in poses])
        scale = np.float32(self._focal) / np.maximum(points[:, 2] + each[:, 1], 0.4)
        across = points[:, 0] * each[:, 3] + each[:, 0] + points[:, 2] * each[:, 2]
        screen = np.empty((len(points), 2), np.float32)
        screen[:, 0] = self._xc + across * scale
        screen[:, 1] = self._yh + (EYE - points[:, 1]) * scale
        begins = np.cumsum(sizes) - sizes
        starts = np.concatenate(
            [p.faces.starts + at for p, at in zip(poses, begins.tolist(), strict=True)]
        )
        low, high = np.minimum.reduceat(screen, starts), np.maximum.reduceat(screen, starts)
        size = high - low
        shown = (size.max(axis=1) > 1.2) & (size.min(axis=1) > 0.25)
        shown &= (high > -1).all(axis=1) & (low[:, 0] < self.width) & (low[:, 1] < self.height)
        fixed = np.rint(np.clip(screen * 16, -4e5, 4e5)).astype(np.int32)
        counts = [len(p.faces.starts) for p in poses]
        share = np.concatenate([p.faces.shine * np.float32(p.haze) for p in poses])[:, None]
        colors = np.concatenate([p.faces.colors for p in poses])
        colors[:, :3] += (self._haze - colors[:, :3]) * share
        fills = colors.tolist()
        stops = [*starts[1:].tolist(), len(points)]
        faces = [
            (fixed[a:b], fill) if seen else None
            for a, b, fill, seen in zip(starts.tolist(), stops, fills, shown.tolist(), strict=True)
        ]
        out: list[Drawn] = []
        at = 0
        for count in counts:
            out.append([face for face in faces[at : at + count] if face])
            at += count
        return out

    def _draw_polygons(self, polygons: Drawn) -> None:
        canvas, fill = self._canvas, cv2.fillConvexPoly
        for points, color in polygons:
            fill(canvas, points, color, cv2.LINE_8, 4)

    def _model_faces(
        self, model: VehicleMesh, color: int, lit: bool, detail: int, inner: bool
    ) -> Faces:
        """Faces of a vehicle in its paint, in the light of this street, from a store."""
        key = (id(model), color, lit, detail, inner)
        found = self._faces.get(key)
        if found is None:
            tone = self._tone
            light = {
                SIDE: tone.face(0.9 if lit else 0.0),
                END: tone.face(0.4),
                TOP: tone.face(0.95),
            }
            glow = {HEAD: (255, 240, 200), TAIL: (255, 52, 40)} if tone.dark else {}
            points: list[NDArray[np.float32]] = []
            starts, colors, shine, count = [], [], [], 0
            for start, stop, material, facing, factor, rank in model.faces:
                if rank > detail or (inner and facing == SIDE):
                    continue
                base = vec(PAINTS[color] if material == PAINT else MATERIALS[material])
                shown = vec(glow.get(material, base * light[facing] * factor + 6))
                starts.append(count)
                points.append(model.points[start:stop])
                count += stop - start
                colors.append([*np.minimum(shown, 255).tolist(), float(model.label)])
                shine.append(0.5 if material in glow else 1.0)
            found = Faces(np.concatenate(points), np.array(starts), vec(colors), vec(shine))
            self._faces[key] = found
        return found
