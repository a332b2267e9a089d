"""Dropping things on the window."""

import pytest
from PyQt6.QtCore import QPoint, QUrl

from app.sources.spec import SourceSpec
from tests.gui import drag, drop, messages, play, shows, wait_until, window
from tests.media import write_clip


@pytest.mark.parametrize("place", ["picture", "legend", "bar"])
def test_a_video_dropped_anywhere_plays(tmp_path, place):
    clip = write_clip(tmp_path / "street.mp4", 60)
    with window() as w:
        widget = {"picture": w.invitation, "legend": w.legend.rows[5], "bar": w.bar}[place]
        drop(w, clip, at=widget.mapTo(w, QPoint(5, 5)))
        wait_until(lambda: shows(w, SourceSpec("file", str(clip))), "the dropped clip")
        assert messages(w) == []


def test_a_video_dropped_on_a_playing_one_takes_its_place(tmp_path):
    clip = write_clip(tmp_path / "next one.mp4", 60)
    with window() as w:
        play(w)
        drop(w, clip)
        wait_until(lambda: shows(w, SourceSpec("file", str(clip))), "the dropped clip")
        wait_until(lambda: "next one.mp4" in w.windowTitle(), "the title")


def test_a_dropped_folder_is_refused_in_words_and_what_plays_goes_on(tmp_path):
    (tmp_path / "holiday").mkdir()
    with window() as w:
        play(w)
        generation = w.pipeline.generation
        drop(w, tmp_path / "holiday")
        assert messages(w) == ["holiday is a folder: drop a single video file."]
        assert w.pipeline.generation == generation
        assert w.pipeline.snapshot().state == "playing"


def test_of_several_files_the_first_plays_and_the_rest_is_named(tmp_path):
    clips = [write_clip(tmp_path / f"{i}.mp4", 60) for i in range(3)]
    with window() as w:
        drop(w, *clips)
        wait_until(lambda: shows(w, SourceSpec("file", str(clips[0]))), "the first clip")
        assert messages(w) == ["Playing 0.mp4; the other 2 were left out: drop one at a time."]


def test_a_dropped_address_is_refused_in_words():
    with window() as w:
        drop(w, QUrl("https://example.org/clip.mp4"))
        assert messages(w) == [
            "https://example.org/clip.mp4 is not on this computer: drop a video file."
        ]


def test_a_dropped_file_that_is_no_video_is_refused_in_words(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no video")
    with window() as w:
        drop(w, text)
        wait_until(lambda: messages(w), "the message")
        assert "notes.txt" in messages(w)[0]
        play(w)


def test_a_drag_over_the_window_shows_that_it_may_drop(tmp_path):
    clip = write_clip(tmp_path / "street.mp4", 30)
    with window() as w:
        drag(w, clip)
        assert w.hint.isVisible()
        drop(w, clip)
        assert not w.hint.isVisible()
