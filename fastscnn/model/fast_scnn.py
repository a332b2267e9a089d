"""Fast-SCNN (paper Table 1)."""

from __future__ import annotations

from torch import Tensor, nn

from fastscnn.labels import NUM_CLASSES
from fastscnn.model.blocks import (
    Bottleneck,
    ConvBNReLU,
    DSConv,
    FeatureFusion,
    PyramidPooling,
    activation_layers,
)
from fastscnn.model.model_config import FastSCNNConfig


class LearningToDownsample(nn.Sequential):
    """The shallow path shared by both branches (§3.2.1): 3×H×W → 64×H/8×W/8."""

    OUT_CHANNELS = 64

    def __init__(self, config: FastSCNNConfig) -> None:
        between = config.depthwise_activation
        super().__init__(
            ConvBNReLU(3, 32, 3, stride=2, padding=config.stem_padding),
            DSConv(32, 48, stride=2, between=between, padding=config.stride_padding),
            DSConv(48, self.OUT_CHANNELS, stride=2, between=between, padding=config.stride_padding),
        )


class GlobalFeatureExtractor(nn.Sequential):
    """The deep path (§3.2.2): 64×H/8×W/8 → 128×H/32×W/32."""

    STAGES = ((64, 2), (96, 2), (128, 1))
    """Channels and stride of each stage of bottlenecks."""
    OUT_CHANNELS = 128

    def __init__(self, config: FastSCNNConfig) -> None:
        layers: list[nn.Module] = []
        before = LearningToDownsample.OUT_CHANNELS
        activation = config.bottleneck_activation
        for (channels, stride), repeats in zip(self.STAGES, config.repeats, strict=True):
            for position in range(repeats):
                layers.append(
                    Bottleneck(
                        before,
                        channels,
                        stride=stride if position == 0 else 1,
                        activation=activation,
                        padding=config.stride_padding,
                    )
                )
                before = channels
        pyramid = PyramidPooling(
            before,
            self.OUT_CHANNELS,
            bins=config.pyramid_bins,
            norm=config.pyramid_norm,
            kernel=config.pyramid_kernel,
            align_corners=config.pyramid_align_corners,
            windows=config.pyramid_windows,
            strided=config.pyramid_strided,
        )
        super().__init__(*layers, pyramid)
        self.channels = pyramid.channels


class Classifier(nn.Sequential):
    """Two DSConv, dropout and the class convolution (§3.2.4): 128×h×w → classes×h×w."""

    def __init__(self, channels: int, config: FastSCNNConfig) -> None:
        between, classes = config.depthwise_activation, config.num_classes
        final = [nn.BatchNorm2d(classes), *activation_layers("relu")] if config.final_norm else []
        super().__init__(
            DSConv(channels, channels, between=between),
            DSConv(channels, channels, between=between),
            nn.Dropout(config.dropout),
            nn.Conv2d(channels, classes, 1),
            *final,
        )


class FastSCNN(nn.Module):
    """The network of the paper.

    Input N×3×H×W, normalised, H and W at least 32, odd sizes included; output N×classes×⌈H/8⌉×⌈W/8⌉
    logits. How logits become labels at full size is ``fastscnn.upsampling.upsample``'s matter.

    Example:
        >>> import torch
        >>> FastSCNN().eval()(torch.zeros(1, 3, 64, 97)).shape
        torch.Size([1, 19, 8, 13])
    """

    def __init__(self, config: FastSCNNConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FastSCNNConfig()
        self.learning_to_downsample = LearningToDownsample(config)
        self.global_feature_extractor = GlobalFeatureExtractor(config)
        self.feature_fusion = FeatureFusion(
            LearningToDownsample.OUT_CHANNELS,
            self.global_feature_extractor.channels,
            128,
            dilation=config.fusion_dilation,
            dense=config.fusion_dense,
            align_corners=config.align_corners,
            nearest=config.fusion_nearest,
            separable=config.fusion_separable,
        )
        self.classifier = Classifier(128, config)

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

    def __init__(
        self,
        num_classes: int = NUM_CLASSES,
        low_channels: int = GlobalFeatureExtractor.OUT_CHANNELS,
    ) -> None:
        super().__init__()
        self.high = nn.Sequential(
            ConvBNReLU(LearningToDownsample.OUT_CHANNELS, 64, 3), nn.Conv2d(64, num_classes, 1)
        )
        self.low = nn.Sequential(ConvBNReLU(low_channels, 64, 3), nn.Conv2d(64, num_classes, 1))

    def forward(self, high: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
        """Logits at 1/8 and at 1/32 size."""
        return self.high(high), self.low(low)
