"""Curves along the timeline: filled as a file plays, and ways through it."""

import threading
from itertools import pairwise

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QMenu

from app.rendering.share_history import Moment
from tests.support.window_driver import (
    DEMO,
    click,
    hold,
    messages,
    play,
    press,
    screenshot,
    wait_until,
    window,
)


def test_they_are_filled_as_a_file_plays_and_begin_anew_with_another_source():
    with window() as w:
        curves = w.bottom_panel.curves
        play(w)
        wait_until(lambda: len(curves.history.moments) > 3, "moments")
        assert sum(curves.history.moments[0].shares) == pytest.approx(1, abs=1e-6)
        assert 0 < curves.history.moments[0].confidence <= 1
        before = screenshot(curves.plot)
        press(w, Qt.Key.Key_G)
        assert w.bottom_panel.page == "curves"
        wait_until(lambda: screenshot(curves.plot).shape != before.shape, "the panel")
        play(w, DEMO)
        QTest.qWait(250)
        assert not curves.next.isEnabled()


def test_a_picture_that_stands_is_looked_at_once():
    with window() as w:
        play(w)
        hold(w)
        history = w.bottom_panel.curves.history
        history.forget()
        QTest.qWait(250)  # the window has looked twice
        assert history.moments == []
        press(w, Qt.Key.Key_Right)
        wait_until(lambda: history.moments, "the next picture's moment")


def test_a_click_goes_there():
    with window() as w:
        play(w)
        hold(w)
        press(w, Qt.Key.Key_G)
        plot = w.bottom_panel.curves.plot
        wait_until(lambda: plot.isVisible() and plot.seconds_at(1e6) > 0, "the plot")
        area = plot.area().toRect()
        middle = QPoint(area.left() + area.width() // 2, area.center().y())
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=middle)
        half = w.pipeline.status().source.duration / 2
        wait_until(lambda: abs(w.view.result.frame.time - half) < 0.3, "the middle of the file")


def test_it_goes_to_where_a_class_begins_next_and_says_when_there_is_none():
    with window() as w:
        play(w)
        hold(w)
        curves = w.bottom_panel.curves
        press(w, Qt.Key.Key_F3)
        press(w, Qt.Key.Key_G)
        menu = QMenu()
        curves._fill(menu)
        next(e for e in menu.actions() if e.text() == "train").trigger()
        assert curves.target.text() == "train > 2 %"
        curves.history.add(Moment(5.0, tuple(0.5 * (n in {0, 16}) for n in range(19)), 0.9))
        click(curves.next)
        wait_until(lambda: abs(w.view.result.frame.time - 5.0) < 0.1, "the train")
        next(e for e in menu.actions() if e.text() == "motorcycle").trigger()
        click(curves.next)
        wait_until(lambda: any("No motorcycle" in text for text in messages(w)), "the notice")


def test_it_goes_to_what_is_least_sure():
    with window() as w:
        play(w)
        hold(w)
        curves = w.bottom_panel.curves
        curves.history.add(Moment(8.0, (1.0,) + (0.0,) * 18, 0.1))
        curves.go_to_unsure()
        wait_until(lambda: w.pipeline.status().position > 0, "a jump")
        found = curves.history.next_unsure(12, 7.0)
        assert found == 8.0


def test_an_open_panel_shows_all_of_a_file_although_little_was_played():
    with window() as w:
        play(w)
        hold(w)
        curves = w.bottom_panel.curves
        QTest.qWait(150)
        assert not any(each.rough for each in curves.history.moments)
        press(w, Qt.Key.Key_G)
        duration = w.pipeline.status().source.duration
        wait_until(lambda: curves.history.moments[-1].time > 0.6 * duration, "the far end")
        assert w.view.result.frame.time < 0.5 * duration
        played = [each.time for each in curves.history.moments if not each.rough]
        assert played
        w.bottom_panel.show_page("log")
        play(w, DEMO)
        wait_until(lambda: not curves.next.isEnabled(), "the other source")
        wait_until(lambda: not any(t.name == "overview" for t in threading.enumerate()), "its end")


@pytest.mark.parametrize("width", [800, 1900])
def test_the_time_scale_has_marks_that_do_not_touch(width):
    with window() as w:
        w.resize(width, 700)
        play(w)
        press(w, Qt.Key.Key_G)
        plot = w.bottom_panel.curves.plot
        wait_until(lambda: plot.isVisible() and plot.seconds_at(1e6) > 0, "the plot")
        marks = plot.marks()
        assert len(marks) >= 4
        assert marks[0] == (0.0, "0:00")
        metrics = plot.fontMetrics()
        pixels = plot.area().width() / w.pipeline.status().source.duration
        for (before, text), (after, _) in pairwise(marks):
            assert (after - before) * pixels > metrics.horizontalAdvance(text)
