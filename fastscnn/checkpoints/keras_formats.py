"""Formats of the public Keras networks, whose layers have numbers for names.

All pad as TensorFlow does, have biases before batch norm, and nothing between the two steps of a
separable convolution; what follows the pyramid is as wide as its input and levels together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from fastscnn.checkpoints.public_formats import GLOBAL, Format, Weights, split_shared_norm
from fastscnn.model.model_config import FastSCNNConfig

_EPSILON = 1e-3 - 1e-5
"""Difference of what Keras and torch add to a variance."""
_NORM = ("weight", "bias", "running_mean", "running_var")
_DOWN = ("learning_to_downsample.1", "learning_to_downsample.2")
_CLASSIFIER = ("classifier.0", "classifier.1")
_HIGH = "feature_fusion.high.1"
_LEVELS = tuple(f"{GLOBAL}.pyramid.branches.{number}" for number in range(4))
_PLACED_LEVELS = tuple(f"{GLOBAL}.9.branches.{number}" for number in range(4))
_PADDED = FastSCNNConfig(
    stem_padding="end", stride_padding="end", pyramid_windows=True, pyramid_kernel=0
)


def _rules(whose: str, norms: list[str], separable: list[str]) -> tuple[tuple[str, str], ...]:
    """Return the rules of a network.

    Args:
        whose: network that is.
        norms: ours for its batch norms from the 30th on.
        separable: ours for its separable convolutions, in order.
    """
    deep = [f"{GLOBAL}.flat.{number}.layers" for number in range(9)]
    convs = [
        "learning_to_downsample.0.0",
        *(f"{layers}.{place}.0" for layers in deep for place in (0, 2)),
        *(f"{level}.0" for level in _LEVELS),
        *("feature_fusion.high.0", "feature_fusion.low.0", "classifier.3"),
    ]
    norms = [
        *("learning_to_downsample.0.1", "learning_to_downsample.1.1.1"),
        *("learning_to_downsample.2.1.1",),
        *(f"{layers}.{place}.1" for layers in deep for place in range(3)),
        *norms,
    ]
    depthwise = [*(f"{layers}.1.0" for layers in deep), "feature_fusion.low_depthwise.0"]
    rules = [
        (rf"{whose}/{kind}/{number}/(\w+)", rf"{name}.\1")
        for kind, names in (
            ("conv2d", convs),
            ("batch_normalization", norms),
            ("depthwise_conv2d", depthwise),
        )
        for number, name in enumerate(names)
    ]
    for number, name in enumerate(separable):
        here = f"{whose}/separable_conv2d/{number}"
        rules += [
            (f"{here}/depthwise", f"{name}.0.0.weight"),
            (f"{here}/pointwise", f"{name}.1.0.weight"),
            (f"{here}/bias", f"{name}.1.0.bias"),
        ]
    return tuple(rules)


def _finish(without_norm: list[str]) -> Callable[[Weights], None]:
    """Return what folds Keras' differences into renamed weights.

    Args:
        without_norm: convolutions that no batch norm follows there.
    """

    def finish(weights: Weights) -> None:
        for name in [name for name in weights if name.endswith(".running_var")]:
            weights[name] = weights[name] + _EPSILON
        own = {kind: weights.get(f"{_HIGH}.{kind}") for kind in ("weight", "bias")}
        kept = {name: weights[name] for name in list(weights) if name.startswith(f"{_HIGH}.")}
        split_shared_norm(weights)
        scale, variance = (weights.get(f"{_HIGH}.{kind}") for kind in ("weight", "running_var"))
        weights |= kept
        for kind, tensor in own.items():  # one batch norm after the other
            if tensor is None or scale is None or variance is None:
                continue
            if tensor.shape == scale.shape == variance.shape:  # else it does not fit, and is told
                weights[f"{_HIGH}.{kind}"] = tensor * _factor(scale, variance)
        for name in without_norm:
            kernel = weights.get(f"{name}.0.weight")
            if kernel is not None:
                ones, zeros = torch.ones(len(kernel)), torch.zeros(len(kernel))
                weights |= {f"{name}.1.weight": ones, f"{name}.1.running_var": ones - 1e-5}
                weights |= {f"{name}.1.bias": zeros, f"{name}.1.running_mean": zeros}
        _fold_last_norm(weights)

    return finish


def _fold_last_norm(weights: Weights) -> None:
    """Fold the batch norm after the class convolution, which no ReLU follows, into it."""
    last = [weights.get(f"classifier.4.{kind}") for kind in _NORM]
    kernel, bias = (weights.get(f"classifier.3.{kind}") for kind in ("weight", "bias"))
    parts = [part for part in (bias, *last) if part is not None]
    if kernel is None or len(parts) < 5 or any(part.shape != kernel.shape[:1] for part in parts):
        return  # what stays here does not fit, and is told
    for kind in _NORM:
        del weights[f"classifier.4.{kind}"]
    bias, scale, shift, mean, variance = parts
    factor = _factor(scale, variance)
    weights["classifier.3.weight"] = kernel * factor.view(-1, 1, 1, 1)
    weights["classifier.3.bias"] = (bias - mean) * factor + shift


def _factor(scale: Tensor, variance: Tensor) -> Tensor:
    """Return what a batch norm multiplies by."""
    return scale / torch.sqrt(variance + 1e-5)


def _rachthree() -> Format:
    return Format(
        "rachthree/fast_scnn",
        "rachthree/conv2d/0/weight",
        replace(_PADDED, pyramid_bins=(1, 2, 3, 6)),
        _rules(
            "rachthree",
            [
                *(f"{level}.1" for level in _LEVELS),
                *("feature_fusion.low_depthwise.1", "feature_fusion.shared"),
                *("classifier.0.1.1", "classifier.1.1.1", "classifier.4"),
            ],
            [*_DOWN, *_CLASSIFIER],
        ),
        dropped="rachthree/(conv2d/2[67]|batch_normalization/(39|4.)|separable_conv2d/[45])/",
        finish=_finish([f"{name}.0" for name in (*_DOWN, *_CLASSIFIER)]),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
    )


def _strided(whose: str, repository: str, separable: bool) -> Format:
    """Return a network with strided convolutions in its pyramid."""
    fusion = "feature_fusion.low_depthwise"
    separables = [*_DOWN, *([fusion] * separable), *_CLASSIFIER]
    config = replace(
        _PADDED,
        pyramid_bins=(2, 4, 6, 8),
        pyramid_strided=True,
        fusion_dilation=4 if separable else 1,
        fusion_separable=separable,
        fusion_nearest=True,
    )
    return Format(
        f"{whose}/{repository}",
        f"{whose}/conv2d/0/weight",
        config,
        _rules(
            whose,
            [
                *("feature_fusion.high.1", f"{fusion}.1.1" if separable else f"{fusion}.1"),
                *("feature_fusion.shared", "classifier.0.1.1", "classifier.1.1.1"),
                "classifier.4",
            ],
            separables,
        ),
        finish=_finish([*(f"{name}.0" for name in separables), *_PLACED_LEVELS]),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        more_classes=("unlabeled",),
    )


KERAS_FORMATS = (
    _rachthree(),
    _strided("kshitizrimal", "Fast-SCNN", separable=True),
    _strided("SkyWa7ch3r", "ImageSegmentation", separable=False),
)
"""The formats known, by what ``keras_reader`` calls their tensors."""
