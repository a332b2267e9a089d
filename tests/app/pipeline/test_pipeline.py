import threading
import time

import numpy as np
import pytest
import torch

from app.config.settings import NetworkOptions, Settings, SourceOptions
from app.errors import SourceError
from app.pipeline import capture
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import ViewOptions
from app.sources.source_spec import SourceSpec
from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.model.fast_scnn import FastSCNN
from tests.support.media import ScriptedSource, count_by_opencv, read_clip
from tests.support.pipeline_driver import TINY
from tests.support.waiting import PATIENCE, wait_until

HELD = 8
"""Frames that the stages between capture and display hold at most, with some in hand."""
ANY = SourceSpec("file", "scripted")


@pytest.fixture
def sources(monkeypatch):
    """Scripted sources by name; the capture thread opens them in place of files."""
    table = {}

    def opened(spec):
        source = table[spec.value]
        return source() if callable(source) else source

    monkeypatch.setattr(capture, "open_source", opened)
    return table


@pytest.fixture
def make():
    made = []

    def start(settings=TINY, *, display=False):
        pipeline = Pipeline(settings, display=display)
        made.append(pipeline)
        pipeline.start()
        return pipeline

    yield start
    for pipeline in made:
        pipeline.stop()


def open_and_pause(pipeline):
    """Play a little of the source, hold it, and take its last result."""
    pipeline.open(ANY)
    wait_until(lambda: pipeline.status().position > 0)
    pipeline.session.pause()
    time.sleep(0.3)
    last = None
    while (result := pipeline.take()) is not None:
        last = result
    return last


def wait_for(pipeline, kind):
    while (event := pipeline.events.get(timeout=PATIENCE)).kind != kind:
        pass
    return event


def test_without_a_display_every_frame_of_a_file_is_processed_in_order(sources, make, tmp_path):
    sources["scripted"] = ScriptedSource(25)
    pipeline = make()
    pipeline.open(ANY)
    pipeline.start_recording(tmp_path / "o.mp4")
    wait_for(pipeline, "ended")
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.processed == counters.recorded == 25
    assert counters.dropped == {}
    times, _ = read_clip(tmp_path / "o.mp4")
    assert times == pytest.approx([i / 100 for i in range(25)], abs=1e-3)


def test_a_live_source_faster_than_the_network_stays_fresh_and_every_frame_is_accounted_for(
    sources, make
):
    sources["scripted"] = ScriptedSource(live=True, rate=500)
    pipeline = make(
        Settings(network=NetworkOptions(device="cpu", input_size=(128, 256))), display=True
    )
    pipeline.open(ANY)
    shown, under_way = [], []

    def look():
        result = pipeline.take()
        if result is not None:
            shown.append(result.frame.index)
        counters = pipeline.stats.counters()
        under_way.append(counters.captured - counters.shown - counters.dropped_total)
        return len(shown) > 60

    wait_until(look, "sixty pictures")
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.dropped["busy"] > 0
    assert counters.captured == counters.shown + counters.dropped_total
    assert shown == sorted(shown)
    # Age does not grow: what is neither shown nor dropped is never more than the stages hold.
    assert max(under_way) <= HELD


def test_nothing_piles_up_when_nobody_takes_results(sources, make):
    sources["scripted"] = ScriptedSource(live=True, rate=300)
    pipeline = make(display=True)
    pipeline.open(ANY)
    wait_until(lambda: pipeline.stats.counters().processed > 20)
    assert len(pipeline.sinks.display) <= 1
    assert len(pipeline._inbox) <= 2
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.shown == 0
    assert counters.captured == counters.dropped_total
    assert counters.dropped["display"] > 10


def test_a_played_file_keeps_its_own_pace(sources, make):
    sources["scripted"] = ScriptedSource(50, rate=50)
    pipeline = make(display=True)
    wait_until(lambda: pipeline.status().network is not None)
    started = time.monotonic()
    pipeline.open(ANY)
    wait_for(pipeline, "ended")
    assert time.monotonic() - started > 0.9  # and no frame is skipped to be sooner at the end
    assert pipeline.stats.counters().captured == 50


def test_a_file_recorded_while_it_plays_loses_no_frame(sources, make, tmp_path):
    sources["scripted"] = ScriptedSource(30, rate=1000)
    pipeline = make(display=True)
    pipeline.start_recording(tmp_path / "o.mp4")
    pipeline.open(ANY)  # closes the recording of the source before it
    assert wait_for(pipeline, "notice").text
    wait_for(pipeline, "ended")
    sources["scripted"] = ScriptedSource(200, rate=200)
    first = pipeline.stats.counters().processed
    pipeline.open(ANY)
    wait_until(lambda: pipeline.stats.counters().processed > first + 3)
    before = pipeline.stats.counters().recorded
    pipeline.start_recording(tmp_path / "p.mp4")
    wait_for(pipeline, "recorded")
    times, _ = read_clip(tmp_path / "p.mp4")
    steps = np.diff(times)
    assert len(times) == pipeline.stats.counters().recorded - before
    # From the second on (the first may have been in flight) no frame is missing.
    assert np.allclose(steps[2:], 1 / 200, atol=1e-3)


def test_pause_holds_a_file_and_play_goes_on_where_it_was(sources, make):
    sources["scripted"] = ScriptedSource(rate=100)
    pipeline = make(display=True)
    pipeline.open(ANY)
    wait_until(lambda: pipeline.status().position > 0.1)
    pipeline.session.pause()
    assert pipeline.status().state == "paused"
    time.sleep(0.15)
    held = pipeline.status().position
    time.sleep(0.3)
    assert pipeline.status().position == held
    pipeline.play()
    wait_until(lambda: pipeline.status().position > held)
    assert pipeline.status().position < held + 0.5


def test_a_paused_live_source_counts_what_went_by(sources, make):
    sources["scripted"] = ScriptedSource(live=True)
    pipeline = make(display=True)
    pipeline.open(ANY)
    wait_until(lambda: pipeline.stats.counters().processed > 3)
    pipeline.session.pause()
    wait_until(lambda: pipeline.stats.counters().dropped.get("paused", 0) > 5)
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total


@pytest.mark.parametrize("option", ["skip", "alpha"])
def test_a_paused_picture_answers_to_changed_options(sources, make, option):
    sources["scripted"] = ScriptedSource(rate=30)
    pipeline = make(display=True)
    before = open_and_pause(pipeline)
    assert before is not None
    shown = pipeline.stats.counters().shown
    if option == "skip":
        pipeline.live.skip = False
    else:
        pipeline.view = ViewOptions(alpha=1.0)
    after = []
    wait_until(lambda: after.append(pipeline.take()) or after[-1] is not None)
    assert after[-1].frame is before.frame
    assert after[-1].repeated
    assert not np.array_equal(after[-1].picture, before.picture)
    assert pipeline.stats.counters().shown == shown


def test_after_a_switch_no_frame_of_the_old_source_appears(sources, make):
    sources["a"] = ScriptedSource(live=True, size=(160, 96))
    sources["b"] = ScriptedSource(live=True, size=(64, 64))
    pipeline = make(display=True)
    pipeline.open(SourceSpec("file", "a"))
    wait_until(lambda: pipeline.take() is not None)
    pipeline.open(SourceSpec("file", "b"))
    while pipeline.take() is not None:
        pass
    seen = []
    wait_until(lambda: (r := pipeline.take()) is not None and (seen.append(r) or len(seen) > 5))
    assert {r.picture.shape for r in seen[1:]} == {(64, 64, 3)}
    assert sources["a"].closed
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total


def test_a_source_that_was_left_before_its_turn_came_is_not_opened(monkeypatch, make):
    opened, release = [], threading.Event()

    def slow(spec):
        opened.append(spec.value)
        if spec.value == "slow":
            release.wait(20)
        return ScriptedSource(live=True)

    monkeypatch.setattr(capture, "open_source", slow)
    pipeline = make(display=True)
    for name in ("slow", "passed by", "wanted"):
        pipeline.open(SourceSpec("file", name))
    release.set()
    wait_until(lambda: pipeline.take() is not None)
    assert opened == ["slow", "wanted"]


def test_a_source_that_ended_starts_again_on_play(sources, make):
    sources["scripted"] = lambda: ScriptedSource(3)
    pipeline = make(display=True)
    pipeline.open(ANY)
    wait_for(pipeline, "ended")
    pipeline.play()
    wait_for(pipeline, "ended")
    assert pipeline.stats.counters().captured == 6


def test_a_source_that_fails_is_reported_and_its_recording_is_closed(sources, make, tmp_path):
    sources["scripted"] = ScriptedSource(8, error=SourceError("The cable is out."))
    pipeline = make()
    pipeline.open(ANY)
    pipeline.start_recording(tmp_path / "o.mp4")
    event = wait_for(pipeline, "error")
    assert (event.text, event.exit_code) == ("The cable is out.", 3)
    assert pipeline.status().state == "failed"
    pipeline.stop()
    assert count_by_opencv(tmp_path / "o.mp4") == 8


def test_an_unforeseen_error_in_a_source_reaches_the_user_in_words(sources, make):
    sources["scripted"] = ScriptedSource(2, error=ZeroDivisionError("oops"))
    pipeline = make()
    pipeline.open(ANY)
    event = wait_for(pipeline, "error")
    assert event.exit_code == 1
    assert "oops" in event.text
    assert "Traceback" not in event.text


def test_an_unforeseen_error_of_many_lines_is_said_in_one_sentence(sources, make):
    lines = "\n".join(f"\tlayer {n} does not fit" for n in range(300))
    sources["scripted"] = ScriptedSource(2, error=RuntimeError(lines))
    pipeline = make()
    pipeline.open(ANY)
    event = wait_for(pipeline, "error")
    assert "layer 0 does not fit" in event.text
    assert "\n" not in event.text
    assert len(event.text) < 350


def test_weights_that_cannot_be_loaded_are_reported_and_frames_accounted_for(
    sources, make, tmp_path
):
    sources["scripted"] = ScriptedSource(live=True)
    pipeline = make(
        Settings(network=NetworkOptions(weights=str(tmp_path / "none.pth"))), display=True
    )
    pipeline.open(ANY)
    assert wait_for(pipeline, "error").exit_code == 4
    time.sleep(0.1)
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.dropped_total > 0


def _other_weights(path):
    torch.manual_seed(11)
    save(Checkpoint(FastSCNN().eval(), origin="another"), path)
    return path


def test_other_weights_are_used_live_and_a_paused_picture_answers(sources, make, tmp_path):
    sources["scripted"] = ScriptedSource(rate=30)
    pipeline = make(display=True)
    before = open_and_pause(pipeline)
    pipeline.networks.use_weights(_other_weights(tmp_path / "other.pth"))
    after = []
    wait_until(lambda: after.append(pipeline.take()) or after[-1] is not None)
    assert after[-1].frame is before.frame
    assert not np.array_equal(after[-1].labels, before.labels)
    network = pipeline.status().network
    assert (network.weights, network.origin) == ("other.pth", "another")
    pipeline.play()
    wait_until(lambda: (r := pipeline.take()) is not None and not r.repeated)


def test_weights_that_cannot_be_loaded_leave_the_old_ones_at_work(sources, make, tmp_path):
    sources["scripted"] = ScriptedSource(live=True)
    pipeline = make(display=True)
    pipeline.open(ANY)
    wait_until(lambda: pipeline.stats.counters().processed > 3)
    pipeline.networks.use_weights(tmp_path / "none.pth")
    assert wait_for(pipeline, "error").exit_code == 4
    before = pipeline.stats.counters().processed
    wait_until(lambda: pipeline.stats.counters().processed > before + 3)
    assert pipeline.status().network.weights == "Default model"


def test_after_weights_that_cannot_be_loaded_others_can_be_chosen(sources, make, tmp_path):
    sources["scripted"] = ScriptedSource(live=True)
    settings = Settings(
        network=NetworkOptions(
            device="cpu", input_size=(64, 96), weights=str(tmp_path / "none.pth")
        )
    )
    pipeline = make(settings, display=True)
    pipeline.open(ANY)
    assert wait_for(pipeline, "error").exit_code == 4
    assert pipeline.status().broken
    pipeline.networks.use_weights(_other_weights(tmp_path / "other.pth"))
    wait_until(lambda: (result := pipeline.take()) is not None and result.predictions)
    assert not pipeline.status().broken


def test_a_recording_that_fails_is_reported_while_the_picture_goes_on(sources, make, tmp_path):
    sources["scripted"] = ScriptedSource(live=True)
    pipeline = make(display=True)
    pipeline.open(ANY)
    wait_until(lambda: pipeline.stats.counters().processed > 3)
    (tmp_path / "full.mp4").symlink_to("/dev/full")
    pipeline.start_recording(tmp_path / "full.mp4", overwrite=True)
    time.sleep(0.3)
    pipeline.stop_recording()
    assert wait_for(pipeline, "error").exit_code == 5
    before = pipeline.stats.counters().processed
    wait_until(lambda: pipeline.stats.counters().processed > before + 5)


@pytest.mark.parametrize("moment", ["never started", "loading", "playing", "paused", "recording"])
def test_the_pipeline_stops_in_order_from_every_state(sources, tmp_path, moment):
    sources["scripted"] = ScriptedSource(live=True)
    pipeline = Pipeline(TINY, display=True)
    if moment != "never started":
        pipeline.start()
        pipeline.open(ANY)
    if moment not in {"never started", "loading"}:
        wait_until(lambda: pipeline.stats.counters().processed > 2)
    if moment == "paused":
        pipeline.session.pause()
    if moment == "recording":
        pipeline.start_recording(tmp_path / "o.mp4")
        wait_until(lambda: pipeline.stats.counters().recorded > 2)
    started = time.monotonic()
    pipeline.stop()
    assert time.monotonic() - started < 20
    if moment == "loading":  # an import cannot be cut short: its thread ends when that is done
        wait_until(lambda: "worker" not in {t.name for t in threading.enumerate()})
    left = {t.name for t in threading.enumerate()} & {"capture", "worker", "recorder"}
    assert not left
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total
    if moment == "recording":
        assert count_by_opencv(tmp_path / "o.mp4") == counters.recorded


def test_a_camera_that_never_opens_does_not_hold_up_the_stop(sources, make):
    forever = threading.Event()
    sources["scripted"] = lambda: forever.wait(PATIENCE)
    pipeline = make()
    wait_until(lambda: pipeline.status().network is not None)
    pipeline.open(SourceSpec("camera", "scripted"))
    time.sleep(0.05)
    started = time.monotonic()
    pipeline.stop()
    assert time.monotonic() - started < 20
    forever.set()


@pytest.mark.parametrize("live", [False, True])
def test_the_end_comes_after_max_frames(sources, make, live):
    # A live source goes on while the network loads: what nobody could look at does not count.
    sources["scripted"] = ScriptedSource(live=live, rate=200)
    pipeline = make(
        Settings(
            network=TINY.network,
            source=SourceOptions(max_frames=7),
        )
    )
    pipeline.open(ANY)
    wait_for(pipeline, "ended")
    assert pipeline.stats.counters().processed == 7
