"""Views from the pipeline: what is computed for them, shown, and recorded."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.cli.argument_parser import build_parser, settings_from
from app.headless import run_headless
from app.pipeline import capture
from app.pipeline.pipeline import Pipeline
from app.rendering.overlay import draw
from app.rendering.view_options import PAIRS, Side, ViewOptions
from app.sources.source_spec import SourceSpec
from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.model.fast_scnn import FastSCNN
from tests.support.media import ScriptedSource, read_clip, write_clip
from tests.support.pipeline_driver import TINY
from tests.support.waiting import wait_until

SKIPS = ViewOptions(view="wipe", left=Side(skip=True), right=Side(skip=False))


@pytest.fixture
def held(monkeypatch):
    """A pipeline that holds one picture, with its last result."""
    monkeypatch.setattr(capture, "open_source", lambda spec: ScriptedSource(rate=30))
    pipeline = Pipeline(TINY, display=True)
    pipeline.start()
    pipeline.open(SourceSpec("file", "scripted"))
    wait_until(lambda: pipeline.status().position > 0)
    pipeline.session.pause()
    time.sleep(0.3)
    yield pipeline
    pipeline.stop()


def results(pipeline, condition):
    """The first result for which something is true."""
    found = []
    wait_until(lambda: (r := pipeline.take()) is not None and condition(r) and not found.append(r))
    return found[0]


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    torch.manual_seed(11)
    path = tmp_path_factory.mktemp("weights") / "other.pth"
    save(Checkpoint(FastSCNN().eval()), path)
    return path


def test_skip_on_and_off_are_both_computed_from_the_same_frame(held):
    held.view = SKIPS
    result = results(held, lambda r: r.view == SKIPS)
    on, off = result.predictions
    assert (on.run.skip, off.run.skip) == (True, False)
    assert (on.labels != off.labels).any()
    for side, seen in zip(result.sides, result.predictions, strict=True):
        assert np.array_equal(side, draw(result.frame.image, "overlay", SKIPS, seen.labels))
    assert result.captions == ("skip on", "skip off")
    assert result.prediction_at(0) is on
    assert result.prediction_at(1) is off


def test_a_held_picture_shows_every_view_that_is_chosen(held):
    for view in ("confidence", "raw", "side", "labels", "wipe", "overlay"):
        held.view = replace(held.view, view=view)
        result = results(held, lambda r, view=view: r.view.view == view)
        assert result.repeated
        assert len(result.sides) == (2 if view in {"side", "wipe"} else 1)
        if view == "confidence":
            assert result.predictions[0].confidence.shape == result.labels.shape
        if view == "raw":
            assert np.array_equal(result.picture, result.frame.image)


def test_a_moved_divider_makes_no_new_result(held):
    held.view = SKIPS
    results(held, lambda r: r.view == SKIPS)
    held.view = replace(SKIPS, split=0.1)
    time.sleep(0.3)
    assert held.take() is None


def test_a_second_checkpoint_is_compared_once_it_is_there(held, other):
    left, right = PAIRS["checkpoint A | checkpoint B"]
    held.view = ViewOptions().comparing(left, right)
    waiting = results(held, lambda r: r.view.compares_weights)
    assert "not loaded" in waiting.captions[1]
    assert np.array_equal(waiting.sides[1], waiting.frame.image)
    assert waiting.prediction_at(1) is None
    held.networks.compare_with(other)
    result = results(held, lambda r: len(r.predictions) == 2)
    assert result.captions == ("Default model", "other.pth")
    assert (result.predictions[0].labels != result.predictions[1].labels).any()
    held.networks.use_weights(other)  # the first may change under the second
    both = results(held, lambda r: r.captions == ("other.pth", "other.pth"))
    assert np.array_equal(both.predictions[0].labels, both.predictions[1].labels)


def test_a_second_checkpoint_follows_a_change_of_the_input_size(held, other):
    left, right = PAIRS["checkpoint A | checkpoint B"]
    held.view = ViewOptions().comparing(left, right)
    held.networks.compare_with(other)
    before = results(held, lambda r: len(r.predictions) == 2)
    held.networks.use_options(replace(held.networks.options, input_size=(96, 128)))
    larger = before.predictions[0].logits.shape[1] + 4
    result = results(
        held, lambda r: len(r.predictions) == 2 and r.predictions[0].logits.shape[1] == larger
    )
    assert [seen.logits.shape for seen in result.predictions] == [(19, 12, 16)] * 2
    while not held.events.empty():
        assert held.events.get().kind != "error"


def test_a_second_checkpoint_that_cannot_be_loaded_is_said_and_the_first_goes_on(held, tmp_path):
    held.networks.compare_with(tmp_path / "none.pth")
    wait_until(lambda: not held.events.empty() and held.events.get().exit_code == 4)
    held.view = replace(held.view, view="labels")
    assert results(held, lambda r: r.view.view == "labels").repeated
    assert held.networks.names[1] == "checkpoint B"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 6)


def record(clip, out, *arguments):
    small = ("--input-size", "64x96", "--device", "cpu")
    assert headless(str(clip), "-o", str(out), *small, *arguments) == 0
    return read_clip(out)


def headless(*arguments):
    return run_headless(settings_from(build_parser().parse_args(["--headless", *arguments])))


def test_a_wipe_is_recorded_without_a_window_as_it_is_shown(clip, tmp_path):
    sides = ("--left", "raw", "--right", "labels", "--split", "0.25")
    _, wiped = record(clip, tmp_path / "wipe.mp4", *sides)
    _, labels = record(clip, tmp_path / "labels.mp4", "--view", "labels")
    _, raw = read_clip(clip)
    assert len(wiped) == 6
    for frame, left, right in zip(wiped, raw, labels, strict=True):
        assert frame.shape == left.shape
        # Away from the divider, at 40, and the captions, at the bottom.
        difference = np.abs(frame[:70, :34].astype(int) - left[:70, :34])
        assert difference.mean() < 6
        assert np.abs(frame[:70, 46:].astype(int) - right[:70, 46:]).mean() < 6


def test_a_sweeping_divider_is_recorded_where_it_is_at_each_frames_time(tmp_path):
    clip = write_clip(tmp_path / "slow.mp4", [0.0, 1.0, 2.0, 2.8])
    sides = ("--left", "raw", "--right", "labels", "--split", "sweep")
    times, pictures = record(clip, tmp_path / "sweep.mp4", *sides)
    view = settings_from(build_parser().parse_args(sides)).view
    columns = [round(160 * view.split_at(time)) for time in times]
    assert len(set(columns)) == 4
    for picture, column in zip(pictures, columns, strict=True):
        assert picture[:60, column - 1 : column + 1].mean() > 190  # the light line itself


def test_both_checkpoints_are_there_from_the_first_frame_without_a_window(clip, other, tmp_path):
    both = record(clip, tmp_path / "both.mp4", "--weights-b", str(other), "--view", "side")[1]
    assert both[0].shape == (96, 320, 3)
    assert (both[0][:, :160] != both[0][:, 160:]).mean() > 0.1


def test_a_second_checkpoint_that_is_not_there_ends_a_run_without_a_window(clip, tmp_path, capsys):
    assert headless(str(clip), "-o", str(tmp_path / "out.mp4"), "--weights-b", "none.pth") == 4
    errors = capsys.readouterr().err
    assert "none.pth" in errors
    assert "Traceback" not in errors
