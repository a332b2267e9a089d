"""The input size by the machine: real engines, times and clock of the test's own."""

import numpy as np
import pytest

from app.config.settings import NetworkOptions, Settings
from app.core.frame import Frame
from app.inference.adaptive_size import AdaptiveSize, busy_seconds
from app.inference.cpu_engine import OverlappedEngine
from app.inference.cuda_engine import StreamEngine
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import InferencePass
from app.sources.source_spec import SourceSpec
from fastscnn.segmenter import Segmenter
from tests.app.inference.test_engine import HostQueues
from tests.support.waiting import wait_until

SLOW, QUICK = {"network": 0.1, "labels": 0.01}, {"network": 0.001, "labels": 0.002}


class Bench:
    """An engine with its adaptive size, fed with frames that took what the test says."""

    def __init__(self, engine):
        self.engine, self.now, self.recording, self.said = engine, 0.0, False, []
        self.adaptive = AdaptiveSize(
            lambda: 30.0, lambda: self.recording, self.said.append, lambda: self.now
        )
        self.adaptive.begin()

    def run(self, stages, *, frames=90, picture=(96, 160), lossless=False):
        """Observe frames; a size that is being got ready is waited for, as the next frame would."""
        frame = Frame(np.zeros((*picture, 3), np.uint8), 0, 0.0, 0.0, lossless=lossless)
        for _ in range(frames):
            self.now += 1 / 30
            self.adaptive.observe(frame, stages, self.engine)
            if self.adaptive._warming is not None:
                self.adaptive._warming.join()
                self.adaptive.apply(self.engine)
        return self.engine.segmenter.network_size(*picture)


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter.from_checkpoint(device="cpu", input_size="half")


@pytest.fixture(params=["overlapped", "streams"])
def bench(request, segmenter):
    made = (
        OverlappedEngine(segmenter)
        if request.param == "overlapped"
        else StreamEngine(segmenter, HostQueues())
    )
    bench = Bench(made)
    yield bench
    bench.adaptive.close()
    made.close()


def test_it_goes_down_where_frames_are_late_and_back_up(bench):
    assert bench.run(QUICK, frames=3) == (512, 864)
    assert bench.run(SLOW) == (256, 416)
    assert "too slow for 30 fps" in bench.said[-1]
    assert bench.run(QUICK, frames=200) == (512, 864)
    assert bench.said[-1] == "chosen for 30 fps"


def test_several_sources_go_back_to_half_until_there_is_one_again(bench):
    assert bench.run(SLOW) == (256, 416)
    bench.adaptive.rest(bench.engine)
    assert bench.engine.segmenter.network_size(96, 160) == (512, 864)
    assert bench.said[-1] == "half for several sources"
    assert bench.run(SLOW) == (256, 416)


@pytest.mark.parametrize("how", ["recording", "lossless"])
def test_it_stays_while_something_is_recorded(bench, how):
    bench.recording = how == "recording"
    assert bench.run(SLOW, lossless=how == "lossless") == (512, 864)
    assert "written" in bench.said[-1]
    bench.recording = False
    assert bench.run(SLOW) == (256, 416)


def test_frames_under_way_at_a_change_keep_the_size_that_they_were_seen_at(bench):
    engine, picture = bench.engine, np.zeros((96, 160, 3), np.uint8)
    engine.submit(Frame(picture, 0, 0.0, 0.0), [InferencePass()])
    engine.resize((256, 416))
    engine.submit(Frame(picture, 1, 0.0, 0.0), [InferencePass()])
    seen = [engine.collect().predictions[0] for _ in range(2)]
    assert [one.input_size for one in seen] == [(512, 864), (256, 416)]
    assert all(one.labels.shape == (96, 160) for one in seen)


def test_another_picture_is_seen_in_its_own_shape(bench):
    bench.run(SLOW)
    assert bench.run(QUICK, frames=3, picture=(160, 96)) == (416, 256)


@pytest.mark.parametrize(("height", "most"), [(360, 512), (540, 512), (720, 768), (1080, 1024)])
def test_no_size_far_above_the_pictures_own_is_used(segmenter, height, most):
    class Unwarmed(OverlappedEngine):
        def warm(self, size, skips):
            pass  # what a size needs the first time is another test's

    engine = Unwarmed(segmenter)
    bench = Bench(engine)
    assert min(bench.run(QUICK, picture=(height, height))) == most
    engine.close()


def test_where_a_size_cannot_be_used_the_one_in_use_stays(segmenter):
    class Short(OverlappedEngine):
        def warm(self, size, skips):
            raise RuntimeError("there is no memory")

    engine = Short(segmenter)
    bench = Bench(engine)
    assert bench.run(QUICK, picture=(1080, 1920), frames=300) == (512, 896)
    engine.close()


def test_weights_that_have_one_size_keep_it(segmenter):
    fixed = segmenter.at("half")
    fixed.model_size = (64, 96)
    engine = OverlappedEngine(fixed)
    bench = Bench(engine)
    assert bench.run(SLOW) == (64, 96)
    assert engine.segmenter is fixed
    assert "only one" in bench.said[-1]
    engine.close()


def test_stages_that_run_beside_the_network_count_where_they_take_longer():
    assert busy_seconds({"upload": 1, "network": 5, "labels": 2, "overlay": 1}) == 6
    assert busy_seconds({"upload": 1, "network": 2, "steady": 1, "labels": 2, "overlay": 1}) == 5


@pytest.mark.parametrize("display", [True, False])
def test_the_window_says_why_and_without_one_it_is_half(display):
    network = NetworkOptions(device="cpu")
    pipeline = Pipeline(Settings(network=network), display=display)
    pipeline.start()
    try:
        pipeline.open(SourceSpec("demo"))
        wait_until(lambda: pipeline.status().counters.processed > 2)
        found = pipeline.status().network
        assert found.options.input_size == "auto"
        assert bool(found.size_reason) == display
        if not display:
            assert found.input_size == "half"
    finally:
        pipeline.stop()


def test_with_several_sources_the_window_says_that_it_is_half():
    settings = Settings(network=NetworkOptions(device="cpu"))
    first = Pipeline(settings, display=True)
    second = Pipeline(settings, display=True, beside=first)
    try:
        for pipeline in (first, second):
            pipeline.start()
            pipeline.open(SourceSpec("demo"))
        wait_until(lambda: all(p.status().counters.processed for p in (first, second)))
        wait_until(lambda: first.status().network.size_reason == "half for several sources")
        second.leave()
        wait_until(lambda: second.left)
        wait_until(lambda: "fps" in first.status().network.size_reason)
    finally:
        first.stop(second)
