"""Baked plants, people, bicycles and signs of the demo street."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.street.lighting import (
    BICYCLE,
    MOTORCYCLE,
    PERSON,
    RIDER,
    SIGN,
    VEGETATION,
    Texture,
    Tone,
    clip8,
    noise,
    vec,
)


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


def tree(rng: np.random.Generator, tone: Tone, sun_side: int, shape: str) -> Texture:
    """A tree with trunk, 288×352; the foot stands in the middle of the lower edge."""
    w, h = 288, 352
    light, shade = tone.face(0.8), tone.face(0.0)
    hues = [(98, 122, 54), (116, 128, 58), (84, 112, 60), (128, 124, 56)]
    hue = vec(hues[int(rng.integers(4))])
    clumps: list[tuple[float, float, float]] = []
    if shape == "conifer":
        hue = vec((66, 92, 58))
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
    bark = vec((98, 82, 66))
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
    return Texture(rgba[..., :3], VEGETATION, clip8(rgba[..., 3]))


def bush(rng: np.random.Generator, tone: Tone, sun_side: int) -> Texture:
    """A bush, 160×96, standing on its lower edge."""
    w, h = 160, 96
    hue = vec([(86, 112, 52), (104, 120, 62), (120, 112, 60)][int(rng.integers(3))])
    clumps = [
        (80 + rng.normal(0, 28), 96 - abs(rng.normal(0, 30)), rng.uniform(14, 26))
        for _ in range(26)
    ]
    clumps.sort(key=lambda s: s[1])
    crown, solid = _foliage(rng, tone, hue, clumps, (w, h), sun_side)
    return Texture(crown, VEGETATION, clip8(255.0 * (solid > 0)), depth=4)


def hedge(rng: np.random.Generator, tone: Tone, tall: bool) -> Texture:
    """A strip of bushes or of far trees, 24 m long, 768×96, uneven along its upper edge."""
    w, h = 768, 96
    hue = vec((92, 114, 60)) if tall else vec((84, 110, 54))
    clumps = []
    for _ in range(90 if tall else 150):
        y = 96 - abs(rng.normal(0, 30)) if tall else rng.uniform(18, 96)
        clumps.append((rng.uniform(0, w), y, rng.uniform(16, 34) if tall else rng.uniform(9, 16)))
    clumps.sort(key=lambda s: s[1])
    crown, solid = _foliage(rng, tone, hue, clumps, (w, h), 0)
    solid[40 if tall else 24 :] = 1
    return Texture(crown, VEGETATION, clip8(255.0 * (solid > 0)), both=True)


def _limb(
    image: NDArray[np.float32],
    a: tuple[float, float],
    b: tuple[float, float],
    width: int,
    color: Any,
) -> None:
    pts = (round(a[0]), round(a[1])), (round(b[0]), round(b[1]))
    cv2.line(image, *pts, (*np.asarray(color).tolist(), 255), width)


def walker(rng: np.random.Generator, tone: Tone, steps: int) -> list[Texture]:
    """One person in ``steps`` phases of a walk, 128×320 each, seen at an angle."""
    light = tone.face(0.45)
    cloth = [
        (46, 50, 62),
        (140, 40, 44),
        (60, 84, 124),
        (196, 188, 172),
        (58, 74, 54),
        (36, 36, 40),
        (206, 150, 60),
        (120, 124, 132),
    ]
    jacket = vec(cloth[int(rng.integers(len(cloth)))]) * light
    pants = vec([(44, 50, 70), (40, 40, 44), (96, 86, 70)][int(rng.integers(3))]) * light
    skin = vec([(214, 168, 140), (150, 104, 78), (98, 66, 50)][int(rng.integers(3))]) * light
    hair = (
        vec([(48, 36, 28), (120, 86, 50), (30, 28, 28), (150, 146, 140)][int(rng.integers(4))])
        * light
    )
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
        body = np.array(
            [
                (64 - 25 * bulk, shoulder + 8),
                (64 - 14, shoulder - 4),
                (64 + 14, shoulder - 4),
                (64 + 25 * bulk, shoulder + 8),
                (64 + 22 * bulk, hip + length),
                (64 - 22 * bulk, hip + length),
            ],
            np.int32,
        )
        cv2.fillConvexPoly(rgba, body, (*jacket.tolist(), 255))
        shade = np.array(
            [
                (66, shoulder),
                (64 + 25 * bulk, shoulder + 8),
                (64 + 22 * bulk, hip + length),
                (72, hip + length),
            ],
            np.int32,
        )
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
        frames.append(Texture(rgba[..., :3], PERSON, clip8(rgba[..., 3]), depth=5))
    return frames


def cyclist(rng: np.random.Generator, tone: Tone, steps: int) -> list[tuple[Texture, Texture]]:
    """Bicycle and rider seen from behind or ahead, (bicycle, rider) 160×320 per pedal phase."""
    light = tone.face(0.45)
    jacket = vec([(200, 210, 60), (60, 90, 160), (170, 60, 50)][int(rng.integers(3))]) * light
    pants, skin = vec((44, 46, 56)) * light, vec((206, 162, 134)) * light
    helmet = vec([(230, 230, 226), (40, 44, 52), (200, 60, 50)][int(rng.integers(3))]) * light
    frames = []
    for step in range(steps):
        turn = float(np.sin(2 * np.pi * step / steps))
        bike = np.zeros((320, 160, 4), np.float32)
        bike[..., :3] = 50
        cv2.ellipse(bike, (80, 256), (7, 62), 0, 0, 360, (26, 26, 28, 255), -1)
        cv2.ellipse(bike, (80, 256), (2, 50), 0, 0, 360, (110, 112, 116, 255), -1)
        _limb(bike, (80, 200), (80, 150), 8, vec((150, 40, 40)) * light)
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
        frames.append(
            (
                Texture(bike[..., :3], BICYCLE, clip8(bike[..., 3]), depth=5),
                Texture(rider[..., :3], RIDER, clip8(rider[..., 3]), depth=5),
            )
        )
    return frames


def bicycle(rng: np.random.Generator, tone: Tone) -> Texture:
    """A parked bicycle from the side, 288×176."""
    light = tone.face(0.45)
    rgba = np.zeros((176, 288, 4), np.float32)
    rgba[..., :3] = 60
    paint = (
        vec([(160, 40, 40), (40, 70, 130), (60, 62, 66), (40, 110, 80)][int(rng.integers(4))])
        * light
    )
    for x in (62, 226):
        cv2.circle(rgba, (x, 118), 52, (28, 28, 30, 255), 9)
        for turn in range(0, 180, 30):
            dx, dy = 50 * np.cos(np.deg2rad(turn)), 50 * np.sin(np.deg2rad(turn))
            _limb(rgba, (x - dx, 118 - dy), (x + dx, 118 + dy), 2, (120, 120, 124) * light)
    for a, b in (
        ((62, 118), (104, 54)),
        ((62, 118), (132, 120)),
        ((104, 54), (132, 120)),
        ((108, 60), (200, 56)),
        ((132, 120), (202, 60)),
        ((194, 34), (226, 118)),
    ):
        _limb(rgba, a, b, 8, paint)
    _limb(rgba, (98, 40), (106, 56), 7, (40, 40, 42) * light)
    _limb(rgba, (82, 36), (116, 36), 11, (36, 34, 34) * light)
    _limb(rgba, (194, 34), (214, 26), 7, (44, 44, 46) * light)
    cv2.circle(rgba, (132, 120), 13, (90, 90, 94, 255), -1)
    return Texture(rgba[..., :3], BICYCLE, clip8(rgba[..., 3]), depth=5)


def motorcycle(rng: np.random.Generator, tone: Tone) -> Texture:
    """A parked motorcycle from behind, 176×240."""
    light = tone.face(0.45)
    rgba = np.zeros((240, 176, 4), np.float32)
    rgba[..., :3] = 50
    paint = vec([(150, 30, 32), (40, 60, 110), (50, 50, 54)][int(rng.integers(3))]) * light
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
    return Texture(rgba[..., :3], MOTORCYCLE, clip8(rgba[..., 3]), depth=5)


def sign(tone: Tone, kind: int) -> Texture:
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
    return Texture(rgba[..., :3] * light, SIGN, clip8(rgba[..., 3]), depth=4)
