"""Decoding on the graphics card, where it works."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import av
from av.codec.hwaccel import HWAccel, hwdevices_available

from app.sources.decoding.decoder_trial import processor_is_faster

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_TEXTS = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""FFmpeg's formats for pictures made of letters, which it takes any .txt and .bin for."""

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
        The container, the kind of device that is to decode (empty on the CPU), and why it is not
        the one that was asked for (empty where nothing was). ``decoder_name`` tells what does.

    Raises:
        FFmpegError, OSError, ValueError: as of ``av.open``.
    """
    kind = _present() if hwaccel == "auto" else hwaccel
    reason = ""
    if kind not in {"", "none"}:
        try:
            accelerated = HWAccel(kind, allow_software_fallback=True)
            return _pictured(av.open(address, hwaccel=accelerated, **arguments)), kind, ""
        except (av.error.FFmpegError, NotImplementedError, ValueError, RuntimeError) as error:
            detail = getattr(error, "strerror", None) or str(error)
            reason = f"{kind} does not open: {detail}"
    # A file that is at fault fails here once more, with its own error.
    return _pictured(av.open(address, **arguments)), "", reason if hwaccel != "auto" else ""


def decoding_for(address: str, prepared: Callable[[InputContainer], VideoStream]) -> Choice:
    """Return where a video file is decoded if nobody says: on a card only where that is faster.

    Args:
        address: what to open.
        prepared: chooses the video of an open file and gets its decoder ready.
    """
    kind = _present()
    if not kind:
        return "auto"

    @contextmanager
    def opened(on_card: bool) -> Iterator[Iterator[VideoFrame]]:
        with open_container(address, kind if on_card else "none")[0] as container:
            yield container.decode(prepared(container))

    try:
        with _pictured(av.open(address)) as container:
            seconds = container.duration / av.time_base if container.duration else None
            faster = processor_is_faster(prepared(container), seconds, opened)
    except (av.error.FFmpegError, OSError, ValueError):
        return "auto"  # what is wrong with it is told where it is opened
    return "none" if faster else "auto"


def _pictured(container: InputContainer) -> InputContainer:
    """Refuse texts, which FFmpeg would draw as terminals did."""
    if container.format.name in _TEXTS:
        container.close()
        raise ValueError("it is a text")
    return container


def decoder_name(context: VideoCodecContext, device: str, reason: str) -> str:
    """Return the name of what decodes, for the user.

    Args:
        context: of the decoder, once a frame has come of it: only then does FFmpeg know whether the
            device takes the video, and goes on without it where it does not.
        device, reason: what ``open_container`` returned.
    """
    # What lies on a device has a format without components.
    if device and context.pix_fmt and av.VideoFormat(context.pix_fmt, 16, 16).components:
        device, reason = "", f"{device} does not decode this video"
    where = device or (f"CPU, {reason}" if reason else "CPU")
    return f"{context.codec.name} (FFmpeg, {where})"


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
