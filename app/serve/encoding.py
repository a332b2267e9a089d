"""Encodings of a result for clients: JPEG, labels as PNG, a row of figures."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from app.core.frame import Result
from app.rendering.overlay import shares

WIDTHS = (320, 480, 640, 960, 1280, 1920)
"""Widths that pictures are made for, besides their own: few, since each is encoded once."""

_QUALITY = 80


def width_for(asked: int | None) -> int | None:
    """Return the width that a client gets, at least what it asked for; ``None`` is the own one."""
    return next((width for width in WIDTHS if asked is not None and asked <= width), None)


def jpeg_of(result: Result, split: float, width: int | None) -> bytes:
    """The view as a JPEG, no wider than ``width``.

    Args:
        result: what is shown.
        split: where the divider of a wipe is.
        width: see ``width_for``.
    """
    picture = result.picture_at(split)
    if width is not None and picture.shape[1] > width:
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def labels_png_of(result: Result) -> bytes:
    """The labels as a palette PNG: colours to the eye, numbers of classes to a program."""
    image = Image.fromarray(result.labels)
    image.putpalette(result.classes.palette.tobytes())  # which makes it one of mode P
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def class_shares(result: Result) -> dict[str, float]:
    """The shares of the picture by class, of those that are there, rounded."""
    names = result.classes.names
    found = shares(result.labels, classes=len(names))
    return {name: round(share, 4) for name, share in zip(names, found, strict=True) if share}
