"""The timeline: going about in a file, frame by frame, in loops and at other speeds."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtTest import QTest

from app.config.alert_rules import parse_rule, parse_zone
from app.config.data_options import AlertOptions
from app.core.events import Event
from app.gui.widgets import theme
from app.sources.source_spec import SourceSpec
from tests.support.media import write_clip
from tests.support.window_driver import (
    DEMO,
    SMALL,
    click,
    hold,
    messages,
    play,
    press,
    screenshot,
    wait_until,
    window,
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "ten.mp4"
    return SourceSpec("file", str(write_clip(path, 300, size=(128, 64))))


def _shown(made, seconds, slack=0.04):
    result = made.view.result
    return result is not None and abs(result.frame.time - seconds) < slack


def test_a_click_and_a_drag_on_the_timeline_go_there(clip):
    with window() as w:
        play(w, clip)
        hold(w)
        track = w.seek_bar.track
        place = QPoint(round(track.x_of(4.0)), track.height() // 2)
        QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=place)
        wait_until(lambda: _shown(w, track.seconds_at(place.x())), "the place")
        further = QPoint(round(track.x_of(7.0)), place.y())
        QTest.mouseMove(track, further)
        QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=further)
        wait_until(lambda: _shown(w, track.seconds_at(further.x())), "the place dragged to")
        assert w.pipeline.status().state == "paused"
        assert w.seek_bar.position.text().startswith("0:0")
        assert w.seek_bar.duration.text() == "0:10.0"


def test_the_frame_is_numbered_and_the_handle_reaches_the_end(clip):
    with window() as w:
        play(w, clip)
        hold(w)
        press(w, Qt.Key.Key_Home)
        wait_until(lambda: w.seek_bar.frame.text() == "frame 0", "the first frame")
        press(w, Qt.Key.Key_Period)
        wait_until(lambda: w.seek_bar.frame.text() == "frame 1", "the next frame")
        assert w.seek_bar.position.text() == "0:00.0"
        w.pipeline.session.seek(9.9)
        wait_until(lambda: _shown(w, 9.9), "the place")
        w.pipeline.play()
        wait_until(lambda: w.pipeline.status().state == "ended", "the end")
        wait_until(lambda: w.seek_bar.track.value() == w.seek_bar.track.maximum(), "the handle")
        assert w.seek_bar.frame.text() == "frame 299"


def test_a_look_ahead_shows_the_time_and_a_small_picture(clip):
    with window() as w:
        play(w, clip)
        track = w.seek_bar.track

        def pointed():
            # From elsewhere: the mouse may stand there already, or the duration not be known yet.
            for y in (4, 5):
                QTest.mouseMove(track, QPoint(round(track.x_of(6.0)), y))
            return track.preview.isVisible()

        wait_until(pointed, "the peek")
        assert track.preview.seconds == pytest.approx(6.0, abs=0.2)
        wait_until(lambda: track.preview.image is not None, "the small picture")
        assert track.preview.image.width() == 2 * track.preview.image.height()


def test_arrows_home_end_and_steps_move_a_held_picture(clip):
    with window() as w:
        play(w, clip)
        hold(w)
        w.pipeline.session.seek(2.0)
        wait_until(lambda: _shown(w, 2.0), "two seconds")
        press(w, Qt.Key.Key_Period)
        wait_until(lambda: _shown(w, 2.0 + 1 / 30, 0.005), "one frame on")
        press(w, Qt.Key.Key_Comma)
        wait_until(lambda: _shown(w, 2.0, 0.005), "one frame back")
        click(w.transport_bar.step)
        wait_until(lambda: _shown(w, 2.0 + 1 / 30, 0.005), "one frame on by the button")
        press(w, Qt.Key.Key_Right)
        wait_until(lambda: _shown(w, 7.0 + 1 / 30), "five seconds on")
        press(w, Qt.Key.Key_Left)
        wait_until(lambda: _shown(w, 2.0 + 1 / 30), "five seconds back")
        press(w, Qt.Key.Key_End)
        wait_until(lambda: _shown(w, 299 / 30), "the last frame")
        press(w, Qt.Key.Key_Home)
        wait_until(lambda: _shown(w, 0.0), "the first frame")


def test_loop_points_are_set_shown_and_taken_away(clip):
    with window() as w:
        play(w, clip)
        hold(w)
        for seconds, key in ((3.0, Qt.Key.Key_BracketLeft), (3.4, Qt.Key.Key_BracketRight)):
            w.pipeline.session.seek(seconds)
            wait_until(lambda seconds=seconds: _shown(w, seconds), "the place")
            press(w, key)
        begin, end = w.pipeline.status().loop
        assert (begin, end) == (pytest.approx(3.0, abs=0.04), pytest.approx(3.4, abs=0.04))
        wait_until(lambda: w.seek_bar.track.loop == (begin, end), "the marks")
        assert w.transport_bar.loop.isChecked()
        press(w, Qt.Key.Key_Space)
        times = []
        wait_until(lambda: times.append(w.view.result.frame.time) or _turned(times), "two rounds")
        assert max(times[1:]) <= end + 0.05
        press(w, Qt.Key.Key_L)
        assert w.pipeline.status().loop is None
        wait_until(lambda: w.seek_bar.track.loop == (None, None), "no marks")


def _turned(times):
    return sum(b < a for a, b in pairwise(times)) >= 2


def test_the_speed_can_be_chosen_by_key_and_by_menu(clip):
    with window() as w:
        play(w, clip)
        press(w, Qt.Key.Key_Up)
        assert w.pipeline.status().speed == 1.5
        press(w, Qt.Key.Key_Backspace)
        assert w.pipeline.status().speed == 1.0
        for _ in range(9):
            press(w, Qt.Key.Key_Down)
        assert w.pipeline.status().speed == 0.25
        w.transport_bar.speed.menu().actions()[-1].trigger()
        assert w.pipeline.status().speed == 4.0
        wait_until(lambda: w.transport_bar.speed.text() == "4×", "the words")


def test_a_source_without_an_end_has_no_track_and_says_so():
    with window() as w:
        play(w, DEMO)
        wait_until(lambda: w.seek_bar.duration.text() == "Live", "the words")
        assert not w.seek_bar.track.isVisible()
        assert w.transport_bar.step.isEnabled()


def test_alerts_are_marked_until_another_source_is_opened(clip):
    alerts = AlertOptions(alert=(parse_rule("road < 100%"),))
    with window(replace(SMALL, alerts=alerts)) as w:
        play(w, clip)
        wait_until(lambda: w.seek_bar.track.alerts, "the mark")
        assert 0 <= w.seek_bar.track.alerts[0] < 10
        assert any(text.startswith("Alert: road < 100%") for text in messages(w))
        hold(w)
        x = round(w.seek_bar.track.x_of(w.seek_bar.track.alerts[0]))
        drawn = screenshot(w.seek_bar.track)[1:6, max(0, x - 3) : x + 4].astype(int)
        assert (np.ptp(drawn, axis=-1) > 80).any()
        w.seek_bar.learn(Event("opened"))
        assert not w.seek_bar.track.alerts


def test_zones_are_outlined_with_their_names(clip):
    gate = parse_zone("gate=0.2,0.2,0.8,0.2,0.8,0.8,0.2,0.8")
    alerts = AlertOptions(alert=(parse_rule("road in gate > 99%"),), zone=(gate,))
    with window(replace(SMALL, alerts=alerts)) as w:
        play(w, clip)
        hold(w)
        seen = screenshot(w.view)
        panes = w.view.panes().picture(0)
        x, y = round(panes.left() + 0.2 * panes.width()), round(panes.top() + 0.5 * panes.height())
        accent = QColor(theme.ACCENT)
        wanted = np.array([accent.red(), accent.green(), accent.blue()])
        near = seen[y - 2 : y + 3, x - 3 : x + 4, :3].reshape(-1, 3).astype(int)
        distances = np.abs(near - wanted).sum(-1), np.abs(near - wanted[::-1]).sum(-1)
        assert min(map(min, distances)) < 60


@pytest.mark.parametrize("by", ["frames", "time"])
def test_the_handle_stays_where_a_run_is_cut_short(clip, by):
    cut = {"frames": ({"max_frames": 15}, {}), "time": ({}, {"end": 0.5})}
    settings, spec = cut[by]
    made = replace(SMALL, source=replace(SMALL.source, **settings))
    with window(made) as w:
        w.open(replace(clip, **spec))
        wait_until(lambda: w.pipeline.status().state == "ended", "the end")
        wait_until(lambda: w.seek_bar.position.text() != "0:00.0", "the place")
        QTest.qWait(150)
        track = w.seek_bar.track
        assert 0 < track.value() < track.maximum() / 2
        assert track.value() == pytest.approx(1000 * w.pipeline.status().position, abs=1)


def test_an_alert_that_a_loop_brings_again_is_told_once_and_marked_once(clip):
    made = replace(SMALL, alerts=AlertOptions(alert=(parse_rule("building > 0%"),)))
    with window(made) as w:
        w.open(clip)
        wait_until(lambda: w.pipeline.status().state == "playing", "the clip")
        w.pipeline.session.set_loop((0.2, 0.6))
        log = w.bottom_panel.log
        wait_until(lambda: sum("Alert: " in line for line in log.lines) >= 3, "three passes")
        assert sum(text.startswith("Alert: ") for text in messages(w)) == 1
        assert len(w.seek_bar.track.alerts) <= 2
