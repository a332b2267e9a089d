"""Loss: cross entropy over sets of classes, and the network as it is trained (§4.1)."""

from __future__ import annotations

import math
from collections.abc import Callable

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


def set_cross_entropy(
    logits: Tensor,
    target: Tensor,
    members: Tensor,
    weight: Tensor | None = None,
    hardest: float = 1.0,
    mean: Mean = Tensor.detach,
) -> Tensor:
    """Return the cross entropy with sets of classes as targets: −log of the summed softmax.

    Args:
        logits: N×C×H×W.
        target: N×H×W integer numbers of sets (0 to C−1 are the classes themselves), 255 ignored.
        members: sets×C bool, see ``TargetSets.members``.
        weight: 256 float, what a pixel of each set counts; ``None`` counts all alike.
        hardest: share of the labelled pixels, those with the largest loss, that are averaged over
            (online hard example mining).
        mean: of a number over the processes of the run, so that each pixel weighs the same
            whichever process it is on.

    Returns:
        The mean over these pixels, by their weight; zero where nothing is labelled.
    """
    logits = logits.float()
    target = target.long()
    known = target != UNKNOWN
    exact = target < logits.shape[1]
    losses = F.cross_entropy(
        logits,
        torch.where(exact, target, UNKNOWN),
        ignore_index=UNKNOWN,
        reduction="none",
    )
    several = known & ~exact
    chosen = logits.permute(0, 2, 3, 1)[several]
    inside = chosen.masked_fill(~members[target[several]], -math.inf)
    losses = losses.masked_scatter(several, chosen.logsumexp(1) - inside.logsumexp(1))
    counts = known.float() if weight is None else weight[target] * known
    if hardest < 1:
        kept = max(1, math.ceil(hardest * int(known.sum())))
        worst = torch.topk(losses.detach().masked_fill(~known, -1).flatten(), kept, sorted=False)
        losses, counts = (t.flatten()[worst.indices] for t in (losses, counts))
    return (losses * counts).sum() / mean(counts.sum()).clamp(min=1e-6)


def sample_dropout(x: Tensor, rate: float, seeds: Tensor) -> Tensor:
    """Dropout that depends on each sample's own seed, not on the batch or process it is in.

    Args:
        x: N×C×H×W.
        rate: share of values that are left out; the others are raised to make up for them.
        seeds: N integers, on any device.
    """
    if not rate:
        return x
    channels, height, width = x.shape[1:]
    generator = torch.Generator(x.device)
    keep = torch.empty(len(x), height, width, channels, device=x.device, dtype=x.dtype)
    for one, seed in zip(keep, seeds.tolist(), strict=True):
        one.bernoulli_(1 - rate, generator=generator.manual_seed(seed))
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
        mean: see ``set_cross_entropy``.
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
        self.auxiliary = AuxiliaryHeads(network.config.num_classes)
        self.stride, self.hardest, self.dropout, self.mean = stride, hardest, dropout, mean
        self.members: Tensor
        self.weight: Tensor | None
        self.register_buffer("members", members, persistent=False)
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, images: Tensor, targets: Tensor, skip: bool, seeds: Tensor) -> Tensor:
        """Return the training loss.

        Args:
            images: N×3×H×W, normalised.
            targets: N×H×W integer numbers of sets, 255 ignored.
            skip: whether the skip connection contributes.
            seeds: N integers, of the samples' dropout.
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
        return set_cross_entropy(
            resize(logits.float(), size),
            targets,
            self.members,
            self.weight,
            self.hardest,
            self.mean,
        )


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
