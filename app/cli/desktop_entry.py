"""Desktop entry: the program among the applications of a Linux desktop, with its icon."""

from __future__ import annotations

import shutil
import sys
from importlib.resources import files
from operator import methodcaller
from pathlib import Path

from platformdirs import user_data_path

from app.errors import OutputError, UsageError
from fastscnn.outputs import write_whole

NAME = "fastscnn-live"
"""Name of the entry and of the icon; ``QApplication.desktopFileName`` is the same."""

_ENTRY = """\
[Desktop Entry]
Type=Application
Name=Fast-SCNN Live
GenericName=Video segmentation
Comment=Shows live what a small network sees in a street
Exec={command} %U
Icon={name}
Terminal=false
Categories=AudioVideo;Video;Science;
Keywords=segmentation;camera;street;Cityscapes;
MimeType=video/mp4;video/x-matroska;video/quicktime;video/webm;video/x-msvideo;inode/directory;
StartupWMClass={name}
"""
_ICONS = {"icon.svg": "scalable/apps", "icon.png": "256x256/apps"}
_RESERVED = frozenset(" \t\n\"'\\><~|&;$*?#()`")
"""Signs for which a word of ``Exec`` stands in quotes."""


def install_desktop() -> str:
    """Write the entry and the icons for this user; returns a sentence on them.

    Raises:
        UsageError: this is no Linux desktop.
        OutputError: they cannot be written.
    """
    if sys.platform in {"win32", "darwin"}:
        raise UsageError("--install-desktop is for Linux: make a shortcut to fastscnn-live here.")
    data = user_data_path()
    entry = data / "applications" / f"{NAME}.desktop"
    written = {entry: _ENTRY.format(command=_command(), name=NAME).encode()}
    for picture, folder in _ICONS.items():
        path = data / "icons" / "hicolor" / folder / f"{NAME}{Path(picture).suffix}"
        written[path] = files("assets").joinpath(picture).read_bytes()
    try:
        for path, content in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, methodcaller("write_bytes", content))
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{error.filename or entry} cannot be written ({reason}).") from error
    return (
        f"Fast-SCNN Live is among the applications now: {entry} (deleting that file takes it away)."
    )


def _command() -> str:
    """Return how to start this very program, as ``Exec`` has it."""
    called = Path(sys.argv[0])
    if called.stem == NAME and (found := shutil.which(str(called))) is not None:
        words = [str(Path(found).absolute())]
    else:  # from a checkout
        words = [sys.executable, str(called.absolute())]
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    word = word.replace("%", "%%")  # which begins a field code
    if not _RESERVED & set(word):
        return word
    inside = "".join(f"\\{sign}" if sign in '"`$\\' else sign for sign in word)
    # The value of a key has escapes of its own.
    return f'"{inside}"'.replace("\\", "\\\\")
