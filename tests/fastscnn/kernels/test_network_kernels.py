"""The kernels of the network, run by Triton's interpreter where there is no card."""

import pytest

from fastscnn.kernels.kernel_choice import expressible
from fastscnn.model.model_config import FastSCNNConfig
from tests.support.triton_scripts import needs_triton, run_compiler, run_scripts

BEGIN = """
import torch
import torch.nn.functional as F
from torch import nn
from fastscnn.kernels import convolution_launchers as kernels
from fastscnn.kernels.fused_network import FusedNetwork, _Converter
from fastscnn.model import FastSCNN
from fastscnn.model.batch_norm_folding import fold_batch_norm
from fastscnn.model.blocks import ConvBNReLU, DSConv, FeatureFusion, PyramidPooling, resize
from fastscnn.model.model_config import FastSCNNConfig

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.set_grad_enabled(False)
torch.manual_seed(1)
to = _Converter(device, torch.float16)

def settled(module):
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.running_mean, -0.3, 0.3)
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.3, 0.3)
    return module.eval()

def folded(*blocks):
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList(blocks)
    return fold_batch_norm(settled(Holder())).blocks

def picture(height, width, channels):
    return torch.randn(height, width, channels).half()

def planes(x):
    return x.permute(2, 0, 1)[None].float()

def same(found, wanted, off=4e-3):
    wanted = wanted[0].permute(1, 2, 0)
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    assert (found.cpu().float() - wanted).norm() <= off * wanted.norm()
"""

STEM = """
block, = folded(ConvBNReLU(3, 20, 3, stride=2))
scale, shift = torch.tensor([0.017, 0.018, 0.0174]), torch.tensor([-2.1, -2.0, -1.8])
for size in ((16, 18), (9, 7), (1, 1)):
    pixels = torch.randint(0, 256, (*size, 3), dtype=torch.uint8)
    plain = block(planes(pixels * scale + shift))
    same(kernels.stem(pixels.to(device), to.stem(block, scale, shift)), plain)
"""

DEPTHWISE = """
for channels, stride, dilation, activation in (
    (20, 1, 1, "relu"), (80, 2, 1, "none"), (16, 1, 4, "relu"),
):
    block, = folded(ConvBNReLU(
        channels, channels, 3, stride=stride, dilation=dilation, groups=channels,
        activation=activation,
    ))
    for size in ((6, 9), (1, 5)):
        x = picture(*size, channels)
        same(kernels.depthwise(x.to(device), to.depthwise(block)), block(planes(x)))
"""

POINTWISE = """
for channels, outputs, activation in ((20, 19, "none"), (96, 80, "relu")):
    block, other = folded(
        ConvBNReLU(channels, outputs, activation=activation),
        ConvBNReLU(24, outputs, activation="none"),
    )
    layer, side = to.pointwise(block), to.pointwise(other)
    x, y, z = picture(7, 11, channels), picture(7, 11, 24), picture(7, 11, outputs)
    floor = torch.relu if activation == "relu" else lambda values: values
    linear = F.conv2d(planes(x), block[0].weight, block[0].bias)
    on = [values.to(device) for values in (x, y, z)]
    same(kernels.pointwise(on[0], layer), floor(linear))
    same(kernels.pointwise(on[0], layer, residual=on[2]), floor(linear + planes(z)))
    both = kernels.pointwise(on[0], layer.plus(side), side=(on[1], side))
    same(both, floor(linear + other(planes(y))))
"""

SEPARABLE = """
for inside, outside, stride, between in ((20, 48, 2, "none"), (40, 128, 1, "relu")):
    blocks, other = folded(
        DSConv(inside, outside, stride=stride, between=between),
        ConvBNReLU(24, outside, activation="none"),
    )
    x = picture(7, 9, inside)
    depthwise, pointwise = to.separable(blocks)
    side = to.pointwise(other)
    same(kernels.depthwise_pointwise(x.to(device), depthwise, pointwise), blocks(planes(x)))
    y = picture(*depthwise.size_of(x), 24)
    linear = F.conv2d(blocks[0](planes(x)), blocks[1][0].weight, blocks[1][0].bias)
    both = kernels.depthwise_pointwise(
        x.to(device), depthwise, pointwise.plus(side), (y.to(device), side)
    )
    same(both, torch.relu(linear + other(planes(y))))
"""

PYRAMID = """
for size, bins, aligned in (((7, 13), (1, 2, 3, 6), False), ((3, 4), (1, 2, 5, 3), True)):
    module, = folded(PyramidPooling(40, 24, bins=bins, align_corners=aligned))
    x = picture(*size, 40)
    mix, levels = to.pyramid(module)
    means = kernels.pooled(x.to(device), levels)
    for n, found in zip(bins, means.cpu().split([n * n for n in bins]), strict=True):
        assert torch.allclose(found, F.adaptive_avg_pool2d(planes(x), n)[0].flatten(1).T, atol=1e-5)
    cells = kernels.branches(means, levels)
    same(kernels.pyramid_mix(x.to(device), mix, cells, levels, aligned), module(planes(x)))
"""

ENLARGED = """
for small, large in (((3, 4), (12, 15)), ((1, 1), (2, 3)), ((5, 3), (5, 7))):
    for aligned in (False, True):
        x = picture(*small, 20)
        same(kernels.enlarged(x.to(device), large, aligned), resize(planes(x), large, aligned))
"""

NETWORK = """
for size, fuse_from, switches in (
    ((32, 45), 0, {"repeats": (2, 1, 1)}),
    ((41, 33), 10**9, {"depthwise_activation": "relu", "align_corners": True, "num_classes": 3}),
):
    small = {"repeats": (1, 1, 1), "pyramid_bins": (1, 2, 1, 2)}
    model = settled(FastSCNN(FastSCNNConfig(**small | switches)))
    scale, shift = torch.full((3,), 0.017), torch.full((3,), -2.0)
    pixels = torch.randint(0, 256, (*size, 3), dtype=torch.uint8)
    network = FusedNetwork(
        fold_batch_norm(model), scale, shift, device, torch.float16, fuse_from
    )
    for skip, found in zip((True, False), network(pixels.to(device), (True, False)), strict=True):
        plain = model(planes(pixels * scale + shift), skip)
        assert found.shape == plain.shape and found.dtype == torch.float16
        assert (found.cpu().float() - plain).norm() <= 0.01 * plain.norm()
"""

SCRIPTS = {
    "stem": STEM,
    "depthwise": DEPTHWISE,
    "pointwise": POINTWISE,
    "separable": SEPARABLE,
    "pyramid": PYRAMID,
    "enlarged": ENLARGED,
    "network": NETWORK,
}


@pytest.fixture(scope="module")
def said():
    """What each script came to."""
    return run_scripts(BEGIN, SCRIPTS)


@needs_triton
@pytest.mark.parametrize("kernel", SCRIPTS)
def test_a_kernel_gives_what_torch_s_layers_give(kernel, said):
    assert f"{kernel} same" in said.splitlines(), said


SIZED = ("_stem", "_depthwise", "_pointwise", "_depthwise_pointwise", "_pool", "_enlarge")
SIZES = {"height", "width", "out_height", "out_width", "count", "stride", "dilation"}


@needs_triton
def test_no_size_is_compiled_for():
    from fastscnn.kernels import network_kernels

    for kernel in (getattr(network_kernels, name) for name in SIZED):
        for parameter in kernel.params:
            assert parameter.do_not_specialize or parameter.name not in SIZES, parameter.name


class Noted:
    """Stands for a kernel, and notes what Triton would compile it for."""

    def __init__(self, kernel, found):
        self.params, self.found = kernel.params, found

    def __getitem__(self, grid):
        return self

    def __call__(self, *values, **constants):
        kinds = []
        for parameter, value in zip(self.params, values, strict=False):
            if hasattr(value, "data_ptr"):
                value = value.data_ptr()
            elif isinstance(value, float) or parameter.do_not_specialize:
                continue
            kinds.append(value % 16 == 0)
        self.found.add((id(self.params), *kinds, *sorted(constants.items())))


@needs_triton
def test_no_picture_waits_for_a_kernel_to_be_compiled(monkeypatch):
    import torch

    from fastscnn.kernels import network_kernels
    from fastscnn.kernels.fused_network import FusedNetwork
    from fastscnn.model import FastSCNN
    from fastscnn.model.batch_norm_folding import fold_batch_norm

    found = set()
    for name in (*SIZED, "_branch"):
        kernel = getattr(network_kernels, name)
        monkeypatch.setattr(network_kernels, name, Noted(kernel, found))
    ones = torch.ones(3)
    folded = fold_batch_norm(FastSCNN().eval())
    network = FusedNetwork(folded, ones, ones, torch.device("cpu"), torch.float16)
    network.compile()
    ready = set(found)
    assert len(ready) >= 7
    for size in ((64, 64), (512, 1024), (333, 467), (1024, 2048)):
        network(torch.zeros(*size, 3, dtype=torch.uint8), (True, False))
    assert found == ready


COMPILED = """
from fastscnn.kernels import network_kernels as code

def kinds(name):
    if name in {"x", "weights", "side", "side_weights", "residual", "out"}:
        return "*bf16"
    if name in {"floor", "taps_floor"}:
        return "fp32"
    if name in {"scale", "shift", "bias", "taps", "taps_bias", "cells"}:
        return "*fp32"
    return {"pixels": "*u8", "bins": "*i32"}.get(name, "i32")

block = {"BLOCK": 64, "IN": 64, "OUT": 64}
wide = {"BLOCK": 64, "IN": 32, "OUT": 128, "SIDE": True}
switches = {"SIDE": True, "RESIDUAL": True, "LEVELS": 4, "ALIGNED": False}
for kernel, constants, options in (
    (code._stem, {"BLOCK": 128, "OUT": 32}, {}),
    (code._depthwise, {"BLOCK": 32, "IN": 64}, {}),
    (code._pointwise, block | switches, {}),
    (code._depthwise_pointwise, wide, {"num_stages": 2}),
    (code._enlarge, {"ALIGNED": False, "BLOCK": 32, "IN": 64}, {}),
):
    found = compiled(kernel, constants, kinds, **options)
    assert found.metadata.shared <= 65536, kernel  # which all cards have since Turing
    assert ".v4" in found.asm["ptx"], kernel  # 16 bytes at a time
print("compiled")
"""


@needs_triton
@pytest.mark.slow
def test_the_kernels_compile_for_a_card_that_is_not_there(tmp_path):
    assert run_compiler(COMPILED, tmp_path) == "compiled"


@pytest.mark.parametrize(
    ("switches", "known"),
    [
        ({}, True),
        ({"num_classes": 3, "repeats": (1, 2, 3), "pyramid_bins": (1, 2, 4, 8)}, True),
        ({"depthwise_activation": "relu", "align_corners": True}, True),
        ({"depthwise_activation": "relu6"}, False),
        ({"stem_padding": "none"}, False),
        ({"pyramid_kernel": 3}, False),
        ({"fusion_nearest": True}, False),
        ({"final_norm": True}, False),
    ],
)
def test_networks_with_switches_that_no_kernel_knows_are_left_to_torch(switches, known):
    assert expressible(FastSCNNConfig(**switches)) is known
