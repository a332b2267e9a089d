"""Measured ways from an image to each output: plain, ours, and the steps between them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fastscnn.benchmarking.baseline import Baseline
from fastscnn.benchmarking.timing import Way
from fastscnn.checkpoints.checkpoint import load
from fastscnn.inference.runtimes import RUNTIMES, installed
from fastscnn.segmenter import Segmenter, pick_device

Pixels = NDArray[np.uint8]


def ways_of(
    checkpoint_path: Path, device: str, precision: str, runtime: str
) -> tuple[dict[tuple[str, str], Way], Segmenter]:
    """Return all ways by output and name, in the order of the table, and our segmenter.

    Raises:
        CheckpointError: the weights cannot be used.
        DeviceError: the device, precision or runtime is not to be had.
    """
    plain = Baseline(load(checkpoint_path), pick_device(device))
    eager = _segmenter(checkpoint_path, device, "fp32", "torch")
    ours = _segmenter(checkpoint_path, device, precision, runtime)
    on_cpu = ours.device.type == "cpu"
    between = {"folded, channels last" if on_cpu else "folded, fp32": eager}
    for name in RUNTIMES[1:]:
        if on_cpu and installed(name) and not ours.runtime_is(name):
            other = _segmenter(checkpoint_path, device, "fp32", name)
            between[other.runtime] = other
    pair = _Pair(plain, ours)
    ways: dict[tuple[str, str], Way] = {
        ("cls", "plain"): plain,
        ("cls", "labels by cells"): pair.labels_by_cells,
    }
    ways |= {("cls", name): segmenter for name, segmenter in between.items()}
    ways |= {
        ("cls", "ours"): ours,
        ("prob", "plain"): plain.prob,
        ("prob", "ours"): ours.prob,
        ("cls + confidence", "plain"): pair.plain_confidence,
        ("cls + confidence", "ours"): pair.confidence,
        ("network alone", "plain"): pair.plain_network,
    }
    ways |= {
        ("network alone", name): partial(pair.network, segmenter)
        for name, segmenter in between.items()
    }
    ways |= {
        ("network alone", "ours"): partial(pair.network, ours),
        ("labels alone", "plain"): pair.plain_labels,
        ("labels alone", "ours"): pair.labels,
    }
    return ways, ours


def _segmenter(checkpoint_path: Path, device: str, precision: str, runtime: str) -> Segmenter:
    return Segmenter.from_checkpoint(
        checkpoint_path,
        device=device,
        precision=precision,
        input_size="exact",
        runtime=runtime,
    )


class _Pair:
    """Parts of the plain way and of ours, each ending with a copy to the host.

    Args:
        plain: the network as public implementations run it.
        ours: the segmenter that is measured beside it.
    """

    def __init__(self, plain: Baseline, ours: Segmenter) -> None:
        self._plain = plain
        self._ours = ours
        self._logits: dict[tuple[int, ...], torch.Tensor] = {}

    def labels_by_cells(self, image: Pixels) -> object:
        """Return our labels of the plain network's logits."""
        return _finished(self._ours.labels(self._plain.logits(image), image.shape[:2]))

    def plain_confidence(self, image: Pixels) -> object:
        """Return labels and confidence from all probabilities."""
        prob = self._plain.prob(image)
        return prob.argmax(0), prob.max(0)

    def confidence(self, image: Pixels) -> object:
        """Return our labels and confidence."""
        logits = self._ours.logits(self._pixels(image))
        return [_finished(x) for x in self._ours.labels_and_confidence(logits, image.shape[:2])]

    def plain_network(self, image: Pixels) -> object:
        """Return the plain network's logits."""
        return self._plain.logits(image).cpu()

    def network(self, segmenter: Segmenter, image: Pixels) -> object:
        """Return a segmenter's logits."""
        return segmenter.logits(self._pixels(image)).float().cpu()

    def plain_labels(self, image: Pixels) -> object:
        """Return labels from logits that are there already, the plain way."""
        return self._plain.labels(self._shared_logits(image), image.shape[:2])

    def labels(self, image: Pixels) -> object:
        """Return labels from the same logits, our way."""
        return _finished(self._ours.labels(self._shared_logits(image), image.shape[:2]))

    def _pixels(self, image: Pixels) -> torch.Tensor:
        return torch.from_numpy(image).to(self._ours.device)

    def _shared_logits(self, image: Pixels) -> torch.Tensor:
        # The same for all: how long labels take depends on how many logits disagree.
        if image.shape not in self._logits:
            self._logits.clear()
            self._logits[image.shape] = self._plain.logits(image)
        return self._logits[image.shape]


def _finished(tensor: torch.Tensor) -> Pixels:
    return np.asarray(tensor.cpu().numpy())  # the copy waits until the device is done
