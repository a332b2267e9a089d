"""Decoding on the graphics card, where it works."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import av
from av.codec.hwaccel import HWAccel, hwdevices_available

if TYPE_CHECKING:
    from av.container import InputContainer

Choice = Literal["auto", "none", "cuda"]
"""Decoding that the user asked for."""


def open_container(address: str, hwaccel: str, **arguments: Any) -> tuple[InputContainer, str, str]:
    """``av.open``, on the graphics card where that is wanted and works.

    Args:
        address: what to open.
        hwaccel: ``auto`` tries what this machine seems to have, ``none`` nothing, anything else is
            the kind of device to try.
        arguments: passed on.

    Returns:
        The container, the kind of device in use (empty on the CPU), and why it is not the one that
        was asked for (empty where nothing was).

    Raises:
        FFmpegError, OSError, ValueError: as of ``av.open``.
    """
    kind = _present() if hwaccel == "auto" else hwaccel
    reason = ""
    if kind not in {"", "none"}:
        try:
            accelerated = HWAccel(kind, allow_software_fallback=True)
            return av.open(address, hwaccel=accelerated, **arguments), kind, ""
        except (av.error.FFmpegError, NotImplementedError, ValueError, RuntimeError) as error:
            detail = getattr(error, "strerror", None) or str(error)
            reason = f"{kind} does not open: {detail}"
    # A file that is at fault fails here once more, with its own error.
    return av.open(address, **arguments), "", reason if hwaccel != "auto" else ""


def _present() -> str:
    """The kind of device that this machine seems to have; looking costs nothing."""
    driver = {
        "Linux": Path("/proc/driver/nvidia/version"),
        "Windows": Path("C:/Windows/System32/nvcuvid.dll"),
    }.get(platform.system())
    known = hwdevices_available()
    if "cuda" in known and driver is not None and driver.exists():
        return "cuda"
    return "videotoolbox" if "videotoolbox" in known else ""
