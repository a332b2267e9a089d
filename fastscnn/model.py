"""Fast-SCNN (paper Table 1)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn

from fastscnn.blocks import Bottleneck, ConvBNReLU, DSConv, FeatureFusion, PyramidPooling
from fastscnn.labels import NUM_CLASSES


@dataclass(frozen=True, slots=True)
class FastSCNNConfig:
    """What a network is built from; stored in every checkpoint.

    Attributes:
        num_classes: channels of the logits.
        dropout: rate before the last layer, used in training only (§4.1 names no figure).
    """

    num_classes: int = NUM_CLASSES
    dropout: float = 0.1

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, ready for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FastSCNNConfig:
        """The inverse of ``to_dict``.

        Raises:
            ValueError: a name is unknown or a value out of range.
        """
        unknown = sorted(str(k) for k in set(values) - set(cls.__dataclass_fields__))
        if unknown:
            raise ValueError(f"unknown settings of the network: {', '.join(unknown)}")
        config = cls(**values)
        if not isinstance(config.num_classes, int) or not 2 <= config.num_classes <= 255:
            raise ValueError(f"num_classes must be 2–255, not {config.num_classes!r}")
        if not isinstance(config.dropout, float) or not 0 <= config.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, not {config.dropout!r}")
        return config


class LearningToDownsample(nn.Sequential):
    """The shallow path shared by both branches (§3.2.1): 3×H×W → 64×H/8×W/8."""

    OUT_CHANNELS = 64

    def __init__(self) -> None:
        super().__init__(
            ConvBNReLU(3, 32, 3, stride=2),
            DSConv(32, 48, stride=2),
            DSConv(48, self.OUT_CHANNELS, stride=2),
        )


def _stage(in_channels: int, out_channels: int, repeats: int, stride: int) -> list[nn.Module]:
    blocks: list[nn.Module] = [Bottleneck(in_channels, out_channels, stride=stride)]
    blocks += [Bottleneck(out_channels, out_channels) for _ in range(repeats - 1)]
    return blocks


class GlobalFeatureExtractor(nn.Sequential):
    """The deep path (§3.2.2): 64×H/8×W/8 → 128×H/32×W/32."""

    OUT_CHANNELS = 128

    def __init__(self) -> None:
        super().__init__(
            *_stage(64, 64, repeats=3, stride=2),
            *_stage(64, 96, repeats=3, stride=2),
            *_stage(96, 128, repeats=3, stride=1),
            PyramidPooling(128, self.OUT_CHANNELS),
        )


class Classifier(nn.Sequential):
    """Two DSConv, dropout and the class convolution (§3.2.4): 128×h×w → classes×h×w."""

    def __init__(self, channels: int, num_classes: int, dropout: float) -> None:
        super().__init__(
            DSConv(channels, channels),
            DSConv(channels, channels),
            nn.Dropout(dropout),
            nn.Conv2d(channels, num_classes, 1),
        )


class FastSCNN(nn.Module):
    """The network of the paper.

    Input N×3×H×W, normalised, H and W at least 32, odd sizes included; output N×classes×⌈H/8⌉×⌈W/8⌉
    logits. How logits become labels at full size is ``fastscnn.upsample``'s matter.

    Example:
        >>> import torch
        >>> FastSCNN().eval()(torch.zeros(1, 3, 64, 97)).shape
        torch.Size([1, 19, 8, 13])
    """

    def __init__(self, config: FastSCNNConfig | None = None) -> None:
        super().__init__()
        self.config = config or FastSCNNConfig()
        self.learning_to_downsample = LearningToDownsample()
        self.global_feature_extractor = GlobalFeatureExtractor()
        self.feature_fusion = FeatureFusion(
            LearningToDownsample.OUT_CHANNELS, GlobalFeatureExtractor.OUT_CHANNELS, 128
        )
        self.classifier = Classifier(128, self.config.num_classes, self.config.dropout)

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Both branches' outputs: N×64×H/8×W/8 and N×128×H/32×W/32."""
        high = self.learning_to_downsample(x)
        return high, self.global_feature_extractor(high)

    def head(self, high: Tensor, low: Tensor, skip: bool = True) -> Tensor:
        """Fuse both branches and classify: logits N×classes×H/8×W/8."""
        logits: Tensor = self.classifier(self.feature_fusion(high, low, skip))
        return logits

    def forward(self, x: Tensor, skip: bool = True) -> Tensor:
        """Logits at 1/8 size; ``skip=False`` disables the skip connection for this call (§4.2)."""
        return self.head(*self.features(x), skip)


class AuxiliaryHeads(nn.Module):
    """The two training-only classifiers behind the branches (§4.1), each weighted 0.4 in the loss.

    They are a module of their own so that no inference code can run or load them.
    """

    WEIGHT = 0.4

    def __init__(self, num_classes: int = NUM_CLASSES) -> None:
        super().__init__()
        self.high = nn.Sequential(
            ConvBNReLU(LearningToDownsample.OUT_CHANNELS, 64, 3), nn.Conv2d(64, num_classes, 1)
        )
        self.low = nn.Sequential(
            ConvBNReLU(GlobalFeatureExtractor.OUT_CHANNELS, 64, 3), nn.Conv2d(64, num_classes, 1)
        )

    def forward(self, high: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
        """Logits at 1/8 and at 1/32 size."""
        return self.high(high), self.low(low)
