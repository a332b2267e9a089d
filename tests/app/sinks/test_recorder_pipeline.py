"""Recordings through switches, pauses and slow encoders, by the whole pipeline."""

from dataclasses import replace

import numpy as np
import pytest

from app.config.settings import RecordingOptions
from app.core.stats import Stats
from app.pipeline import capture
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from tests.support.media import ScriptedSource, picture, write_clip
from tests.support.pipeline_driver import TINY
from tests.support.recordings import recorder_for, reopened, result
from tests.support.waiting import PATIENCE, wait_until


def next_event(pipeline, *kinds):
    got = []

    def comes():
        pipeline.take()
        if not pipeline.events.empty():
            got.append(pipeline.events.get())
        return got and got[-1].kind in kinds

    wait_until(comes, f"an event {kinds}")
    return got[-1]


@pytest.fixture
def pipeline(request):
    made = Pipeline(replace(TINY, **getattr(request, "param", {})), display=True)
    made.start()
    yield made
    made.stop()


def _file(path):
    return SourceSpec("file", str(path))


@pytest.mark.parametrize(
    "pipeline", [{"recording": RecordingOptions(on_switch="continue")}], indirect=True
)
def test_a_recording_goes_on_with_the_next_source_when_asked(pipeline, tmp_path):
    first = write_clip(tmp_path / "a.mp4", 10)
    second = write_clip(tmp_path / "b.mp4", 10, size=(64, 96))
    pipeline.start_recording(tmp_path / "o.mp4")
    for clip in (first, second, first):
        pipeline.open(_file(clip))
        next_event(pipeline, "ended")
    pipeline.stop_recording()
    assert "Saved 30 frames" in next_event(pipeline, "recorded").text
    times, images = reopened(tmp_path / "o.mp4")
    assert times == pytest.approx([i / 30 for i in range(30)], abs=1e-3)
    assert {image.shape for image in images} == {(96, 160, 3)}
    assert images[15][:, :40].max() < 12  # the narrow clip stands between bars
    assert images[25][:, :40].max() > 40


def test_else_a_switch_closes_the_recording(pipeline, tmp_path):
    pipeline.start_recording(tmp_path / "o.mp4")
    assert "Nothing was recorded" in _text_after_open(pipeline, write_clip(tmp_path / "a.mp4", 60))
    pipeline.start_recording(tmp_path / "p.mp4")
    wait_until(lambda: pipeline.take() is None and pipeline.stats.counters().recorded > 5)
    pipeline.open(_file(write_clip(tmp_path / "b.mp4", 10)))
    next_event(pipeline, "recorded")
    assert len(reopened(tmp_path / "p.mp4")[0]) == pipeline.stats.counters().recorded
    assert pipeline.status().recording is None


def _text_after_open(pipeline, clip):
    pipeline.open(_file(clip))
    return next_event(pipeline, "notice").text


def test_recordings_start_stop_and_start_again_in_one_run(pipeline, tmp_path):
    pipeline.open(_file(write_clip(tmp_path / "a.mp4", 400)))
    wait_until(lambda: pipeline.take() is not None)
    recorded = 0
    for index in range(3):
        path = pipeline.recording_path(tmp_path)
        assert path.name.startswith("a-")
        before = pipeline.stats.counters().recorded
        pipeline.start_recording(path)
        wait_until(lambda before=before: pipeline.stats.counters().recorded > before + 4)
        if index == 1:  # one straight after the other
            pipeline.start_recording(pipeline.recording_path(tmp_path))
        pipeline.stop_recording()
        next_event(pipeline, "recorded")
        times, _ = reopened(path)
        assert times[0] == 0.0
        recorded += len(times)
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert recorded <= counters.recorded
    assert counters.offered == counters.recorded + counters.not_recorded_total


def _counters(pipeline):
    pipeline.take()
    return pipeline.stats.counters()


def test_the_pause_of_a_live_view_is_cut_out_of_its_recording(pipeline, tmp_path, monkeypatch):
    source = ScriptedSource(live=True, rate=50)
    monkeypatch.setattr(capture, "open_source", lambda spec: source)
    pipeline.open(_file("live"))
    wait_until(lambda: pipeline.take() is not None)
    pipeline.start_recording(tmp_path / "o.mp4")
    wait_until(lambda: _counters(pipeline).recorded > 10)
    pipeline.session.pause()
    before = _counters(pipeline).dropped.get("paused", 0)
    wait_until(lambda: _counters(pipeline).dropped.get("paused", 0) > before + 75)
    pipeline.play()
    wait_until(lambda: _counters(pipeline).recorded > 20)
    pipeline.stop_recording()
    next_event(pipeline, "recorded")
    times, _ = reopened(tmp_path / "o.mp4")
    # 75 frames, 1.5 s by the source's clock, were paused.
    assert np.diff(times).max() < 1.0


def test_an_encoder_that_cannot_follow_a_live_source_loses_frames_and_holds_nobody_up(tmp_path):
    stats = Stats()
    recorder = recorder_for(tmp_path / "o.mp4", stats=stats)
    recorder.start()
    big = [picture(i, 1920, 1080) for i in range(2)]
    for index in range(60):
        recorder.put(result(big[index % 2], index / 30, index=index), wait=False)
    recorder.finish()
    recorder.join(PATIENCE)
    counters = stats.counters()
    assert counters.not_recorded["encoder"] > 0
    assert counters.offered == 60 == counters.recorded + counters.not_recorded_total
    assert recorder.info().lost == counters.not_recorded["encoder"]
    times, _ = reopened(tmp_path / "o.mp4")
    assert len(times) == counters.recorded
