"""Baked pictures of the demo street: light, sky, ground, façades, plants, people and signs.

Everything here is painted once, when a `Street` is made, from a seeded generator.  Drawing a frame
then only moves, scales and hazes these pictures.  All pictures carry the train id of their class
as a fourth channel, so that colour and label are always copied by the same mask.
"""

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


# --------------------------------------------------------------------------------------- light


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
        return np.float32(self.ambient) + np.float32(toward_sun) * np.float32(self.sun)


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


# ------------------------------------------------------------------------------------- helpers


def noise(
    rng: np.random.Generator, height: int, width: int, cell: float, octaves: int = 3
) -> NDArray[np.float32]:
    """Smooth random field, height×width float32, about −1…1; ``cell`` is its largest feature."""
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
    return np.asarray(cv2.add(np.asarray(values, np.float32), 0.0, dtype=cv2.CV_8U), np.uint8)


class Picture:
    """A baked picture in several sizes.

    Args:
        rgb: H×W×3 numbers 0–255.
        label: the train id of the whole picture.
        alpha: H×W uint8, 255 where the picture is solid; None = everywhere.
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
        for ky in range(depth + 1):
            for kx in range(ky, depth + 1) if both else (ky,):
                size = (max(2, self.width >> kx), max(2, self.height >> ky))
                near = (kx - 1, ky) if (kx - 1, ky) in self.images else (ky - 1, ky - 1)
                self.images[kx, ky] = _shrunk(self.images.get(near, base), size)
                if alpha is not None:
                    self.alphas[kx, ky] = _shrunk(self.alphas.get(near, alpha), size)


def _shrunk(image: Image, size: tuple[int, int]) -> Image:
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


# ----------------------------------------------------------------------------------------- sky


def sky(rng: np.random.Generator, tone: Tone, width: int, height: int, unit: float) -> Image:
    """Panorama above the horizon with clouds and a far skyline, height×width×4 uint8 (RGB, id).

    Args:
        unit: pixels per radian, so that the skyline has the same size in every picture.
    """
    rise = np.linspace(1.0, 0.0, height, dtype=np.float32)[:, None, None]  # 1 = top, 0 = horizon
    blend = np.clip(rise * 1.15, 0, 1) ** 0.62
    paint = np.float32(tone.horizon) * (1 - blend) + np.float32(tone.zenith) * blend
    paint = np.repeat(paint, width, axis=1)
    # Clouds flatten toward the horizon: sample one noise field with a perspective row spacing.
    field = noise(rng, max(height, 64), width, max(unit * 0.20, 8), 5)
    rows = (np.linspace(1.0, 0.0, height) ** 0.55 * (field.shape[0] - 1)).astype(np.int64)
    field = field[rows]
    body = np.clip((field + tone.cover - 0.42) * 3.2, 0, 1)[..., None]
    lit = np.clip(field[..., None] * 0.55 + 0.62, 0.3, 1.0)
    under = np.float32(tone.cloud) * 0.76 + np.float32(tone.zenith) * 0.16
    shade = np.float32(tone.cloud) * lit + under * (1 - lit)
    body *= np.clip(rise * 6.0, 0.15, 1.0) * 0.88
    paint = paint * (1 - body) + shade * body
    out = np.empty((height, width, 4), np.uint8)
    out[..., :3] = clip8(paint)
    out[..., 3] = SKY
    # Far town: blocks and tree tops, almost as pale as the haze.
    haze = np.float32(tone.haze)
    x = -8.0
    while x < width:
        wide = unit * rng.uniform(0.012, 0.05)
        high = unit * rng.uniform(0.008, 0.034)
        dim = haze * 0.9 + np.float32((118, 118, 122)) * 0.1
        _box(out, x, height - high, x + wide, height, (*dim.tolist(), BUILDING))
        x += wide * rng.uniform(0.7, 2.2)
    x = -8.0
    while x < width:
        wide = unit * rng.uniform(0.006, 0.02)
        high = unit * rng.uniform(0.006, 0.016)
        dim = haze * 0.86 + np.float32((70, 96, 66)) * 0.14 * (1 - 0.6 * tone.dark)
        center = (int(x), height)
        cv2.ellipse(out, center, (int(wide) + 1, int(high) + 1), 0, 0, 360,
                    (*dim.tolist(), VEGETATION), -1)  # fmt: skip
        x += wide * rng.uniform(0.5, 1.2)
    return out


def _box(
    image: Image, x0: float, y0: float, x1: float, y1: float, color: tuple[float, ...]
) -> None:
    cv2.rectangle(image, (round(x0), round(y0)), (round(x1) - 1, round(y1) - 1), color, -1)


# -------------------------------------------------------------------------------------- ground

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
class Ground:
    """Baked ground: one section per kind of street side, stacked along the rows.

    Attributes:
        levels: per level (rgb image, train ids, factor of its columns, rows per section).
    """

    levels: tuple[tuple[Image, Image, float, int], ...]


def ground(rng: np.random.Generator, tone: Tone) -> Ground:
    """Bake the ground of all kinds of street side with all levels of reduction."""
    rows, cols = int(CHUNK * GRAIN), int(2 * REACH * GRAIN)
    across = (np.arange(cols, dtype=np.float32) + 0.5) / GRAIN - REACH
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
    asphalt = (tar[..., None] * np.float32((1.0, 1.0, 1.03))).astype(np.float32)
    slab = 142 + 3.5 * fine + 10 * patchy
    paving = (slab[..., None] * np.float32((1.0, 0.975, 0.94))).astype(np.float32)
    _joints(paving, rng)
    blades = noise(rng, rows, cols, 14, 3)
    green = np.float32((92, 112, 54)) + blades[..., None] * np.float32((26, 24, 14))
    grass = (green + (fine * 5 + 14 * patchy)[..., None]).astype(np.float32)
    images: list[list[Image]] = [[] for _ in range(7)]
    ids: list[list[Image]] = [[] for _ in range(7)]
    for kind in range(5):
        picture, label = _section(kind, rng, asphalt, paving, grass, across)
        # Four channels only because lookups in four are faster than in three.
        image = cv2.cvtColor(clip8(picture * light), cv2.COLOR_RGB2RGBA)
        for k in range(7):
            size = (cols // (2 if k >= 5 else 1), rows >> k)
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            label_k = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
            images[k].append(np.asarray(image, np.uint8))
            ids[k].append(np.asarray(label_k, np.uint8))
    return Ground(
        tuple(
            (np.vstack(images[k]), np.vstack(ids[k]), 0.5 if k >= 5 else 1.0, rows >> k)
            for k in range(7)
        )
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
    white = np.float32((222, 222, 216))
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


# ------------------------------------------------------------------------------------- façades

BRICK = 32
"""Texels per metre of a façade."""
WALLS: tuple[Color, ...] = (
    (178, 98, 74), (214, 198, 168), (226, 222, 212), (168, 126, 96), (196, 172, 136),
    (148, 84, 68), (186, 190, 192), (222, 186, 140), (204, 208, 200), (170, 152, 140),
)  # fmt: skip
SHOPS: tuple[Color, ...] = (
    (150, 30, 34), (24, 76, 52), (30, 52, 104), (196, 148, 38), (44, 44, 48), (120, 50, 96),
    (34, 110, 122), (206, 200, 190),
)  # fmt: skip


def facade(
    rng: np.random.Generator, tone: Tone, toward_sun: float, height: float, style: str
) -> Picture:
    """A house front, 12 m wide and ``height`` metres high.

    Args:
        style: ``shop`` (with a shop at street level), ``flat`` (dwellings), ``office``
            (bands of glass), ``house`` (small suburban house).
    """
    w, h = 12 * BRICK, int(height * BRICK)
    wall = np.float32(WALLS[int(rng.integers(len(WALLS)))]) * rng.uniform(0.9, 1.08)
    out = np.empty((h, w, 3), np.float32)
    out[:] = wall
    grain = noise(rng, h, w, 60, 3)
    out += (grain * 12 + 4 * rng.standard_normal((h, w), np.float32))[..., None]
    if wall[0] - wall[2] > 55 or rng.random() < 0.3:
        out[::5] *= 0.88
        for i in range(0, h, 5):
            out[i : i + 5, (i // 5 % 2) * 5 :: 10] *= 0.9
            out[i : i + 5] *= 1 + rng.normal(0, 0.02)
    out *= np.linspace(1.04, 0.93, h, dtype=np.float32)[:, None, None]  # grime toward the street
    trim = np.float32((232, 228, 218)) if rng.random() < 0.7 else wall * 0.72
    floor = 3.1
    base = 3.7 if style == "shop" else floor
    floors = max(1, round((height - base - 0.5) / floor))
    floor = (height - base - 0.6) / floors
    bay = 2.0 if style == "flat" and rng.random() < 0.5 else (4.0 if style == "house" else 3.0)
    bay = 12.0 / round(12.0 / bay)
    wide, high = bay * rng.uniform(0.42, 0.58), floor * rng.uniform(0.5, 0.62)
    balcony = style == "flat" and rng.random() < 0.5
    glass = np.float32((62, 74, 88)) if rng.random() < 0.7 else np.float32((84, 100, 112))
    glow: list[tuple[int, int, int, int]] = []

    def rect(x0: float, y0: float, x1: float, y1: float, color: NDArray[np.float32]) -> None:
        """Fill a box; metres, y upward from the street."""
        out[max(0, h - int(y1 * BRICK)) : h - int(y0 * BRICK), int(x0 * BRICK) : int(x1 * BRICK)] = color  # fmt: skip  # noqa: E501

    def pane(x0: float, y0: float, x1: float, y1: float, bars: int) -> None:
        rect(x0 - 0.09, y0 - 0.09, x1 + 0.09, y1 + 0.09, trim)
        tint = glass * rng.uniform(0.65, 1.25)
        rect(x0, y0, x1, y1, tint)
        rect(x0, y1 - 0.16, x1, y1, tint * 0.55)  # shade below the lintel
        # Reflected sky in the upper part, curtains in some rooms.
        mirror = tint * 0.55 + np.float32(tone.horizon) * 0.34
        rect(x0, y0 + (y1 - y0) * rng.uniform(0.35, 0.6), x1, y1 - 0.16, mirror)
        if rng.random() < 0.35:
            cloth = np.float32((206, 200, 188)) * 0.8
            rect(x0, y0, x0 + (x1 - x0) * 0.25, y1 - 0.16, cloth)
            rect(x1 - (x1 - x0) * 0.25, y0, x1, y1 - 0.16, cloth)
        for i in range(1, bars):
            x = x0 + (x1 - x0) * i / bars
            rect(x - 0.04, y0, x + 0.04, y1, trim)
        if bars > 1:
            y = y0 + (y1 - y0) * 0.62
            rect(x0, y - 0.035, x1, y + 0.035, trim)
        rect(x0 - 0.15, y0 - 0.2, x1 + 0.15, y0 - 0.07, trim * 0.82)
        if tone.dark and rng.random() < 0.4 * tone.dark:
            glow.append((int(x0 * BRICK), h - int(y1 * BRICK), int(x1 * BRICK), h - int(y0 * BRICK)))  # fmt: skip  # noqa: E501

    for level in range(floors):
        bottom = base + level * floor + (floor - high) / 2
        if style == "office":
            for i in range(round(12 / bay)):
                pane(i * bay + 0.15, bottom - 0.2, (i + 1) * bay - 0.15, bottom + high + 0.25, 3)
            rect(0, bottom - 0.5, 12, bottom - 0.35, trim * 0.8)
            continue
        for i in range(round(12 / bay)):
            x = i * bay + (bay - wide) / 2
            pane(x, bottom, x + wide, bottom + high, 2)
            if balcony and i % 2 == 0:
                rect(x - 0.3, bottom - 0.32, x + wide + 0.3, bottom - 0.14, trim * 0.7)
                for k in np.arange(x - 0.3, x + wide + 0.3, 0.16):
                    rect(k, bottom - 0.14, k + 0.05, bottom + 0.75, wall * 0.3)
                rect(x - 0.3, bottom + 0.7, x + wide + 0.3, bottom + 0.8, wall * 0.3)
    if style in ("shop", "office"):
        for x0, x1 in ((0.0, 4.0), (4.0, 8.0), (8.0, 12.0)) if rng.random() < 0.5 else ((0, 12),):
            sign = np.float32(SHOPS[int(rng.integers(len(SHOPS)))])
            rect(x0, 0, x1, base - 0.1, sign * 0.62)
            for x in np.arange(x0 + 0.2, x1 - 0.2, (x1 - x0) / max(2, round((x1 - x0) / 2))):
                stop = x + (x1 - x0) / max(2, round((x1 - x0) / 2)) - 0.25
                pane(x, 0.55, min(stop, x1 - 0.2), base - 1.0, 1)
                for _ in range(3):  # goods and posters behind the glass
                    gx, gy = rng.uniform(x, stop - 0.4), rng.uniform(0.7, 1.6)
                    rect(gx, gy, gx + 0.35, gy + 0.45, rng.uniform(60, 200, 3).astype(np.float32))
            rect(x0 + 0.06, base - 0.85, x1 - 0.06, base - 0.15, sign)
            letter = np.float32((240, 234, 216)) if sign.mean() < 150 else np.float32((40, 40, 44))
            x = x0 + 0.5
            while x < x1 - 0.7:  # lettering, too small to be read
                step = rng.uniform(0.1, 0.24)
                rect(x, base - 0.66, x + step, base - 0.34, letter)
                x += step + (0.08 if rng.random() < 0.8 else 0.4)
            if rng.random() < 0.4:
                for i, x in enumerate(np.arange(x0 + 0.1, x1 - 0.3, 0.4)):
                    rect(x, base - 1.6, x + 0.4, base - 0.85, sign if i % 2 else trim)
                rect(x0 + 0.1, base - 1.7, x1 - 0.1, base - 1.6, wall * 0.3)
    else:
        rect(0, 0, 12, 0.5, wall * 0.66)
        door = int(rng.integers(round(12 / bay)))
        for i in range(round(12 / bay)):
            x = i * bay + (bay - wide) / 2
            if i == door:
                paint = np.float32(SHOPS[int(rng.integers(len(SHOPS)))])
                rect(x - 0.12, 0.1, x + 1.17, 2.45, trim)
                rect(x, 0.1, x + 1.05, 2.3, paint)
                rect(x + 0.15, 1.3, x + 0.9, 2.1, glass)
                rect(x - 0.3, 2.45, x + 1.35, 2.62, trim * 0.85)
            else:
                pane(x, 0.95, x + wide, 0.95 + high, 2)
    if style != "house":
        rect(0, base - 0.08, 12, base + 0.1, trim * 0.9)
        rect(0, height - 0.45, 12, height, trim * 0.95)
        rect(0, height - 0.55, 12, height - 0.45, wall * 0.45)
        rect(11.75, 0, 11.85, height - 0.5, wall * 0.45)
    else:
        rect(0, height - 0.2, 12, height, trim * 0.7)
    out *= tone.face(toward_sun)
    warm = np.float32((255, 206, 128))
    for x0, y0, x1, y1 in glow:
        area = out[y0:y1, x0:x1]
        area[:] = area * 0.25 + warm * rng.uniform(0.55, 0.85)
    return Picture(out, BUILDING, both=True)


def end_wall(rng: np.random.Generator, tone: Tone, toward_sun: float) -> Picture:
    """The side of a house that looks at the camera, 12 m × 12 m, with few small windows."""
    n = 12 * 16
    wall = np.float32(WALLS[int(rng.integers(len(WALLS)))]) * 0.92
    out = wall + (noise(rng, n, n, 50, 4) * 16)[..., None]
    out[::4] *= 0.92
    for _ in range(int(rng.integers(1, 5))):
        x, y = int(rng.integers(10, n - 30)), int(rng.integers(10, n - 60))
        out[y - 2 : y + 26, x - 2 : x + 18] = 210
        out[y : y + 24, x : x + 16] = (70, 80, 92)
    return Picture(out * tone.face(toward_sun), BUILDING, both=False)


# -------------------------------------------------------------------------------------- plants


def _foliage(
    rng: np.random.Generator,
    tone: Tone,
    hue: NDArray[np.float32],
    clumps: list[tuple[float, float, float]],
    size: tuple[int, int],
    sun_side: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Leaves as shaded balls (x, y, radius) broken up by noise: RGB float32 and solidity ±1."""
    w, h = size
    bright = np.full((h, w), 0.2, np.float32)
    solid = np.full((h, w), -1.0, np.float32)
    ys, xs = np.mgrid[-1:1:65j, -1:1:65j].astype(np.float32)
    ball = (1 - xs * xs - ys * ys).astype(np.float32)
    bulge = np.sqrt(np.maximum(ball, 0))
    glow = np.clip(0.34 + 0.42 * (-ys) + 0.20 * xs * sun_side + 0.22 * bulge, 0, 1)
    for x, y, r in clumps:
        x0, y0, n = int(x - r), int(y - r), int(2 * r)
        a, b, c, d = max(x0, 0), min(x0 + n, w), max(y0, 0), min(y0 + n, h)
        if a >= b or c >= d:
            continue
        part = (slice(c - y0, d - y0), slice(a - x0, b - x0))
        here = cv2.resize(ball, (n, n))[part]
        light = cv2.resize(glow, (n, n))[part] + rng.normal(0, 0.05)
        area = (slice(c, d), slice(a, b))
        edge = np.clip(here * 3.0, 0, 1)
        bright[area] = bright[area] * (1 - edge) + light * edge
        np.maximum(solid[area], here, out=solid[area])
    leaf = noise(rng, h, w, 9, 3)
    fleck = rng.standard_normal((h // 2 + 1, w // 2 + 1), np.float32)
    leaf += 0.24 * np.asarray(cv2.resize(fleck, (w, h)), np.float32)
    solid += leaf * 0.75 - 0.12
    rows = np.linspace(0.16, -0.16, h, dtype=np.float32)[:, None]
    columns = np.linspace(-0.12, 0.12, w, dtype=np.float32)[None] * sun_side
    t = np.clip(bright + rows + columns + leaf * 0.42, 0, 1)[..., None]
    shade, lit = tone.face(0.0), tone.face(0.85)
    rgb = hue * (0.30 + 0.85 * t) * (shade * (1 - t) + lit * t)
    return rgb.astype(np.float32), solid


def tree(rng: np.random.Generator, tone: Tone, sun_side: int, shape: str) -> Picture:
    """A tree with trunk, 288×352; the foot stands in the middle of the lower edge."""
    w, h = 288, 352
    light, shade = tone.face(0.8), tone.face(0.0)
    hues = [(98, 122, 54), (116, 128, 58), (84, 112, 60), (128, 124, 56)]
    hue = np.float32(hues[int(rng.integers(4))])
    clumps: list[tuple[float, float, float]] = []
    if shape == "conifer":
        hue = np.float32((66, 92, 58))
        for i in range(28):
            y = 16 + i * 10.5
            reach = 5 + (y - 16) * 0.31
            clumps += [(144 + rng.uniform(-reach, reach), y, 8 + reach * 0.24) for _ in range(4)]
    else:
        rx, ry, cy = (104, 88, 118) if shape == "round" else (60, 122, 142)
        while len(clumps) < 58:
            x, y = rng.uniform(-1, 1), rng.uniform(-1, 1)
            if x * x + y * y < 1:
                clumps.append((144 + x * rx, cy + y * ry, rng.uniform(18, 36)))
        clumps.sort(key=lambda s: -s[1])
    crown, solid = _foliage(rng, tone, hue, clumps, (w, h), sun_side)
    rgba = np.zeros((h, w, 4), np.float32)
    rgba[..., :3] = hue * 0.5 * shade
    bark = np.float32((98, 82, 66))
    fork = {"round": 205, "tall": 262, "conifer": 316}[shape]
    trunk = np.array([(135, 352), (153, 352), (148, fork - 60), (141, fork - 60)])
    cv2.fillConvexPoly(rgba, trunk, (*(bark * shade * 0.9).tolist(), 255))
    side = 4 if sun_side > 0 else -4
    cv2.line(
        rgba, (144 + side, 352), (144 + side // 2, fork - 60), (*(bark * light).tolist(), 255), 4
    )
    if shape == "round":
        for _ in range(7):
            x, y = 144 + rng.normal(0, 50), rng.uniform(70, 150)
            start = (144, fork - int(rng.integers(0, 40)))
            color = (*(bark * shade * 0.8).tolist(), 255)
            cv2.line(rgba, start, (int(x), int(y)), color, int(rng.integers(3, 6)))
    leaves = solid > 0
    rgba[leaves, :3] = crown[leaves]
    rgba[leaves, 3] = 255
    return Picture(rgba[..., :3], VEGETATION, clip8(rgba[..., 3]))


def bush(rng: np.random.Generator, tone: Tone, sun_side: int) -> Picture:
    """A bush, 160×96, standing on its lower edge."""
    w, h = 160, 96
    hue = np.float32([(86, 112, 52), (104, 120, 62), (120, 112, 60)][int(rng.integers(3))])
    clumps = [
        (80 + rng.normal(0, 28), 96 - abs(rng.normal(0, 30)), rng.uniform(14, 26))
        for _ in range(26)
    ]
    clumps.sort(key=lambda s: s[1])
    crown, solid = _foliage(rng, tone, hue, clumps, (w, h), sun_side)
    return Picture(crown, VEGETATION, clip8(255.0 * (solid > 0)), depth=4)


def hedge(rng: np.random.Generator, tone: Tone, tall: bool) -> Picture:
    """A strip of bushes or of far trees, 24 m long, 768×96, uneven along its upper edge."""
    w, h = 768, 96
    hue = np.float32((92, 114, 60)) if tall else np.float32((84, 110, 54))
    clumps = []
    for _ in range(90 if tall else 150):
        y = 96 - abs(rng.normal(0, 30)) if tall else rng.uniform(18, 96)
        clumps.append((rng.uniform(0, w), y, rng.uniform(16, 34) if tall else rng.uniform(9, 16)))
    clumps.sort(key=lambda s: s[1])
    crown, solid = _foliage(rng, tone, hue, clumps, (w, h), 0)
    solid[40 if tall else 24 :] = 1
    return Picture(crown, VEGETATION, clip8(255.0 * (solid > 0)), both=True)


def ribbon(rng: np.random.Generator, tone: Tone, toward_sun: float, kind: str) -> Picture:
    """A strip of wall or fence, 24 m long: ``brick``, ``boards`` or ``rail``."""
    w, h = 768, 64
    light = tone.face(toward_sun)
    alpha: Image | None = None
    out = np.empty((h, w, 3), np.float32)
    speck = rng.normal(0, 5, (h, w, 1)).astype(np.float32) + noise(rng, h, w, 40, 3)[..., None] * 14
    if kind == "brick":
        out[:] = (146, 100, 80) if rng.random() < 0.6 else (172, 164, 150)
        out[::5] *= 0.82
        for i in range(0, h, 5):
            out[i : i + 5, (i // 5 % 2) * 6 :: 12] *= 0.86
        out[:7] = (176, 170, 160)
        out[7:9] *= 0.6
        out[:, ::128] *= 0.8
        label = WALL
    elif kind == "boards":
        out[:] = (136, 104, 72) if rng.random() < 0.6 else (190, 188, 180)
        alpha = np.full((h, w), 255, np.uint8)
        for i in range(0, w, 12):
            out[:, i : i + 12] *= rng.uniform(0.88, 1.1)
            out[:, i : i + 2] *= 0.5
            alpha[: int(rng.integers(1, 5)), i : i + 12] = 0
        out[14:18] *= 0.8
        label = FENCE
    else:
        out[:] = (52, 58, 56) if rng.random() < 0.6 else (120, 126, 128)
        alpha = np.zeros((h, w), np.uint8)
        for i in range(0, w, 10):
            alpha[4:, i : i + 5] = 255
            out[:, i : i + 2] *= 1.35
        alpha[4:9], alpha[50:55] = 255, 255
        for i in range(0, w, 96):
            alpha[:, i : i + 8] = 255
        label = FENCE
    return Picture((out + speck) * light, label, alpha, both=True)


# -------------------------------------------------------------------------------------- people


def _limb(
    image: NDArray[np.float32],
    a: tuple[float, float],
    b: tuple[float, float],
    width: int,
    color: Any,
) -> None:
    pts = (round(a[0]), round(a[1])), (round(b[0]), round(b[1]))
    cv2.line(image, *pts, (*np.asarray(color).tolist(), 255), width)


def walker(rng: np.random.Generator, tone: Tone, steps: int) -> list[Picture]:
    """One person in ``steps`` phases of a walk, 128×320 each, seen at an angle."""
    light = tone.face(0.45)
    cloth = [(46, 50, 62), (140, 40, 44), (60, 84, 124), (196, 188, 172), (58, 74, 54), (36, 36, 40),
             (206, 150, 60), (120, 124, 132)]  # fmt: skip
    jacket = np.float32(cloth[int(rng.integers(len(cloth)))]) * light
    pants = np.float32([(44, 50, 70), (40, 40, 44), (96, 86, 70)][int(rng.integers(3))]) * light
    skin = np.float32([(214, 168, 140), (150, 104, 78), (98, 66, 50)][int(rng.integers(3))]) * light
    hair = np.float32([(48, 36, 28), (120, 86, 50), (30, 28, 28), (150, 146, 140)][
        int(rng.integers(4))]) * light  # fmt: skip
    bag = rng.random() < 0.4
    bulk = rng.uniform(0.9, 1.15)
    coat = rng.random() < 0.35
    frames = []
    for step in range(steps):
        swing = float(np.sin(2 * np.pi * step / steps))
        lift = abs(float(np.cos(2 * np.pi * step / steps)))
        rgba = np.zeros((320, 128, 4), np.float32)
        rgba[..., :3] = jacket * 0.7
        hip, shoulder = 172.0 - lift * 3, 76.0 - lift * 3
        for sign, dim in ((-1, 0.68), (1, 1.0)):
            a = swing * sign
            knee = (64 + sign * 7 + a * 15, 236.0 - max(a, 0) * 5)
            foot = (64 + sign * 7 + a * 32 - max(-a, 0) * 6, 304.0 - max(-a, 0) * 12)
            _limb(rgba, (64 + sign * 8, hip), knee, int(25 * bulk), pants * dim)
            _limb(rgba, knee, foot, int(18 * bulk), pants * dim * 0.95)
            _limb(rgba, (foot[0] - 3, foot[1] + 8), (foot[0] + 10, foot[1] + 8), 11, (34, 30, 30))
        arm = swing * 22
        _limb(rgba, (52, shoulder + 10), (46 - arm * 0.5, 124), 16, jacket * 0.68)
        _limb(rgba, (46 - arm * 0.5, 124), (46 - arm, 162), 13, jacket * 0.68)
        length = 40 if coat else 6
        body = np.array([(64 - 25 * bulk, shoulder + 8), (64 - 14, shoulder - 4), (64 + 14, shoulder - 4),
                         (64 + 25 * bulk, shoulder + 8), (64 + 22 * bulk, hip + length),
                         (64 - 22 * bulk, hip + length)], np.int32)  # fmt: skip
        cv2.fillConvexPoly(rgba, body, (*jacket.tolist(), 255))
        shade = np.array([(66, shoulder), (64 + 25 * bulk, shoulder + 8), (64 + 22 * bulk, hip + length),
                          (72, hip + length)], np.int32)  # fmt: skip
        cv2.fillConvexPoly(rgba, shade, (*(jacket * 0.84).tolist(), 255))
        _limb(rgba, (78, shoulder + 10), (83 + arm * 0.5, 126), 16, jacket * 0.92)
        _limb(rgba, (83 + arm * 0.5, 126), (83 + arm, 160), 13, jacket * 0.92)
        cv2.circle(rgba, (int(84 + arm), 166), 7, (*skin.tolist(), 255), -1)
        if bag:
            _limb(rgba, (84 + arm, 176), (84 + arm, 206), 26, (88, 58, 40) * light)
        cv2.rectangle(
            rgba, (58, int(shoulder - 16)), (70, int(shoulder)), (*(skin * 0.8).tolist(), 255), -1
        )
        cv2.ellipse(rgba, (64, int(shoulder - 30)), (17, 22), 0, 0, 360, (*skin.tolist(), 255), -1)
        cv2.ellipse(rgba, (63, int(shoulder - 37)), (19, 18), 0, 0, 360, (*hair.tolist(), 255), -1)
        cv2.ellipse(rgba, (68, int(shoulder - 25)), (12, 14), 0, 0, 360, (*skin.tolist(), 255), -1)
        frames.append(Picture(rgba[..., :3], PERSON, clip8(rgba[..., 3]), depth=5))
    return frames


def cyclist(rng: np.random.Generator, tone: Tone, steps: int) -> list[tuple[Picture, Picture]]:
    """Bicycle and rider seen from behind or ahead, (bicycle, rider) 160×320 per pedal phase."""
    light = tone.face(0.45)
    jacket = (
        np.float32([(200, 210, 60), (60, 90, 160), (170, 60, 50)][int(rng.integers(3))]) * light
    )
    pants, skin = np.float32((44, 46, 56)) * light, np.float32((206, 162, 134)) * light
    helmet = (
        np.float32([(230, 230, 226), (40, 44, 52), (200, 60, 50)][int(rng.integers(3))]) * light
    )
    frames = []
    for step in range(steps):
        turn = float(np.sin(2 * np.pi * step / steps))
        bike = np.zeros((320, 160, 4), np.float32)
        bike[..., :3] = 50
        cv2.ellipse(bike, (80, 256), (7, 62), 0, 0, 360, (26, 26, 28, 255), -1)
        cv2.ellipse(bike, (80, 256), (2, 50), 0, 0, 360, (110, 112, 116, 255), -1)
        _limb(bike, (80, 200), (80, 150), 8, np.float32((150, 40, 40)) * light)
        _limb(bike, (44, 146), (116, 146), 7, (60, 60, 64) * light)
        _limb(bike, (60, 256 + turn * 16), (100, 256 - turn * 16), 6, (70, 70, 74) * light)
        cv2.circle(bike, (80, 188), 6, (210, 40, 34, 255), -1)
        rider = np.zeros((320, 160, 4), np.float32)
        rider[..., :3] = jacket * 0.7
        for sign in (-1, 1):
            bend = turn * sign
            knee = (80 + sign * 27, 208.0 + bend * 14)
            _limb(rider, (80 + sign * 12, 164), knee, 24, pants * (1.0 if sign > 0 else 0.8))
            foot = (80 + sign * 22, 262.0 + bend * 16)
            _limb(rider, knee, foot, 17, pants * (0.95 if sign > 0 else 0.75))
            _limb(rider, foot, (foot[0], foot[1] + 8), 15, (30, 28, 28))
            _limb(rider, (80 + sign * 24, 88), (80 + sign * 40, 122), 15, jacket * 0.85)
            _limb(rider, (80 + sign * 40, 122), (80 + sign * 34, 146), 12, jacket * 0.8)
        body = np.array([(54, 86), (66, 72), (94, 72), (106, 86), (102, 176), (58, 176)])
        cv2.fillConvexPoly(rider, body, (*jacket.tolist(), 255))
        cv2.fillConvexPoly(rider, body[2:5], (*(jacket * 0.82).tolist(), 255))
        cv2.ellipse(rider, (80, 48), (17, 21), 0, 0, 360, (*skin.tolist(), 255), -1)
        cv2.ellipse(rider, (80, 40), (21, 17), 0, 0, 360, (*helmet.tolist(), 255), -1)
        frames.append((Picture(bike[..., :3], BICYCLE, clip8(bike[..., 3]), depth=5),
                       Picture(rider[..., :3], RIDER, clip8(rider[..., 3]), depth=5)))  # fmt: skip
    return frames


def bicycle(rng: np.random.Generator, tone: Tone) -> Picture:
    """A parked bicycle from the side, 288×176."""
    light = tone.face(0.45)
    rgba = np.zeros((176, 288, 4), np.float32)
    rgba[..., :3] = 60
    paint = np.float32([(160, 40, 40), (40, 70, 130), (60, 62, 66), (40, 110, 80)][
        int(rng.integers(4))]) * light  # fmt: skip
    for x in (62, 226):
        cv2.circle(rgba, (x, 118), 52, (28, 28, 30, 255), 9)
        for turn in range(0, 180, 30):
            dx, dy = 50 * np.cos(np.deg2rad(turn)), 50 * np.sin(np.deg2rad(turn))
            _limb(rgba, (x - dx, 118 - dy), (x + dx, 118 + dy), 2, (120, 120, 124) * light)
    for a, b in (((62, 118), (104, 54)), ((62, 118), (132, 120)), ((104, 54), (132, 120)),
                 ((108, 60), (200, 56)), ((132, 120), (202, 60)), ((194, 34), (226, 118))):  # fmt: skip
        _limb(rgba, a, b, 8, paint)
    _limb(rgba, (98, 40), (106, 56), 7, (40, 40, 42) * light)
    _limb(rgba, (82, 36), (116, 36), 11, (36, 34, 34) * light)
    _limb(rgba, (194, 34), (214, 26), 7, (44, 44, 46) * light)
    cv2.circle(rgba, (132, 120), 13, (90, 90, 94, 255), -1)
    return Picture(rgba[..., :3], BICYCLE, clip8(rgba[..., 3]), depth=5)


def motorcycle(rng: np.random.Generator, tone: Tone) -> Picture:
    """A parked motorcycle from behind, 176×240."""
    light = tone.face(0.45)
    rgba = np.zeros((240, 176, 4), np.float32)
    rgba[..., :3] = 50
    paint = np.float32([(150, 30, 32), (40, 60, 110), (50, 50, 54)][int(rng.integers(3))]) * light
    cv2.ellipse(rgba, (88, 182), (17, 56), 0, 0, 360, (26, 26, 28, 255), -1)
    cv2.ellipse(rgba, (88, 182), (6, 34), 0, 0, 360, (96, 98, 102, 255), -1)
    for sign in (-1, 1):
        _limb(rgba, (88 + sign * 20, 190), (88 + sign * 30, 140), 13, (120, 122, 126) * light)
        _limb(rgba, (88, 58), (88 + sign * 62, 50), 9, (46, 46, 50) * light)
        _limb(rgba, (88 + sign * 48, 48), (88 + sign * 60, 24), 4, (50, 50, 52) * light)
        cv2.ellipse(rgba, (88 + sign * 62, 20), (15, 10), 0, 0, 360, (60, 62, 66, 255), -1)
        cv2.circle(rgba, (88 + sign * 34, 112), 6, (220, 140, 40, 255), -1)
    body = np.array(
        [(58, 124), (62, 84), (80, 66), (96, 66), (114, 84), (118, 124), (100, 150), (76, 150)]
    )
    cv2.fillConvexPoly(rgba, body, (*paint.tolist(), 255))
    cv2.ellipse(rgba, (88, 78), (26, 14), 0, 0, 360, (34, 32, 32, 255), -1)
    cv2.rectangle(rgba, (72, 104), (104, 116), (200, 34, 30, 255), -1)
    cv2.rectangle(rgba, (70, 130), (106, 150), (222, 214, 170, 255), -1)
    return Picture(rgba[..., :3], MOTORCYCLE, clip8(rgba[..., 3]), depth=5)


def sign(tone: Tone, kind: int) -> Picture:
    """A traffic sign face, 96×96; kinds 0–6."""
    rgba = np.zeros((96, 96, 4), np.float32)
    rgba[..., :3] = 150
    light = tone.face(0.5)
    red, blue, white = (206, 32, 34, 255), (28, 82, 168, 255), (240, 240, 238, 255)
    black, yellow = (30, 30, 32, 255), (248, 200, 40, 255)
    c = (48, 48)
    if kind == 0:  # speed limit
        cv2.circle(rgba, c, 46, red, -1)
        cv2.circle(rgba, c, 34, white, -1)
        cv2.ellipse(rgba, (36, 41), (8, 7), 0, -150, 90, black, 6)
        cv2.ellipse(rgba, (36, 56), (8, 8), 0, -90, 150, black, 6)
        cv2.ellipse(rgba, (61, 48), (8, 15), 0, 0, 360, black, 6)
    elif kind == 1:  # no entry
        cv2.circle(rgba, c, 46, red, -1)
        cv2.rectangle(rgba, (16, 39), (80, 57), white, -1)
    elif kind == 2:  # warning
        cv2.fillConvexPoly(rgba, np.array([(48, 4), (94, 88), (2, 88)]), red)
        cv2.fillConvexPoly(rgba, np.array([(48, 24), (79, 79), (17, 79)]), white)
        cv2.line(rgba, (48, 40), (48, 60), black, 8)
        cv2.circle(rgba, (48, 71), 5, black, -1)
    elif kind == 3:  # pedestrian crossing
        cv2.rectangle(rgba, (3, 3), (93, 93), blue, -1)
        cv2.fillConvexPoly(rgba, np.array([(48, 14), (84, 80), (12, 80)]), white)
        cv2.line(rgba, (48, 36), (44, 58), black, 7)
        cv2.line(rgba, (44, 58), (34, 76), black, 6)
        cv2.line(rgba, (44, 58), (58, 76), black, 6)
        cv2.circle(rgba, (50, 30), 5, black, -1)
    elif kind == 4:  # priority road
        cv2.fillConvexPoly(rgba, np.array([(48, 2), (94, 48), (48, 94), (2, 48)]), white)
        cv2.fillConvexPoly(rgba, np.array([(48, 16), (80, 48), (48, 80), (16, 48)]), yellow)
    elif kind == 5:  # direction
        cv2.circle(rgba, c, 46, blue, -1)
        cv2.arrowedLine(rgba, (48, 78), (48, 18), white, 9, tipLength=0.4)
    else:  # no parking
        cv2.circle(rgba, c, 46, red, -1)
        cv2.circle(rgba, c, 36, blue, -1)
        cv2.line(rgba, (24, 24), (72, 72), red, 9)
    return Picture(rgba[..., :3] * light, SIGN, clip8(rgba[..., 3]), depth=4)
