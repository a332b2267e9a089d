"""Mixed precision: what a layer computes and learns is float32's, but for rounding."""

import pytest
import torch
from torch import nn

from fastscnn.training.optimisation import Stepper

CPU = torch.device("cpu")


def passes(layer: nn.Conv2d, image: torch.Tensor, amp: str) -> list[torch.Tensor]:
    """Output of a layer, and the gradients of its sum of squares by image and weight."""
    image = image.clone().requires_grad_()
    layer.zero_grad()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    network = nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels))
    stepper = Stepper(network, optimizer, amp=amp, device=CPU, clip=0)
    with stepper.autocast():
        out = layer(image)
    out.float().square().sum().backward()
    assert out.dtype == (torch.float32 if amp == "none" else torch.bfloat16)
    found = [out.detach().float(), image.grad, *(p.grad for p in layer.parameters())]
    assert all(tensor is not None and tensor.dtype == torch.float32 for tensor in found)
    return found


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("groups", [1, 16])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_convolutions_in_bfloat16_on_the_cpu_learn_as_in_float32(stride, dilation, groups, bias):
    torch.manual_seed(1)
    shape = {"padding": dilation, "stride": stride, "dilation": dilation, "groups": groups}
    layer = nn.Conv2d(16, 16, 3, bias=bias, **shape)
    image = torch.randn(2, 16, 23, 31).contiguous(memory_format=torch.channels_last)
    for exact, rounded in zip(
        passes(layer, image, "none"), passes(layer, image, "bf16"), strict=True
    ):
        assert exact.shape == rounded.shape
        assert (exact - rounded).norm() < 0.02 * exact.norm()
