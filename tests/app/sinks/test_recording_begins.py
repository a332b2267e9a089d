"""From the moment a recording is begun it holds every frame of a file, however slow the network."""

import time
from itertools import pairwise

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from app.config.settings import NetworkOptions, Settings
from app.inference import engine_factory
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import ViewOptions
from app.sources.source_spec import SourceSpec
from tests.support.media import read_clip, write_clip
from tests.support.waiting import wait_until
from tests.support.window_driver import messages, play, press, window
from tests.support.window_driver import wait_until as window_wait

TINY = Settings(
    network=NetworkOptions(device="cpu", input_size=(64, 96), runtime="torch"),
    view=ViewOptions(alpha=0.0),
)
RATE, COUNT = 25, 70


class _Slow:
    """An engine that needs twice the time that a frame of the clip lasts."""

    def __init__(self, real):
        self._real = real

    def __getattr__(self, name):
        return getattr(self._real, name)

    def collect(self):
        time.sleep(2 / RATE)
        return self._real.collect()


@pytest.fixture
def slow(monkeypatch):
    real = engine_factory.make_engine
    monkeypatch.setattr(engine_factory, "make_engine", lambda segmenter: _Slow(real(segmenter)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    greys = np.zeros((COUNT, 96, 160, 3), np.uint8)
    for index, grey in enumerate(greys):  # tens in the left half, ones in the right one
        grey[:, :80], grey[:, 80:] = 20 + index // 10 * 22, 20 + index % 10 * 22
    return write_clip(
        tmp_path_factory.mktemp("clip") / "clip.mp4", COUNT, rate=RATE, pictures=list(greys)
    )


@pytest.fixture
def player(slow, clip):
    pipeline = Pipeline(TINY, display=True)
    pipeline.start()
    pipeline.open(SourceSpec("file", str(clip)))
    yield pipeline
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total
    assert counters.offered == counters.recorded + counters.not_recorded_total


def _looked_at(pipeline, condition):
    """Look on as the window does until something is true; return the time seen last."""
    seen = [0.0]

    def once():
        result = pipeline.take()
        if result is not None:
            seen.append(result.frame.time)
        return condition()

    wait_until(once)
    return seen[-1]


def _numbers(path):
    """Indices of the frames in a recording, which has no gap."""
    times, images = read_clip(path)
    steps = [b - a for a, b in pairwise(times)]
    assert steps == pytest.approx([1 / RATE] * len(steps), abs=1e-3)
    halves = [(image[:, :70].mean(), image[:, 90:].mean()) for image in images]
    return [round((left - 20) / 22) * 10 + round((right - 20) / 22) for left, right in halves]


def _from(first, numbers):
    return list(range(first, first + len(numbers)))


def _recorded(pipeline, path, count):
    """Record some frames; return their numbers."""
    before = pipeline.stats.counters().recorded
    pipeline.start_recording(path)
    _looked_at(pipeline, lambda: pipeline.stats.counters().recorded >= before + count)
    pipeline.stop_recording()
    _looked_at(pipeline, lambda: any(e.kind == "recorded" for e in _events(pipeline)))
    return _numbers(path)


def _events(pipeline):
    while not pipeline.events.empty():
        yield pipeline.events.get()


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_a_recording_begun_while_a_file_plays_begins_with_the_frame_that_is_seen(
    player, tmp_path, speed
):
    player.session.set_speed(speed)
    _looked_at(player, lambda: player.stats.counters().shown >= 4)
    for name in ("a.mp4", "b.mp4"):
        seen = round(_looked_at(player, lambda: player.stats.counters().shown) * RATE)
        seen = max(seen, round(player.session.position * RATE))
        numbers = _recorded(player, tmp_path / name, 8)
        # The network may have finished another frame before the recording was begun.
        assert numbers == _from(numbers[0], numbers)
        assert seen <= numbers[0] <= seen + 3


def test_a_recording_begun_while_a_seek_is_under_way_begins_where_it_leads(player, tmp_path):
    _looked_at(player, lambda: player.stats.counters().shown >= 2)
    player.session.seek(1.0)
    player.session.seek(0.4)
    numbers = _recorded(player, tmp_path / "o.mp4", 6)
    assert numbers == _from(10, numbers)


def test_a_recording_begun_before_the_first_picture_holds_the_file_from_its_first_frame(
    slow, tmp_path
):
    late = write_clip(tmp_path / "late.mp4", [0.2 + i / RATE for i in range(12)], rate=RATE)
    pipeline = Pipeline(TINY, display=True)
    pipeline.start()
    pipeline.open(SourceSpec("file", str(late)))
    wait_until(lambda: pipeline.status().state == "playing")
    pipeline.start_recording(tmp_path / "o.mp4")
    _looked_at(pipeline, lambda: any(e.kind == "recorded" for e in _events(pipeline)))
    pipeline.stop()
    assert len(read_clip(tmp_path / "o.mp4")[0]) == 12


def test_a_recording_begun_at_the_end_begins_again_and_holds_the_whole_file(player, tmp_path):
    player.session.seek(2.5)
    _looked_at(player, lambda: player.status().state == "ended")
    player.start_recording(tmp_path / "o.mp4")
    _looked_at(player, lambda: any(e.kind == "recorded" for e in _events(player)))
    assert _numbers(tmp_path / "o.mp4") == list(range(COUNT))


def test_the_demo_street_too_is_recorded_without_a_gap(slow, tmp_path):
    pipeline = Pipeline(TINY, display=True)
    pipeline.start()
    pipeline.open(SourceSpec("demo", width=128, height=64))
    _looked_at(pipeline, lambda: pipeline.stats.counters().shown >= 3)
    pipeline.start_recording(tmp_path / "o.mp4")
    _looked_at(pipeline, lambda: pipeline.stats.counters().recorded >= 6)
    pipeline.stop()
    times, _ = read_clip(tmp_path / "o.mp4")
    assert np.diff(times) == pytest.approx([1 / 30] * (len(times) - 1), abs=1e-3)


@pytest.mark.parametrize("state", ["playing", "paused", "ended"])
def test_r_in_the_window_records_every_frame_from_the_one_on_the_screen(
    slow, clip, tmp_path, state
):
    with window(TINY, recordings=tmp_path) as w:
        play(w, SourceSpec("file", str(clip)))
        if state == "ended":
            w.pipeline.session.seek(2.6)
            window_wait(lambda: w.pipeline.status().state == "ended", "the end")
        elif state == "paused":
            press(w, Qt.Key.Key_Space)
        press(w, Qt.Key.Key_R)
        if state == "paused":
            press(w, Qt.Key.Key_Space)
        window_wait(lambda: w.pipeline.stats.counters().recorded >= 6, "six frames")
        assert w.transport_bar.record.isEnabled()
        press(w, Qt.Key.Key_R)
        window_wait(lambda: any("Saved" in text for text in messages(w)), "the message")
    [path] = tmp_path.glob("*.mp4")
    numbers = _numbers(path)
    assert numbers == _from(0 if state == "ended" else numbers[0], numbers)
