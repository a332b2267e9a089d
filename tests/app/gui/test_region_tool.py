"""A part that is left out: drawn by the mouse, kept for its source, without colours or shares."""

import json

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from app.gui.window.saved_state import SavedState
from app.rendering.overlay import shares
from app.sources.source_spec import SourceSpec
from tests.support.cli_process import run_main
from tests.support.media import picture, write_clip
from tests.support.window_driver import (
    DEMO,
    SMALL,
    draw_polygon,
    hold,
    messages,
    play,
    press,
    street,
    wait_until,
    window,
)

LOWER_HALF = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
"""Corners that the tests click."""


def _draw(made, corners=LOWER_HALF, *, key=Qt.Key.Key_Return):
    press(made, Qt.Key.Key_O)
    draw_polygon(made, corners, key=key)


def _unknown(made):
    labels = made.view.result.labels
    half = labels.shape[0] // 2
    return (labels[half + 2 :] == 255).mean(), (labels[: half - 2] == 255).mean()


def test_what_is_drawn_loses_colours_and_labels_and_comes_back():
    with window() as w:
        play(w)
        hold(w)
        before = w.view.result
        _draw(w)
        wait_until(lambda: _unknown(w) == (1.0, 0.0), "the part left out")
        seen = w.view.result
        assert (seen.picture[-20:] == seen.frame.image[-20:]).all()
        assert any("left out" in text for text in messages(w))
        assert not w.drawn.tool.isVisible()
        QTest.keyClick(w, Qt.Key.Key_O, Qt.KeyboardModifier.ShiftModifier)
        wait_until(lambda: _unknown(w) == (0.0, 0.0), "all of it")
        assert (w.view.result.labels == before.labels).all()


@pytest.mark.parametrize("view", ["confidence", "labels", "side"])
def test_it_is_left_out_of_every_view(view):
    with window() as w:
        play(w)
        w.view_commands.set_view(view)
        wait_until(lambda: w.view.result.view.view == view, view)
        hold(w)
        _draw(w)
        wait_until(lambda: _unknown(w) == (1.0, 0.0), "the part left out")
        shown, frame = w.view.result.sides[-1][-20:], w.view.result.frame.image[-20:]
        assert (shown == (0 if view == "labels" else frame)).all()


def test_the_shares_are_those_of_the_rest():
    labels = np.full((10, 10), 255, np.uint8)
    labels[:4], labels[4:5] = 3, 7
    found = shares(labels)
    assert (found[3], found[7]) == (0.8, 0.2)
    assert sum(shares(np.full((4, 4), 255, np.uint8))) == 0


def test_corners_can_be_taken_back_and_two_are_no_part():
    with window() as w:
        play(w)
        hold(w)
        _draw(w, LOWER_HALF[:3], key=Qt.Key.Key_Backspace)
        assert w.pipeline.status().speed == 1.0
        QTest.keyClick(w.drawn.tool, Qt.Key.Key_Return)
        assert w.drawn.tool.isVisible()
        QTest.keyClick(w.drawn.tool, Qt.Key.Key_Escape)
        assert not w.drawn.tool.isVisible()
        QTest.qWait(100)
        assert _unknown(w) == (0.0, 0.0)


def test_it_is_kept_for_its_source_alone(tmp_path):
    path = tmp_path / "settings.ini"
    with window(SMALL, saved=SavedState(path)) as w:
        play(w)
        hold(w)
        _draw(w)
        wait_until(lambda: _unknown(w) == (1.0, 0.0), "the part left out")
        play(w, DEMO)
        wait_until(lambda: _unknown(w)[0] < 0.5, "the whole street")
    with window(SMALL, saved=SavedState(path)) as w:
        play(w)
        wait_until(lambda: _unknown(w) == (1.0, 0.0), "the part left out again")
    saved = SavedState(path)
    assert saved.regions_of(SourceSpec("file", "/another.mp4")) == ()
    saved.keep_regions(street(), ())
    assert saved.regions_of(street()) == ()


@pytest.mark.parametrize("kept", ["{", "[3]", '["1,2"]', '{"a": 1}', '"x"'])
def test_what_a_damaged_profile_keeps_is_as_good_as_not_there(tmp_path, kept):
    saved = SavedState(tmp_path / "settings.ini")
    saved.keep_regions(DEMO, (LOWER_HALF,))
    key = next(key for key in saved._store.allKeys() if key.startswith("regions"))
    saved._store.setValue(key, kept)
    assert saved.regions_of(DEMO) == ()


def test_the_command_line_leaves_parts_out_of_all_that_is_written(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", 2, pictures=[picture(i) for i in range(2)])
    report = tmp_path / "d.jsonl"
    out = tmp_path / "labels"
    code = run_main(
        *(str(clip), "--headless", "--input-size", "64x96", "--save-labels", str(out)),
        *("--data", str(report), "--ignore-region", "0,0.5,1,0.5,1,1,0,1"),
    ).returncode
    assert code == 0
    labels = cv2.imread(str(out / "000000.png"), cv2.IMREAD_UNCHANGED)
    half = labels.shape[0] // 2
    assert (labels[half + 2 :] == 255).all()
    assert (labels[: half - 2] != 255).all()
    row = json.loads(report.read_text().splitlines()[0])
    assert sum(v for k, v in row.items() if k.startswith("share_")) == pytest.approx(1, abs=1e-4)
    refused = run_main(str(clip), "--headless", "--ignore-region", "0,1")
    assert refused.returncode == 2
    assert "is no region" in refused.stderr
