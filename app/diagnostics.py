"""Diagnostics of this machine for a bug report: no secrets, no home paths."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from app import __version__

_PACKAGES = (
    "torch",
    "numpy",
    "av",
    "opencv-python",
    "opencv-python-headless",
    "pillow",
    "pillow-heif",
    "PyQt6",
    "PyQt6-Qt6",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
)
_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "LANG",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "PYTHONPATH",
    "QT_PLUGIN_PATH",
    "QT_QPA_PLATFORM",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
    "QT_SCALE_FACTOR",
    "XDG_SESSION_TYPE",
)
"""Shown as they are: they hold no secrets."""
_PRESENT = ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "VIRTUAL_ENV")
"""Only whether they are set."""


def diagnostics() -> str:
    """The report; a part that cannot be found out says why."""
    parts: list[tuple[str, Callable[[], Iterator[str]]]] = [
        ("Program", _program),
        ("Packages", _packages),
        ("Devices", _devices),
        ("Video", _video),
        ("Environment", _environment),
    ]
    lines: list[str] = []
    for title, part in parts:
        lines.append(title)
        try:
            lines += [f"  {line}" for line in part()]
        except Exception as error:  # a broken library is what the report is for
            lines.append(f"  not to be found out: {type(error).__name__}: {error}")
        lines.append("")
    return _without_home("\n".join(lines).rstrip())


def _program() -> Iterator[str]:
    yield f"Fast-SCNN Live {__version__}"
    yield f"Python {platform.python_version()} ({sys.implementation.name})"
    yield f"{platform.platform()}, {platform.machine()}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield f"{cores} processor cores for this process"


def _packages() -> Iterator[str]:
    for name in _PACKAGES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            if not name.startswith("opencv") and not name.endswith("-gpu"):  # one of two will do
                yield f"{name} is not installed"


def _devices() -> Iterator[str]:
    import torch

    yield f"cpu: {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    yield f"CUDA of this torch: {torch.version.cuda or 'none'}"
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        device = torch.cuda.get_device_properties(index)
        yield f"cuda:{index}: {device.name}, {device.total_memory / 2**30:.1f} GiB"
    if torch.backends.mps.is_available():
        yield "mps: available"


def _video() -> Iterator[str]:
    import av
    from av.codec.hwaccel import hwdevices_available

    from app.sinks.recording.encoders import has_nvidia_driver, usable_encoders

    versions = (f"{name} {'.'.join(map(str, v))}" for name, v in av.library_versions.items())
    yield f"FFmpeg libraries: {', '.join(versions)}"
    yield f"Hardware decoders built in: {', '.join(hwdevices_available()) or 'none'}"
    yield f"NVIDIA driver: {'found' if has_nvidia_driver() else 'none'}"
    for name, reason in usable_encoders().items():
        yield f"encoder {name}: {'works' if not reason else f'does not work ({reason})'}"
    cameras = sorted(Path("/dev").glob("video*")) if sys.platform == "linux" else []
    if cameras:
        yield f"camera devices: {', '.join(camera.name for camera in cameras)}"


def _environment() -> Iterator[str]:
    for name in _VARIABLES:
        if name in os.environ:
            yield f"{name}={os.environ[name]}"
    for name in _PRESENT:
        yield f"{name} is {'set' if os.environ.get(name) else 'not set'}"


def _without_home(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
