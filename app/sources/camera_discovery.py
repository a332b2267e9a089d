"""Discovery of cameras."""

from __future__ import annotations

import platform
from pathlib import Path

import av

_LINUX = Path("/sys/class/video4linux")


def list_cameras(folder: Path = _LINUX) -> list[tuple[int, str]]:
    """Cameras by index with the names that the system gives them, without opening any.

    Args:
        folder: where Linux lists its video devices.
    """
    if folder.is_dir():
        return _linux(folder)
    formats = {"Windows": "dshow", "Darwin": "avfoundation"}
    kind = formats.get(platform.system())
    if kind is None:
        return []
    try:
        devices = av.enumerate_input_devices(kind)
    except (av.error.FFmpegError, ValueError):
        return []
    videos = [d for d in devices if "video" in d.media_types or not d.media_types]
    return [(i, d.description or d.name) for i, d in enumerate(videos)]


def _linux(folder: Path) -> list[tuple[int, str]]:
    found = []
    for device in folder.glob("video*"):
        number = device.name.removeprefix("video")
        # A camera has further nodes, for its metadata; the first one gives pictures.
        if number.isdecimal() and _line(device / "index") in {"", "0"}:
            found.append((int(number), _line(device / "name")[:60] or "Camera"))
    return sorted(found)


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
