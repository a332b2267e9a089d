"""Second, literal implementations of public variants, to compare conversions against."""

import torch
import torch.nn.functional as F
from torch import nn


def randomise(network):
    """Random weights and batch-norm statistics, in evaluation mode."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.3)
            nn.init.normal_(layer.running_mean, std=0.3)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
        elif isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.normal_(layer.bias, std=0.5)
    return network.eval()


def _named(**layers):
    sequence = nn.Sequential()
    for name, layer in layers.items():
        sequence.add_module(name, layer)
    return sequence


class SegmenTronLike(nn.Module):
    """No padding in the stem, ReLU between depthwise and pointwise, ReLU6 in the bottlenecks."""

    def __init__(self, classes=19):
        super().__init__()
        self.learning_to_downsample = _named(
            conv=self._cbr(3, 32, 3, stride=2),
            dsconv1=self._separable(32, 48, 2),
            dsconv2=self._separable(48, 64, 2),
        )
        self.global_feature_extractor = _named(
            bottleneck1=self._stage(64, 64, 2),
            bottleneck2=self._stage(64, 96, 2),
            bottleneck3=self._stage(96, 128, 1),
            ppm=_named(convs=nn.ModuleList(self._cbr(128, 32) for _ in range(4))),
            out=self._cbr(256, 128),
        )
        self.feature_fusion = _named(
            dwconv=self._cbr(128, 128),
            conv_lower_res=nn.Sequential(nn.Conv2d(128, 128, 1), nn.BatchNorm2d(128)),
            conv_higher_res=nn.Sequential(nn.Conv2d(64, 128, 1), nn.BatchNorm2d(128)),
        )
        self.classifier = _named(
            dsconv1=self._separable(128, 128, 1),
            dsconv2=self._separable(128, 128, 1),
            conv=nn.Sequential(nn.Dropout(0.1), nn.Conv2d(128, classes, 1)),
        )
        self.auxlayer = nn.Sequential(nn.Conv2d(64, 32, 3))  # has to be left out

    @staticmethod
    def _cbr(i, o, k=1, stride=1, padding=0, groups=1, six=False):
        return _named(
            conv=nn.Conv2d(i, o, k, stride, padding, groups=groups, bias=False),
            bn=nn.BatchNorm2d(o),
            relu=nn.ReLU6() if six else nn.ReLU(),
        )

    @staticmethod
    def _separable(i, o, stride):
        block = _named(
            depthwise=nn.Conv2d(i, i, 3, stride, 1, groups=i, bias=False),
            bn_depth=nn.BatchNorm2d(i),
            relu1=nn.ReLU(),
            pointwise=nn.Conv2d(i, o, 1, bias=False),
            bn_point=nn.BatchNorm2d(o),
            relu2=nn.ReLU(),
        )
        return _named(block=block)

    def _stage(self, i, o, stride):
        blocks = nn.Sequential()
        for number in range(3):
            s, n = (stride, i) if number == 0 else (1, o)
            conv = nn.Sequential(
                self._cbr(n, 6 * n, six=True),
                self._cbr(6 * n, 6 * n, 3, s, 1, 6 * n, six=True),
                nn.Conv2d(6 * n, o, 1, bias=False),
                nn.BatchNorm2d(o),
            )
            blocks.append(_named(conv=conv))
        return blocks

    def forward(self, x):
        high = self.learning_to_downsample(x)
        deep, low = self.global_feature_extractor, high
        for stage in (deep.bottleneck1, deep.bottleneck2, deep.bottleneck3):
            for block in stage:
                out = block(low)
                low = low + out if out.shape == low.shape else out
        levels = [low]
        for bins, conv in zip((1, 2, 3, 6), deep.ppm.convs, strict=True):
            cells = conv(F.adaptive_avg_pool2d(low, bins))
            levels.append(F.interpolate(cells, low.shape[2:], mode="bilinear", align_corners=True))
        low = deep.out(torch.cat(levels, 1))
        low = F.interpolate(low, high.shape[2:], mode="bilinear", align_corners=True)
        fusion = self.feature_fusion
        low = fusion.conv_lower_res(fusion.dwconv(low))
        return self.classifier(F.relu(low + fusion.conv_higher_res(high)))


class PaddleLike(nn.Module):
    """Biased convolutions, levels concatenated backwards, "same" padding as TensorFlow's."""

    def __init__(self, classes=19):
        super().__init__()
        self.learning_to_downsample = _named(
            conv_bn_relu=self._cb(3, 32, 3, 2),
            dsconv_bn_relu1=self._separable(32, 48, 2),
            dsconv_bn_relu2=self._separable(48, 64, 2),
        )
        self.global_feature_extractor = _named(
            bottleneck1=self._stage(64, 64, 2),
            bottleneck2=self._stage(64, 96, 2),
            bottleneck3=self._stage(96, 128, 1),
            ppm=_named(
                stages=nn.ModuleList(
                    nn.Sequential(nn.AdaptiveAvgPool2d(n), self._cb(128, 32)) for n in (1, 2, 3, 6)
                ),
                conv_bn_relu2=self._cb(256, 128, 3, padding=1),
            ),
        )
        self.feature_fusion = _named(
            dwconv=self._cb(128, 128, 3, padding=1, groups=128, bias=False),
            conv_low_res=self._cb(128, 128),
            conv_high_res=self._cb(64, 128),
        )
        self.classifier = _named(
            dsconv1=self._separable(128, 128, 1),
            dsconv2=self._separable(128, 128, 1),
            conv=nn.Conv2d(128, classes, 1),
        )

    @staticmethod
    def _cb(i, o, k=1, stride=1, padding=0, groups=1, bias=True):
        return _named(
            _conv=nn.Conv2d(i, o, k, stride, padding, groups=groups, bias=bias),
            _batch_norm=nn.BatchNorm2d(o),
        )

    def _separable(self, i, o, stride):
        return _named(depthwise_conv=self._cb(i, i, 3, stride, 1, i), piontwise_conv=self._cb(i, o))

    def _stage(self, i, o, stride):
        blocks = nn.Sequential()
        for number in range(3):
            s, n = (stride, i) if number == 0 else (1, o)
            block = nn.Sequential(
                self._cb(n, 6 * n, bias=False),
                self._cb(6 * n, 6 * n, 3, s, 1, 6 * n, bias=False),
                self._cb(6 * n, o, bias=False),
            )
            blocks.append(_named(block=block))
        return blocks

    def forward(self, x):
        def separable(block, x):
            return F.relu(block.piontwise_conv(block.depthwise_conv(x)))

        # "same": as much padding as an output of ceil(n / 2) needs, the odd one at the end
        pads = []
        for n in (x.shape[3], x.shape[2]):
            total = max((-(-n // 2) - 1) * 2 + 3 - n, 0)
            pads += [total // 2, total - total // 2]
        down = self.learning_to_downsample
        high = F.relu(down.conv_bn_relu(F.pad(x, pads)))
        high = separable(down.dsconv_bn_relu2, separable(down.dsconv_bn_relu1, high))
        deep, low = self.global_feature_extractor, high
        for stage in (deep.bottleneck1, deep.bottleneck2, deep.bottleneck3):
            for bottleneck in stage:
                expand, depthwise, project = bottleneck.block
                out = project(F.relu(depthwise(F.relu(expand(low)))))
                low = low + out if out.shape == low.shape else out
        levels = []
        for stage in deep.ppm.stages:
            cells = F.relu(stage(low))
            levels.append(F.interpolate(cells, low.shape[2:], mode="bilinear", align_corners=True))
        low = F.relu(deep.ppm.conv_bn_relu2(torch.cat([low, *reversed(levels)], 1)))
        low = F.interpolate(low, high.shape[2:], mode="bilinear", align_corners=False)
        fusion = self.feature_fusion
        low = fusion.conv_low_res(F.relu(fusion.dwconv(low)))
        x = F.relu(low + fusion.conv_high_res(high))
        x = separable(self.classifier.dsconv2, separable(self.classifier.dsconv1, x))
        return self.classifier.conv(x)

    def paddle_state(self):
        """The weights as Paddle stores them: numpy arrays, statistics under other names."""
        state = {"StructuredToParameterName@@": {"a": "b"}}
        for name, tensor in self.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            name = name.replace("running_mean", "_mean").replace("running_var", "_variance")
            state[name] = tensor.numpy()
        return state


class MindSporeLike(nn.Module):
    """A stem padded at its end, no biases, pooling for 768×768 pictures, aligned corners."""

    def __init__(self, classes=19):
        super().__init__()
        self.learning_to_downsample = _named(
            conv=self._cbr(3, 32, 3, 2),
            dsconv1=self._separable(32, 48, 2),
            dsconv2=self._separable(48, 64, 2),
        )
        self.global_feature_extractor = _named(
            bottleneck1=self._stage(64, 64, 2),
            bottleneck2=self._stage(64, 96, 2),
            bottleneck3=self._stage(96, 128, 1),
            ppm=_named(
                **{f"conv{level}": self._cbr(128, 32) for level in (1, 2, 3, 4)},
                out=self._cbr(256, 128),
            ),
        )
        self.feature_fusion = _named(
            dwconv=self._cbr(128, 128, 3, padding=1, groups=128),
            conv_lower_res=nn.Sequential(*self._cb(128, 128)),
            conv_higher_res=nn.Sequential(*self._cb(64, 128)),
        )
        self.classifier = _named(
            dsconv1=self._separable(128, 128, 1),
            dsconv2=self._separable(128, 128, 1),
            conv=nn.Sequential(nn.Identity(), nn.Conv2d(128, classes, 1, bias=False)),
        )
        self.auxlayer1 = nn.Sequential(nn.Conv2d(64, 32, 3, bias=False))  # has to be left out

    @staticmethod
    def _cb(i, o, k=1, stride=1, padding=0, groups=1):
        conv = nn.Conv2d(i, o, k, stride, padding, groups=groups, bias=False)
        return conv, nn.BatchNorm2d(o)

    def _cbr(self, *args, **more):
        return _named(conv=nn.Sequential(*self._cb(*args, **more), nn.ReLU()))

    def _separable(self, i, o, stride):
        first, second = self._cb(i, i, 3, stride, 1, i), self._cb(i, o)
        return _named(conv=nn.Sequential(*first, nn.ReLU(), *second, nn.ReLU()))

    def _stage(self, i, o, stride):
        blocks = nn.Sequential()
        for number in range(3):
            s, n = (stride, i) if number == 0 else (1, o)
            depthwise = self._cbr(6 * n, 6 * n, 3, s, 1, 6 * n)
            block = nn.Sequential(self._cbr(n, 6 * n), depthwise, *self._cb(6 * n, o))
            blocks.append(_named(block=block))
        return blocks

    def forward(self, x):
        assert x.shape[2:] == (768, 768)
        high = self.learning_to_downsample(F.pad(x, (0, 1, 0, 1)))
        deep, low = self.global_feature_extractor, high
        for stage in (deep.bottleneck1, deep.bottleneck2, deep.bottleneck3):
            for bottleneck in stage:
                out = bottleneck(low)
                low = low + out if out.shape == low.shape else out
        levels = [low]
        for level, window in ((1, 24), (2, 12), (3, 8), (4, 4)):
            cells = getattr(deep.ppm, f"conv{level}")(F.avg_pool2d(low, window))
            levels.append(F.interpolate(cells, (24, 24), mode="bilinear", align_corners=True))
        low = deep.ppm.out(torch.cat(levels, 1))
        low = F.interpolate(low, scale_factor=4, mode="bilinear", align_corners=True)
        fusion = self.feature_fusion
        low = fusion.conv_lower_res(fusion.dwconv(low))
        return self.classifier(F.relu(low + fusion.conv_higher_res(high)))

    def mindspore_state(self):
        """The weights by MindSpore's names, with what an optimiser leaves beside them."""
        names = {
            "running_mean": "moving_mean",
            "running_var": "moving_variance",
            "bias": "beta",
        }
        norms = {n for n, layer in self.named_modules() if isinstance(layer, nn.BatchNorm2d)}
        state = {}
        for name, tensor in self.state_dict().items():
            layer, _, last = name.rpartition(".")
            if last != "num_batches_tracked":
                gamma = "gamma" if layer in norms else "weight"
                state[f"{layer}.{names.get(last, gamma)}"] = tensor.numpy()
        trained = {n: a for n, a in state.items() if "moving_" not in n}
        return {**state, **{f"accum.{name}": 0 * array for name, array in trained.items()}}
