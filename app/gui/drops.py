"""What to make of something that was dropped on the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QUrl


@dataclass(frozen=True, slots=True)
class Drop:
    """What a drop comes to.

    Attributes:
        path: the file to open, if there is one.
        text: what to tell the user, empty where there is nothing to say.
    """

    path: Path | None = None
    text: str = ""


def judge(urls: Sequence[QUrl]) -> Drop:
    """Find the file in what was dropped.

    Whether it holds a video only opening can tell, so any file is let through.
    """
    if not urls:
        return Drop(text="That was no file: drop a video file.")
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    files = [path for path in paths if path.is_file()]
    if files:
        others = len(urls) - 1
        if not others:
            return Drop(files[0])
        rest = "the other one was" if others == 1 else f"the other {others} were"
        return Drop(files[0], f"Playing {files[0].name}; {rest} left out: drop one at a time.")
    if not paths:
        return Drop(text=f"{urls[0].toString()} is not on this computer: drop a video file.")
    path = paths[0]
    if path.is_dir():
        return Drop(text=f"{path.name} is a folder: drop a single video file.")
    if not path.exists():
        return Drop(text=f"There is no file {path}: drop a video file.")
    return Drop(text=f"{path.name} is no ordinary file: drop a video file.")
