"""Messages of the window: few at a time, and with a way to try again where that can help."""

import threading

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtTest import QTest

from app.core.watchdog import LIMITS
from app.gui.window.saved_state import SavedState
from app.pipeline import capture
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec
from tests.support.media import write_clip
from tests.support.window_driver import click, messages, play, press, shows, wait_until, window


def test_a_slow_start_leaves_one_note_at_a_time(tmp_path, monkeypatch):
    """At the first start there are a greeting, and what the watchdog has to say."""
    for stage in LIMITS:
        monkeypatch.setitem(LIMITS, stage, 60.0)
    monkeypatch.setitem(LIMITS, "opening", 0.2)
    release = threading.Event()

    def opened(spec):
        release.wait(30)
        return open_source(spec)

    monkeypatch.setattr(capture, "open_source", opened)
    most, saved = 0, SavedState(tmp_path / "p.ini")
    with window(saved=saved) as w:
        w.open(SourceSpec("demo", width=128, height=64))
        wait_until(lambda: messages(w), "the note")
        assert "the computer may be busy" in messages(w)[0]
        release.set()
        wait_until(lambda: "has answered after" in "".join(messages(w)), "the end of the note")
        for _ in range(20):
            QTest.qWait(20)
            most = max(most, len(messages(w)))
        assert most == 1
        assert not saved.greeted  # another time will do
        monkeypatch.setitem(LIMITS, "opening", 60.0)
        w.open(SourceSpec("demo", width=128, height=64))
        wait_until(lambda: saved.greeted, "the greeting")
        w.notify("notice", "something else")
        assert messages(w) == ["something else"]


def _again(made):
    (actions,) = [n.actions_by_name for n in made.notifications.shown if n.actions_by_name]
    assert list(actions) == ["Try again"]
    return actions["Try again"]


def test_a_source_that_did_not_open_can_be_tried_again(tmp_path):
    path = tmp_path / "late.mp4"
    with window() as w:
        w.open(SourceSpec("file", str(path)))
        wait_until(lambda: messages(w), "the error")
        write_clip(path, 60)
        click(_again(w))
        wait_until(lambda: shows(w, SourceSpec("file", str(path))), "the clip")
        assert messages(w) == []


def test_an_address_that_did_not_answer_can_be_tried_again_while_a_clip_plays():
    with window() as w:
        play(w)
        w.open_menu.open_text("http://127.0.0.1:9/none")
        wait_until(lambda: messages(w), "the error")
        click(_again(w))
        wait_until(lambda: messages(w), "the error once more")
        assert len(messages(w)) == 1
        wait_until(lambda: w.pipeline.status().state == "playing", "the clip")


def test_a_recording_that_could_not_begin_can_be_tried_again(tmp_path):
    folder = tmp_path / "stick"
    with window(recordings=folder) as w:
        play(w)
        press(w, Qt.Key.Key_R)
        wait_until(lambda: messages(w), "the error")
        folder.mkdir()
        click(_again(w))
        wait_until(lambda: w.pipeline.stats.counters().recorded > 2, "the recording")


def test_weights_that_were_not_there_can_be_tried_again(tmp_path, monkeypatch):
    with window() as w:
        play(w)
        w.network_commands.use_weights(tmp_path / "late.pth")
        wait_until(lambda: messages(w), "the error")
        asked = []
        monkeypatch.setattr(w.pipeline.networks, "use_weights", asked.append)
        click(_again(w))
        assert asked == [tmp_path / "late.pth"]


@pytest.mark.parametrize("kind", ["notice", "error"])
def test_what_trying_again_cannot_help_has_no_button(kind):
    with window() as w:
        w.notify(kind, "only words")
        assert [n.actions_by_name for n in w.notifications.shown] == [{}]


def test_a_recording_that_was_saved_can_be_played_and_found(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    with window(recordings=tmp_path) as w:
        play(w)
        press(w, Qt.Key.Key_R)
        wait_until(lambda: w.pipeline.stats.counters().recorded > 2, "the recording")
        press(w, Qt.Key.Key_R)
        wait_until(lambda: any(text.startswith("Saved ") for text in messages(w)), "the notice")
        (saved,) = [n for n in w.notifications.shown if n.text.startswith("Saved ")]
        assert list(saved.actions_by_name) == ["Play", "Show in folder"]
        saved.actions_by_name["Show in folder"].click()
        assert shown == [str(tmp_path)]
        saved.actions_by_name["Play"].click()
        (video,) = tmp_path.glob("*.mp4")
        wait_until(lambda: shows(w, SourceSpec("file", str(video))), "the recording")
