"""Source specification: the source that the user means."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from app.errors import SourceError
from app.sources.urls import SCHEMES, local_path, redact, scheme_of
from fastscnn.paths import expand_user, is_pattern

Kind = Literal["camera", "file", "stream", "images", "demo"]

PICTURES = frozenset(
    f".{kind}"
    for kind in (
        *("png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "webp", "tif", "tiff"),
        *("ppm", "pgm", "pbm", "pnm", "avif", "heic", "heif", "hif"),
    )
)
"""Names of pictures end in one of these."""

_LONGEST = 80
"""Letters of a source's name that go into a file's: file systems take 255 bytes in all."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source that is not open yet.

    Attributes:
        kind: what it is.
        value: the camera's index, the file's path, the stream's address, the pictures' folder,
            path or pattern, or nothing for the demo street.
        width, height, rate: the mode to ask a camera for; ``None`` leaves it as it is. The rate is
            also that of pictures.
        hwaccel: ``auto``, ``none`` or a kind of device that is to decode; ``None`` leaves it to the
            settings.
        video_stream: which of a file's video streams, from 0; ``None`` is the largest.
        patience: seconds to wait for a stream to come back; ``None`` leaves it to the settings.
        start, end: the part of a file to play, in seconds; an end of ``None`` is the file's own.
    """

    kind: Kind
    value: str = ""
    width: int | None = None
    height: int | None = None
    rate: float | None = None
    hwaccel: str | None = None
    video_stream: int | None = None
    patience: float | None = None
    start: float = 0.0
    end: float | None = None

    @property
    def name(self) -> str:
        """Name for the window and for messages."""
        if self.kind == "camera":
            return f"camera {self.value}"
        if self.kind == "stream":
            return redact(self.value)
        if self.kind in {"file", "images"}:
            return Path(self.value).name or self.value
        return "demo street"

    @property
    def file_stem(self) -> str:
        """Its name as part of a file's name on any system."""
        name = Path(self.name).stem if self.kind == "file" else self.name
        return re.sub(r"[^\w.-]+", "-", name)[:_LONGEST].strip("-.") or "fastscnn"

    @property
    def may_be_remote_file(self) -> bool:
        """True where it may turn out to be a file at an address, once it is open."""
        return self.kind == "stream" and scheme_of(self.value) in {"http", "https"}

    def __repr__(self) -> str:
        # An address may hold a password, and a repr ends up in logs.
        return f"SourceSpec({self.kind}: {self.name})"


def parse_source(text: str) -> SourceSpec:
    """Tell a camera index, ``demo``, an address, pictures and a file apart.

    A file that is really called ``demo`` or ``0`` can be named as ``./demo``.

    Raises:
        SourceError: the text is empty, or an address of a kind that cannot be read.
    """
    if not text.strip():
        raise SourceError("The source is empty: name a file, an address, a camera index or demo.")
    if text == "demo":
        return SourceSpec("demo")
    if text.isdecimal() and text.isascii():
        return SourceSpec("camera", str(int(text)))
    scheme = scheme_of(text)
    if scheme == "file":
        return SourceSpec("file", local_path(urlsplit(text).path))
    if scheme in SCHEMES:
        return SourceSpec("stream", text)
    if scheme is not None:
        raise SourceError(
            f"{redact(text)} cannot be read: addresses begin with rtsp, http, https, tcp, udp, rtp,"
            " rtmp or srt."
        )
    path = expand_user(text)
    many = os.path.isdir(path) or is_pattern(path)
    kind: Kind = "images" if many or path.suffix.lower() in PICTURES else "file"
    return SourceSpec(kind, str(path) if text.startswith("~") else text)
