"""Paths: a leading ``~``, hidden files, what lies in and below folders, patterns."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from glob import glob, has_magic
from pathlib import Path


def expand_user(text: str | Path) -> Path:
    """Return the path that is meant by a text that may begin with ``~`` or ``~user``.

    Where there is no such home, the sign is a letter of the name.
    """
    return Path(os.path.expanduser(text))


def unicode_name(path: Path) -> str:
    """Return the name of a file with a question mark for each byte of it that is no Unicode."""
    return path.name.encode("utf-8", "replace").decode()


def is_hidden(path: Path) -> bool:
    """Return whether a file or folder is no content: ``.DS_Store``, ``._twin.png``, ``.git``."""
    return path.name.startswith(".")


def visible(folder: Path) -> list[Path]:
    """Return the content of a folder, in no order.

    Raises:
        OSError: it cannot be read.
    """
    return [path for path in folder.iterdir() if not is_hidden(path)]


def files_below(
    folder: Path, unreadable: Callable[[OSError], object] | None = None
) -> Iterator[Path]:
    """Return the content of a folder and of all folders below, files alone, in no order.

    Folders that cannot be read and links to folders are passed over.

    Args:
        folder: where to look.
        unreadable: is told why a folder, the error's ``filename``, cannot be read.
    """
    for place, folders, files in os.walk(folder, onerror=unreadable):
        here = Path(place)
        folders[:] = [name for name in folders if not is_hidden(here / name)]
        yield from (here / name for name in files if not is_hidden(here / name))


def closed_folder(path: Path) -> Path | None:
    """Return the folder above a path that may not be entered: what lies in it cannot be told."""
    above = reversed(path.absolute().parents)
    closed = (each for each in above if os.path.isdir(each) and not os.access(each, os.X_OK))
    return next(closed, None)


def not_readable(error: OSError, path: str | os.PathLike[str]) -> str:
    """Return in a sentence that a file or folder cannot be read, and what to do."""
    if isinstance(error, PermissionError):
        return f"{path} may not be read: check its permissions."
    return f"{path} cannot be read ({error.strerror or error}): check it."


def natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a key that sorts as people count: ``frame2`` before ``frame10``."""
    parts = re.findall(r"\d+|\D+", str(path))
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts]


def split_pattern(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the part of a path or pattern that exists as it is written, and the parts behind it.

    Example:
        >>> split_pattern(Path("/") / "no [such]" / "*.png")[1]
        ('no [such]', '*.png')
    """
    parts = path.parts
    for count in range(len(parts), 0, -1):
        place = Path(*parts[:count])
        if os.path.lexists(place):
            return place, parts[count:]
    return Path(), parts


def is_pattern(path: Path) -> bool:
    """Return whether a path means all that match it: a part that does not exist has a wildcard."""
    return any(map(has_magic, split_pattern(path)[1]))


def matches(path: Path) -> tuple[Path, list[Path]]:
    """Return the folder that a pattern begins at, and all that match it.

    In every folder, a part that exists there as it is written means nothing else.
    """
    root, parts = split_pattern(path)
    found = [root]
    for part in parts:
        found = [deeper for place in found for deeper in _step(place, part)]
    return root, list(dict.fromkeys(found))


def _step(place: Path, part: str) -> list[Path]:
    if os.path.lexists(place / part):
        return [place / part]
    deeper = [place / name for name in glob(part, root_dir=place, recursive=True)]
    return [place, *deeper] if part == "**" else deeper


def graph_words(path: Path) -> Path:
    """Return the file that tells of a graph what its metadata do not."""
    return path.with_suffix(".json")
