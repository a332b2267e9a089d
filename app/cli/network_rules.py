"""Network rules: whether a device, precision and runtime can be had, without waiting for torch.

torch takes seconds to import. What can be known without it is refused at once; the rest is refused
by ``fastscnn.segmenter`` in the same words.
"""

from __future__ import annotations

import re
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

from app.config.settings import NetworkOptions
from app.errors import UsageError
from fastscnn.suggestions import did_you_mean

_DEVICES = ("auto", "cpu", "cuda", "mps")


def check_network(options: NetworkOptions) -> None:
    """Find out before any work whether the network can run as it is asked to.

    Raises:
        UsageError: it certainly cannot.
    """
    device, precision, runtime = options.device, options.precision, options.runtime
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
        raise UsageError(
            f"{device!r} is no device: use auto, cpu, cuda, cuda:N or mps."
            f"{did_you_mean(device, _DEVICES)}"
        )
    kind = device.partition(":")[0]
    needs_card = kind in {"cuda", "mps"} or (kind == "auto" and precision == "fp16")
    cuda, mps = needs_card and _may_have_cuda(), sys.platform == "darwin"
    if (kind == "cuda" and not cuda) or (kind == "mps" and not mps):
        raise UsageError(f"The device {device} is not in this machine: use --device auto or cpu.")
    if precision == "fp16" and (kind == "cpu" or not (cuda or mps)):
        raise UsageError("float16 is not for the CPU: use --precision fp32 or bf16.")
    if runtime in {"onnxruntime", "openvino"} and find_spec(runtime) is None:
        raise UsageError(f"{runtime} is not installed: pip install {runtime}, or --runtime auto.")


def _may_have_cuda() -> bool:
    """Return whether the torch that is installed may find a card here."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return True  # what is wrong with torch is said where it is imported
    try:
        build = runpy.run_path(str(Path(found.origin).with_name("version.py")))
    except Exception:  # another layout of the package
        return True
    if build.get("hip"):
        return True
    if "cuda" in build and build["cuda"] is None:
        return False
    from app.sinks.recording.encoders import has_nvidia_driver

    return has_nvidia_driver()
