"""Pictures as a source: a single one, a folder of them, or what a pattern matches."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError
from app.sources.base import Picture, Source, SourceInfo
from app.sources.color_conversion import check_size
from app.sources.source_spec import PICTURES, SourceSpec
from fastscnn.data.image_header import header_size
from fastscnn.paths import files_below, matches, natural, visible
from fastscnn.suggestions import did_you_mean_file

RATE = 10.0
"""Pictures per second unless the user says otherwise."""
_MAX_BYTES = 1 << 29
"""Larger files are not read: they are no pictures of a street."""


def find_pictures(text: str) -> tuple[Path, list[Path]]:
    """The folder that the pictures have in common, and the pictures in natural order.

    A folder without pictures of its own is searched below.
    """
    path = Path(text)
    if os.path.isdir(path):
        root, found = path, _pictures(visible(path)) or _pictures(files_below(path))
    elif os.path.exists(path):
        return path.parent, [path]
    else:
        root, matched = matches(path)
        found = _pictures(matched)
    return root, sorted((p for p in found if p.is_file()), key=natural)


def _pictures(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.suffix.lower() in PICTURES]


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture as RGB uint8 H×W×3, turned as its EXIF data ask for; transparency is ignored.

    Raises:
        SourceError: it cannot be read, or is larger than it should be; its size is looked at
            before it is decoded.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SourceError(f"{path.name} is too large for a picture: choose another.")
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}).") from error
    size = header_size(data)
    if size is None:
        raise SourceError(f"{path.name} is no picture that can be read.")
    check_size(path.name, *size)
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        bgr = None
    if bgr is None:
        raise SourceError(f"{path.name} is a damaged picture.")
    return np.ascontiguousarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


class ImageSequenceSource(Source):
    """Pictures in natural order, at a rate; each is named by its place below the common folder.

    One that cannot be read is passed over, and said.

    Raises:
        SourceError: there is none that can be read.
    """

    live = False

    def __init__(self, spec: SourceSpec) -> None:
        super().__init__()
        self._root, self._paths = find_pictures(spec.value)
        if not self._paths:
            raise SourceError(
                f"There are no pictures at {spec.value}: name a folder or pattern of"
                f" {', '.join(sorted(s[1:] for s in PICTURES))} files."
                f"{did_you_mean_file(Path(spec.value))}"
            )
        self._rate = spec.rate or RATE
        self._next = 0
        self._bad: dict[int, str] = {}
        first = self.read()
        if first is None:
            reason = next(iter(self._bad.values()))
            more = f" (nor can {len(self._bad) - 1} more)" if len(self._bad) > 1 else ""
            raise SourceError(f"{reason}{more}")
        self._first: Picture | None = first
        self.missed.clear()
        height, width = first.image.shape[:2]
        count = len(self._paths)
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=self._rate,
            frames=count,
            duration=count / self._rate,
            decoder="OpenCV",
            seekable=True,
        )

    _first: Picture | None = None

    def read(self) -> Picture | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        while self._next < len(self._paths):
            index = self._next
            self._next += 1
            path = self._paths[index]
            try:
                image = read_picture(path)
            except SourceError as error:
                if index not in self._bad:
                    self._bad[index] = str(error)
                    self.missed["decode"] += 1
                continue
            name = path.relative_to(self._root).with_suffix("").as_posix()
            return Picture(image, index / self._rate, name)
        self.notice = self._ending()
        return None

    def seek(self, seconds: float, *, before: int = 0) -> None:
        self._first = None
        place = int(max(seconds, 0.0) * self._rate + 1e-3)
        self._next = max(0, min(place, len(self._paths) - 1) - before)

    def close(self) -> None:
        pass

    def _ending(self) -> str:
        if not self._bad:
            return ""
        reason = next(iter(self._bad.values()))
        rest = len(self._bad) - 1
        more = f" {rest} more could not be read either." if rest else ""
        return f"{reason}{more}"
