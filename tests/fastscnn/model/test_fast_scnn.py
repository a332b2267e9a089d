import pytest
import torch
from torch import nn

from fastscnn.model.batch_norm_folding import fold_batch_norm
from fastscnn.model.blocks import Bottleneck, DSConv
from fastscnn.model.fast_scnn import AuxiliaryHeads, FastSCNN
from fastscnn.model.model_config import FastSCNNConfig


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return FastSCNN().eval()


def test_convolution_weights_are_the_papers_1_11_million(network):
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert sum(c.weight.numel() for c in convolutions) == 1_114_096


def test_a_full_size_picture_costs_13_4_gflop(network):
    multiplications = 0

    def count(layer, _, output):
        nonlocal multiplications
        multiplications += output[0, 0].numel() * layer.weight.numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode():
        network(torch.zeros(1, 3, 1024, 2048))
    for hook in hooks:
        hook.remove()
    assert 2 * multiplications / 1e9 == pytest.approx(13.4, abs=0.05)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (65, 32), (100, 231), (360, 640)])
def test_any_size_from_32_gives_logits_at_an_eighth(network, size):
    with torch.inference_mode():
        logits = network(torch.randn(1, 3, *size))
    assert logits.shape == (1, 19, -(-size[0] // 8), -(-size[1] // 8))
    assert torch.isfinite(logits).all()


def test_stages_have_the_sizes_of_table_1(network):
    with torch.inference_mode():
        high, low = network.features(torch.zeros(1, 3, 256, 512))
    assert high.shape == (1, 64, 32, 64)
    assert low.shape == (1, 128, 8, 16)


def test_skip_off_is_the_same_as_a_high_resolution_side_that_adds_zero(network):
    x = torch.randn(1, 3, 64, 96)
    silenced = FastSCNN().eval()
    silenced.load_state_dict(network.state_dict())
    norm = silenced.feature_fusion.high[1]
    nn.init.zeros_(norm.weight)
    nn.init.zeros_(norm.bias)
    with torch.inference_mode():
        assert torch.equal(network(x, skip=False), silenced(x, skip=True))
        assert not torch.allclose(network(x, skip=False), network(x, skip=True))


def test_there_is_no_non_linearity_between_depthwise_and_pointwise():
    depthwise, pointwise = DSConv(8, 8)
    assert not any(isinstance(m, nn.ReLU) for m in depthwise)
    assert any(isinstance(m, nn.ReLU) for m in pointwise)


def test_the_bottlenecks_last_convolution_is_linear():
    assert not any(isinstance(m, nn.ReLU) for m in Bottleneck(8, 8).layers[-1])


def test_residuals_are_added_exactly_where_the_size_is_kept(network):
    blocks = [m for m in network.modules() if isinstance(m, Bottleneck)]
    assert [b.has_residual for b in blocks] == [False, True, True] * 3


def test_the_fusions_depthwise_convolution_has_dilation_4(network):
    assert network.feature_fusion.low_depthwise[0].dilation == (4, 4)


def test_auxiliary_heads_are_no_part_of_the_network(network):
    assert not any("aux" in name for name in network.state_dict())
    high, low = network.features(torch.zeros(1, 3, 64, 64))
    assert [t.shape for t in AuxiliaryHeads().eval()(high, low)] == [(1, 19, 8, 8), (1, 19, 2, 2)]


def test_folding_batch_norm_leaves_the_logits_as_they_are():
    torch.manual_seed(2)
    network = FastSCNN().train()
    with torch.no_grad():
        network(torch.randn(4, 3, 64, 96))  # statistics other than 0 and 1
    network.eval()
    folded = fold_batch_norm(network)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    x = torch.randn(1, 3, 65, 97)
    with torch.inference_mode():
        for skip in (True, False):
            assert torch.allclose(network(x, skip), folded(x, skip), atol=1e-4)


def test_a_configuration_survives_being_stored():
    config = FastSCNNConfig(num_classes=5)
    assert FastSCNNConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"depth": 3}, "depth"),
        ({"num_classes": 10**9}, "num_classes"),
        ({"dropout": 2.0}, "dropout"),
    ],
)
def test_a_nonsensical_configuration_is_refused(values, name):
    with pytest.raises(ValueError, match=name):
        FastSCNNConfig.from_dict(values)
