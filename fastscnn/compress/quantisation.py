"""Quantisation to 8 bits by ONNX Runtime: convolutions whose ranges were seen on pictures."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.exporting.agreement import ExportError
from fastscnn.exporting.export_writers import write_graph
from fastscnn.exporting.exportable_model import Signature

_PERCENTILE = 99.995
"""Share of an activation's values that lie in its range, in percent: a few extremes would leave
all others fewer of the 256 steps."""
_CALIBRATED = 8
"""Pictures that the ranges are found by: all their activations are in memory at once."""


def quantise(checkpoint: Checkpoint, pictures: Sequence[NDArray[np.uint8]], path: Path) -> None:
    """Write a network as an ONNX graph whose convolutions work on 8-bit integers.

    It takes uint8 pictures of any size and the switch of the skip connection, as exported graphs
    do, and is loaded like a checkpoint.

    Args:
        checkpoint: the network.
        pictures: as the network sees them; the integers span nearly all of what they give.
        path: the graph.

    Raises:
        ExportError: a package that it takes is not installed.
        OutputError, OSError: the file cannot be written.
    """
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise ExportError(
            f"8 bits need {', '.join(missing)}: install with pip install {' '.join(missing)}."
        )
    from onnxruntime.quantization import (
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".compress-") as folder, _quiet():
        plain = Path(folder) / "plain.onnx"
        write_graph(checkpoint, Signature("logits8", "input"), plain, "onnx")
        quantize_static(
            plain,
            path,
            _Reader(pictures[:: -(-len(pictures) // _CALIBRATED)]),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": _PERCENTILE},
        )


class _Reader:
    """Pictures as ONNX Runtime's calibration asks for them, with the skip connection."""

    def __init__(self, pictures: Sequence[NDArray[np.uint8]]) -> None:
        self._left = iter(pictures)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        picture = next(self._left, None)
        if picture is None:
            return None
        return {"pixels": picture[None], "skip": np.array(True)}

    def __iter__(self) -> Iterator[dict[str, NDArray[Any]]]:
        return iter(self.get_next, None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence advice and progress of the quantiser, which are for those who call it by hand."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
