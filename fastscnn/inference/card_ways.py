"""Ways to run the network on a card, and the fastest of them, found by measurement.

They are PyTorch's convolutions in either memory layout, and the kernels of ``fastscnn.kernels``.
On one card (H200, float16, torch 2.11) the network took 0.98 ms in NCHW and 1.54 ms channels last;
which is fastest depends on card, precision and libraries, so that it is measured where it runs.
A way whose logits are not those of the first is never taken.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor

from fastscnn.inference.cuda_graphs import GraphRecorder, Outputs, Run
from fastscnn.model.blocks import resize

Ways = Mapping[str, Callable[[], Run]]
"""Functions that get each way ready, by its name for the user; the first sets the standard."""

_SIZE = (512, 1024)
_SKIPS = (True, False)
_ROUNDINGS = 16
"""Difference of logits that is allowed, as a multiple of one rounding of the number format."""

_log = logging.getLogger(__name__)
_measured: dict[tuple[str, torch.dtype, tuple[str, ...]], dict[str, float]] = {}
_lock = threading.Lock()


def measured() -> dict[str, dict[str, float]]:
    """Return the seconds that ways took at 512×1024, by card and number format."""
    with _lock:
        return {
            f"{card}, {str(dtype).removeprefix('torch.')}": dict(seconds)
            for (card, dtype, _names), seconds in _measured.items()
        }


def fastest_way(
    device: torch.device, dtype: torch.dtype, ways: Ways, recorder: GraphRecorder
) -> tuple[str, Run]:
    """Return the fastest way on a card and its name.

    Times are measured once for each kind of card and number format, with the first network that is
    loaded; that the logits are right is looked at for each.

    Args:
        device: the card.
        dtype: number format of the network.
        ways: to choose from.
        recorder: records and times them.
    """
    key = (torch.cuda.get_device_name(device), dtype, tuple(ways))
    pixels = picture(device)
    with _lock:
        if key not in _measured:
            found = times(ways, recorder, pixels)
            if found:
                _measured[key] = found
        seconds = _measured.get(key, {})
    return checked(sorted(seconds, key=seconds.__getitem__), ways, pixels)


def picture(device: torch.device) -> Tensor:
    """Return a picture to measure with: large and small forms in all colours, h×w×3 bytes."""
    generator = torch.Generator().manual_seed(1)
    coarse, fine = (torch.rand(1, 3, n, 2 * n, generator=generator) for n in (8, 128))
    blended = 0.75 * resize(coarse, _SIZE) + 0.25 * resize(fine, _SIZE)
    return blended[0].mul(255).permute(1, 2, 0).to(torch.uint8).contiguous().to(device)


@torch.inference_mode()
def times(ways: Ways, recorder: GraphRecorder, pixels: Tensor) -> dict[str, float]:
    """Return seconds of a recording of each way; those that fail or are wrong are left out."""
    seconds: dict[str, float] = {}
    right: Outputs | None = None
    for name, make in ways.items():
        try:
            run = make()
            outputs = run(pixels, _SKIPS)  # libraries set themselves up the first time
            right = right or outputs
            if alike(outputs, right):
                replay, _outputs = recorder.record(partial(run, pixels, (True,)))
                seconds[name] = recorder.seconds(replay)
                _log.info("%s: %.3f ms at %s", name, 1000 * seconds[name], _SIZE)
            else:
                _log.warning("%s gives other logits on this card, and is not used", name)
        except Exception as error:  # whatever a compiler, a disk or a driver may come up with
            _log.info("%s is not used: %s", name, error)
        recorder.free()
    return seconds


@torch.inference_mode()
def checked(names: list[str], ways: Ways, pixels: Tensor) -> tuple[str, Run]:
    """Return the first way of ``names`` whose logits are right for this network, and its name."""
    usual = next(iter(ways))
    for name in names:
        if name == usual:
            break
        try:
            right = ways[usual]()(pixels, _SKIPS)
            run = ways[name]()
            if alike(run(pixels, _SKIPS), right):
                return name, run
            _log.warning("%s gives other logits for this network, and is not used", name)
        except Exception as error:
            _log.info("%s is not used: %s", name, error)
    return usual, ways[usual]()


def alike(outputs: Outputs, right: Outputs) -> bool:
    """Return whether logits are the same but for rounding."""
    for output, wanted in zip(outputs, right, strict=True):
        if output.shape != wanted.shape or not difference(output, wanted) <= _ROUNDINGS:
            return False  # so is what is not a number
    return True


def difference(logits: Tensor, right: Tensor) -> float:
    """Return how far logits are off in the mean square, in roundings of their number format."""
    off = (logits.double() - right.double()).norm() / right.double().norm()
    return float(off / torch.finfo(right.dtype).eps)
