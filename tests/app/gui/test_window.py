"""The window from opening to closing."""

import os
import signal
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QColor
from PyQt6.QtTest import QTest

from app.core.formatting import clock
from app.gui import application as run
from app.gui.widgets import theme
from app.sources.source_spec import SourceSpec
from tests.support.cli_process import Started
from tests.support.media import read_clip, write_clip
from tests.support.window_driver import (
    DEMO,
    SMALL,
    application,
    click,
    hold,
    messages,
    play,
    press,
    screenshot,
    shows,
    street,
    wait_until,
    window,
)


def test_an_empty_window_invites():
    with window() as w:
        assert w.welcome_page.isVisible()
        assert not w.view.isVisible()
        assert not w.transport_bar.play.isEnabled()
        assert not w.transport_bar.record.isEnabled()
        click(w.welcome_page.demo)
        wait_until(lambda: shows(w, DEMO), "the demo street")
        assert not w.welcome_page.isVisible()


def test_the_whole_legend_is_visible_at_the_default_size_and_scrolls_in_a_small_window():
    with window() as w:
        w.resize(1360, 900)
        QTest.qWait(50)
        assert [row.text() for row in w.legend.rows][::18] == ["road", "bicycle"]
        assert all(row.visibleRegion().boundingRect() == row.rect() for row in w.legend.rows)
        w.resize(800, 600)
        QTest.qWait(50)
        assert w.size().width() == 800
        assert w.legend.rows[-1].visibleRegion().isEmpty()


def test_the_picture_keeps_its_aspect(tmp_path):
    clip = SourceSpec("file", str(write_clip(tmp_path / "tall.mp4", 60, size=(96, 160))))
    with window() as w:
        play(w, clip)
        for size in ((1300, 700), (700, 900)):
            w.resize(*size)
            QTest.qWait(50)
            rect = w.view.picture_rect()
            assert rect.width() / rect.height() == pytest.approx(96 / 160, rel=0.01)
            assert w.view.rect().contains(rect)


def test_the_painted_colours_are_those_of_the_result():
    with window() as w:
        play(w)
        hold(w)
        painted = screenshot(w.view)
        rect, picture = w.view.picture_rect(), w.view.result.picture
        # Means of the lower half: scaling leaves them, and no figures are written there.
        part = painted[rect.center().y() : rect.bottom(), rect.left() : rect.right(), 2::-1]
        expected = picture[picture.shape[0] // 2 :].mean((0, 1))
        assert np.ptp(expected) > 5
        assert part.mean((0, 1)) == pytest.approx(expected, abs=2.0)


def test_space_holds_the_picture_and_goes_on():
    with window() as w:
        play(w)
        hold(w)
        index = w.view.result.frame.index
        QTest.qWait(300)
        assert w.view.result.frame.index == index
        assert w.transport_bar.play.accessibleName() == "Play"
        click(w.transport_bar.play)
        wait_until(lambda: w.view.result.frame.index > index + 2, "the next pictures")


def test_a_file_that_has_ended_plays_again(tmp_path):
    clip = SourceSpec("file", str(write_clip(tmp_path / "short.mp4", 8)))
    with window() as w:
        play(w, clip)
        wait_until(lambda: w.pipeline.status().state == "ended", "the end")
        wait_until(lambda: w.transport_bar.play.accessibleName() == "Play again", "the button")
        before = w.pipeline.session.token
        press(w, Qt.Key.Key_Space)
        wait_until(
            lambda: w.pipeline.session.token is not before and shows(w, clip), "the second time"
        )


@pytest.mark.parametrize("runtime", ["auto", "torch"])
def test_the_status_line_says_what_is_in_use(runtime):
    with window(replace(SMALL, network=replace(SMALL.network, runtime=runtime))) as w:
        play(w, DEMO)
        wait_until(lambda: "input" in w.status_bar.text.text(), "the status")
        used = w.pipeline.status().network  # in bf16 where the processor has it
        assert ("PyTorch" in used.runtime) >= (runtime == "torch")
        of = ("cpu", used.precision, used.runtime, "input 64×128")
        for part in ("demo street", "1024×512", "rendered", *of):
            assert part in w.status_bar.text.text()
        wait_until(lambda: w.status_bar.counts.text().startswith("real time, "), "the pace")
        assert w.status_bar.counts.text().endswith("shown")
        assert "frames captured, " in w.status_bar.counts.toolTip()


def test_a_missing_file_gives_one_sentence_and_the_window_plays_on():
    with window(replace(SMALL, sources=(SourceSpec("file", "nosuch.mp4"),))) as w:
        wait_until(lambda: messages(w), "the message")
        assert messages(w) == ["There is no file nosuch.mp4: check the path."]
        assert w.welcome_page.isVisible()
        play(w)
        assert messages(w) == []


def test_a_missing_camera_gives_one_sentence_and_the_window_plays_on():
    with window(replace(SMALL, sources=(SourceSpec("camera", "97"),))) as w:
        wait_until(lambda: messages(w), "the message")
        assert len(messages(w)) == 1
        assert "camera 97" in messages(w)[0]
        play(w)


def test_what_plays_is_never_recorded_over(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 12)
    before = clip.read_bytes()
    settings = replace(
        SMALL,
        sources=(SourceSpec("file", str(clip)),),
        recording=replace(SMALL.recording, file=clip, overwrite=True),
    )
    with window(settings) as w:
        wait_until(lambda: messages(w), "the message")
        assert "clip.mp4" in messages(w)[0]
        wait_until(lambda: w.view.result is not None, "the picture")
    assert clip.read_bytes() == before


def test_bad_weights_give_one_sentence_and_the_window_stays(tmp_path):
    bad = tmp_path / "bad.pth"
    bad.write_bytes(b"no checkpoint")
    with window(
        replace(SMALL, sources=(DEMO,), network=replace(SMALL.network, weights=str(bad)))
    ) as w:
        wait_until(lambda: messages(w), "the message")
        assert len(messages(w)) == 1
        assert "bad.pth" in messages(w)[0]
        wait_until(lambda: "no network" in w.status_bar.text.text(), "the status")
        w.open(SourceSpec("file", "nosuch.mp4"))
        wait_until(lambda: "nosuch.mp4" in "".join(messages(w)), "the next message")


def test_an_error_in_the_window_itself_is_shown_and_does_not_end_it(monkeypatch, caplog):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with window() as w:
        run._catch_slot_errors(w)
        QTimer.singleShot(0, lambda: 1 / 0)
        wait_until(lambda: messages(w), "the message")
        assert "ZeroDivisionError" in messages(w)[0]
        assert "ZeroDivisionError" in caplog.text


def test_messages_can_be_closed_and_do_not_pile_up():
    with window() as w:
        for number in (1, 1, 2, 3, 4):
            w.notifications.notify(f"message {number}", error=True)
        assert messages(w) == ["message 2", "message 3", "message 4"]
        w.notifications.clear()
        assert messages(w) == []


def test_full_screen_shows_the_picture_alone_until_escape():
    with window() as w:
        play(w)
        press(w, Qt.Key.Key_F)
        assert w.isFullScreen()
        assert not w.legend.isVisible()
        assert not w.transport_bar.isVisible()
        press(w, Qt.Key.Key_Escape)
        assert not w.isFullScreen()
        assert w.legend.isVisible()


def test_ctrl_o_asks_for_a_file_and_opens_it(tmp_path):
    clip = write_clip(tmp_path / "chosen.mp4", 60)
    with window() as w:
        press(w, Qt.Key.Key_O, control=True)
        dialog = w.open_menu.dialog
        assert dialog.isVisible()
        dialog.selectFile(str(clip))
        dialog.accept()
        wait_until(lambda: shows(w, SourceSpec("file", str(clip))), "the chosen clip")


def test_every_frame_is_accounted_for_after_closing():
    with window() as w:
        play(w)
        QTest.qWait(300)
        play(w, DEMO)
        w.resize(700, 500)
        QTest.qWait(300)
        press(w, Qt.Key.Key_Q, control=True)
        assert not w.isVisible()
        counters = w.pipeline.stats.counters()
        assert counters.shown > 3
        assert counters.captured == counters.shown + counters.dropped_total


def test_closing_while_playing_and_recording_is_quick_and_leaves_a_playable_file(tmp_path):
    out = tmp_path / "out.mp4"
    with window(
        replace(SMALL, sources=(street(),), recording=replace(SMALL.recording, file=out))
    ) as w:
        wait_until(lambda: w.pipeline.stats.counters().recorded > 10, "ten recorded frames")
        started = time.monotonic()
        w.close()
        assert time.monotonic() - started < 10  # the clip lasts 13
        times, pictures = read_clip(out)
        assert len(times) == w.pipeline.stats.counters().recorded
        assert pictures[0].shape == (128, 256, 3)


def test_an_output_that_cannot_be_written_is_a_message_and_the_window_plays(tmp_path):
    taken = tmp_path / "out.mp4"
    taken.write_bytes(b"precious")
    with window(
        replace(SMALL, sources=(DEMO,), recording=replace(SMALL.recording, file=taken))
    ) as w:
        assert "exists" in messages(w)[0]
        wait_until(lambda: shows(w, DEMO), "the demo street")
        assert len(messages(w)) == 1
    assert taken.read_bytes() == b"precious"


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
def test_ctrl_c_closes_the_window_and_its_recording_in_order(tmp_path):
    out = tmp_path / "out.mp4"
    arguments = [street().value, "--input-size", "64x128", "--device", "cpu", "-o", str(out)]
    with Started(*arguments) as process:
        wait_until(lambda: out.exists() and out.stat().st_size > 1000, "the recording")
        process.send_signal(signal.SIGINT)
        done = process.finish()
    assert done.returncode == 130
    assert done.stderr.startswith("Saved ")
    assert "Traceback" not in done.stderr
    assert read_clip(out)[0]


def test_a_slow_window_gets_one_wake_up_at_a_time():
    application()
    seen = []
    wake = run.MainWindow(SMALL).pipeline.sinks.display._wake
    wake._handle = lambda: seen.append(1)
    for _ in range(100):
        wake()
    assert seen == []
    QTest.qWait(20)
    assert seen == [1]
    wake()
    QTest.qWait(20)
    assert seen == [1, 1]


def test_all_text_is_readable_on_its_ground_in_every_theme():
    assert theme.contrast("#ffffff", "#000000") == pytest.approx(21)
    for colors in theme.THEMES.values():
        for text, ground in theme.READABLE:
            for under in (0, 255):  # what shines through
                solid = _over(colors[ground], under)
                assert theme.contrast(colors[text], solid) >= 4.5, (text, ground, under)


def _over(color, under):
    face = QColor(color)
    share = face.alphaF()
    parts = (face.red(), face.green(), face.blue())
    return QColor(*(round(p * share + under * (1 - share)) for p in parts)).name()


def test_times_are_written_as_clocks():
    assert [clock(s) for s in (0, 9.9, 65, 3600, 7325)] == [
        "0:00", "0:09", "1:05", "1:00:00", "2:02:05",
    ]  # fmt: skip
