"""What is recorded for a GPU gives what it gave unrecorded; here with a recorder on the host."""

import pytest
import torch

from fastscnn import Segmenter
from fastscnn.inference.cuda_graphs import GraphRecorder, GraphReplay

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


class HostRecorder(GraphRecorder):
    """Replays by running the work again into the memory of the first time."""

    def __init__(self, error=None):
        self.recorded = self.replays = 0
        self.error = error
        self.now = "compute"

    def queue(self):
        return self.now

    def record(self, work):
        if self.error is not None:
            raise self.error
        self.recorded += 1
        outputs = work()

        def replay():
            self.replays += 1
            for mine, new in zip(outputs, work(), strict=True):
                mine.copy_(new)

        return replay, outputs


def work(pixels, skips):
    return tuple(pixels.float().mean(dim=2) * (2 if skip else 3) for skip in skips)


def pixels(value, size=(4, 6)):
    return torch.full((*size, 3), value, dtype=torch.uint8)


def same(given, value, skips):
    for one, wanted in zip(given, work(pixels(value), skips), strict=True):
        assert torch.equal(one, wanted)


@pytest.mark.parametrize("skips", [(True,), (False,), (True, False)])
def test_every_frame_gets_its_own_logits(skips):
    replayed = GraphReplay(work, HostRecorder())
    for value in (1, 7, 200):
        same(replayed(pixels(value), skips), value, skips)


def test_results_outlive_the_next_frame():
    replayed = GraphReplay(work, HostRecorder())
    replayed(pixels(1), (True,))
    [kept] = replayed(pixels(2), (True,))
    replayed(pixels(9), (True,))
    same([kept], 2, (True,))


def test_the_other_setting_of_the_skip_connection_is_ready_when_it_is_wanted():
    recorder = HostRecorder()
    replayed = GraphReplay(work, recorder)
    replayed(pixels(1), (True,))
    recorded = recorder.recorded
    same(replayed(pixels(5), (False,)), 5, (False,))
    assert recorder.recorded == recorded
    assert recorder.replays == 1


def test_a_recording_serves_one_size_and_one_queue():
    recorder = HostRecorder()
    replayed = GraphReplay(work, recorder)
    replayed(pixels(1), (True,))
    assert replayed(pixels(3, (8, 8)), (True,))[0].shape == (8, 8)
    recorder.now = "another"
    same(replayed(pixels(4), (True,)), 4, (True,))
    assert recorder.replays == 0


def test_sizes_that_were_not_used_lately_are_given_up():
    recorder = HostRecorder()
    replayed = GraphReplay(work, recorder)
    for height in range(4, 14):
        replayed(pixels(1, (height, 6)), (True,))
    recorded = recorder.recorded
    replayed(pixels(1, (13, 6)), (True,))
    assert recorder.recorded == recorded
    replayed(pixels(1, (4, 6)), (True,))
    assert recorder.recorded > recorded


def test_where_recording_fails_the_network_goes_on_without_and_says_why():
    recorder = HostRecorder(RuntimeError("operation not permitted\nwhen stream is capturing"))
    replayed = GraphReplay(work, recorder)
    for value in (1, 2, 3):
        same(replayed(pixels(value), (True,)), value, (True,))
    assert replayed.refused == "operation not permitted"


def test_out_of_memory_is_the_caller_s_and_gives_recordings_up():
    room = 30

    def tight(given, skips):
        if given.shape[0] * given.shape[1] > room:
            raise torch.OutOfMemoryError("too large")
        return work(given, skips)

    recorder = HostRecorder()
    replayed = GraphReplay(tight, recorder)
    replayed(pixels(1), (True,))
    with pytest.raises(torch.OutOfMemoryError):
        replayed(pixels(1, (8, 8)), (True,))
    assert not replayed.refused
    recorded = recorder.recorded
    same(replayed(pixels(6), (True,)), 6, (True,))
    assert recorder.recorded > recorded


@needs_cuda
@pytest.mark.parametrize("skips", [(True,), (False,), (True, False)])
def test_cuda_graphs_give_the_logits_of_the_first_frame_s_eager_run(skips):
    segmenter = Segmenter.from_checkpoint(device="cuda", precision="fp32", input_size="exact")
    generator = torch.Generator().manual_seed(1)
    given = torch.randint(0, 256, (128, 256, 3), dtype=torch.uint8, generator=generator).cuda()
    eager = segmenter.logits_of(given, skips)
    segmenter.logits_of(torch.zeros_like(given), skips)
    for one, wanted in zip(segmenter.logits_of(given, skips), eager, strict=True):
        assert torch.allclose(one, wanted, atol=1e-3)
    assert segmenter.runtime.endswith("CUDA graphs")
