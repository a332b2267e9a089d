"""Public checkpoint formats: names of tensors, and differences of the networks.

Facts of their code, one table for each; ``fastscnn.checkpoints.conversion`` works by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from fastscnn.model.model_config import FastSCNNConfig

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Weights = dict[str, Tensor]

GLOBAL = "global_feature_extractor"
_NORM = r"(weight|bias|running_mean|running_var|num_batches_tracked)"


@dataclass(frozen=True, slots=True)
class Format:
    """Checkpoint format of an implementation: its names, and what its network does differently.

    Attributes:
        name: of the implementation.
        marker: a tensor that this format has and no other.
        config: the switches that its network needs.
        rules: patterns of its names and what stands for them in ours. ``stageN.I`` stands for
            bottleneck I of stage N, ``flat.I`` for the I-th of all.
        dropped: pattern of tensors that only training uses.
        biased: pattern of the biases that its convolutions have before batch norm.
        finish: folds what is left, on renamed weights.
        mean, std: normalisation of RGB values in 0–1.
        more_classes: names of those that may follow the 19.
    """

    name: str
    marker: str
    config: FastSCNNConfig
    rules: tuple[tuple[str, str], ...]
    dropped: str = r"(?!)"
    biased: str = r"(?!)"
    finish: Callable[[Weights], None] = field(default=lambda weights: None)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    more_classes: tuple[str, ...] = ()


def split_shared_norm(weights: Weights) -> None:
    """Split the batch norm over the fusion's sum into one per side, all shift on the low one."""
    shared = {n: w for n, w in weights.items() if n.startswith("feature_fusion.shared.")}
    for name, tensor in shared.items():
        del weights[name]
        kind = name.rsplit(".", 1)[1]
        shift = kind in {"bias", "running_mean"}
        weights[f"feature_fusion.low.1.{kind}"] = tensor
        weights[f"feature_fusion.high.1.{kind}"] = torch.zeros_like(tensor) if shift else tensor


def _add_bias(weights: Weights) -> None:
    """Add a bias of zeros to a class convolution that has none."""
    last = weights.get("classifier.3.weight")
    if last is not None:
        weights.setdefault("classifier.3.bias", torch.zeros(len(last)))


def _reverse_pyramid(weights: Weights) -> None:
    """Reorder levels concatenated from the last to the first into first to last."""
    for name in [n for n in weights if re.fullmatch(r".*\.out\.0\.weight", n)]:
        levels = weights[name]
        if levels.ndim == 4 and levels.shape[1] == 256:
            order = [levels[:, :128], *reversed(torch.split(levels[:, 128:], 32, dim=1))]
            weights[name] = torch.cat(order, dim=1)


def _pairs(ours: str, theirs: str, conv: str, norm: str) -> tuple[tuple[str, str], ...]:
    """Return rules for a convolution and its batch norm; ``theirs`` ends before the dot."""
    dot = r"\." if theirs else ""
    return (
        (rf"{theirs}{dot}{conv}\.(weight|bias)", f"{ours}.0.{_last(theirs)}"),
        (rf"{theirs}{dot}{norm}\.{_NORM}", f"{ours}.1.{_last(theirs)}"),
    )


def _last(pattern: str) -> str:
    """Return the group behind those that a pattern has of its own."""
    return rf"\{re.compile(pattern).groups + 1}"


_TRAMAC_CONFIG = FastSCNNConfig(
    stem_padding="none",
    depthwise_activation="relu",
    pyramid_align_corners=True,
    fusion_dilation=1,
    align_corners=True,
)


def _ds_conv(ours: str, theirs: str, names: tuple[str, str, str, str]) -> list[tuple[str, str]]:
    """Return rules for a DSConv from the names of its two convolutions and batch norms."""
    depthwise, depth_norm, pointwise, point_norm = names
    return [
        *_pairs(f"{ours}.0", theirs, depthwise, depth_norm),
        *_pairs(f"{ours}.1", theirs, pointwise, point_norm),
    ]


def _tramac() -> Format:
    inner = ("0", "1", "3", "4")
    return Format(
        "Tramac/Fast-SCNN-pytorch",
        "learning_to_downsample.dsconv1.conv.0.weight",
        _TRAMAC_CONFIG,
        (
            *_pairs("learning_to_downsample.0", r"learning_to_downsample\.conv\.conv", "0", "1"),
            *_ds_conv(
                r"learning_to_downsample.\1",
                r"learning_to_downsample\.dsconv(\d)\.conv",
                inner,
            ),
            *_pairs(
                rf"{GLOBAL}.stage\1.\2.layers.\3",
                rf"{GLOBAL}\.bottleneck(\d)\.(\d+)\.block\.([01])\.conv",
                "0",
                "1",
            ),
            *_pairs(
                rf"{GLOBAL}.stage\1.\2.layers.2",
                rf"{GLOBAL}\.bottleneck(\d)\.(\d+)\.block",
                "2",
                "3",
            ),
            *(
                rule
                for level in range(4)
                for rule in _pairs(
                    rf"{GLOBAL}.pyramid.branches.{level}",
                    rf"{GLOBAL}\.ppm\.conv{level + 1}\.conv",
                    "0",
                    "1",
                )
            ),
            *_pairs(rf"{GLOBAL}.pyramid.out", rf"{GLOBAL}\.ppm\.out\.conv", "0", "1"),
            *_pairs("feature_fusion.low_depthwise", r"feature_fusion\.dwconv\.conv", "0", "1"),
            *_pairs("feature_fusion.low", r"feature_fusion\.conv_lower_res", "0", "1"),
            *_pairs("feature_fusion.high", r"feature_fusion\.conv_higher_res", "0", "1"),
            *_ds_conv("classifier.0", r"classifier\.dsconv1\.conv", inner),
            *_ds_conv("classifier.1", r"classifier\.dsconv2\.conv", inner),
            (r"classifier\.conv\.1\.(weight|bias)", r"classifier.3.\1"),
        ),
        dropped=r"auxlayer\.",
        biased=r"feature_fusion\.conv_(lower|higher)_res\.0\.bias",
    )


def _pytorchcv() -> Format:
    inner = (r"dw_conv\.conv", r"dw_conv\.bn", r"pw_conv\.conv", r"pw_conv\.bn")
    bottleneck = r"features\.features\.stage(\d)\.unit{}\.conv{}"
    return Format(
        "pytorchcv (GluonCV)",
        "stem.conv2.dw_conv.conv.weight",
        _TRAMAC_CONFIG,
        (
            *_pairs("learning_to_downsample.0", r"stem\.conv1", "conv", "bn"),
            *_ds_conv("learning_to_downsample.1", r"stem\.conv2", inner),
            *_ds_conv("learning_to_downsample.2", r"stem\.conv3", inner),
            *(
                rule
                for unit in range(9)
                for layer in range(3)
                for rule in _pairs(
                    rf"{GLOBAL}.stage\1.{unit}.layers.{layer}",
                    bottleneck.format(unit + 1, layer + 1),
                    "conv",
                    "bn",
                )
            ),
            *(
                rule
                for level in range(4)
                for rule in _pairs(
                    f"{GLOBAL}.pyramid.branches.{level}",
                    rf"pool\.branches\.branch{level + 2}\.conv",
                    "conv",
                    "bn",
                )
            ),
            *_pairs(f"{GLOBAL}.pyramid.out", r"pool\.conv", "conv", "bn"),
            *_pairs("feature_fusion.low_depthwise", r"fusion\.low_dw_conv", "conv", "bn"),
            *_pairs("feature_fusion.low", r"fusion\.low_pw_conv", "conv", "bn"),
            *_pairs("feature_fusion.high", r"fusion\.high_conv", "conv", "bn"),
            *_ds_conv("classifier.0", r"head\.conv1", inner),
            *_ds_conv("classifier.1", r"head\.conv2", inner),
            (r"head\.conv3\.(weight|bias)", r"classifier.3.\1"),
        ),
        dropped=r"aux_head\.",
    )


def _mmseg() -> Format:
    inner = (
        r"depthwise_conv\.conv",
        r"depthwise_conv\.bn",
        r"pointwise_conv\.conv",
        r"pointwise_conv\.bn",
    )
    down, deep = r"backbone\.learning_to_downsample", r"backbone\.global_feature_extractor"
    fusion = r"backbone\.feature_fusion"
    return Format(
        "mmsegmentation",
        "backbone.learning_to_downsample.dsconv1.depthwise_conv.conv.weight",
        FastSCNNConfig(pyramid_kernel=3, fusion_dilation=1),
        (
            *_pairs("learning_to_downsample.0", rf"{down}\.conv", "conv", "bn"),
            *_ds_conv(r"learning_to_downsample.\1", rf"{down}\.dsconv(\d)", inner),
            *_pairs(
                rf"{GLOBAL}.stage\1.\2.layers.\3",
                rf"{deep}\.bottleneck(\d)\.(\d+)\.conv\.(\d)",
                "conv",
                "bn",
            ),
            *_pairs(rf"{GLOBAL}.pyramid.branches.\1", rf"{deep}\.ppm\.(\d)\.1", "conv", "bn"),
            *_pairs(f"{GLOBAL}.pyramid.out", rf"{deep}\.out", "conv", "bn"),
            *_pairs("feature_fusion.low_depthwise", rf"{fusion}\.dwconv", "conv", "bn"),
            *_pairs("feature_fusion.low", rf"{fusion}\.conv_lower_res", "conv", "bn"),
            *_pairs("feature_fusion.high", rf"{fusion}\.conv_higher_res", "conv", "bn"),
            *_ds_conv(r"classifier.\1", r"decode_head\.convs\.(\d)", inner),
            (r"decode_head\.conv_seg\.(weight|bias)", r"classifier.3.\1"),
        ),
        dropped=r"auxiliary_head\.",
    )


def _zh320() -> Format:
    inner = (r"0\.0", r"0\.1", r"1\.0", r"1\.1")
    fusion = r"feature_fusion\.lower_res_conv"
    return Format(
        "zh320/realtime-semantic-segmentation-pytorch",
        "feature_fusion.non_linear.0.weight",
        FastSCNNConfig(
            depthwise_activation="relu",
            repeats=(3, 2, 3),
            pyramid_bins=(1, 2, 4, 6),
            pyramid_norm=False,
            pyramid_align_corners=True,
            fusion_dilation=1,
            align_corners=True,
            final_norm=True,
        ),
        (
            *_pairs("learning_to_downsample.0", r"learning_to_downsample\.0", "0", "1"),
            *_ds_conv(r"learning_to_downsample.\1", r"learning_to_downsample\.(\d)", inner),
            *_pairs(
                rf"{GLOBAL}.flat.\1.layers.\2",
                rf"{GLOBAL}\.bottlenecks\.(\d+)\.conv\.(\d)",
                "0",
                "1",
            ),
            *_pairs(
                rf"{GLOBAL}.stage\1.\2.layers.\3",
                rf"{GLOBAL}\.bottleneck(\d)\.(\d+)\.conv\.(\d)",
                "0",
                "1",
            ),
            *(
                (
                    rf"{GLOBAL}\.ppm\.stage{level + 1}\.1\.weight",
                    f"{GLOBAL}.pyramid.branches.{level}.0.weight",
                )
                for level in range(4)
            ),
            *_pairs(f"{GLOBAL}.pyramid.out", rf"{GLOBAL}\.ppm\.conv", "0", "1"),
            *_pairs("feature_fusion.low_depthwise", rf"{fusion}\.0", "0", "1"),
            (rf"{fusion}\.1\.weight", "feature_fusion.low.0.weight"),
            (r"feature_fusion\.higher_res_conv\.weight", "feature_fusion.high.0.weight"),
            (rf"feature_fusion\.non_linear\.0\.{_NORM}", r"feature_fusion.shared.\1"),
            *_ds_conv(r"classifier.\1", r"classifier\.([01])", inner),
            (r"classifier\.2\.0\.(weight|bias)", r"classifier.3.\1"),
            (rf"classifier\.2\.1\.{_NORM}", r"classifier.4.\1"),
        ),
        finish=split_shared_norm,
    )


def _segmentron() -> Format:
    inner = ("depthwise", "bn_depth", "pointwise", "bn_point")
    return Format(
        "SegmenTron",
        "learning_to_downsample.dsconv1.block.depthwise.weight",
        replace(_TRAMAC_CONFIG, bottleneck_activation="relu6", fusion_dense=True),
        (
            *_pairs("learning_to_downsample.0", r"learning_to_downsample\.conv", "conv", "bn"),
            *_ds_conv(
                r"learning_to_downsample.\1",
                r"learning_to_downsample\.dsconv(\d)\.block",
                inner,
            ),
            *_pairs(
                rf"{GLOBAL}.stage\1.\2.layers.\3",
                rf"{GLOBAL}\.bottleneck(\d)\.(\d+)\.conv\.([01])",
                "conv",
                "bn",
            ),
            *_pairs(
                rf"{GLOBAL}.stage\1.\2.layers.2",
                rf"{GLOBAL}\.bottleneck(\d)\.(\d+)\.conv",
                "2",
                "3",
            ),
            *_pairs(rf"{GLOBAL}.pyramid.branches.\1", rf"{GLOBAL}\.ppm\.convs\.(\d)", "conv", "bn"),
            *_pairs(f"{GLOBAL}.pyramid.out", rf"{GLOBAL}\.out", "conv", "bn"),
            *_pairs("feature_fusion.low_depthwise", r"feature_fusion\.dwconv", "conv", "bn"),
            *_pairs("feature_fusion.low", r"feature_fusion\.conv_lower_res", "0", "1"),
            *_pairs("feature_fusion.high", r"feature_fusion\.conv_higher_res", "0", "1"),
            *_ds_conv("classifier.0", r"classifier\.dsconv1\.block", inner),
            *_ds_conv("classifier.1", r"classifier\.dsconv2\.block", inner),
            (r"classifier\.conv\.1\.(weight|bias)", r"classifier.3.\1"),
        ),
        dropped=r"auxlayer\.",
    )


def _paddle() -> Format:
    # The second name is misspelt in the original.
    inner = (
        r"depthwise_conv\._conv",
        r"depthwise_conv\._batch_norm",
        r"piontwise_conv\._conv",
        r"piontwise_conv\._batch_norm",
    )
    parts = ("_conv", "_batch_norm")
    return Format(
        "PaddleSeg",
        "learning_to_downsample.conv_bn_relu._conv.weight",
        FastSCNNConfig(
            stem_padding="end",
            pyramid_kernel=3,
            pyramid_align_corners=True,
            fusion_dilation=1,
        ),
        (
            *_pairs("learning_to_downsample.0", r"learning_to_downsample\.conv_bn_relu", *parts),
            *_ds_conv(
                r"learning_to_downsample.\1",
                r"learning_to_downsample\.dsconv_bn_relu(\d)",
                inner,
            ),
            *_pairs(
                rf"{GLOBAL}.stage\1.\2.layers.\3",
                rf"{GLOBAL}\.bottleneck(\d)\.(\d+)\.block\.(\d)",
                *parts,
            ),
            *_pairs(rf"{GLOBAL}.pyramid.branches.\1", rf"{GLOBAL}\.ppm\.stages\.(\d)\.1", *parts),
            *_pairs(f"{GLOBAL}.pyramid.out", rf"{GLOBAL}\.ppm\.conv_bn_relu2", *parts),
            *_pairs("feature_fusion.low_depthwise", r"feature_fusion\.dwconv", *parts),
            *_pairs("feature_fusion.low", r"feature_fusion\.conv_low_res", *parts),
            *_pairs("feature_fusion.high", r"feature_fusion\.conv_high_res", *parts),
            *_ds_conv("classifier.0", r"classifier\.dsconv1", inner),
            *_ds_conv("classifier.1", r"classifier\.dsconv2", inner),
            (r"classifier\.conv\.(weight|bias)", r"classifier.3.\1"),
        ),
        dropped=r"auxlayer\.",
        finish=_reverse_pyramid,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )


def _mindspore() -> Format:
    """Return Tramac's network in MindSpore's names, with a stem padded at its end and no biases."""
    tramac = _tramac()
    return Format(
        "MindSpore",
        "learning_to_downsample/conv/conv/1/running_mean",
        replace(tramac.config, stem_padding="end"),
        tuple((pattern.replace(r"\.", "/"), ours) for pattern, ours in tramac.rules),
        dropped=r"auxlayer|accum/|stat/|moment|learning_rate|global_step|epoch_num|step_num",
        finish=_add_bias,
    )


WRITABLE = {"tramac": _tramac(), "mmseg": _mmseg()}
"""The formats that ``revert`` can write, under short names."""

FORMATS: tuple[Format, ...] = (
    WRITABLE["tramac"],
    _pytorchcv(),
    WRITABLE["mmseg"],
    _zh320(),
    _segmentron(),
    _paddle(),
    _mindspore(),
)
"""The formats known, each told apart by its marker."""
