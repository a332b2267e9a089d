"""Image files: their sizes from the first bytes, their pixels or labels, within bounds."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
"""First bytes of these formats."""
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
"""File name suffixes of images in a data set."""
MAX_PIXELS = 2**26
"""Pixels that no street camera comes near; a file of a few bytes may claim any size."""

_KINDS = ("PNG", "JPEG", "MPO", "BMP", "DIB", "WEBP", "TIFF", "GIF", "PPM", "AVIF", "HEIF")
_TAIL = 2**12
_PNG_DEPTH = 24
"""Place of the bits per sample in a PNG."""


class PictureError(Exception):
    """A file is no image that can be used; the message goes on after the file's name."""


# Our bound is lower and an error; what is wrong with a file is said in a sentence.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\.")


def open_image(file: IO[bytes]) -> Image.Image | None:
    """Open an image by its header; its pixels are decoded when they are asked for.

    Returns:
        ``None`` where it is of no kind that is known.

    Raises:
        PictureError: it is one of more than ``MAX_PIXELS``.
    """
    Image.init()
    try:
        image = Image.open(file, formats=[kind for kind in _KINDS if kind in Image.OPEN])
    except Image.DecompressionBombError as error:
        raise PictureError("has more pixels than can be used here.") from error
    except Exception:  # a damaged file fails in many ways
        return None
    _bound((image.height, image.width))
    return image


def read_picture(path: Path, flags: int) -> NDArray[Any]:
    """Return the pixels of a file.

    Args:
        path: the file.
        flags: OpenCV's, such as ``cv2.IMREAD_COLOR`` (H×W×3 uint8 BGR) or ``cv2.IMREAD_UNCHANGED``
            (whatever shape and dtype the file has).

    Raises:
        PictureError: it is no image, or one of more than ``MAX_PIXELS``.
    """
    data = _bytes(path)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:  # OpenCV's own bounds
        raise PictureError("cannot be read.") from error
    if image is None:
        raise PictureError("cannot be read.")
    _bound(image.shape[:2])
    return np.asarray(image)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Return the labels in a PNG, H×W uint8: the numbers that it stores, whatever they look like.

    Grey ones of less than 8 bits are not brightened, and of a palette the places count, not the
    colours.

    Raises:
        PictureError: it is no PNG, one of more than ``MAX_PIXELS``, or without such numbers.
    """
    data = _bytes(path)
    if not data.startswith(PNG):
        raise PictureError("cannot be read as a PNG, which labels must be.")
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            mode, pixels = image.mode, np.array(image)
    except Exception as error:  # a damaged file fails in many ways
        raise PictureError("cannot be read.") from error
    if mode not in {"1", "L", "P"}:
        raise PictureError("must be an 8-bit grey picture, or one with a palette.")
    labels = pixels.astype(np.uint8, copy=False)
    # Pillow stretches grey of 2 and 4 bits to the whole range.
    return labels // (255 // (2 ** data[_PNG_DEPTH] - 1)) if mode == "L" else labels


def picture_size(path: Path) -> tuple[int, int]:
    """Return height and width of the image in a file.

    PNG and JPEG are read from their headers, others are decoded.

    Raises:
        PictureError: it is no single image, one of more than ``MAX_PIXELS``, or it ends too early.
    """
    try:
        with path.open("rb") as file:
            image = open_image(file)
            size = None
            if image is not None:
                _check_single(image)
                size = None if _may_turn(image) else (image.height, image.width)
            file.seek(0)
            head = file.read(len(PNG))
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            tail = file.read()
    except OSError as error:
        raise PictureError("cannot be read.") from error
    if size is None:
        pixels = read_picture(path, cv2.IMREAD_COLOR)
        size = pixels.shape[0], pixels.shape[1]
    # Half a JPEG would be decoded all the same, and be gray from there on.
    end = {PNG: b"IEND", JPEG: b"\xff\xd9"}
    if any(head.startswith(kind) and mark not in tail for kind, mark in end.items()):
        raise PictureError("ends too early.")
    return size


def _bytes(path: Path) -> bytes:
    """Return what a file holds, where its head does not claim too large an image, or several."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError("cannot be read.") from error
    image = open_image(io.BytesIO(data))
    if image is not None:
        _check_single(image)
    return data


def _bound(size: tuple[int, ...]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise PictureError(f"has {size[1]}×{size[0]} pixels, more than can be used here.")


def _check_single(image: Image.Image) -> None:
    try:
        count = 1 if image.format in {"JPEG", "MPO"} else getattr(image, "n_frames", 1)
    except Exception as error:  # a damaged file fails in many ways
        raise PictureError("cannot be read.") from error
    if count > 1:
        raise PictureError(f"holds {count} pictures: a data set takes one in a file.")


def _may_turn(image: Image.Image) -> bool:
    """Return whether OpenCV might turn an image, or its header does not tell."""
    if image.format in {"JPEG", "MPO"}:
        return bool(image.getexif().get(ExifTags.Base.Orientation, 1) != 1)
    return image.format != "PNG" or "exif" in image.info
