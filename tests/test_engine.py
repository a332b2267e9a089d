"""The ring of slots is the same on every device; here it runs over queues that work at once."""

import contextlib
import time

import numpy as np
import pytest
import torch

from app.pipeline.engine import CudaQueues, Queues, SerialEngine, StreamEngine, make_engine
from app.pipeline.frame import Frame
from fastscnn import Segmenter
from tests.media import picture

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


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter.from_checkpoint(device="cpu", input_size=(64, 96))


def frame(index, size=(160, 96)):
    return Frame(picture(index, *size), index, index / 30, 0.0, 1)


def test_labels_come_back_in_order_and_equal_those_of_the_segmenter(segmenter):
    engine = StreamEngine(segmenter, HostQueues())
    got = []
    for index in range(7):
        if engine.pending == engine.depth:
            got.append(engine.collect())
        engine.submit(frame(index), index % 2 == 0)
    while engine.pending:
        got.append(engine.collect())
    assert [g.frame.index for g in got] == list(range(7))
    for done in got:
        assert done.skip == (done.frame.index % 2 == 0)
        assert np.array_equal(done.labels, segmenter(done.frame.image, skip=done.skip))


def test_steps_wait_for_each_other_across_the_queues(segmenter):
    queues = HostQueues()
    engine = StreamEngine(segmenter, queues)
    engine.submit(frame(0), True)
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
        engine.submit(frame(index), True)
        slots.add(id(engine._under_way[-1].slot))
    assert len(slots) == engine.depth


def test_a_change_of_size_gets_buffers_of_its_own(segmenter):
    engine = StreamEngine(segmenter, HostQueues())
    engine.submit(frame(0), True)
    engine.submit(frame(1, (80, 48)), True)
    assert engine.collect().labels.shape == (96, 160)
    assert engine.collect().labels.shape == (48, 80)


def test_labels_outlive_the_slot_they_came_through(segmenter):
    engine = StreamEngine(segmenter, HostQueues())
    engine.submit(frame(0), True)
    first = engine.collect().labels
    kept = first.copy()
    for index in range(1, 6):
        engine.submit(Frame(255 - picture(index), index, 0, 0, 1), True)
        engine.collect()
    assert np.array_equal(first, kept)


def test_more_frames_than_slots_are_refused(segmenter):
    engine = StreamEngine(segmenter, HostQueues())
    for index in range(engine.depth):
        engine.submit(frame(index), True)
    with pytest.raises(RuntimeError, match="collect first"):
        engine.submit(frame(9), True)


def test_every_stage_is_timed(segmenter):
    for engine in (SerialEngine(segmenter), StreamEngine(segmenter, HostQueues())):
        engine.submit(frame(0), True)
        stages = engine.collect().stages
        assert {"upload", "network", "labels"} <= stages.keys()
        assert all(seconds >= 0 for seconds in stages.values())


def test_a_cpu_gets_the_serial_engine(segmenter):
    assert isinstance(make_engine(segmenter), SerialEngine)


@needs_cuda
def test_cuda_streams_give_the_labels_of_the_plain_path():
    segmenter = Segmenter.from_checkpoint(device="cuda", precision="fp32", input_size=(256, 512))
    engine = StreamEngine(segmenter, CudaQueues(segmenter.device))
    for index in range(20):
        if engine.pending == engine.depth:
            done = engine.collect()
            assert np.array_equal(done.labels, segmenter(done.frame.image, skip=done.skip))
        engine.submit(frame(index, (512, 256)), index % 3 > 0)
