"""Outputs of a command: written whole or not at all, apart from inputs and each other."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fastscnn.paths import closed_folder

_IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
"""Suffixes of what may be replaced by images, or would be taken for one of them afterwards."""


class OutputError(Exception):
    """An output cannot be written; the message is one sentence for the user."""

    exit_code = 5


def as_json(values: Any) -> bytes:
    """Return JSON in UTF-8.

    A byte of a file's name that is no Unicode becomes an escape, from which ``json.loads`` and
    ``os.fsencode`` give that name back.
    """
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def check_file(path: Path, overwrite: bool) -> None:
    """Check that a file can be written.

    Raises:
        OutputError: it exists and is not to be replaced, or its folder takes no files.
    """
    if os.path.isfile(path) and not overwrite:
        raise OutputError(f"{path} exists: give another name, or --overwrite to replace it.")
    if os.path.exists(path) and not os.path.isdir(path) and not os.path.isfile(path):
        return
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder: name a file in it.")
    check_folder_of(path)


def check_folder_of(path: Path) -> None:
    """Check that the folder of a file that will be made is there and takes files of such a name.

    Raises:
        OutputError: it is not, or does not.
    """
    folder = path.parent
    if not os.path.isdir(folder) and closed_folder(folder) is None:
        raise OutputError(f"There is no folder {folder}: make it, or name another.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written: name a folder in which you may write.")
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass
    except OSError as error:  # the name is too long
        text = f"{path} cannot be written ({error.strerror}): give another name."
        raise OutputError(text) from error


def check_apart(
    outputs: Iterable[Path], inputs: Iterable[Path], folders: Iterable[Path] = ()
) -> None:
    """Check that nothing that a run reads or writes is replaced by one of its outputs.

    Links of either kind are seen through. Devices and pipes may be named as often as one likes.

    Args:
        outputs: files that will be written; none need be there.
        inputs: files that are read; those that are not there do not matter.
        folders: places of images under names of their own.

    Raises:
        OutputError: an output is an input, or two outputs are one file.
    """
    read = {_identity(path) for path in inputs if os.path.exists(path)} - {None}
    written: set[object] = set()
    for path in outputs:
        identity = _identity(path)
        if identity in read:
            raise OutputError(f"{path} is what is being read: name another file.")
        if identity is not None and identity in written:
            raise OutputError(f"Two outputs would go to one file, {path}: name two.")
        written.add(identity)
    for folder in folders:
        there = folder.iterdir() if folder.is_dir() else ()
        if any(path.suffix.lower() in _IMAGES and _identity(path) in read for path in there):
            raise OutputError(f"{folder} holds what is being read: name another folder.")


def write_whole(path: Path, write: Callable[[Path], object], *, new: bool = False) -> None:
    """Write a file that takes its name when it is whole; pipes and devices are written as they are.

    Args:
        path: the file; what was there stays where it cannot be written.
        write: writes a file that it is given.
        new: whether the name must be free; it is taken in the step in which that is found.

    Raises:
        FileExistsError: it is not free.
        OSError: it cannot be written, and nothing of it is left.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        write(path)
        return
    if new:
        path.open("xb").close()
    draft = path.with_name(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        write(draft)
        os.replace(draft, path)
    except BaseException:
        for file in (draft, path) if new else (draft,):
            with contextlib.suppress(OSError):
                file.unlink()
        raise


def write_output(path: Path, write: Callable[[Path], object], *, new: bool = False) -> None:
    """See ``write_whole``.

    Raises:
        OutputError: it cannot be written, and nothing of it is left.
    """
    try:
        write_whole(path, write, new=new)
    except FileExistsError as error:
        raise OutputError(
            f"{path} exists by now: give another name, or --overwrite to replace it."
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{path} cannot be written ({reason}): write it elsewhere.") from error


def write_json(path: Path, values: Any, *, new: bool = False) -> None:
    """Write JSON, see ``write_whole``.

    Raises:
        OutputError: it cannot be written, and nothing of it is left.
    """
    write_output(path, lambda draft: draft.write_bytes(as_json(values)), new=new)


def _identity(path: Path) -> object:
    """Return what all names of a file have in common; ``None`` where it is no ordinary file."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.normcase(os.path.realpath(path))
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
