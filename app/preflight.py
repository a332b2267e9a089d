"""Preflight checks: whether OpenCV, Qt and their system libraries load; Qt itself would abort."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
from pathlib import Path

from app.errors import UsageError

_HEADLESS = "or use --headless"


class NoDisplay(UsageError):
    """There is no display, or none that can be reached."""


_BASE_PACKAGES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
}
"""System libraries that importing PyQt6 needs, with their Debian and Ubuntu packages."""

_XCB_PACKAGES = {
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""The same for Qt's plugin for X11."""


def check_display() -> None:
    """Make sure that a window can be opened.

    Raises:
        NoDisplay: there is no display.
        UsageError: it cannot, and why: PyQt6 or a system library is missing.
    """
    drop_opencv_paths()
    _check_pyqt()
    if sys.platform in {"win32", "darwin"}:
        return
    if _uses_x11():
        _check_x11_display()
        _check_x11_plugin()


def drop_opencv_paths() -> None:
    """Forget where OpenCV wants Qt to look: its wheels bring a Qt of another version."""
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in Path(os.environ.get(name, "")).parts:
            del os.environ[name]


def _check_pyqt() -> None:
    try:
        import PyQt6.QtWidgets  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The window needs PyQt6, which is not installed: pip install pyqt6, {_HEADLESS}."
        ) from error
    except ImportError as error:
        library = str(error).partition(":")[0]
        missing = _missing({**_BASE_PACKAGES, **_XCB_PACKAGES})
        if not missing:
            raise UsageError(
                f"The window cannot start because PyQt6 does not load ({error}):"
                f" reinstall it, {_HEADLESS}."
            ) from error
        raise UsageError(_install(library, missing)) from error


def _uses_x11() -> bool:
    """Return whether Qt will use X11 and nothing else.

    Raises:
        UsageError: there is no display at all.
    """
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform:
        # "xcb:option" is X11 with an option; in "wayland;xcb" Qt has a second choice of its own.
        if platform.partition(":")[0] != "xcb":
            return False
    elif os.environ.get("WAYLAND_DISPLAY"):
        return False
    if not os.environ.get("DISPLAY"):
        raise NoDisplay(f"There is no display for the window: set DISPLAY, {_HEADLESS}.")
    return True


def _check_x11_display() -> None:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return  # the plugin's own check names this library together with the others
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    if failed:
        raise NoDisplay(
            f"The display {os.environ['DISPLAY']} cannot be reached:"
            f" set DISPLAY to one that runs, {_HEADLESS}."
        )


def _check_x11_plugin() -> None:
    from PyQt6.QtCore import QLibraryInfo

    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)
    plugin = Path(folder, "platforms", "libqxcb.so")
    if not plugin.exists():
        return  # built in another way than we know: let Qt decide
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        library = str(error).partition(":")[0]
        raise UsageError(_install(library, _missing(_XCB_PACKAGES))) from error


def _missing(packages: dict[str, str]) -> list[str]:
    """Packages, each once, whose libraries cannot be loaded."""
    missing: dict[str, None] = {}
    for library, package in packages.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing[package] = None
    return list(missing)


def _install(library: str, packages: list[str]) -> str:
    names = " ".join(packages) or library
    return (
        f"The window cannot start because the system library {library} is missing:"
        f" install it (on Debian or Ubuntu: sudo apt install {names}), {_HEADLESS}."
    )


def check_opencv() -> None:
    """Make sure that OpenCV loads, which every run needs.

    Raises:
        UsageError: it does not, and what to install.
    """
    try:
        importlib.import_module("cv2")
    except ModuleNotFoundError as error:
        raise UsageError("OpenCV is not installed: pip install opencv-python.") from error
    except ImportError as error:
        library = str(error).partition(":")[0]
        raise UsageError(
            f"OpenCV does not load because the system library {library} is missing: install it"
            " (on Debian or Ubuntu: sudo apt install libgl1 libglib2.0-0), or, for --headless,"
            " replace opencv-python by opencv-python-headless."
        ) from error
