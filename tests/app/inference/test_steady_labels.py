"""Labels held steady in the engines and the pipeline: reset where the stream breaks."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from app.core.frame import Frame, SessionInfo
from app.inference.cpu_engine import OverlappedEngine, SerialEngine
from app.inference.cuda_engine import StreamEngine
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import PAIRS, InferencePass, ViewOptions
from app.sources.base import SourceInfo
from app.sources.source_spec import SourceSpec
from fastscnn.data.street import Street
from fastscnn.segmenter import Segmenter
from tests.app.inference.test_engine import HostQueues
from tests.support.pipeline_driver import TINY
from tests.support.waiting import wait_until

STEADY = InferencePass(steady=True)
ENGINES = [
    SerialEngine,
    OverlappedEngine,
    lambda segmenter: StreamEngine(segmenter, HostQueues()),
]


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter.from_checkpoint(device="cpu", input_size=(128, 256), precision="fp32")


@pytest.fixture(scope="module")
def pictures():
    """A still street, seen by a camera with noise."""
    rng = np.random.default_rng(0)
    street = Street(3, 256, 128).render(0.0)[0].astype(np.int16)
    return [
        np.clip(street + rng.normal(0, 8, street.shape), 0, 255).astype(np.uint8) for _ in range(8)
    ]


@pytest.fixture(params=ENGINES)
def engine(request, segmenter):
    made = request.param(segmenter)
    yield made
    made.close()


def labels_of(engine, frames, runs):
    """Labels of each frame; as many are under way as may be, none of which may be dropped."""
    found = []
    for frame in frames:
        if engine.pending == engine.depth:
            found.append(engine.collect())
        engine.submit(frame, runs)
        if engine.depth == 1:
            found.append(engine.collect())
    while engine.pending:
        found.append(engine.collect())
    return [[one.labels for one in each.predictions] for each in found]


def frames_of(pictures, segments=None):
    segments = segments or [(0, 0)] * len(pictures)
    return [
        Frame(image, index, index / 30, 0.0, lossless=True, segment=segment)
        for index, (image, segment) in enumerate(zip(pictures, segments, strict=True))
    ]


def changes(labels):
    return sum(int((a != b).sum()) for a, b in itertools.pairwise(labels))


def test_labels_flicker_less_and_those_of_other_runs_stay_as_they_are(engine, segmenter, pictures):
    found = labels_of(engine, frames_of(pictures), [STEADY, InferencePass()])
    steady, plain = ([each[run] for each in found] for run in (0, 1))
    assert changes(steady[2:]) < 0.6 * changes(plain[2:])
    for picture, labels in zip(pictures, plain, strict=True):
        assert np.array_equal(labels, segmenter(picture))


def test_another_segment_begins_anew(engine, segmenter, pictures):
    segments = [(0, 0)] * 4 + [(0, 1)] + [(1, 1)] * 3
    found = labels_of(engine, frames_of(pictures, segments), [STEADY])
    for index in (0, 4, 5):
        assert np.array_equal(found[index][0], segmenter(pictures[index]))
    assert not np.array_equal(found[3][0], segmenter(pictures[3]))


def test_sources_in_turns_have_logits_of_their_own(engine, segmenter, pictures):
    """Two cameras whose sessions bear the same number, their frames in turns."""
    info = SourceInfo("camera", 256, 128)
    one, two = (SessionInfo(0, SourceSpec("demo"), info) for _ in range(2))
    frames = frames_of(pictures)
    mixed = [replace(f, session=s) for f in frames for s in (one, two)]
    alone = labels_of(engine, [replace(f, session=one) for f in frames], [STEADY])
    engine.compare_with(None)  # begins anew
    together = labels_of(engine, mixed, [STEADY])
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(alone, together[::2], strict=True))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(alone, together[1::2], strict=True))


def test_the_other_setting_of_the_skip_connection_begins_anew(engine, segmenter, pictures):
    frames = frames_of(pictures)
    labels_of(engine, frames[:4], [STEADY])
    [[found]] = labels_of(engine, frames[4:5], [replace(STEADY, skip=False)])
    assert np.array_equal(found, segmenter(pictures[4], skip=False))
    [[found]] = labels_of(engine, frames[5:6], [STEADY])
    assert np.array_equal(found, segmenter(pictures[5]))


def test_the_second_checkpoint_has_logits_of_its_own(engine, segmenter, pictures):
    engine.compare_with(segmenter)
    found = labels_of(engine, frames_of(pictures), [STEADY, replace(STEADY, weights="b")])
    assert all(np.array_equal(first, second) for first, second in found)
    engine.compare_with(segmenter)  # another one
    [[first, _]] = labels_of(
        engine, frames_of(pictures)[7:], [STEADY, replace(STEADY, weights="b")]
    )
    assert np.array_equal(first, segmenter(pictures[7]))


def test_a_frame_that_is_drawn_again_keeps_its_labels(engine, pictures):
    frames = frames_of(pictures)
    first = labels_of(engine, frames[:5], [STEADY])[-1][0]
    for _ in range(3):
        [[again]] = labels_of(engine, frames[4:5], [replace(STEADY, measure="probability")])
        assert (again == first).mean() > 0.999
    after = labels_of(engine, frames[5:], [STEADY])[0][0]
    assert changes([first, after]) < changes([first, labels_of(engine, frames, [STEADY])[0][0]])


def test_the_time_that_it_takes_is_a_stage_of_its_own(engine, pictures):
    engine.submit(frames_of(pictures)[0], [STEADY])
    assert "steady" in engine.collect().stages
    engine.submit(frames_of(pictures)[1], [InferencePass()])
    assert "steady" not in engine.collect().stages


def test_the_switch_is_taken_while_frames_pass_and_both_can_be_compared():
    pipeline = Pipeline(replace(TINY, view=ViewOptions(steady=True)), display=True)
    shown = []

    def runs():
        result = pipeline.take()
        if result is not None and result.predictions:
            shown.append([one.run.steady for one in result.predictions])
        return shown[-1] if shown else None

    pipeline.start()
    try:
        pipeline.open(SourceSpec("demo"))
        wait_until(lambda: runs() == [True])
        pipeline.view = replace(pipeline.view, steady=False)
        wait_until(lambda: runs() == [False])
        pipeline.view = pipeline.view.comparing(*PAIRS["as it comes | steady"])
        wait_until(lambda: runs() == [False, True])
    finally:
        pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total
