"""The ring of slots is the same on every device; here it runs over queues that work at once."""

import contextlib
import threading
import time
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.core.frame import Frame
from app.inference.cpu_engine import OverlappedEngine, SerialEngine
from app.inference.cuda_engine import CudaQueues, Queues, StreamEngine
from app.inference.engine_factory import make_engine
from app.rendering.view_options import InferencePass
from fastscnn import Segmenter
from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.upsampling.pixel_probabilities import probabilities_at
from tests.support.media import picture
from tests.support.waiting import PATIENCE

BOTH = [InferencePass(skip=True), InferencePass(skip=False)]

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


class HostQueues(Queues):
    """The order of three queues on the host, with every wait checked."""

    pinned = False
    device = torch.device("cpu")

    def __init__(self):
        self.log = []

    def use(self, queue):
        self.log.append(queue)
        return contextlib.nullcontext()

    def mark(self, queue):
        return (queue, time.monotonic())

    def wait(self, queue, mark):
        self.log.append(f"{queue} waits for {mark[0]}")

    def finish(self, mark):
        self.log.append(f"finish {mark[0]}")

    def seconds(self, earlier, later):
        return later[1] - earlier[1]

    def free(self):
        self.log.append("free")


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter.from_checkpoint(device="cpu", input_size=(64, 96), precision="fp32")


def frame(index, size=(160, 96)):
    return Frame(picture(index, *size), index, index / 30, 0.0)


def overlapping(segmenter):
    return OverlappedEngine(segmenter), StreamEngine(segmenter, HostQueues())


@pytest.mark.parametrize("which", [0, 1])
def test_labels_come_back_in_order_and_equal_those_of_the_segmenter(segmenter, which):
    engine = overlapping(segmenter)[which]
    got = []
    for index in range(7):
        if engine.pending == engine.depth:
            got.append(engine.collect())
        engine.submit(frame(index), [InferencePass(skip=index % 2 == 0)])
    while engine.pending:
        got.append(engine.collect())
    assert [g.frame.index for g in got] == list(range(7))
    for done in got:
        skip = done.frame.index % 2 == 0
        [seen] = done.predictions
        assert seen.run.skip == skip
        assert np.array_equal(seen.labels, segmenter(done.frame.image, skip=skip))


@pytest.fixture(scope="module")
def other():
    torch.manual_seed(3)
    checkpoint = Checkpoint(FastSCNN().eval())
    return Segmenter(checkpoint, device="cpu", input_size=(64, 96), precision="fp32")


def engines(segmenter):
    return (
        SerialEngine(segmenter),
        OverlappedEngine(segmenter),
        StreamEngine(segmenter, HostQueues()),
    )


def test_each_run_sees_what_its_own_network_with_its_own_skip_sees(segmenter, other):
    runs = [
        InferencePass(skip=True, measure="probability"),
        InferencePass(skip=False, weights="b"),
        InferencePass(skip=False, measure="entropy"),
    ]
    for engine in engines(segmenter):
        engine.second = other
        engine.submit(frame(4), runs)
        seen = engine.collect().predictions
        image = frame(4).image
        assert [one.run for one in seen] == runs
        for one in seen:
            network = other if one.run.weights == "b" else segmenter
            plain = network(image, skip=one.run.skip)
            assert (one.labels == plain).mean() > 0.999
        prob = segmenter.prob(image)
        assert seen[0].confidence == pytest.approx(255 * prob.max(0), abs=9)
        assert seen[1].confidence is None
        prob = segmenter.prob(image, skip=False)
        entropy = -(prob * np.log(prob)).sum(0) / np.log(19)
        assert np.abs(seen[2].confidence - 255 * entropy).max() < 20
        assert np.abs(seen[2].confidence - 255 * entropy).mean() < 1


def test_the_shared_part_of_the_network_runs_once_for_both_skips():
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size=(64, 96), runtime="torch")
    calls = []
    hook = segmenter._runtime._eager.model.learning_to_downsample.register_forward_hook(
        lambda *_: calls.append("features")
    )
    try:
        for engine in engines(segmenter):
            engine.submit(frame(0), BOTH)
            engine.collect()
    finally:
        hook.remove()
    assert len(calls) == 3


def test_the_probabilities_of_any_pixel_can_be_told_from_what_comes_back(segmenter):
    for engine in engines(segmenter):
        engine.submit(frame(2), [InferencePass()])
        [seen] = engine.collect().predictions
        plain = segmenter.prob(frame(2).image)
        for row, column in ((0, 0), (95, 159), (40, 81), (3, 120)):
            told = probabilities_at(seen.logits, (96, 160), row, column, seen.aligned)
            assert told == pytest.approx(plain[:, row, column], abs=1e-5)


def test_a_second_checkpoint_that_is_not_there_is_refused(segmenter):
    def run(engine):
        engine.submit(frame(0), [InferencePass(weights="b")])
        engine.collect()

    for engine in engines(segmenter):
        with pytest.raises(RuntimeError, match="no second checkpoint"):
            run(engine)


def test_steps_wait_for_each_other_across_the_queues(segmenter):
    queues = HostQueues()
    engine = StreamEngine(segmenter, queues)
    engine.submit(frame(0), [InferencePass()])
    engine.collect()
    assert queues.log == [
        "upload",
        "compute waits for upload",
        "compute",
        "download waits for compute",
        "download",
        "finish download",
    ]


def test_buffers_are_made_once_per_size_and_used_again(segmenter):
    engine = StreamEngine(segmenter, HostQueues())
    slots = set()
    for index in range(12):
        if engine.pending == engine.depth:
            engine.collect()
        engine.submit(frame(index), [InferencePass()])
        slots.add(id(engine._under_way[-1].slot))
    assert len(slots) == engine.depth


def test_a_change_of_size_gets_buffers_of_its_own(segmenter):
    engine = StreamEngine(segmenter, HostQueues())
    engine.submit(frame(0), [InferencePass()])
    engine.submit(frame(1, (80, 48)), [InferencePass()])
    assert engine.collect().predictions[0].labels.shape == (96, 160)
    assert engine.collect().predictions[0].labels.shape == (48, 80)


def test_labels_outlive_the_slot_they_came_through(segmenter):
    engine = StreamEngine(segmenter, HostQueues())
    engine.submit(frame(0), [InferencePass()])
    first = engine.collect().predictions[0].labels
    kept = first.copy()
    for index in range(1, 6):
        engine.submit(Frame(255 - picture(index), index, 0, 0), [InferencePass()])
        engine.collect()
    assert np.array_equal(first, kept)


def test_a_closed_engine_waits_for_what_is_under_way_and_frees_its_buffers(segmenter):
    queues = HostQueues()
    engine = StreamEngine(segmenter, queues)
    for index in range(3):
        engine.submit(frame(index), [InferencePass()])
    slots = [weakref.ref(under_way.slot) for under_way in engine._under_way]
    del queues.log[:]
    engine.close()
    assert queues.log == ["finish download"] * 3 + ["free"]
    assert not any(slot() for slot in slots)


@pytest.mark.parametrize("which", [0, 1])
def test_more_frames_than_slots_are_refused(segmenter, which):
    engine = overlapping(segmenter)[which]
    for index in range(engine.depth):
        engine.submit(frame(index), [InferencePass()])
    with pytest.raises(RuntimeError, match="collect first"):
        engine.submit(frame(9), [InferencePass()])


def test_every_stage_is_timed(segmenter):
    for engine in engines(segmenter):
        engine.submit(frame(0), [InferencePass()])
        stages = engine.collect().stages
        assert {"upload", "network", "labels"} <= stages.keys()
        assert all(seconds >= 0 for seconds in stages.values())


def test_a_cpu_gets_the_engine_whose_network_runs_beside_the_rest(segmenter):
    assert isinstance(make_engine(segmenter), OverlappedEngine)


class Slow(Segmenter):
    """A real network that is slow, and tells when it runs."""

    def logits_of(self, pixels, skips, *, beside=1):
        self.started.set()
        assert self.go_on.wait(PATIENCE)
        return super().logits_of(pixels, skips, beside=beside)


@pytest.fixture
def slow(segmenter):
    network = Slow.from_checkpoint(device="cpu", input_size=(64, 96))
    network.started, network.go_on = threading.Event(), threading.Event()
    yield network
    network.go_on.set()


def test_a_frame_that_may_be_dropped_is_not_taken_before_it_can_start(slow):
    engine = OverlappedEngine(slow)
    engine.submit(frame(0), [InferencePass()])
    assert slow.started.wait(PATIENCE)
    settled = threading.Thread(target=engine.settle)
    settled.start()
    settled.join(0.2)
    assert settled.is_alive()  # the network is still on the frame before
    slow.go_on.set()
    settled.join(PATIENCE)
    assert not settled.is_alive()
    assert engine.pending == 1
    engine.collect()
    engine.settle()  # nothing to wait for


def test_a_frame_that_may_not_be_dropped_is_taken_ahead(slow):
    engine = OverlappedEngine(slow)
    engine.submit(replace(frame(0), lossless=True), [InferencePass()])
    assert slow.started.wait(PATIENCE)
    engine.settle()  # returns though the network is busy
    engine.submit(replace(frame(1), lossless=True), [InferencePass()])
    slow.go_on.set()
    assert [engine.collect().frame.index for _ in range(2)] == [0, 1]


def test_streams_wait_for_labels_before_a_frame_that_may_be_dropped(segmenter):
    queues = HostQueues()
    engine = StreamEngine(segmenter, queues)
    engine.submit(replace(frame(0), lossless=True), [InferencePass()])
    engine.settle()
    assert not any(entry.startswith("finish") for entry in queues.log)
    engine.submit(frame(1), [InferencePass()])
    engine.settle()
    assert queues.log[-1] == "finish compute"


def test_an_error_of_the_network_reaches_who_collects(segmenter):
    engine = OverlappedEngine(segmenter)
    engine.submit(frame(0), [InferencePass(weights="b")])  # there is no second checkpoint
    engine.settle()
    with pytest.raises(RuntimeError, match="no second checkpoint"):
        engine.collect()
    engine.submit(frame(1), [InferencePass()])
    assert engine.collect().frame.index == 1


class Tight(Segmenter):
    """A real network on a device whose memory ends at a number of pixels."""

    def logits_of(self, pixels, skips, *, beside=1):
        if pixels.shape[0] * pixels.shape[1] > self.room:
            raise torch.OutOfMemoryError("out of memory")
        return super().logits_of(pixels, skips, beside=beside)


def _tight(input_size, room):
    network = Tight.from_checkpoint(device="cpu", input_size=input_size)
    network.room = room
    return network


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("input_size", ["half", "full"])
def test_out_of_memory_the_next_smaller_size_goes_on_without_losing_a_frame(which, input_size):
    engine = engines(_tight(input_size, 256 * 448))[which]
    got = []
    for index in range(4):
        if engine.pending == engine.depth:
            got.append(engine.collect())
        engine.submit(replace(frame(index), lossless=True), BOTH)
    while engine.pending:
        got.append(engine.collect())
    assert [each.frame.index for each in got] == [0, 1, 2, 3]
    assert all(each.predictions[0].labels.shape == (96, 160) for each in got)
    assert engine.shrunk
    assert engine.segmenter.input_size == "quarter"


@pytest.mark.parametrize("which", [0, 1, 2])
def test_out_of_memory_at_the_smallest_size_is_an_error(which):
    engine = engines(_tight("half", 10))[which]

    def run():
        engine.submit(frame(0), BOTH)
        engine.collect()

    with pytest.raises(torch.OutOfMemoryError):
        run()


def test_a_second_checkpoint_that_comes_later_follows_to_the_smaller_size(other):
    engine = OverlappedEngine(_tight("half", 256 * 448))
    engine.submit(frame(0), BOTH)
    engine.collect()
    engine.compare_with(other.at("half"))
    engine.submit(frame(1), [InferencePass(), InferencePass(weights="b")])
    ours, second = engine.collect().predictions
    assert ours.logits.shape == second.logits.shape


@needs_cuda
def test_cuda_streams_give_the_labels_of_the_plain_path():
    segmenter = Segmenter.from_checkpoint(device="cuda", precision="fp32", input_size=(256, 512))
    engine = StreamEngine(segmenter, CudaQueues(segmenter.device))
    for index in range(20):
        if engine.pending == engine.depth:
            done = engine.collect()
            for seen in done.predictions:
                plain = segmenter(done.frame.image, skip=seen.run.skip)
                assert np.array_equal(seen.labels, plain)
        engine.submit(frame(index, (512, 256)), BOTH if index % 3 else [InferencePass(skip=False)])
