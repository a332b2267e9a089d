"""The layout of activations is the one that took less time where it runs."""

import pytest
import torch

from fastscnn import Segmenter
from fastscnn.inference.memory_layout import LAYOUTS, fastest_layout
from tests.fastscnn.inference.test_cuda_graphs import HostRecorder, pixels, work


class Timed(HostRecorder):
    """Tells a given time for each layout; ``None`` is one that cannot be recorded."""

    def __init__(self, times):
        super().__init__()
        self.times = times
        self.layout = None

    def lay_out(self, layout):
        self.layout = layout
        return work

    def record(self, run):
        if self.times[self.layout] is None:
            raise torch.OutOfMemoryError("too large")
        return super().record(run)

    def seconds(self, replay):
        replay()
        return self.times[self.layout]


@pytest.mark.parametrize("fastest", LAYOUTS)
def test_the_faster_layout_is_taken(fastest):
    recorder = Timed({layout: 1.0 + (layout != fastest) for layout in LAYOUTS})
    assert fastest_layout(recorder.lay_out, recorder, pixels(0)) == fastest
    assert recorder.recorded == len(LAYOUTS)


@pytest.mark.parametrize("lacking", LAYOUTS)
def test_a_layout_that_cannot_be_recorded_is_not_taken(lacking):
    recorder = Timed(dict.fromkeys(LAYOUTS, 1.0) | {lacking: None})
    assert fastest_layout(recorder.lay_out, recorder, pixels(0)) != lacking


def test_where_nothing_is_recorded_none_is_said_to_be_faster():
    recorder = Timed(dict.fromkeys(LAYOUTS))
    assert fastest_layout(recorder.lay_out, recorder, pixels(0)) is None


@pytest.mark.parametrize("fastest", LAYOUTS)
def test_a_network_that_was_measured_gives_the_same_logits_in_either_layout(fastest):
    segmenter = Segmenter.from_checkpoint(device="cpu", precision="fp32", runtime="torch")
    given = torch.arange(64 * 96 * 3).remainder(251).to(torch.uint8).reshape(64, 96, 3)
    before = segmenter.logits(given)
    eager = segmenter._runtime._eager
    recorder = Timed({layout: 1.0 + (layout != fastest) for layout in LAYOUTS})

    def lay_out(layout):
        recorder.lay_out(layout)
        return eager.lay_out(layout)

    assert fastest_layout(lay_out, recorder, given) == fastest
    eager.lay_out(fastest)
    assert torch.allclose(segmenter.logits(given), before, atol=1e-4)
