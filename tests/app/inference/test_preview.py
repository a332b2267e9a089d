"""The picture is there before the network is."""

from dataclasses import replace

import numpy as np
import pytest

from app.pipeline.pipeline import Pipeline
from app.rendering.privacy import cover
from app.rendering.view_options import ViewOptions
from app.sources.source_spec import SourceSpec
from fastscnn.inference.runtimes import RUNTIMES, installed
from fastscnn.segmenter import default_checkpoint
from tests.support.http_server import content, serving
from tests.support.media import read_clip, write_clip
from tests.support.pipeline_driver import TINY
from tests.support.waiting import wait_until

STAMPS = [i / 10 for i in range(30)]


@pytest.fixture
def waiting(tmp_path, monkeypatch):
    """A pipeline with a display whose weights come when the test lets them."""
    monkeypatch.setenv("FASTSCNN_CACHE", str(tmp_path / "cache"))
    made = []
    with serving() as web:
        send = content(default_checkpoint().read_bytes())

        def page(handler, count):
            web.released.wait(30)
            send(handler, count)

        web.pages["/w.pth"] = page
        network = replace(TINY.network, weights=f"{web.url}/w.pth")

        def start(view=TINY.view):
            pipeline = Pipeline(replace(TINY, network=network, view=view), display=True)
            made.append(pipeline)
            pipeline.start()
            return pipeline

        start.release = web.released.set
        yield start
        web.released.set()
        for pipeline in made:
            pipeline.stop()


def newest(pipeline, wanted=lambda result: True):
    found = []

    def looked():
        result = pipeline.take()
        if result is not None and wanted(result):
            found.append(result)
        return found

    wait_until(looked)
    return found[-1]


def labelled_by(pipeline):
    """All that a pipeline labels from now on; none takes the place of another."""
    seen = []

    def look():
        result = pipeline.take()
        if result is not None and result.predictions:
            seen.append(result)

    pipeline.sinks.display._wake = look
    return seen


def of_size(results, size):
    return [one for one in results if one.frame.image.shape[1::-1] == size]


def test_the_first_picture_of_a_file_is_shown_then_labelled_and_nothing_is_missed(
    waiting, tmp_path
):
    clip = write_clip(tmp_path / "clip.mp4", STAMPS)
    pipeline = waiting()
    pipeline.open(SourceSpec("file", str(clip)))
    raw = newest(pipeline)
    assert raw.predictions == ()
    assert raw.frame.index == 0
    assert np.array_equal(raw.sides[0], raw.frame.image)
    assert (raw.labels == 255).all()
    assert pipeline.stats.counters().processed == 0
    seen = labelled_by(pipeline)
    waiting.release()
    wait_until(lambda: seen)
    assert seen[0].frame.index == 0
    assert (seen[0].labels != 255).all()
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total


@pytest.mark.parametrize("runtime", [name for name in RUNTIMES if installed(name)])
def test_a_file_plays_on_once_the_network_has_seen_its_first_frame(tmp_path, runtime):
    """What a runtime sets up for a size takes as long as some frames."""
    network = replace(TINY.network, runtime=runtime, precision="fp32", input_size="exact")
    pipeline = Pipeline(replace(TINY, network=network), display=True)
    seen = labelled_by(pipeline)
    try:
        pipeline.start()
        for size in ((96, 64), (128, 96), (96, 64)):
            clip = write_clip(tmp_path / f"{size[0]}.mp4", 60, size=size, rate=60)
            pipeline.open(SourceSpec("file", str(clip)))
            wait_until(lambda size=size: len(of_size(seen, size)) > 1)
            first, second = of_size(seen, size)[:2]
            assert first.frame.index == 0
            assert second.frame.captured >= first.drawn
            seen.clear()
    finally:
        pipeline.stop()


def test_a_live_source_moves_while_the_network_is_loaded(waiting):
    pipeline = waiting(ViewOptions(view="wipe"))
    pipeline.open(SourceSpec("demo"))
    first = newest(pipeline)
    assert len(first.sides) == len(first.captions) == 2
    assert all("loading" in caption for caption in first.captions)


def test_what_is_opened_meanwhile_is_what_is_shown(waiting, tmp_path):
    clips = [write_clip(tmp_path / f"{i}.mp4", STAMPS, size=(96 + 32 * i, 64)) for i in range(2)]
    pipeline = waiting()
    for clip in clips:
        pipeline.open(SourceSpec("file", str(clip)))
        newest(pipeline, lambda result, clip=clip: result.frame.session.spec.value == str(clip))


def test_the_end_waits_for_no_import(waiting):
    pipeline = waiting()
    pipeline.stop()
    assert not pipeline.worker.is_alive()


def test_what_is_to_be_blurred_is_not_seen_before_the_network_is_there(waiting, tmp_path):
    clip = write_clip(tmp_path / "c.mp4", STAMPS)
    pipeline = waiting(replace(TINY.view, view="raw", blurred=("person",)))
    pipeline.open(SourceSpec("file", str(clip)))
    first = newest(pipeline)
    assert first.predictions == ()
    [frame] = read_clip(clip)[1][:1]
    for image in (first.frame.image, first.picture):
        assert (image == cover(frame)).all()
