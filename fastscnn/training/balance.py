"""Class balance: what a pixel of each class weighs, from how often the class occurs."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.data.dataset_mix import Mix
from fastscnn.labels import UNKNOWN

SAMPLES = 200
"""Samples of the mix that shares are measured on."""


def class_shares(mix: Mix, members: Tensor, seed: int, samples: int = SAMPLES) -> list[float]:
    """How much of the labelled area each class covers in a mix of data sets.

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
        # By area, not by pixels: data sets store pictures at different sizes.
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
    """256 float32: 1/ln(c + share) of each set of classes (Paszke et al., ENet, 2016), else 0."""
    share = (members.double() * torch.tensor(shares, dtype=torch.float64)).sum(1)
    weights = torch.zeros(256)
    weights[: len(members)] = (1 / torch.log(c + share)).float()
    return weights
