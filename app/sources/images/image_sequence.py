"""Pictures as a source: a single one, a folder of them, or what a pattern matches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from app.errors import SourceError
from app.sources.base import Picture, Source, SourceInfo
from app.sources.images.animated_image import AnimatedImageSource
from app.sources.images.image_file import ImageFile
from app.sources.source_spec import PICTURES, SourceSpec
from app.sources.video_file import VideoFileSource
from fastscnn.paths import closed_folder, files_below, matches, natural, not_readable, visible
from fastscnn.suggestions import did_you_mean_file

RATE = 10.0
"""Pictures per second unless the user says otherwise."""
_ALSO_VIDEO = {".avif", ".heic", ".heif", ".hif"}
"""Kinds that FFmpeg reads too, where Pillow does not know them: the first picture of a file."""


def find_pictures(
    text: str, unreadable: Callable[[OSError], object] | None = None
) -> tuple[Path, list[Path]]:
    """The folder that the pictures have in common, and the pictures in natural order.

    A folder without pictures of its own is searched below.

    Args:
        text: a folder, a pattern or a picture.
        unreadable: is told of folders below that cannot be read and are left out.

    Raises:
        OSError: the folder cannot be read.
    """
    path = Path(text)
    if os.path.isdir(path):
        root, found = path, _pictures(visible(path)) or _pictures(files_below(path, unreadable))
    elif os.path.exists(path):
        return path.parent, [path]
    else:
        root, matched = matches(path)
        found = _pictures(matched)
    return root, sorted((p for p in found if p.is_file()), key=natural)


def _pictures(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.suffix.lower() in PICTURES]


def open_images(spec: SourceSpec) -> Source:
    """Open a single image, a folder of them, or what a pattern matches.

    Raises:
        SourceError: there is none that can be read.
    """
    path = Path(spec.value)
    if os.path.isfile(path):
        try:
            file = ImageFile(path)
        except SourceError:
            if path.suffix.lower() not in _ALSO_VIDEO:
                raise
            video = VideoFileSource(spec)
            video.tell(
                f"{path.name} is shown as FFmpeg reads it, perhaps not as a whole:"
                " pip install 'fastscnn-live[heic]'."
            )
            return video
        if file.animated:
            return AnimatedImageSource(spec, file)
    return ImageSequenceSource(spec)


class ImageSequenceSource(Source):
    """Pictures in natural order, at a rate; each is named by its place below the common folder.

    One that cannot be read is passed over, and said. Of a file with several pages all are shown
    where it is named alone; else the first, and that is said.

    Raises:
        SourceError: there is none that can be read.
    """

    live = False

    def __init__(self, spec: SourceSpec) -> None:
        super().__init__()
        closed: list[OSError] = []
        try:
            self._root, self._paths = find_pictures(spec.value, closed.append)
        except OSError as error:
            raise SourceError(not_readable(error, spec.value)) from error
        for each in closed:
            self.tell(not_readable(each, each.filename))
        if not self._paths:
            if (folder := closed_folder(Path(spec.value))) is not None:
                raise SourceError(
                    f"{spec.value} may not be read: check the permissions of {folder}."
                )
            raise SourceError(
                f"There are no pictures at {spec.value}: name a folder or pattern of"
                f" {', '.join(sorted(s[1:] for s in PICTURES))} files."
                f"{did_you_mean_file(Path(spec.value))}"
            )
        self._rate = spec.rate or RATE
        self._next = 0
        self._bad: dict[int, str] = {}
        self._partial: dict[Path, str] = {}
        self._open: ImageFile | None = None
        self._pages = len(self._file(0)) if os.path.isfile(spec.value) else 1
        first = self.read()
        if first is None:
            reason = next(iter(self._bad.values()))
            more = f" (nor can {len(self._bad) - 1} more)" if len(self._bad) > 1 else ""
            raise SourceError(f"{reason}{more}")
        self._first: Picture | None = first
        self.missed.clear()
        height, width = first.image.shape[:2]
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=self._rate,
            frames=self._count,
            duration=self._count / self._rate,
            decoder="OpenCV, Pillow",
            seekable=True,
        )

    _first: Picture | None = None

    def read(self) -> Picture | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        while self._next < self._count:
            index = self._next
            self._next += 1
            path = self._paths[index // self._pages]
            try:
                image = self._file(index // self._pages).read(index % self._pages)
            except SourceError as error:
                if index not in self._bad:
                    self._bad[index] = str(error)
                    self.missed["decode"] += 1
                continue
            name = path.relative_to(self._root).with_suffix("").as_posix()
            page = f"-{index % self._pages + 1}" if self._pages > 1 else ""
            return Picture(image, index / self._rate, f"{name}{page}", ending=path.suffix)
        self.notice = self._ending()
        return None

    def seek(self, seconds: float, *, before: int = 0) -> None:
        self._first = None
        place = int(max(seconds, 0.0) * self._rate + 1e-3)
        self._next = max(0, min(place, self._count - 1) - before)

    def close(self) -> None:
        self._open = None

    @property
    def _count(self) -> int:
        return len(self._paths) * self._pages

    def _file(self, index: int) -> ImageFile:
        """Return a file, which stays open for its further pages."""
        path = self._paths[index]
        if self._opened != path or self._open is None:
            self._open, self._opened = ImageFile(path), path
            count, what = len(self._open), "frames" if self._open.animated else "pages"
            if count > 1 and len(self._paths) > 1:
                self._partial[path] = f"Of {path.name} the first of {count} {what} is shown."
        return self._open

    _opened: Path | None = None

    def _ending(self) -> str:
        return " ".join(
            f"{next(iter(texts.values()))}{f' {len(texts) - 1} {more}' * (len(texts) > 1)}"
            for texts, more in (
                (self._bad, "more could not be read either."),
                (self._partial, "more have several too: name one alone to see all of it."),
            )
            if texts
        )
