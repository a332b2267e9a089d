"""Model configuration: the switches of a network."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from fastscnn.labels import NUM_CLASSES
from fastscnn.model.blocks import Activation, Padding


@dataclass(frozen=True, slots=True)
class FastSCNNConfig:
    """The switches of a network, stored in every checkpoint; the defaults are the paper's.

    The others exist because public checkpoints were trained with them and no rewriting of their
    weights could express the difference.

    Attributes:
        num_classes: channels of the logits.
        dropout: rate before the last layer, used in training only (§4.1 names no figure).
        stem_padding: zeros around the first convolution.
        stride_padding: around the depthwise convolutions with stride 2.
        depthwise_activation: between the two steps of a DSConv.
        bottleneck_activation: inside the bottlenecks.
        repeats: bottlenecks per stage.
        pyramid_bins: cells per side of the pyramid's levels.
        pyramid_norm: whether the levels have batch norm and ReLU.
        pyramid_kernel: size of the convolution that mixes them, 1 or 3; 0 for none.
        pyramid_align_corners: how they are brought back to size.
        pyramid_windows: whether the levels average over equal windows, see ``PyramidPooling``.
        pyramid_strided: a 3×3 with stride 2 in each level.
        fusion_dilation: of the depthwise convolution in the feature fusion.
        fusion_dense: a dense 1×1 in its place.
        fusion_separable: a DSConv in its place.
        fusion_nearest: whether the low resolution is upsampled to the nearest value there.
        align_corners: how feature fusion and logits are upsampled.
        final_norm: batch norm and ReLU after the class convolution.
    """

    num_classes: int = NUM_CLASSES
    dropout: float = 0.1
    stem_padding: Padding = "same"
    stride_padding: Padding = "same"
    depthwise_activation: Activation = "none"
    bottleneck_activation: Activation = "relu"
    repeats: tuple[int, ...] = (3, 3, 3)
    pyramid_bins: tuple[int, ...] = (1, 2, 3, 6)
    pyramid_norm: bool = True
    pyramid_kernel: int = 1
    pyramid_align_corners: bool = False
    pyramid_windows: bool = False
    pyramid_strided: bool = False
    fusion_dilation: int = 4
    fusion_dense: bool = False
    fusion_separable: bool = False
    fusion_nearest: bool = False
    align_corners: bool = False
    final_norm: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values, ready for a checkpoint."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FastSCNNConfig:
        """Return the inverse of ``to_dict``, for values from anywhere.

        Raises:
            ValueError: a name is unknown or a value out of range.
        """
        unknown = sorted(str(k) for k in set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(f"unknown settings of the network: {', '.join(unknown)}")
        plain: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.items()
        }
        config = cls(**plain)
        config._check()
        return config

    def _check(self) -> None:
        """Bound everything: a checkpoint may come from anyone."""
        flags = [f.name for f in fields(self) if isinstance(f.default, bool)]
        allowed: dict[str, bool] = {
            "num_classes": _whole(self.num_classes, 2, 255),
            "dropout": isinstance(self.dropout, float) and 0 <= self.dropout < 1,
            "stem_padding": self.stem_padding in get_args(Padding),
            "stride_padding": self.stride_padding in ("same", "end"),
            "depthwise_activation": self.depthwise_activation in get_args(Activation),
            "bottleneck_activation": self.bottleneck_activation in get_args(Activation),
            "repeats": _wholes(self.repeats, 3, 1, 9),
            "pyramid_bins": _wholes(self.pyramid_bins, 4, 1, 16),
            "pyramid_kernel": self.pyramid_kernel in (0, 1, 3),
            "fusion_dilation": _whole(self.fusion_dilation, 1, 16),
            **{name: isinstance(getattr(self, name), bool) for name in flags},
        }
        for name, fine in allowed.items():
            if not fine:
                raise ValueError(f"{name} cannot be {getattr(self, name)!r}")


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _wholes(values: object, count: int, low: int, high: int) -> bool:
    return (
        isinstance(values, tuple)
        and len(values) == count
        and all(_whole(value, low, high) for value in values)
    )
