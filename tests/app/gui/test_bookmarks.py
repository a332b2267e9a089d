"""Bookmarks: set by a key, shown on the timeline, kept beside the clip."""

import json
import shutil
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from app.config.persistence import bookmarks_path
from app.sources.source_spec import SourceSpec
from tests.support.window_driver import (
    DEMO,
    hold,
    messages,
    play,
    press,
    street,
    wait_until,
    window,
)


@pytest.fixture
def clip(tmp_path):
    return SourceSpec("file", shutil.copy(street().value, tmp_path / "drive.mp4"))


def _kept(clip):
    path = bookmarks_path(_path(clip))
    return json.loads(path.read_text())["bookmarks"] if path.exists() else None


def _path(clip):
    return Path(clip.value)


def _go(made, seconds):
    made.playback.seek(seconds)
    wait_until(lambda: abs(made.pipeline.status().position - seconds) < 0.1, "the place")


def test_they_are_kept_beside_the_clip_and_come_back(clip):
    with window() as w:
        play(w, clip)
        hold(w)
        for seconds in (6.0, 2.0):
            _go(w, seconds)
            press(w, Qt.Key.Key_M)
        assert _kept(clip) == pytest.approx([2.0, 6.0], abs=0.1)
        wait_until(lambda: len(w.seek_bar.track.bookmarks) == 2, "the marks on the timeline")
        press(w, Qt.Key.Key_M)  # at 2 s: takes it away
        assert _kept(clip) == pytest.approx([6.0], abs=0.1)
        play(w, DEMO)
        wait_until(lambda: w.playback.bookmarks.times == (), "none of another source")
    with window() as w:
        play(w, clip)
        assert w.playback.bookmarks.times == pytest.approx([6.0], abs=0.1)


def test_a_key_goes_from_one_to_the_next_and_from_the_last_to_the_first(clip):
    bookmarks_path(_path(clip)).write_text('{"bookmarks": [8, 2.5]}')
    with window() as w:
        play(w, clip)
        hold(w)
        _go(w, 0.0)
        for seconds in (2.5, 8.0, 2.5):
            QTest.keyClick(w, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
            wait_until(lambda s=seconds: abs(w.view.result.frame.time - s) < 0.1, str(seconds))


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", '{"bookmarks": 3}', '{"bookmarks": ["a"]}', '{"bookmarks": [NaN]}', '{"a": 1}'],
)
def test_a_file_that_holds_something_else_is_left_alone_and_named(clip, text):
    path = bookmarks_path(_path(clip))
    path.write_text(text)
    with window() as w:
        play(w, clip)
        assert any("holds no bookmarks" in said for said in messages(w))
        hold(w)
        press(w, Qt.Key.Key_M)
        assert len(w.playback.bookmarks.times) == 1
    assert path.read_text() == text


def test_where_none_can_be_written_they_are_kept_meanwhile_and_it_is_said(clip):
    bookmarks_path(_path(clip)).mkdir()
    with window() as w:
        play(w, clip)
        hold(w)
        press(w, Qt.Key.Key_M)
        assert len(w.playback.bookmarks.times) == 1
        assert any("kept until another" in said for said in messages(w))


def test_where_there_is_none_the_key_says_so(clip):
    with window() as w:
        play(w, clip)
        w.playback.bookmarks.next()
        assert any("no bookmark here" in said for said in messages(w))
