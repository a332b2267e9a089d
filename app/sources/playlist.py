"""Playlist: the order of sources."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from app.sources.source_spec import PICTURES, SourceSpec
from fastscnn.paths import files_below, natural, visible

VIDEO_SUFFIXES = frozenset(
    f".{kind}"
    for kind in (
        *("mp4", "m4v", "mov", "qt", "mj2", "f4v", "flv", "3gp", "3gpp", "3g2", "ismv", "insv"),
        *("mkv", "mk3d", "webm", "ogv", "ogm", "avi", "divx", "amv", "wmv", "asf", "wtv", "dvr-ms"),
        *("mpg", "mpeg", "mpe", "m1v", "m2v", "m2p", "vob", "vro", "evo", "dvd", "mod"),
        *("ts", "mts", "m2ts", "m2t", "trp", "tp", "tod", "mxf", "gxf", "nut", "rm", "rmvb"),
        *("dv", "dif", "dav", "y4m", "ivf", "obu", "mjpeg", "mjpg", "gif", "apng", "swf", "roq"),
        *("264", "h264", "avc", "265", "h265", "hevc", "266", "h266", "vvc", "h261", "h263"),
    )
)
"""Names of files that are taken for videos in folders; a file named by the user may have any."""

_MOST, _MOST_SEEN = 2000, 100_000
"""Videos of a list; files below a folder that are looked at for it."""


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
    """Return the sources in a folder: the videos in it one by one, or its images as one.

    Of both, what it holds more of; where it holds neither, what lies in the folders below. Videos
    come in the order that people count: clip 2 before clip 10.

    Raises:
        OSError: it cannot be read.
    """
    return _chosen(folder, visible(folder)) or _chosen(
        folder, list(islice(files_below(folder), _MOST_SEEN))
    )


def _chosen(folder: Path, files: list[Path]) -> list[SourceSpec]:
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
    pictures = sum(path.suffix.lower() in PICTURES for path in files)
    if videos and len(videos) >= pictures:
        return [SourceSpec("file", str(video)) for video in sorted(videos, key=natural)[:_MOST]]
    return [SourceSpec("images", str(folder))] if pictures else []
