"""Pictures that a network is compressed by, without labels: the user's, or the demo street's."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.image_files import IMAGE_SUFFIXES, PictureError, read_picture
from fastscnn.data.pair_dataset import DataError
from fastscnn.data.street_frames import StreetFrames
from fastscnn.inference.input_size import network_size
from fastscnn.paths import visible

_STREETS = (3, 5, 8, 13)
"""Seeds of the demo street to compress by; it is judged by others."""


def pictures_for(folder: Path | None, count: int, short: str = "half") -> list[NDArray[np.uint8]]:
    """Return pictures as the network sees them: uint8 RGB h×w×3.

    Args:
        folder: of pictures, or one that holds them in ``images/``; ``None`` is the demo street.
        count: how many at most, evenly spread over the folder.
        short: named input size that they are brought to.

    Raises:
        DataError: there are none, or one cannot be read.
    """
    if folder is None:
        streets = StreetFrames(_STREETS, -(-count // len(_STREETS)))
        found = [streets.read(index)[0] for index in range(count)]
    else:
        found = [_read(path) for path in _spread(_files(folder), count)]
    return [_fit(picture, short) for picture in found]


def _files(folder: Path) -> list[Path]:
    inside = folder / "images"
    place = inside if inside.is_dir() else folder
    if not place.is_dir():
        raise DataError(f"{folder} is no folder: name one that holds pictures.")
    files = sorted(path for path in visible(place) if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise DataError(f"{place} holds no pictures.")
    return files


def _spread(files: list[Path], count: int) -> list[Path]:
    return [files[i * len(files) // count] for i in range(count)] if count < len(files) else files


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        picture = read_picture(path, cv2.IMREAD_COLOR)
    except PictureError as error:
        raise DataError(f"{path} {error}") from error
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _fit(picture: NDArray[np.uint8], short: str) -> NDArray[np.uint8]:
    rows, columns = network_size(short, *picture.shape[:2])
    return np.asarray(cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
