"""Baked sky and ground of the demo street."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street.lighting import (
    BUILDING,
    GROUND_CODES,
    ROAD,
    SIDEWALK,
    SKY,
    TERRAIN,
    VEGETATION,
    Image,
    Tone,
    clip8,
    noise,
    vec,
)


def sky(rng: np.random.Generator, tone: Tone, width: int, height: int, unit: float) -> Image:
    """Panorama above the horizon with clouds and a far skyline, height×width×4 uint8 (RGB, id).

    Args:
        unit: pixels per radian, so that the skyline has the same size in every image.
    """
    rise = np.linspace(1.0, 0.0, height, dtype=np.float32)[:, None, None]  # 1 = top, 0 = horizon
    blend = np.clip(rise * 1.15, 0, 1) ** 0.62
    paint = vec(tone.horizon) * (1 - blend) + vec(tone.zenith) * blend
    paint = np.repeat(paint, width, axis=1)
    # Clouds flatten toward the horizon: sample one noise field with a perspective row spacing.
    field = noise(rng, max(height, 64), width, max(unit * 0.20, 8), 5)
    rows = (np.linspace(1.0, 0.0, height) ** 0.55 * (field.shape[0] - 1)).astype(np.int64)
    field = field[rows]
    body = np.clip((field + tone.cover - 0.42) * 3.2, 0, 1)[..., None]
    lit = np.clip(field[..., None] * 0.55 + 0.62, 0.3, 1.0)
    under = vec(tone.cloud) * 0.76 + vec(tone.zenith) * 0.16
    shade = vec(tone.cloud) * lit + under * (1 - lit)
    body *= np.clip(rise * 6.0, 0.15, 1.0) * 0.88
    paint = paint * (1 - body) + shade * body
    out = np.empty((height, width, 4), np.uint8)
    out[..., :3] = clip8(paint)
    out[..., 3] = SKY
    # Far town: blocks and tree tops, almost as pale as the haze.
    haze = vec(tone.haze)
    x = -8.0
    while x < width:
        wide = unit * rng.uniform(0.012, 0.05)
        high = unit * rng.uniform(0.008, 0.034)
        dim = haze * 0.9 + vec((118, 118, 122)) * 0.1
        _box(out, x, height - high, x + wide, height, (*dim.tolist(), BUILDING))
        x += wide * rng.uniform(0.7, 2.2)
    x = -8.0
    while x < width:
        wide = unit * rng.uniform(0.006, 0.02)
        high = unit * rng.uniform(0.006, 0.016)
        dim = haze * 0.86 + vec((70, 96, 66)) * 0.14 * (1 - 0.6 * tone.dark)
        center = (int(x), height)
        cv2.ellipse(out, center, (int(wide) + 1, int(high) + 1), 0, 0, 360,
                    (*dim.tolist(), VEGETATION), -1)  # fmt: skip
        x += wide * rng.uniform(0.5, 1.2)
    return out


def _box(
    image: Image, x0: float, y0: float, x1: float, y1: float, color: tuple[float, ...]
) -> None:
    cv2.rectangle(image, (round(x0), round(y0)), (round(x1) - 1, round(y1) - 1), color, -1)


CHUNK = 24.0
"""Length of one piece of street in metres; also the length of one ground section."""
REACH = 16.0
"""The baked ground covers −REACH…REACH metres across the street."""
GRAIN = 24
"""Texels per metre of the finest ground level."""
CITY, AVENUE, SUBURB, PARK, CROSS = range(5)
KERB = {CITY: 5.6, AVENUE: 5.6, SUBURB: 5.0, PARK: 5.0, CROSS: 5.6}
WALK = {CITY: 9.2, AVENUE: 7.9, SUBURB: 7.3, PARK: 7.3, CROSS: 9.2}
"""Kerb line and outer edge of the pavement, metres from the middle of the road."""


@dataclass(frozen=True, slots=True)
class GroundTextures:
    """Baked ground: one section per kind of street side, stacked along the rows.

    Attributes:
        levels: per level (image, factor of its columns, rows per section); the images have four
            channels, RGB and a code for the train id (`GROUND_CODES`).
    """

    levels: tuple[tuple[Image, float, int], ...]


def ground(rng: np.random.Generator, tone: Tone) -> GroundTextures:
    """Bake the ground of all kinds of street side with all levels of reduction."""
    rows, cols = int(CHUNK * GRAIN), int(2 * REACH * GRAIN)
    across = vec((np.arange(cols) + 0.5) / GRAIN - REACH)
    light = tone.face(0.8)
    fine = rng.standard_normal((rows, cols), np.float32)
    fine += cv2.blur(fine, (3, 3)) * 2.0
    patchy = noise(rng, rows, cols, 90, 3)
    streak = cv2.resize(noise(rng, 24, cols, 30, 2), (cols, rows))
    # Tyres polish two bands per lane; between them the asphalt stays darker and oilier.
    wear = np.zeros(cols, np.float32)
    for track in (-2.6, -0.95, 0.95, 2.6):
        wear += np.exp(-(((across - track) / 0.32) ** 2))
    oil = np.exp(-(((np.abs(across) - 1.75) / 0.4) ** 2))
    tar = 84 + 4.5 * fine + 9 * patchy + 5 * streak + (6 * wear - 6 * oil)[None]
    asphalt = (tar[..., None] * vec((1.0, 1.0, 1.03))).astype(np.float32)
    slab = 142 + 3.5 * fine + 10 * patchy
    paving = (slab[..., None] * vec((1.0, 0.975, 0.94))).astype(np.float32)
    _joints(paving, rng)
    blades = noise(rng, rows, cols, 14, 3)
    green = vec((92, 112, 54)) + blades[..., None] * vec((26, 24, 14))
    grass = (green + (fine * 5 + 14 * patchy)[..., None]).astype(np.float32)
    images: list[list[Image]] = [[] for _ in range(7)]
    codes = np.zeros(256, np.uint8)
    for train_id, code in GROUND_CODES.items():
        codes[train_id] = code
    for kind in range(5):
        rgb, label = _section(kind, rng, asphalt, paving, grass, across)
        image = cv2.cvtColor(clip8(rgb * light), cv2.COLOR_RGB2RGBA)
        image[..., 3] = codes[label]
        for k in range(7):
            size = (cols // (2 if k >= 5 else 1), rows >> k)
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            images[k].append(np.asarray(image, np.uint8))
    return GroundTextures(
        tuple((np.vstack(images[k]), 0.5 if k >= 5 else 1.0, rows >> k) for k in range(7))
    )


def _joints(paving: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Slabs of 0.75 m × 0.5 m with their own brightness, split by darker joints."""
    rows, cols = paving.shape[:2]
    step_v, step_u = GRAIN // 2, GRAIN * 3 // 4
    tint = rng.normal(0, 5, (rows // step_v + 1, cols // step_u + 2)).astype(np.float32)
    for i in range(0, rows, step_v):
        shift = (i // step_v % 2) * step_u // 2
        line = np.repeat(tint[i // step_v], step_u)[shift : shift + cols]
        paving[i : i + step_v] += line[None, :, None]
        paving[i : i + step_v, (step_u - shift) % step_u :: step_u] -= 22
    paving[::step_v] -= 22


def _section(
    kind: int,
    rng: np.random.Generator,
    asphalt: NDArray[np.float32],
    paving: NDArray[np.float32],
    grass: NDArray[np.float32],
    across: NDArray[np.float32],
) -> tuple[NDArray[np.float32], Image]:
    """One section of ground: CHUNK metres long, RGB float32 and labels."""
    rows, cols = asphalt.shape[:2]
    away = np.abs(across)
    out = asphalt.copy()
    label = np.zeros((rows, cols), np.uint8)

    def u(x: float) -> int:
        return round((x + REACH) * GRAIN)

    def v(z: float) -> int:
        return round(z * GRAIN)

    walk = (away >= KERB[kind]) & (away < WALK[kind])
    out[:, walk], label[:, walk] = paving[:, walk], SIDEWALK
    rest = away >= WALK[kind]
    if kind in (CITY, CROSS):
        out[:, rest], label[:, rest] = paving[:, rest] * 0.94, SIDEWALK
    else:
        out[:, rest], label[:, rest] = grass[:, rest], TERRAIN
    stone = (away >= KERB[kind]) & (away < KERB[kind] + 0.22)
    out[:, stone] = out[:, stone] * 0.55 + 82
    out[::GRAIN, stone] -= 30
    gutter = (away >= KERB[kind] - 0.30) & (away < KERB[kind])
    out[:, gutter] = out[:, gutter] * 0.86
    # Repairs, cracks, drains and covers make the asphalt readable as asphalt.
    for _ in range(3):
        x, z = rng.uniform(-4.6, 4.0), rng.uniform(1, CHUNK - 6)
        wide, long = rng.uniform(0.6, 1.6), rng.uniform(1.2, 4.5)
        area = (slice(v(z), v(z + long)), slice(u(x), u(min(x + wide, 4.6))))
        out[area] = out[area] * rng.choice([0.86, 0.9, 1.07])
    for _ in range(5):
        x, z = rng.uniform(-4.5, 4.5), rng.uniform(0, CHUNK)
        line = [[u(x), v(z)]]
        for _ in range(9):
            x, z = x + rng.normal(0, 0.16), z + rng.uniform(0.05, 0.5)
            line.append([u(x), v(z)])
        cv2.polylines(out, [np.array(line, np.int32)], False, (54, 54, 56), 1)
    cv2.circle(out, (u(-1.4), v(15.3)), 8, (62, 60, 58), -1)
    cv2.circle(out, (u(-1.4), v(15.3)), 8, (96, 94, 92), 1)
    white = vec((222, 222, 216))
    worn = 1.0 - 0.30 * np.clip(noise(rng, rows, cols, 12, 3) + 0.25, 0, 1)[..., None]

    def mark(z0: float, z1: float, x0: float, x1: float) -> None:
        area = (slice(v(z0), v(z1)), slice(u(x0), u(x1)))
        out[area] = out[area] * (1 - 0.9 * worn[area]) + white * 0.9 * worn[area]

    if kind == CROSS:
        _crossing(out, label, asphalt, away, v)
        for x in np.arange(-5.0, 5.0, 1.0):
            mark(1.6, 4.6, x, x + 0.52)
            mark(19.4, 22.4, x, x + 0.52)
        mark(0.4, 0.8, 0.1, 5.2)
        mark(23.2, 23.6, -5.2, -0.1)
    else:
        for z in (0.0, 8.0, 16.0):
            mark(z + 2, z + 5.4, -0.08, 0.08)
        edge = KERB[kind] - 0.5 if kind in (SUBURB, PARK) else 3.55
        for side in (-1, 1):
            if kind in (SUBURB, PARK):
                mark(0, CHUNK, side * edge - 0.06, side * edge + 0.06)
            else:
                for z in np.arange(0, CHUNK, 6.0):  # parking bays
                    mark(z, z + 0.9, side * edge - 0.05, side * edge + 0.05)
    return out, label


def _crossing(
    out: NDArray[np.float32],
    label: Image,
    asphalt: NDArray[np.float32],
    away: NDArray[np.float32],
    v: Any,
) -> None:
    """A side road on both sides, with rounded pavement corners."""
    z = (np.arange(out.shape[0], dtype=np.float32) + 0.5) / GRAIN
    near = np.abs(z - CHUNK / 2)[:, None]
    half, radius = 5.0, 2.6
    dx = np.clip(KERB[CROSS] + radius - away, 0, None)[None]
    dz = np.clip(half + radius - near, None, None)
    inside = near < half
    corner = (near >= half) & (near < half + radius) & (away[None] >= KERB[CROSS])
    gap = np.hypot(dx, dz)
    side = (inside | (corner & (gap > radius))) & (away[None] >= KERB[CROSS] - 0.3)
    out[side] = asphalt[side]
    label[side] = ROAD
    rim = corner & (gap <= radius) & (gap > radius - 0.22)
    out[rim] = out[rim] * 0.55 + 82
