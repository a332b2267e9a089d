"""Image file: its pages, or the frames of its animation, with their times."""

from __future__ import annotations

import io
from contextlib import suppress
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from app.errors import SourceError
from app.sources.color_conversion import check_size
from fastscnn.data.image_files import PictureError, open_image
from fastscnn.paths import not_readable

_MAX_BYTES = 1 << 29
"""Larger files are not read: they are no pictures of a street."""
_ANIMATIONS = {"PNG", "WEBP", "GIF", "AVIF"}
_PAGED = {"TIFF", "HEIF"}
_BY_OPENCV = {"PNG", "JPEG", "MPO", "BMP", "DIB", "WEBP", "TIFF", "PPM"}
"""Kinds of still images that OpenCV decodes, all depths among them; Pillow decodes the others."""
_REDUCED = 254, 0b101
"""Tag of a page of a TIFF, and its bits for previews and masks of other pages."""
_MOST_PAGES = 10_000
_USUAL = 0.1
"""Seconds that a frame without a length is shown, as browsers have it."""


@cache
def _know_heic() -> None:
    """Teach Pillow HEIC where that can be had."""
    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()


class ImageFile:
    """Images in one file, decoded when they are read; larger ones than there should be never.

    Args:
        path: the file.

    Attributes:
        name: of the file.
        animated: whether its images follow each other in time.

    Raises:
        SourceError: it cannot be read, or is larger than it should be.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        _know_heic()
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise SourceError(f"{self.name} is too large for a picture: choose another.")
            self._data = path.read_bytes()
        except OSError as error:
            raise SourceError(not_readable(error, path)) from error
        try:
            image = open_image(io.BytesIO(self._data))
        except PictureError as error:
            raise SourceError(f"{self.name} {error}") from error
        if image is None:
            raise SourceError(f"{self.name} is no picture that can be read.")
        self._image, self._kind = image, image.format
        self._places = self._find_places()
        self.animated = self._kind in _ANIMATIONS and len(self._places) > 1

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._places)

    def read(self, index: int) -> NDArray[np.uint8]:
        """Return an image as RGB uint8 H×W×3, turned as its EXIF data ask for.

        Transparency is ignored.

        Raises:
            SourceError: it is damaged.
        """
        place = self._places[index]
        try:
            if place or self.animated or self._kind not in _BY_OPENCV:
                self._image.seek(place)
                check_size(self.name, *self._image.size)
            if self.animated or self._kind not in _BY_OPENCV:
                return np.array(ImageOps.exif_transpose(self._image).convert("RGB"))
            return _decoded(self._data, place)
        except SourceError:
            raise
        except Exception as error:  # a damaged file fails in many ways
            raise SourceError(f"{self.name} is a damaged picture.") from error

    def durations(self) -> list[float]:
        """Return for how many seconds each frame of an animation is shown, up to a damaged one."""
        found = []
        with suppress(Exception):  # a damaged file fails in many ways
            for place in self._places:
                self._image.seek(place)
                self._image.load()  # in some formats the length is known with the pixels alone
                found.append(self._image.info.get("duration", 0) / 1000 or _USUAL)
        return found

    def _find_places(self) -> list[int]:
        """Return where Pillow has the images: what is for other programs is left out."""
        if self._kind not in _ANIMATIONS | _PAGED:
            return [0]  # a second image in a JPEG is a preview or a map of its brightness
        try:
            places = range(min(getattr(self._image, "n_frames", 1), _MOST_PAGES))
            if getattr(self._image, "default_image", False):
                places = places[1:]  # the first is for programs that know no animations
            return [place for place in places if not self._is_reduced(place)] or [0]
        except Exception as error:
            raise SourceError(f"{self.name} is a damaged picture.") from error

    def _is_reduced(self, place: int) -> bool:
        if self._kind != "TIFF":
            return False
        self._image.seek(place)
        tag, bits = _REDUCED
        return bool(getattr(self._image, "tag_v2", {}).get(tag, 0) & bits)


def _decoded(data: bytes, place: int) -> NDArray[np.uint8]:
    """Return a page as OpenCV decodes it, in RGB."""
    coded = np.frombuffer(data, np.uint8)
    if place:
        pages = cv2.imdecodemulti(coded, cv2.IMREAD_COLOR, range=(place, place + 1))[1]
    else:
        pages = [cv2.imdecode(coded, cv2.IMREAD_COLOR)]  # type: ignore[list-item]  # or None
    return np.ascontiguousarray(cv2.cvtColor(pages[0], cv2.COLOR_BGR2RGB), np.uint8)
