"""Decoded frames as pictures: upright, with square pixels, in RGB as a screen shows it."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideData
from numpy.typing import NDArray

from app.errors import SourceError

MAX_PIXELS = 8192 * 8192
"""Larger pictures are refused before they are converted: memory stays bounded."""

_BT709, _UNSPECIFIED = 1, 2
_PQ, _HLG = 16, 18
HDR = {_PQ: "PQ", _HLG: "HLG"}
"""Transfer characteristics (ITU-T H.273, table 3) that a screen cannot show as they are."""
_WHITE, _PEAK = 203.0, 1000.0
"""Luminance in cd/m² of reference white (ITU-R BT.2408) and of the brightest part kept apart."""


def _nameless(cls: type[SideData], value: object) -> Any:
    """Return a member for a kind of side data that FFmpeg knows and PyAV does not."""
    member: Any = object.__new__(cls)
    member._name_, member._value_ = f"UNKNOWN_{value}", value
    return member


# PyAV raises an error for all side data of a frame where it does not know one kind (EXIF, from
# FFmpeg 8 on), though nobody asked for that one. Enumerations offer this hook for such values.
SideData._missing_ = classmethod(_nameless)  # type: ignore[assignment, method-assign]


def check_size(name: str, width: int, height: int) -> None:
    """Refuse pictures that would take more memory than there should be need for.

    Raises:
        SourceError: it has more than ``MAX_PIXELS``.
    """
    if width * height > MAX_PIXELS:
        raise SourceError(
            f"{name} has pictures of {width}×{height}, more than this program takes (8192×8192)."
        )


def shown_size(frame: av.VideoFrame, aspect: float) -> tuple[int, int]:
    """(width, height) of a frame as ``to_rgb`` gives it."""
    size = max(1, round(frame.width * aspect)), frame.height
    return size[::-1] if _orientation(frame)[0] else size


def to_rgb(frame: av.VideoFrame, aspect: float = 1.0) -> NDArray[np.uint8]:
    """Convert a frame to RGB uint8 H×W×3, contiguous.

    The matrix (BT.601, 709, 2020, …) and the range are those that the frame names; where it names
    none they are BT.709 from 720 lines on and BT.601 below, limited range, as players have it. HDR
    is brought into the range of a screen; transparency is ignored.

    Args:
        frame: as it was decoded.
        aspect: width of a pixel in its heights; other than 1 the picture is widened.
    """
    # Pixels that are not square are made so: they are shown, and recorded, as they look.
    width = max(1, round(frame.width * aspect))
    high = frame.height >= 720 or frame.width >= 1280
    guessed = "ITU709" if high and frame.colorspace == _UNSPECIFIED else None
    pixels = np.asarray(
        frame.to_ndarray(format="rgb24", width=width, src_colorspace=guessed), np.uint8
    )
    if frame.color_trc in HDR:
        pixels = np.asarray(cv2.LUT(np.ascontiguousarray(pixels), _tone_curve(frame.color_trc)))
    return upright(frame, pixels)


def upright(frame: av.VideoFrame, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn and mirror pixels of a frame as it asks for; contiguous."""
    transposed, across, down = _orientation(frame)
    if transposed:
        pixels = pixels.transpose(1, 0, 2)
    if across:
        pixels = pixels[:, ::-1]
    if down:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _orientation(frame: av.VideoFrame) -> tuple[bool, bool, bool]:
    """Steps that make a frame upright: swap rows and columns, mirror across, mirror down."""
    # The frame's own attribute would hold the frame in turn: its memory would then wait for the
    # garbage collector, hundreds of frames at a time. PyAV's stubs know neither this nor the keys.
    side_data: Any = SideDataContainer(frame)  # type: ignore[call-arg]
    data = side_data.get(SideData.DISPLAYMATRIX)
    if data is None:
        return False, False, False
    # x' = a·x + c·y, y' = b·x + d·y, in 16.16 fixed point; u, v and the shift do not matter.
    a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


@cache
def _tone_curve(transfer: int) -> NDArray[np.uint8]:
    """256 values that map coded HDR to what a screen of the usual kind shows.

    Reference white comes to about three quarters; what is brighter is compressed (Reinhard's
    operator with a white point). The curve is applied per channel, which keeps the primaries of
    the file: colours of BT.2020 look a little pale.
    """
    code = np.linspace(0.0, 1.0, 256)
    if transfer == _PQ:  # SMPTE ST 2084
        m1, m2 = 2610 / 16384, 2523 / 32
        c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
        power = code ** (1 / m2)
        light = 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    else:  # ARIB STD-B67, on a screen of 1000 cd/m²
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        light = _PEAK * scene**1.2
    bright, peak = light / _WHITE, _PEAK / _WHITE
    linear = bright * (1 + bright / peak**2) / (1 + bright)
    return np.asarray(np.round(255 * np.minimum(linear, 1.0) ** (1 / 2.2)), np.uint8)
