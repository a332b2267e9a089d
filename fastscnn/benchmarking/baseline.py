"""Baseline: the network as public implementations run it, which ours is measured against."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.upsampling import upsample


class Baseline:
    """Baseline network as written, float32, all logits interpolated to full size.

    Args:
        checkpoint: network and normalisation.
        device: where to run.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self._model = checkpoint.model.eval().to(device)
        self._device = device
        self._mean = torch.tensor(checkpoint.mean, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(checkpoint.std, device=device).view(1, 3, 1, 1)

    @torch.inference_mode()
    def logits(self, image: NDArray[np.uint8]) -> Tensor:
        """Return logits 1×classes×⌈H/8⌉×⌈W/8⌉ of RGB uint8 H×W×3."""
        x = torch.from_numpy(image).to(self._device).permute(2, 0, 1).unsqueeze(0).float() / 255
        logits: Tensor = self._model(((x - self._mean) / self._std).contiguous())
        return logits

    @torch.inference_mode()
    def labels(self, logits: Tensor, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Return labels H×W of ``size`` from logits."""
        labels = upsample.labels_reference(logits, size)[0]
        return np.asarray(labels.cpu().numpy(), np.uint8)

    def __call__(
        self, image: NDArray[np.uint8], size: tuple[int, int] | None = None
    ) -> NDArray[np.uint8]:
        """Return labels of RGB uint8 H×W×3, at ``size`` or its own."""
        return self.labels(self.logits(image), size or image.shape[:2])

    @torch.inference_mode()
    def prob(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities classes×H×W of RGB uint8 H×W×3, at its own size."""
        prob = upsample.probabilities_reference(self.logits(image), image.shape[:2])[0]
        return np.asarray(prob.cpu().numpy(), np.float32)
