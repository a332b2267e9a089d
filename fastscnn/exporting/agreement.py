"""Agreement of an exported model with the network that it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.data.street import Street
from fastscnn.exporting.exportable_model import Output, Signature
from fastscnn.model.blocks import resize
from fastscnn.upsampling import upsample

SIZES = ((2, 128, 256), (1, 187, 333), (1, 360, 640))
"""Numbers of images, height and width that every file is tried with."""


MIN_LABELS = 0.9999
"""Least share of equal labels."""


MAX_DEVIATION = 1e-3
"""Largest difference of logits or probabilities, in their standard deviation."""


Pixels = NDArray[np.uint8]


Run = Callable[[Pixels, bool], NDArray[Any]]
"""An exported model: pixels and whether the skip connection contributes → its output."""


class ExportError(Exception):
    """The export cannot be had; the message is one sentence for the user."""

    exit_code = 2


class AgreementError(ExportError):
    """The exported model does not agree with the network."""

    exit_code = 5


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of a file with its network, the worst over all sizes tried.

    Attributes:
        labels: share of equal labels; where values come out, any class that the network gives as
            much as the first, within ``MAX_DEVIATION``, counts as its label.
        deviation: largest difference of logits or probabilities over their standard deviation, 0
            where labels come out.
    """

    labels: float = 1.0
    deviation: float = 0.0

    def __str__(self) -> str:
        deviation = f", values to {self.deviation:.0e} of their deviation" if self.deviation else ""
        return f"{100 * self.labels:.3f} % of labels are the network's{deviation}"


def compare(checkpoint: Checkpoint, signature: Signature, run: Run) -> Agreement:
    """Run an exported model beside the checkpoint's own network, the plain way, at ``SIZES``.

    Raises:
        AgreementError: they do not agree.
    """
    skips = {"on": (True,), "off": (False,), "input": (True, False)}[signature.skip]
    worst = Agreement()
    for count, height, width in SIZES:
        pixels = street_images(count, height, width)
        given = pixels if signature.layout == "nhwc" else np.ascontiguousarray(_planes(pixels))
        for skip in skips:
            ours = reference(checkpoint, pixels, signature.output, skip).numpy()
            theirs = run(given, skip)
            found = _agreement(ours, theirs)
            if found is None or found.labels < MIN_LABELS or not found.deviation <= MAX_DEVIATION:
                what = f"only {found}" if found else f"it gives {theirs.dtype} {theirs.shape}"
                raise AgreementError(
                    f"The exported model does not agree with the network at {height}×{width}"
                    f" ({what}): nothing was written."
                )
            worst = Agreement(
                min(worst.labels, found.labels), max(worst.deviation, found.deviation)
            )
    return worst


@torch.inference_mode()
def reference(checkpoint: Checkpoint, pixels: Pixels, output: Output, skip: bool) -> Tensor:
    """Return what an exported model has to give, by the network as it is on the plain path.

    Args:
        checkpoint: the network with its normalisation.
        pixels: N×H×W×3 RGB.
        output, skip: see ``Signature``.
    """
    x = torch.from_numpy(pixels).float() / 255
    x = (x - torch.tensor(checkpoint.mean)) / torch.tensor(checkpoint.std)
    logits: Tensor = checkpoint.model(x.permute(0, 3, 1, 2), skip)
    size, align_corners = (pixels.shape[1], pixels.shape[2]), checkpoint.model.config.align_corners
    if output == "cls":
        return upsample.labels_reference(logits, size, align_corners)
    if output == "prob":
        return upsample.probabilities_reference(logits, size, align_corners)
    return resize(logits, size, align_corners) if output == "logits" else logits


def _agreement(ours: NDArray[Any], theirs: NDArray[Any]) -> Agreement | None:
    """Return the agreement of two outputs, ``None`` where shape or dtype differ."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return None
    if ours.dtype == np.uint8:
        return Agreement(float((ours == theirs).mean()))
    chosen = np.take_along_axis(ours, theirs.argmax(1)[:, None], 1)[:, 0]
    equal = ours.max(1) - chosen <= MAX_DEVIATION * ours.std()
    return Agreement(float(equal.mean()), float(np.abs(ours - theirs).max() / ours.std()))


def street_images(count: int, height: int, width: int) -> Pixels:
    """Return frames of the demo street, the same every time: N×H×W×3.

    They hold many classes, at any size: of noise a network may see one alone, and any two agree.
    """
    street = Street(7, 512, 256)
    frames = [street.render(3.0 + 4.0 * number)[0] for number in range(count)]
    return np.stack([cv2.resize(frame, (width, height)) for frame in frames])


def _planes(pixels: Pixels) -> Pixels:
    return pixels.transpose(0, 3, 1, 2)
