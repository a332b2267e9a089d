"""Dropping things on the window."""

import threading
import time

import cv2
import pytest
from PIL import Image
from PyQt6.QtCore import QPoint, Qt, QUrl

from app.gui.controllers import source_trial
from app.gui.window.drag_and_drop import parse_paths
from app.pipeline import capture
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec
from tests.support.media import picture, write_clip
from tests.support.window_driver import (
    click,
    drag,
    drop,
    drop_text,
    hold,
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
        wait_until(lambda: "clip 10.mp4 (3 of 3)" in w.windowTitle(), "the last clip")
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


@pytest.mark.parametrize("bad", [["2.mp4"], ["2.mp4", "3.mp4"]])
@pytest.mark.parametrize("seconds", [0, 0.4])
def test_at_the_end_of_one_unreadable_files_are_passed_over_too(
    tmp_path, bad, seconds, monkeypatch
):
    def slowly(spec):
        time.sleep(seconds if spec.name == "1.mp4" else 0)
        return open_source(spec)

    monkeypatch.setattr(capture, "open_source", slowly)
    first, last = (write_clip(tmp_path / name, 6) for name in ("1.mp4", "4.mp4"))
    for name in bad:
        (tmp_path / name).write_bytes(b"no video at all")
    with window() as w:
        drop(w, first, *(tmp_path / name for name in bad), last)
        wait_until(lambda: shows(w, SourceSpec("file", str(last))), "the last one")
        for name in bad:
            assert any(name in text for text in messages(w))


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


TEXTS = {
    "notes.txt": b"no video\n" * 200,  # which FFmpeg would draw as a terminal does
    "story.nfo": b"no video",
    "data.bin": bytes(range(256)) * 40,
    "cut.mp4": b"\0\0\0\x18ftypmp42" + bytes(200),
    "empty.mkv": b"",
    "paper.pdf": b"%PDF-1.7 " + bytes(900),
    "broken.png": b"\x89PNG\r\n" + bytes(90),
}


@pytest.mark.parametrize("state", ["playing", "paused", "ended", "recording"])
def test_a_wrong_file_leaves_everything_as_it_is(tmp_path, state):
    with window(recordings=tmp_path / "out") as w:
        (tmp_path / "out").mkdir()
        clip = write_clip(tmp_path / "c.mp4", 10 if state == "ended" else 300)
        play(w, SourceSpec("file", str(clip)))
        if state == "paused":
            hold(w)
        elif state == "ended":
            wait_until(lambda: w.pipeline.status().state == "ended", "the end")
        elif state == "recording":
            press(w, Qt.Key.Key_R)
            wait_until(lambda: w.pipeline.stats.counters().recorded > 2, "a recording")
        session, playlist = w.pipeline.session, w.playback.playlist.entries
        for number, (name, content) in enumerate(TEXTS.items()):
            (tmp_path / name).write_bytes(content)
            if number % 2:
                drop(w, tmp_path / name)
            else:
                w.open_menu.chosen.emit(parse_paths([tmp_path / name]))
            wait_until(lambda name=name: any(name in text for text in messages(w)), name)
            assert w.playback.trial.current is None
        assert w.pipeline.session is session
        assert w.playback.playlist.entries == playlist
        assert w.pages.currentWidget() is w.view
        assert w.view.result is not None
        assert "c.mp4" in w.windowTitle()
        expected = "playing" if state == "recording" else state
        assert w.pipeline.status().state in {expected, "ended"}
        assert (w.pipeline.status().recording is not None) == (state == "recording")


def test_an_address_that_does_not_open_leaves_the_picture_of_a_clip_that_has_ended(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", 10)
    with window() as w:
        play(w, SourceSpec("file", str(clip)))
        wait_until(lambda: w.pipeline.status().state == "ended", "the end")
        w.open_menu.open_text("http://127.0.0.1:9/none")
        wait_until(lambda: messages(w), "the error")
        wait_until(lambda: w.pipeline.status().state == "ended", "the clip")
        wait_until(lambda: shows(w, SourceSpec("file", str(clip))), "its picture")
        press(w, Qt.Key.Key_Space)
        wait_until(lambda: w.pipeline.status().state == "playing", "the beginning")


def test_the_address_that_did_not_open_is_there_to_be_mended(tmp_path):
    with window() as w:
        for wrong in ("http://127.0.0.1:9/cam?user=me", "gopher://x"):
            w.open_menu.ask_for_address()
            w.open_menu.address.setTextValue(wrong)
            w.open_menu.address.accept()
            wait_until(lambda: messages(w), "the error")
            w.open_menu.ask_for_address()
            assert w.open_menu.address.textValue() == wrong
            w.open_menu.address.reject()
            w.notifications.clear()
        w.open_menu.open_text(str(write_clip(tmp_path / "c.mp4", 60)))
        wait_until(lambda: w.open_menu.entered == "", "the clip")
        w.open_menu.ask_for_address()
        assert w.open_menu.address.textValue() == ""


@pytest.mark.parametrize("name", ["net.pth", "NET.PT", "net.onnx", "net.safetensors"])
def test_a_checkpoint_is_offered_as_weights(tmp_path, name, monkeypatch):
    (tmp_path / name).write_bytes(b"weights")
    clip = write_clip(tmp_path / "c.mp4", 300)
    with window() as w:
        asked = []
        monkeypatch.setattr(w.pipeline.networks, "use_weights", asked.append)
        play(w)
        drop(w, clip, tmp_path / name)
        wait_until(lambda: shows(w, SourceSpec("file", str(clip))), "the clip beside it")
        assert messages(w) == [f"{name} is a checkpoint, no video."]
        click(w.notifications.shown[0].actions_by_name["Use as weights"])
        assert asked == [tmp_path / name]
        assert messages(w) == []


def test_what_is_tried_can_be_given_up_and_the_last_drop_wins(tmp_path, monkeypatch):
    release, real = threading.Event(), source_trial.open_source

    def slow(spec):
        release.wait(30)
        return real(spec)

    monkeypatch.setattr(source_trial, "open_source", slow)
    clips = [write_clip(tmp_path / f"{name}.mp4", 300) for name in "abc"]
    with window() as w:
        play(w)
        drop(w, clips[0])
        wait_until(lambda: w.progress_strip.isVisible(), "the strip")
        assert "a.mp4" in w.progress_strip.text.text()
        click(w.progress_strip.cancel)
        assert w.playback.trial.current is None
        drop(w, clips[1])
        drop(w, clips[2])
        release.set()
        wait_until(lambda: shows(w, SourceSpec("file", str(clips[2]))), "the last clip")
        assert w.playback.playlist.entries == (SourceSpec("file", str(clips[2])),)
        assert messages(w) == []


def test_a_drag_over_the_window_shows_that_it_may_drop(tmp_path):
    clip = write_clip(tmp_path / "street.mp4", 30)
    with window() as w:
        drag(w, clip)
        assert w.drop_overlay.isVisible()
        drop(w, clip)
        assert not w.drop_overlay.isVisible()
