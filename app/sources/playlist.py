"""Playlist: the order of sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from app.sources.source_spec import PICTURES, SourceSpec

VIDEO_SUFFIXES = frozenset(
    f".{kind}"
    for kind in (
        *("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg"),
        *("ts", "wmv", "flv", "ogv", "3gp", "y4m"),
    )
)
"""Names of files that are taken for videos in folders; a file named by the user may have any."""

_MOST = 2000


class Playlist:
    """Sources in an order, with the one that plays."""

    def __init__(self) -> None:
        self._entries: tuple[SourceSpec, ...] = ()
        self._index = 0

    @property
    def entries(self) -> tuple[SourceSpec, ...]:
        """All of them."""
        return self._entries

    @property
    def index(self) -> int:
        """Index of the entry that plays, from 0."""
        return self._index

    @property
    def current(self) -> SourceSpec | None:
        """The one that plays."""
        return self._entries[self._index] if self._entries else None

    def put(self, entries: Sequence[SourceSpec]) -> None:
        """Have these in place of what was there; the first one plays."""
        self._entries, self._index = tuple(entries), 0

    def go(self, index: int) -> SourceSpec | None:
        """Let another one play; ``None`` where there is none."""
        if not 0 <= index < len(self._entries):
            return None
        self._index = index
        return self._entries[index]

    def move(self, by: int) -> SourceSpec | None:
        """Let the next one (1) or the one before (-1) play; ``None`` where there is none."""
        return self.go(self._index + by)

    @property
    def place(self) -> str:
        """Position in the list in words, empty for a single entry."""
        return f"{self._index + 1} of {len(self._entries)}" if len(self._entries) > 1 else ""


def sources_in(folder: Path) -> list[SourceSpec]:
    """Return the sources in a folder: the videos right inside it, or its images as one.

    Of both, what it holds more of; pictures may lie deeper where there is neither. Videos come in
    the order that people count: clip 2 before clip 10.

    Raises:
        OSError: it cannot be read.
    """
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
    pictures = sum(path.suffix.lower() in PICTURES for path in files)
    if videos and len(videos) >= pictures:
        chosen = sorted(videos, key=_counted)[:_MOST]
        return [SourceSpec("file", str(video)) for video in chosen]
    if pictures or any(path.suffix.lower() in PICTURES for path in folder.glob("*/**/*")):
        return [SourceSpec("images", str(folder))]
    return []


def _counted(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
