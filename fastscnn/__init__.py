"""Fast-SCNN (Poudel, Liwicki, Cipolla, BMVC 2019) as a library.

It knows nothing of video files, threads of the application, or windows.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastscnn.checkpoints.checkpoint import Checkpoint, CheckpointError
    from fastscnn.model.fast_scnn import FastSCNN
    from fastscnn.model.model_config import FastSCNNConfig
    from fastscnn.segmenter import DeviceError, Segmenter

__version__ = "0.1.0"

# Some runtimes report their use to their makers as soon as they are imported, and leave a number
# for that in the home folder. Nothing of a run is anybody's business.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as not installed

_HOME = {
    "Checkpoint": "checkpoints.checkpoint",
    "CheckpointError": "checkpoints.checkpoint",
    "DeviceError": "segmenter",
    "FastSCNN": "model.fast_scnn",
    "FastSCNNConfig": "model.model_config",
    "Segmenter": "segmenter",
}

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "DeviceError",
    "FastSCNN",
    "FastSCNNConfig",
    "Segmenter",
]


def __getattr__(name: str) -> Any:
    # torch takes a second or two to import: the window and --help do not wait for it
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
