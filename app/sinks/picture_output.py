"""Folders of pictures as an output: what goes where, checked before any work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.errors import OutputError
from app.sources.source_spec import SourceSpec

Content = Literal["view", "train_ids", "label_ids"]
Suffix = Literal[".png", ".jpg"]


@dataclass(frozen=True, slots=True)
class PictureOutput:
    """A folder of pictures to be written.

    Attributes:
        folder: where they go; made where it is missing.
        content: ``view`` as it is shown; ``train_ids`` or ``label_ids`` as 8-bit grey PNG, as the
            official evaluation takes the latter.
        suffix: ``.png`` or ``.jpg``, which labels never are.
    """

    folder: Path
    content: Content = "view"
    suffix: Suffix = ".png"


def check_folder(output: PictureOutput, *, overwrite: bool, source: SourceSpec | None) -> None:
    """Find out before any work whether pictures can go to a folder.

    Raises:
        OutputError: they cannot: something else is there, or would be lost.
    """
    folder = output.folder
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file: name a folder for the pictures.")
        if source is not None and source.kind in {"images", "file"} and folder.is_dir():
            place = Path(source.value).expanduser()
            read = place if place.is_dir() else place.parent
            if read.is_dir() and os.path.samefile(read, folder):
                raise OutputError(f"{folder} is where is being read: name another folder.")
        if folder.is_dir() and not overwrite and any(folder.iterdir()):
            raise OutputError(f"{folder} is not empty: name another folder, or add --overwrite.")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be used ({error.strerror}): name another.") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder} may not be written to: name another folder.")
