"""Baked fronts, ends, walls and fences of the demo street."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street.lighting import (
    BUILDING,
    FENCE,
    WALL,
    Color,
    Image,
    Texture,
    Tone,
    noise,
    vec,
)

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
) -> Texture:
    """A house front, 12 m wide and ``height`` metres high.

    Args:
        style: ``shop`` (with a shop at street level), ``flat`` (dwellings), ``office``
            (bands of glass), ``house`` (small suburban house).
    """
    w, h = 12 * BRICK, int(height * BRICK)
    wall = vec(WALLS[int(rng.integers(len(WALLS)))]) * rng.uniform(0.9, 1.08)
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
    trim = vec((232, 228, 218)) if rng.random() < 0.7 else wall * 0.72
    floor = 3.1
    base = 3.7 if style == "shop" else floor
    floors = max(1, round((height - base - 0.5) / floor))
    floor = (height - base - 0.6) / floors
    bay = 2.0 if style == "flat" and rng.random() < 0.5 else (4.0 if style == "house" else 3.0)
    bay = 12.0 / round(12.0 / bay)
    wide, high = bay * rng.uniform(0.42, 0.58), floor * rng.uniform(0.5, 0.62)
    balcony = style == "flat" and rng.random() < 0.5
    glass = vec((62, 74, 88)) if rng.random() < 0.7 else vec((84, 100, 112))
    glow: list[tuple[int, int, int, int]] = []

    def rect(x0: float, y0: float, x1: float, y1: float, color: NDArray[np.float32]) -> None:
        """Fill a box; metres, y upward from the street."""
        rows = slice(max(0, h - int(y1 * BRICK)), h - int(y0 * BRICK))
        out[rows, max(0, int(x0 * BRICK)) : int(x1 * BRICK)] = color

    def pane(x0: float, y0: float, x1: float, y1: float, bars: int) -> None:
        rect(x0 - 0.09, y0 - 0.09, x1 + 0.09, y1 + 0.09, trim)
        tint = glass * rng.uniform(0.65, 1.25)
        rect(x0, y0, x1, y1, tint)
        rect(x0, y1 - 0.16, x1, y1, tint * 0.55)  # shade below the lintel
        # Reflected sky in the upper part, curtains in some rooms.
        mirror = tint * 0.55 + vec(tone.horizon) * 0.34
        rect(x0, y0 + (y1 - y0) * rng.uniform(0.35, 0.6), x1, y1 - 0.16, mirror)
        if rng.random() < 0.35:
            cloth = vec((206, 200, 188)) * 0.8
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
            left, right = int(x0 * BRICK), int(x1 * BRICK)
            glow.append((left, h - int(y1 * BRICK), right, h - int(y0 * BRICK)))

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
            sign = vec(SHOPS[int(rng.integers(len(SHOPS)))])
            rect(x0, 0, x1, base - 0.1, sign * 0.62)
            for x in np.arange(x0 + 0.2, x1 - 0.2, (x1 - x0) / max(2, round((x1 - x0) / 2))):
                stop = x + (x1 - x0) / max(2, round((x1 - x0) / 2)) - 0.25
                pane(x, 0.55, min(stop, x1 - 0.2), base - 1.0, 1)
                for _ in range(3):  # goods and posters behind the glass
                    gx, gy = rng.uniform(x, stop - 0.4), rng.uniform(0.7, 1.6)
                    rect(gx, gy, gx + 0.35, gy + 0.45, rng.uniform(60, 200, 3).astype(np.float32))
            rect(x0 + 0.06, base - 0.85, x1 - 0.06, base - 0.15, sign)
            letter = vec((240, 234, 216)) if sign.mean() < 150 else vec((40, 40, 44))
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
                paint = vec(SHOPS[int(rng.integers(len(SHOPS)))])
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
    warm = vec((255, 206, 128))
    for x0, y0, x1, y1 in glow:
        area = out[y0:y1, x0:x1]
        area[:] = area * 0.25 + warm * rng.uniform(0.55, 0.85)
    return Texture(out, BUILDING, both=True)


def end_wall(rng: np.random.Generator, tone: Tone, toward_sun: float) -> Texture:
    """The side of a house that looks at the camera, 12 m × 12 m, with few small windows."""
    n = 12 * 16
    wall = vec(WALLS[int(rng.integers(len(WALLS)))]) * 0.92
    out = wall + (noise(rng, n, n, 50, 4) * 16)[..., None]
    out[::4] *= 0.92
    for _ in range(int(rng.integers(1, 5))):
        x, y = int(rng.integers(10, n - 30)), int(rng.integers(10, n - 60))
        out[y - 2 : y + 26, x - 2 : x + 18] = 210
        out[y : y + 24, x : x + 16] = (70, 80, 92)
    return Texture(out * tone.face(toward_sun), BUILDING, both=False)


def ribbon(rng: np.random.Generator, tone: Tone, toward_sun: float, kind: str) -> Texture:
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
    return Texture((out + speck) * light, label, alpha, both=True)
