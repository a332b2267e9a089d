"""Dropping things on the window."""

import cv2
import pytest
from PIL import Image
from PyQt6.QtCore import QPoint, Qt, QUrl

from app.sources.source_spec import SourceSpec
from tests.support.media import picture, write_clip
from tests.support.window_driver import (
    drag,
    drop,
    drop_text,
    messages,
    play,
    press,
    shows,
    wait_until,
    window,
)


@pytest.mark.parametrize("place", ["picture", "legend", "bar"])
def test_a_video_dropped_anywhere_plays(tmp_path, place):
    clip = write_clip(tmp_path / "street.mp4", 60)
    with window() as w:
        widget = {"picture": w.welcome_page, "legend": w.legend.rows[5], "bar": w.transport_bar}[
            place
        ]
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


def test_a_folder_without_videos_is_refused_in_words_and_what_plays_goes_on(tmp_path):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "notes.txt").write_text("no video")
    with window() as w:
        play(w)
        generation = w.pipeline.session.token
        drop(w, tmp_path / "holiday")
        assert messages(w) == [
            "The folder holiday holds no video and no picture: drop one that does."
        ]
        assert w.pipeline.session.token is generation
        assert w.pipeline.status().state == "playing"


def test_a_folder_of_pictures_and_a_picture_can_be_dropped(tmp_path):
    folder = tmp_path / "drive"
    folder.mkdir()
    for index in range(4):
        cv2.imwrite(str(folder / f"{index}.png"), picture(index))
    with window() as w:
        drop(w, folder)
        wait_until(lambda: shows(w, SourceSpec("images", str(folder))), "the pictures")
        assert w.pipeline.status().source.frames == 4
        drop(w, folder / "2.png")
        wait_until(lambda: shows(w, SourceSpec("images", str(folder / "2.png"))), "the picture")


def test_an_animated_picture_plays_as_a_clip(tmp_path):
    path = tmp_path / "walk.webp"
    first, *rest = [Image.fromarray(picture(index)) for index in range(5)]
    first.save(path, save_all=True, append_images=rest, duration=200)
    with window() as w:
        drop(w, path)
        wait_until(lambda: shows(w, SourceSpec("images", str(path))), "the animation")
        source = w.pipeline.status().source
        assert (source.frames, source.duration) == (5, pytest.approx(1.0))
        wait_until(lambda: w.pipeline.status().state == "ended", "its end")
        assert messages(w) == []


def test_several_files_and_a_folder_make_a_playlist_that_plays_on_by_itself(tmp_path):
    (tmp_path / "more").mkdir()
    names = ["b.mp4", "more/clip 10.mp4", "more/clip 2.mp4"]
    clips = {name: write_clip(tmp_path / name, 12) for name in names}
    with window() as w:
        drop(w, clips["b.mp4"], tmp_path / "more", tmp_path / "gone.mp4")
        assert [spec.name for spec in w.playback.playlist.entries] == [
            "b.mp4", "clip 2.mp4", "clip 10.mp4",
        ]  # fmt: skip
        assert messages(w) == [f"There is no file {tmp_path / 'gone.mp4'}: drop a video."]
        wait_until(lambda: "clip 10.mp4 (3 of 3)" in w.windowTitle(), "the last clip", 40)
        press(w, Qt.Key.Key_P)
        wait_until(lambda: "clip 2.mp4 (2 of 3)" in w.windowTitle(), "the one before")


def test_after_the_last_of_a_playlist_the_next_key_says_so(tmp_path):
    clips = [write_clip(tmp_path / f"{i}.mp4", 60) for i in range(2)]
    with window() as w:
        drop(w, *clips)
        press(w, Qt.Key.Key_N)
        wait_until(lambda: shows(w, SourceSpec("file", str(clips[1]))), "the second clip")
        press(w, Qt.Key.Key_N)
        assert messages(w) == ["That was the last one of the playlist."]
        assert shows(w, SourceSpec("file", str(clips[1])))


def test_an_unreadable_file_of_a_playlist_is_named_and_passed_over(tmp_path):
    bad = tmp_path / "1 bad.mp4"
    bad.write_bytes(b"no video at all")
    good = write_clip(tmp_path / "2 good.mp4", 60)
    with window() as w:
        drop(w, bad, good)
        wait_until(lambda: shows(w, SourceSpec("file", str(good))), "the good one")
        assert "1 bad.mp4" in messages(w)[0]


def test_while_something_plays_an_unreadable_file_of_a_playlist_is_passed_over_too(tmp_path):
    bad = tmp_path / "1 bad.mp4"
    bad.write_bytes(b"no video at all")
    good = write_clip(tmp_path / "2 good.mp4", 60)
    with window() as w:
        play(w)
        drop(w, bad, good)
        wait_until(lambda: shows(w, SourceSpec("file", str(good))), "the good one")
        assert any("1 bad.mp4" in text for text in messages(w))


def test_a_dropped_text_that_is_no_address_is_refused_in_words():
    with window() as w:
        drop_text(w, "only words")
        assert messages(w) == ["That was no file and no URL: drop a video."]


def test_a_dropped_address_that_is_none_of_a_video_is_refused_in_words():
    with window() as w:
        drop(w, QUrl("mailto:someone@example.org"))
        wait_until(lambda: messages(w), "the message")
        assert "mailto:someone@example.org" in messages(w)[0]


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
        assert w.drop_overlay.isVisible()
        drop(w, clip)
        assert not w.drop_overlay.isVisible()
