"""Loss: cross entropy over sets of classes, and the network as it is trained (§4.1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from fastscnn.data.dataset_mix import Mix
from fastscnn.labels import UNKNOWN
from fastscnn.model.blocks import resize
from fastscnn.model.fast_scnn import AuxiliaryHeads, FastSCNN

Mean = Callable[[Tensor], Tensor]
"""The mean of a number over the processes of a run, without a gradient."""


class SetCrossEntropy(nn.Module):
    """Cross entropy with sets of classes as targets: −log of the summed softmax.

    Nothing in it waits for the device: shapes never depend on what the targets hold.

    Args:
        members: sets×C bool, see ``TargetSets.members``.
        weight: 256 float, what a pixel of each set counts; ``None`` counts all alike.
        hardest: share of the labelled pixels, those with the largest loss, that are averaged over
            (online hard example mining).
        mean: of a number over the processes of the run, so that each pixel weighs the same
            whichever process it is on.
    """

    def __init__(
        self,
        members: Tensor,
        weight: Tensor | None = None,
        hardest: float = 1.0,
        mean: Mean = Tensor.detach,
    ) -> None:
        super().__init__()
        self._hardest, self._mean = hardest, mean
        single = members.sum(1) == 1
        self._coarse = not bool(single.all())
        classes = torch.full((256,), UNKNOWN)
        classes[: len(members)] = torch.where(single, members.int().argmax(1), UNKNOWN)
        outside = torch.zeros(256, members.shape[1], dtype=torch.bool)
        outside[: len(members)] = ~members
        self._classes: Tensor
        self._outside: Tensor
        self._weight: Tensor | None
        self.register_buffer("_classes", classes, persistent=False)
        self.register_buffer("_outside", outside, persistent=False)
        self.register_buffer("_weight", weight, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the mean over the labelled pixels, by their weight; zero where there are none.

        Args:
            logits: N×C×H×W.
            target: N×H×W integer numbers of sets (0 to C−1 are the classes themselves), 255 is
                ignored.
        """
        target = target.long()
        known = target != UNKNOWN
        classes = self._classes[target]
        chances = F.log_softmax(logits.float(), 1)
        losses = F.nll_loss(chances, classes, ignore_index=UNKNOWN, reduction="none")
        if self._coarse:
            outside = self._outside[target].movedim(3, 1)
            several = -chances.masked_fill(outside, -math.inf).logsumexp(1)
            losses = torch.where(classes == UNKNOWN, several, losses)
        counts = known.float() if self._weight is None else self._weight[target] * known
        if self._hardest < 1:
            seen = losses.detach().masked_fill(~known, -1).flatten()
            kept = (self._hardest * known.sum()).ceil().long()
            least = seen.sort(descending=True).values.gather(0, (kept - 1).clamp(min=0).view(1))
            counts = counts * (losses.detach() >= least)
        return (losses * counts).sum() / self._mean(counts.sum()).clamp(min=1e-6)


def sample_dropout(x: Tensor, rate: float, seeds: Sequence[int]) -> Tensor:
    """Dropout that depends on seeds of its own, not on what was drawn before.

    Args:
        x: N×C×H×W.
        rate: share of values that are left out; the others are raised to make up for them.
        seeds: one for each sample, so that it does not matter in which batch or process that is;
            or one for all, which is faster on a GPU.
    """
    if not rate:
        return x
    samples, channels, height, width = x.shape
    generator = torch.Generator(x.device)
    keep = torch.empty(samples, height, width, channels, device=x.device, dtype=x.dtype)
    for part, seed in zip(keep.chunk(len(seeds)), seeds, strict=True):
        part.bernoulli_(1 - rate, generator=generator.manual_seed(seed))
    return x * keep.permute(0, 3, 1, 2) / (1 - rate)


class Trainee(nn.Module):
    """The network with its auxiliary heads and its loss, as one module.

    Args:
        network: what is trained.
        members: sets×classes bool, see ``TargetSets.members``.
        weight: 256 float, what a pixel of each set counts; ``None`` counts all alike.
        hardest: share of the labelled pixels that the loss averages over.
        stride: the loss looks at every n-th pixel of every n-th row.
        dropout: rate before the last layer.
        mean: see ``SetCrossEntropy``.
    """

    AUXILIARY_STRIDE = 8
    """Stride of the auxiliary heads' loss: they steer features at 1/8 and 1/32."""

    def __init__(
        self,
        network: FastSCNN,
        members: Tensor,
        *,
        weight: Tensor | None = None,
        hardest: float = 1.0,
        stride: int = 1,
        dropout: float = 0.0,
        mean: Mean = Tensor.detach,
    ) -> None:
        super().__init__()
        self.network = network
        self.auxiliary = AuxiliaryHeads(
            network.config.num_classes, network.global_feature_extractor.channels
        )
        self.stride, self.dropout = stride, dropout
        self.loss = SetCrossEntropy(members, weight, hardest, mean)

    def forward(self, images: Tensor, targets: Tensor, skip: bool, seeds: Sequence[int]) -> Tensor:
        """Return the training loss.

        Args:
            images: N×3×H×W, normalised.
            targets: N×H×W integer numbers of sets, 255 ignored.
            skip: whether the skip connection contributes.
            seeds: of the dropout, see ``sample_dropout``.
        """
        network = self.network
        high, low = network.features(images)
        x = network.feature_fusion(high, low, skip)
        for layer in network.classifier:
            dropped = isinstance(layer, nn.Dropout)
            x = sample_dropout(x, self.dropout, seeds) if dropped else layer(x)
        loss = self._loss(x, targets, self.stride)
        for logits in self.auxiliary(high, low):
            auxiliary = self._loss(logits, targets, self.AUXILIARY_STRIDE)
            loss = loss + AuxiliaryHeads.WEIGHT * auxiliary
        return loss

    def _loss(self, logits: Tensor, targets: Tensor, stride: int) -> Tensor:
        middle = stride // 2
        targets = targets[:, middle::stride, middle::stride]
        size = (targets.shape[1], targets.shape[2])
        loss: Tensor = self.loss(resize(logits.float(), size), targets)
        return loss


SAMPLES = 200
"""Samples of the mix that shares are measured on."""


def class_shares(mix: Mix, members: Tensor, seed: int, samples: int = SAMPLES) -> list[float]:
    """Return the share of the labelled area that each class covers in a mix of data sets.

    A pixel whose label is a set of classes counts for them in proportion to their own shares,
    which are the most likely ones (expectation maximisation over the counts of the sets).

    Args:
        mix: where samples come from.
        members: sets×C bool, see ``TargetSets.members``.
        seed: the same one draws the same samples.
        samples: how many are drawn.

    Returns:
        C shares that sum to one (all equal where nothing is labelled).
    """
    counts = np.zeros(256)
    for index in range(samples):
        target = mix.sample(np.random.default_rng((seed, 1, index)))[1]
        # By area, not by pixels: data sets store images at different sizes.
        counts += np.bincount(target.ravel(), minlength=256) / target.size
    counts[UNKNOWN] = 0
    return [float(share) for share in _most_likely(counts[: len(members)], members.numpy())]


def _most_likely(counts: NDArray[np.float64], members: NDArray[np.bool_]) -> NDArray[np.float64]:
    classes = members.shape[1]
    shares = np.full(classes, 1 / classes)
    if not counts.sum():
        return shares
    for _ in range(100):
        inside = members * shares
        parts = inside / np.maximum(inside.sum(axis=1, keepdims=True), 1e-12)
        shares = counts @ parts / counts.sum()
    return shares


def enet_weights(shares: list[float], members: Tensor, c: float) -> Tensor:
    """Return 256 float32: 1/ln(c + share) per set of classes (Paszke et al., ENet), else 0."""
    share = (members.double() * torch.tensor(shares, dtype=torch.float64)).sum(1)
    weights = torch.zeros(256)
    weights[: len(members)] = (1 / torch.log(c + share)).float()
    return weights
