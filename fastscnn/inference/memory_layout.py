"""Memory layouts of activations, and the faster one for a card, found by measurement.

On one card (H200, float16, torch 2.11) the network took 0.98 ms in NCHW and 1.54 ms channels last;
which is faster depends on card, precision and libraries, so that it is measured where it runs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import torch

from fastscnn.inference.cuda_graphs import GraphRecorder, Run

LAYOUTS = {torch.contiguous_format: "NCHW", torch.channels_last: "channels last"}
"""Layouts that can be had, with their names for the user."""

_SIZE = (512, 1024)
_log = logging.getLogger(__name__)
_measured: dict[tuple[str, torch.dtype], torch.memory_format] = {}
_lock = threading.Lock()


def layout_for(
    device: torch.device,
    dtype: torch.dtype,
    lay_out: Callable[[torch.memory_format], Run],
    recorder: GraphRecorder,
) -> torch.memory_format:
    """Return the faster layout for a card, measured once for each kind of card and number format.

    Args:
        device: the card.
        dtype: number format of the network.
        lay_out: returns the network in a layout.
        recorder: records and times it.
    """
    key = (torch.cuda.get_device_name(device), dtype)
    with _lock:
        if key not in _measured:
            pixels = torch.zeros(*_SIZE, 3, dtype=torch.uint8, device=device)
            found = fastest_layout(lay_out, recorder, pixels)
            if found is None:
                return torch.contiguous_format
            _measured[key] = found
        return _measured[key]


@torch.inference_mode()
def fastest_layout(
    lay_out: Callable[[torch.memory_format], Run], recorder: GraphRecorder, pixels: torch.Tensor
) -> torch.memory_format | None:
    """Return the layout whose recording takes the least time; ``None`` where none is recorded."""
    seconds: dict[torch.memory_format, float] = {}
    for layout, name in LAYOUTS.items():
        try:
            seconds[layout] = _seconds(lay_out(layout), recorder, pixels)
            _log.debug("%s: %.3f ms at %s", name, 1000 * seconds[layout], tuple(pixels.shape[:2]))
        except RuntimeError as error:  # running out of memory is one of them
            _log.info("the layout %s is not measured: %s", name, error)
        recorder.free()
    return min(seconds, key=seconds.__getitem__, default=None)


def _seconds(run: Run, recorder: GraphRecorder, pixels: torch.Tensor) -> float:
    run(pixels, (True,))  # libraries set themselves up the first time
    replay, _outputs = recorder.record(lambda: run(pixels, (True,)))
    return recorder.seconds(replay)
