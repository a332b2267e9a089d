"""Animated image as a source: the clip that it is, with its own times."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from app.errors import SourceError
from app.sources.base import Picture, Source, SourceInfo
from app.sources.images.image_file import ImageFile
from app.sources.source_spec import SourceSpec


class AnimatedImageSource(Source):
    """Frames of an animation (WebP, PNG, AVIF, GIF), at their times or at a rate.

    Args:
        spec: what the user named.
        file: the image, open.

    Raises:
        SourceError: it is damaged.
    """

    live = False

    def __init__(self, spec: SourceSpec, file: ImageFile) -> None:
        super().__init__()
        self._file, self._next = file, 0
        self._durations = [1 / spec.rate if spec.rate else each for each in file.durations()]
        if not self._durations:
            raise SourceError(f"{spec.name} is damaged from its first picture on: choose another.")
        self._times = [0.0, *accumulate(self._durations)]
        length = self._times.pop()
        height, width = file.read(0).shape[:2]
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=len(self._times) / length if length else None,
            frames=len(self._times),
            duration=length,
            decoder="Pillow",
            seekable=True,
        )

    def read(self) -> Picture | None:
        index = self._next
        if index >= len(self._times):
            self._report_damage()
            return None
        self._next += 1
        image = self._file.read(index)
        return Picture(image, self._times[index], duration=self._durations[index])

    def seek(self, seconds: float, *, before: int = 0) -> None:
        # A little more, so that a frame's own stamp means it in spite of rounding.
        self._next = max(0, bisect_right(self._times, seconds + 1e-6) - 1 - before)

    def close(self) -> None:
        pass

    def _report_damage(self) -> None:
        self.unreadable = len(self._file) - len(self._times)
        if self.unreadable:
            self.notice = (
                f"{self.info.name} is damaged: {len(self._times)} of {len(self._file)} pictures"
                " could be read."
            )
