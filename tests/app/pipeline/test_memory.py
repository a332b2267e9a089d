"""What a source, a network or a pipeline held is freed when it ends, not some time later."""

import gc
import sys
import time

import av
import pytest

from app.config.settings import NetworkOptions, Settings, SourceOptions
from app.core.memory import resident_mb, return_freed_memory
from app.inference.engine import Engine
from app.pipeline.pipeline import Pipeline
from app.sources import open_source
from app.sources.source_spec import SourceSpec
from fastscnn.segmenter import Segmenter, default_checkpoint
from tests.support.media import write_clip
from tests.support.waiting import PATIENCE, wait_until

HEAVY = {av.VideoFrame, av.CodecContext, Engine, Segmenter}


def _heavy():
    # No other thread may run while this one holds all objects: CPython cannot finish a tuple that
    # somebody else holds, and raises a SystemError in the thread that was making it.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)
    time.sleep(0.01)  # who waits for the interpreter by the usual interval gets it first
    try:
        return [each for each in gc.get_objects() if HEAVY.intersection(type(each).__mro__)]
    finally:
        sys.setswitchinterval(interval)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 80, rate=25)


@pytest.fixture
def heavy():
    """Names of the heavy objects there are besides those that there were, with no collector."""
    gc.collect()
    before = {id(each) for each in _heavy()}
    gc.disable()
    yield lambda: [type(each).__name__ for each in _heavy() if id(each) not in before]
    gc.enable()


def settings(clip, most=None, runtime="auto"):
    network = NetworkOptions(device="cpu", input_size=(64, 96), runtime=runtime)
    return Settings(
        sources=(SourceSpec("file", str(clip)),),
        network=network,
        source=SourceOptions(max_frames=most),
    )


def test_a_frame_that_was_converted_is_freed_at_once(clip, heavy):
    source = open_source(SourceSpec("file", str(clip)))
    for _ in range(40):
        source.read()
    # What the decoder's threads give at once may wait; what was read must not.
    assert heavy().count("VideoFrame") < 20
    source.close()


@pytest.mark.parametrize(("most", "runtime"), [(None, "torch"), (None, "auto"), (20, "auto")])
def test_a_run_leaves_neither_decoder_nor_network_nor_frames_behind(clip, most, runtime, heavy):
    for _ in range(2):
        pipeline = Pipeline(settings(clip, most, runtime), display=False)
        pipeline.start()
        pipeline.open(pipeline.settings.sources[0])
        while (event := pipeline.events.get(timeout=PATIENCE)).kind != "ended":
            assert event.kind != "error", event.text
        pipeline.stop()
        assert pipeline.status().network is not None  # a report may still be written
        wait_until(lambda: not heavy())


def test_switching_sources_and_networks_leaves_nothing_of_those_before(clip, heavy):
    pipeline = Pipeline(settings(clip), display=True)
    pipeline.start()
    try:
        for _ in range(3):
            pipeline.open(pipeline.settings.sources[0])
            wait_until(lambda: (seen := pipeline.take()) is not None and seen.predictions)
            used = pipeline.networks.segmenter
            pipeline.networks.use_weights(default_checkpoint())
            wait_until(lambda before=used: pipeline.networks.segmenter is not before)
            del used
            wait_until(lambda: heavy().count("Segmenter") == 1)
            wait_until(lambda: heavy().count("OverlappedEngine") == 1)
        pipeline.close()
        wait_until(lambda: "VideoCodecContext" not in heavy())
        # the memory of the picture that is shown
        wait_until(lambda: heavy().count("VideoFrame") <= 2)
    finally:
        pipeline.stop()


def _megabytes():
    """What the process holds, without what the allocator keeps for later."""
    gc.collect()
    return_freed_memory()
    return resident_mb()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by Linux's /proc")
def test_memory_stays_flat_across_openings(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", 6, size=(640, 360))  # a picture has 0.7 MB
    memory = []
    for _ in range(8):
        pipeline = Pipeline(settings(clip), display=False)
        try:
            pipeline.start()
            pipeline.open(pipeline.settings.sources[0])
            pipeline.start_recording(tmp_path / "o.mp4", overwrite=True)
            while (event := pipeline.events.get(timeout=PATIENCE)).kind != "recorded":
                assert event.kind != "error", event.text
        finally:
            pipeline.stop()
        assert pipeline.stats.counters().recorded == 6
        del pipeline
        memory.append(_megabytes())
    del memory[0]  # what is made once is made at the first
    # One measurement differs from the next by 15 MB; one network alone has 10.
    assert min(memory[4:]) - min(memory[:3]) < 25, memory
