"""What trainings and wrappers put around a network changes nothing about it."""

import pickle

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from fastscnn.checkpoints.checkpoint import Checkpoint, CheckpointError, load, save
from fastscnn.model.fast_scnn import FastSCNN
from tests.support.reference_models import PaddleLike, SegmenTronLike, randomise


class _Holder(nn.Module):
    """A training's own module that holds the network beside things of its own."""

    def __init__(self, **members):
        super().__init__()
        for name, member in members.items():
            self.add_module(name, member)
        self.register_buffer("class_weights", torch.ones(19))


@pytest.fixture(scope="module")
def original():
    torch.manual_seed(0)
    return randomise(SegmenTronLike())


@pytest.fixture(scope="module")
def expected(original, tmp_path_factory):
    path = tmp_path_factory.mktemp("bare") / "bare.pth"
    torch.save(original.state_dict(), path)
    return load(path).model.state_dict()


def _assert_same(checkpoint, expected):
    for name, tensor in checkpoint.model.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


WRAPPERS = {
    "compiled": torch.compile,
    "several GPUs": nn.DataParallel,
    "compiled on several GPUs": lambda net: nn.DataParallel(torch.compile(net)),
    "averaged": AveragedModel,
    "a member": lambda net: _Holder(model=net),
    "a member of a member": lambda net: _Holder(task=_Holder(student_net=torch.compile(net))),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("nest", [lambda s: s, lambda s: {"epoch": 7, "run": {"weights": s}}])
def test_a_wrapped_network_is_read_as_the_bare_one(tmp_path, original, expected, wrap, nest):
    torch.save(nest(wrap(original).state_dict()), tmp_path / "w.pth")
    _assert_same(load(tmp_path / "w.pth"), expected)


@pytest.mark.parametrize("prefix", ["model.", "net/", "x", "module._orig_mod.m.", "ein Wort."])
def test_any_prefix_means_nothing(tmp_path, original, expected, prefix):
    state = {prefix + name: tensor for name, tensor in original.state_dict().items()}
    torch.save(
        {"state_dict": state, "optimizer": {"state": {0: {"step": torch.tensor(3)}}}},
        tmp_path / "p.pth",
    )
    _assert_same(load(tmp_path / "p.pth"), expected)


def test_a_network_compiled_in_parts_is_read_as_the_bare_one(tmp_path, original, expected):
    whole = SegmenTronLike()
    whole.load_state_dict(original.state_dict())
    whole.feature_fusion = torch.compile(whole.feature_fusion)
    assert any(name.startswith("feature_fusion._orig_mod.") for name in whole.state_dict())
    torch.save(whole.state_dict(), tmp_path / "c.pth")
    _assert_same(load(tmp_path / "c.pth"), expected)


def test_wrappers_around_our_own_format_mean_nothing_either(tmp_path):
    torch.manual_seed(1)
    network = FastSCNN().eval()
    save(Checkpoint(network, mean=(0.1, 0.2, 0.3)), tmp_path / "o.pth")
    values = torch.load(tmp_path / "o.pth", weights_only=True)
    values["weights"] = {f"module._orig_mod.{n}": t for n, t in values["weights"].items()}
    torch.save({"best": values, "epoch": 3}, tmp_path / "w.pth")
    checkpoint = load(tmp_path / "w.pth")
    assert checkpoint.mean == (0.1, 0.2, 0.3)
    _assert_same(checkpoint, network.state_dict())


@pytest.mark.parametrize("nest", [lambda s: {"model": s, "epoch": 2}, lambda s: {"a": {"b": s}}])
def test_nested_paddle_weights_are_read_as_the_bare_ones(tmp_path, nest):
    state = randomise(PaddleLike()).paddle_state()
    for name, content in (("bare", state), ("nested", nest(state))):
        with (tmp_path / f"{name}.pdparams").open("wb") as file:
            pickle.dump(content, file, protocol=4)
    _assert_same(
        load(tmp_path / "nested.pdparams"), load(tmp_path / "bare.pdparams").model.state_dict()
    )


def test_the_network_itself_goes_before_its_average(tmp_path, original, expected):
    average = randomise(SegmenTronLike()).state_dict()
    torch.save({"ema": average, "state_dict": original.state_dict()}, tmp_path / "e.pth")
    _assert_same(load(tmp_path / "e.pth"), expected)


@pytest.mark.parametrize(
    "content",
    [
        lambda a, b: _Holder(teacher=a, student=b).state_dict(),
        lambda a, b: {"teacher": a.state_dict(), "student": b.state_dict()},
    ],
)
def test_two_networks_in_a_file_are_named_and_refused(tmp_path, original, content):
    torch.save(content(original, SegmenTronLike()), tmp_path / "two.pth")
    with pytest.raises(CheckpointError, match=r"2 networks \(teacher, student\): save the one"):
        load(tmp_path / "two.pth")


def test_a_tensor_missing_under_a_prefix_is_refused(tmp_path, original):
    state = {f"net.{name}": tensor for name, tensor in original.state_dict().items()}
    state["classifier.conv.1.bias"] = state.pop("net.classifier.conv.1.bias")
    torch.save(state, tmp_path / "m.pth")
    with pytest.raises(CheckpointError, match=r"classifier\.3\.bias is missing"):
        load(tmp_path / "m.pth")


def test_a_dictionary_that_holds_itself_is_refused_at_once(tmp_path):
    circle = {"a": 1}
    circle["self"] = {"again": circle}
    torch.save(circle, tmp_path / "circle.pth")
    with pytest.raises(CheckpointError, match="no Fast-SCNN that is known"):
        load(tmp_path / "circle.pth")


@pytest.mark.parametrize(
    "stated",
    [
        {"classes": ["lane", "kerb", "grass", "sky", "car"]},
        {"meta": {"CLASSES": ("lane", "kerb", "grass", "sky", "car")}},
        {"meta": {"dataset_meta": {"classes": ("lane", "kerb", "grass", "sky", "car")}}},
        {
            "hyper_parameters": {
                "id2label": dict(enumerate(["lane", "kerb", "grass", "sky", "car"]))
            }
        },
    ],
)
def test_names_of_classes_that_a_training_states_are_read(tmp_path, stated):
    torch.save(stated | {"state_dict": SegmenTronLike(5).state_dict()}, tmp_path / "f.pth")
    assert load(tmp_path / "f.pth").classes.names == ("lane", "kerb", "grass", "sky", "car")


@pytest.mark.parametrize("stated", [{}, {"classes": ["one"]}, {"classes": [1, 2, 3, 4, 5]}])
def test_classes_without_usable_names_are_numbered(tmp_path, stated):
    torch.save(stated | {"state_dict": SegmenTronLike(5).state_dict()}, tmp_path / "f.pth")
    assert load(tmp_path / "f.pth").classes.names == ("0", "1", "2", "3", "4")


def test_a_name_of_a_class_becomes_one_short_line(tmp_path):
    names = ["a\nb", "\x1b[31mred", "x" * 5000, "ä", "e"]
    torch.save({"classes": names, "m": SegmenTronLike(5).state_dict()}, tmp_path / "f.pth")
    assert load(tmp_path / "f.pth").classes.names == ("a b", "[31mred", "x" * 40, "ä", "e")
