"""Which source the user means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.errors import SourceError

Kind = Literal["camera", "file", "demo"]


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source that is not open yet.

    Attributes:
        kind: what it is.
        value: the camera's index, the file's path, or nothing for the demo street.
        width, height, rate: the mode to ask a camera for; ``None`` leaves it as it is.
    """

    kind: Kind
    value: str = ""
    width: int | None = None
    height: int | None = None
    rate: float | None = None

    @property
    def name(self) -> str:
        """What the window and messages call it."""
        if self.kind == "camera":
            return f"camera {self.value}"
        return Path(self.value).name if self.kind == "file" else "demo street"


def parse_source(text: str) -> SourceSpec:
    """Tell a camera index, ``demo`` and a path apart.

    A file that is really called ``demo`` or ``0`` can be named as ``./demo``.

    Raises:
        SourceError: the text is empty.
    """
    if not text.strip():
        raise SourceError("The source is empty: name a video file, a camera index or demo.")
    if text == "demo":
        return SourceSpec("demo")
    if text.isdecimal() and text.isascii():
        return SourceSpec("camera", str(int(text)))
    return SourceSpec("file", text)
