"""The way that runs on a card is the fastest of those that are right."""

import pytest
import torch

from fastscnn import Segmenter
from fastscnn.checkpoints.checkpoint import load
from fastscnn.checkpoints.model_zoo import default_checkpoint
from fastscnn.inference import card_ways
from fastscnn.inference.card_ways import alike, checked, times
from fastscnn.inference.runtimes import card_ways as ways_of_network
from tests.fastscnn.inference.test_cuda_graphs import HostRecorder, pixels

NAMES = ("usual", "other", "third")


class Timed(HostRecorder):
    """Tells a given time for each way, in their order."""

    def __init__(self, seconds):
        super().__init__()
        self._seconds = iter(seconds)

    def seconds(self, replay):
        replay()
        return next(self._seconds)


def network(factor=1.0, broken=None):
    def run(given, skips):
        if broken is not None:
            raise broken
        return tuple(given.half() * factor * (2 if skip else 1) for skip in skips)

    return lambda: run


@pytest.fixture
def given():
    return pixels(7)


@pytest.mark.parametrize("seconds", [(1, 2, 3), (2, 1, 3), (3, 2, 1)])
def test_the_fastest_way_is_taken(seconds, given):
    ways = {name: network() for name in NAMES}
    found = times(ways, Timed(seconds), given)
    assert found == dict(zip(NAMES, seconds, strict=True))
    order = sorted(found, key=found.__getitem__)
    assert checked(order, ways, given)[0] == NAMES[seconds.index(1)]


@pytest.mark.parametrize("factor", [1.1, 0.0, float("nan"), float("inf")])
def test_a_way_with_other_logits_is_never_taken(factor, given):
    ways = {"usual": network(), "other": network(factor), "third": network()}
    assert list(times(ways, Timed((2, 3)), given)) == ["usual", "third"]
    assert checked(["other", "third", "usual"], ways, given)[0] == "third"


def test_a_way_that_rounds_otherwise_may_be_taken(given):
    ways = {"usual": network(), "other": network(1.001)}
    assert checked(["other", "usual"], ways, given)[0] == "other"


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("too large"), ImportError("no triton"), KeyError("ptxas")]
)
def test_a_way_that_fails_is_not_taken(error, given):
    ways = {"usual": network(), "other": network(broken=error), "third": network()}
    assert list(times(ways, Timed((2, 1)), given)) == ["usual", "third"]
    name, run = checked(["other", "usual"], ways, given)
    assert name == "usual"
    assert torch.equal(run(given, (False,))[0], given.half())


def test_where_nothing_can_be_recorded_the_usual_way_is_taken(given):
    class Refusing(HostRecorder):
        def record(self, work):
            raise RuntimeError("no graphs here")

    ways = {name: network() for name in NAMES}
    assert times(ways, Refusing(), given) == {}
    assert checked([], ways, given)[0] == "usual"


def test_logits_of_another_shape_are_not_alike():
    assert not alike((torch.ones(1, 3, 4, 4),), (torch.ones(1, 3, 4, 5),))


def test_the_measured_picture_has_light_and_dark_in_all_colours():
    picture = card_ways.picture(torch.device("cpu"))
    assert picture.shape == (512, 1024, 3)
    assert picture.dtype == torch.uint8
    assert (picture.float().std(dim=(0, 1)) > 20).all()


@pytest.mark.parametrize("way", ["NCHW", "channels last"])
def test_a_network_gives_the_same_logits_in_either_layout(way):
    segmenter = Segmenter.from_checkpoint(device="cpu", precision="fp32", runtime="torch")
    given = torch.arange(64 * 96 * 3).remainder(251).to(torch.uint8).reshape(64, 96, 3)
    before = segmenter.logits(given)
    ways = ways_of_network(load(default_checkpoint()), torch.device("cpu"), torch.float32)
    assert way in ways
    assert len(ways) == 2  # kernels are for the smaller number formats
    with torch.inference_mode():
        (found,) = ways[way]()(given, (True,))
    assert torch.allclose(found, before, atol=1e-4)
