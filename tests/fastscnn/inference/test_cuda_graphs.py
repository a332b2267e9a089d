"""What is recorded for a GPU gives what it gave unrecorded; here with a recorder on the host."""

import gc
import threading
import time
import weakref

import pytest
import torch

from fastscnn import Segmenter
from fastscnn.inference.cuda_graphs import CudaGraphRecorder, GraphRecorder, GraphReplay

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


class HostRecorder(GraphRecorder):
    """Replays by running the work again into the memory of the first time."""

    def __init__(self, error=None):
        self.recorded = self.replays = 0
        self.error = error
        self.now = "compute"
        self.freed = 0

    def queue(self):
        return self.now

    def record(self, work):
        if self.error is not None:
            raise self.error
        self.recorded += 1
        outputs = work()

        def replay():
            self.replays += 1
            time.sleep(0)  # lets another thread in, as a launch does
            for mine, new in zip(outputs, work(), strict=True):
                mine.copy_(new)

        return replay, outputs

    def seconds(self, replay):
        return 0.0

    def free(self):
        self.freed += 1


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


@pytest.mark.parametrize("covered", [False, True])
def test_where_memory_runs_out_while_recording_it_is_tried_again_later(covered):
    error = torch.OutOfMemoryError("too large")
    if covered:  # as the end of a recording that broke off covers why it did
        cover = RuntimeError("operation failed due to a previous error during capture")
        cover.__context__, error = error, cover
    recorder = HostRecorder()
    replayed = GraphReplay(work, recorder)
    replayed(pixels(1), (True,))
    assert replayed.kept
    recorder.error = error
    [seen] = replayed(pixels(2, (8, 8)), (True,))
    assert torch.equal(seen, work(pixels(2, (8, 8)), (True,))[0])
    assert replayed.refused == "memory ran out"
    assert replayed.kept == 0  # what was kept may be what was lacking
    assert recorder.freed
    recorder.error = None
    for _ in range(GraphReplay._PATIENCE):
        replayed(pixels(3), (True,))
    assert not replayed.refused
    assert replayed.kept


def test_recordings_are_given_up_for_an_image_that_they_leave_no_room_for():
    def tight(given, skips):
        if replayed.kept and given.shape[0] > 4:
            raise torch.OutOfMemoryError("too large")
        return work(given, skips)

    replayed = GraphReplay(tight, HostRecorder())
    replayed(pixels(1), (True,))
    assert replayed.kept
    [seen] = replayed(pixels(2, (8, 8)), (True,))
    assert seen.shape == (8, 8)
    assert not replayed._refused


@pytest.mark.parametrize("sizes", [((4, 6), (4, 6)), ((4, 6), (8, 6))])
@pytest.mark.parametrize(
    "skips", [((True,), (True,)), ((True,), (False,)), ((True,), (True, False))]
)
def test_threads_that_share_a_network_get_their_own_logits(sizes, skips):
    replayed = GraphReplay(work, HostRecorder())
    wrong = []

    def run(mine):
        given = pixels(10 + mine, sizes[mine])
        wanted = work(given, skips[mine])
        for _ in range(100):
            got = replayed(given, skips[mine])
            wrong.extend(not torch.equal(*pair) for pair in zip(got, wanted, strict=True))

    threads = [threading.Thread(target=run, args=(mine,)) for mine in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) >= 200
    assert not any(wrong)


def test_a_network_is_freed_with_its_last_user_and_not_some_time_later():
    segmenter = Segmenter.from_checkpoint(device="cpu", runtime="torch", input_size=(32, 32))
    runtime = segmenter._runtime
    runtime._replayed = GraphReplay(runtime._eager, HostRecorder())
    segmenter.logits(pixels(1, (32, 32)))
    held = weakref.ref(runtime._replayed)
    gc.disable()
    try:
        del segmenter, runtime
        assert held() is None
    finally:
        gc.enable()


@needs_cuda
def test_a_recording_that_fails_leaves_the_stream_in_use_current():
    device = torch.device("cuda")
    stream = torch.cuda.Stream(device)
    with torch.cuda.stream(stream):
        with pytest.raises(RuntimeError):
            CudaGraphRecorder(device).record(lambda: (torch.ones(1, device=device).cpu(),))
        assert torch.cuda.current_stream(device) == stream


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
