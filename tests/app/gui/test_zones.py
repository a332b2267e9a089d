"""Zones and alerts in the window: drawn by the mouse, named, changed, kept for their source."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtTest import QTest

from app.config.alert_rules import parse_rule, parse_zone
from app.config.data_options import AlertOptions
from app.config.run_file import run_file
from app.core.watch import Watch
from app.gui.widgets import theme
from app.gui.window.saved_state import SavedState
from app.sources.source_spec import SourceSpec
from tests.support.window_driver import (
    DEMO,
    SMALL,
    click,
    draw_polygon,
    hold,
    holding,
    messages,
    play,
    press,
    screenshot,
    street,
    wait_until,
    window,
)

GATE = ((0.2, 0.3), (0.8, 0.3), (0.8, 0.7), (0.2, 0.7))
SHIFT = Qt.KeyboardModifier.ShiftModifier


def draw_zone(made, name=None, corners=GATE):
    QTest.keyClick(made, Qt.Key.Key_A, SHIFT)
    draw_polygon(made, corners)
    answer(made, name)


def answer(made, name):
    """Name a zone, or take the name that is offered."""
    naming = made.drawn.dialog.naming
    if name is not None:
        naming.setTextValue(name)
    naming.accept()


def add_rule(made, text):
    made.drawn.dialog.rule.setText(text)
    QTest.keyClick(made.drawn.dialog.rule, Qt.Key.Key_Return)


def lines(box):
    return [box.item(row).text() for row in range(box.count())]


def outlined(made, corners=GATE):
    """Whether the left side of a zone is on the picture, in the accent's colour."""
    panes = made.view.panes().picture(0)
    (left, top), (_, bottom) = corners[0], corners[2]
    x = round(panes.left() + left * panes.width())
    y = round(panes.top() + (top + bottom) / 2 * panes.height())
    accent = QColor(theme.ACCENT)
    wanted = np.array([accent.blue(), accent.green(), accent.red()])
    near = screenshot(made.view)[y - 2 : y + 3, x - 3 : x + 4, :3].reshape(-1, 3).astype(int)
    return np.abs(near - wanted).sum(-1).min() < 60


def test_a_zone_is_drawn_and_named_and_an_alert_in_it_fires(tmp_path):
    events = tmp_path / "e.jsonl"
    with window(replace(SMALL, alerts=AlertOptions(events=events))) as w:
        play(w)
        draw_zone(w, "gate")
        dialog = w.drawn.dialog
        assert dialog.isVisible()
        assert lines(dialog.zones) == ["gate"]
        assert outlined(w)
        assert dialog.rule.placeholderText() == "person in gate > 2% for 1s"
        add_rule(w, "road in gate < 100% for")
        assert "In column" not in dialog.windowTitle()
        assert "in column 21 belongs" in dialog.wrong.text()
        add_rule(w, "road in gait < 100%")
        assert "no zone gait: draw it first. Did you mean gate?" in dialog.wrong.text()
        add_rule(w, "roda in gate < 100%")
        assert "road" in dialog.wrong.text()
        assert lines(dialog.rules) == []
        add_rule(w, "road in gate < 100%")
        assert (lines(dialog.rules), dialog.wrong.text()) == (["road in gate < 100%"], "")
        wait_until(lambda: any("Alert: road in gate < 100%" in text for text in messages(w)))
        assert w.seek_bar.track.alerts
        settings = w.pipeline.settings_now()
        assert [zone.name for zone in settings.alerts.zone] == ["gate"]
        assert 'alert = ["road in gate < 100%"]' in run_file(settings, [street()])
    [first, *_] = map(json.loads, events.read_text().splitlines())
    assert (first["event"], first["zone"], first["source"]) == ("alert", "gate", "street.mp4")


def test_zones_are_renamed_drawn_again_and_removed_with_their_alerts():
    with window() as w:
        play(w)
        hold(w)
        draw_zone(w)
        draw_zone(w, "door", ((0.0, 0.0), (0.2, 0.0), (0.2, 0.2)))
        dialog = w.drawn.dialog
        add_rule(w, "person,rider in zone-1 > 2% for 1s")
        add_rule(w, "car > 99%")
        assert lines(dialog.zones) == ["zone-1", "door"]
        dialog.zones.setCurrentRow(0)
        click(dialog.rename)
        answer(w, "door")
        assert "There is a zone door already" in dialog.naming.labelText()
        answer(w, "the gate")
        assert "no name for a zone" in dialog.naming.labelText()
        answer(w, "gate")
        assert lines(dialog.zones) == ["gate", "door"]
        assert lines(dialog.rules) == ["person,rider in gate > 2% for 1s", "car > 99%"]
        assert w.drawn.watch.own.rules[0] == parse_rule("person,rider in gate > 2% for 1s")
        click(dialog.redraw)
        assert not dialog.isVisible()
        moved = tuple((x, y / 2) for x, y in GATE)
        draw_polygon(w, moved)
        assert dialog.isVisible()
        wait_until(lambda: outlined(w, moved) and not outlined(w, ((0.2, 0.6), (0, 0), (0, 0.7))))
        dialog.zones.setCurrentRow(0)
        click(dialog.remove_zone)
        assert dialog.wrong.text() == "Removed with its zone: person,rider in gate > 2% for 1s"
        assert (lines(dialog.zones), lines(dialog.rules)) == (["door"], ["car > 99%"])
        dialog.rules.setCurrentRow(0)
        click(dialog.remove_rule)
        assert w.drawn.watch.own.rules == ()
        assert w.view.result is not None  # the picture stood all the while


def test_what_was_begun_on_one_source_does_not_go_to_another():
    with window() as w:
        play(w)
        QTest.keyClick(w, Qt.Key.Key_A, SHIFT)
        draw_polygon(w, GATE, key=None)
        play(w, DEMO)
        assert not w.drawn.tool.isVisible()
        QTest.keyClick(w, Qt.Key.Key_A, SHIFT)
        draw_polygon(w, GATE)
        assert w.drawn.dialog.naming is not None
        play(w)
        assert w.drawn.dialog.naming is None
        w.drawn.show_dialog()
        play(w, DEMO)
        wait_until(lambda: "demo street" in w.drawn.dialog.windowTitle(), "the other title")
        assert w.drawn.watch.own == Watch()


def test_what_the_command_line_says_is_shown_and_stays():
    zone, rule = parse_zone("gate=0,0,1,0,1,1"), parse_rule("car in gate > 99%")
    with window(replace(SMALL, alerts=AlertOptions(alert=(rule,), zone=(zone,)))) as w:
        play(w)
        press(w, Qt.Key.Key_A)
        dialog = w.drawn.dialog
        assert lines(dialog.zones) == ["gate   (from the command line)"]
        assert lines(dialog.rules) == ["car in gate > 99%   (from the command line)"]
        dialog.zones.setCurrentRow(0)
        assert not dialog.remove_zone.isEnabled()
        add_rule(w, "road in gate > 99.9%")
        assert len(lines(dialog.rules)) == 2
        add_rule(w, "car in gate > 99%")
        assert "there already" in dialog.wrong.text()


def test_they_are_kept_for_their_source_alone(tmp_path):
    path = tmp_path / "settings.ini"
    with window(SMALL, saved=SavedState(path)) as w:
        play(w)
        draw_zone(w, "gate")
        add_rule(w, "road in gate < 100%")
        play(w, DEMO)
        assert w.drawn.watch.own == Watch()
        assert lines(w.drawn.dialog.zones) == []
        assert not outlined(w)
    with window(SMALL, saved=SavedState(path)) as w:
        play(w)
        wait_until(lambda: any("Alert: road in gate" in text for text in messages(w)), "the alert")
        press(w, Qt.Key.Key_A)
        assert lines(w.drawn.dialog.zones) == ["gate"]
        w.drawn.watch.remove_zone("gate")
    assert SavedState(path).watch_of(street()) == Watch()


@pytest.mark.parametrize(
    "kept",
    ["{", "[3]", '{"zones": 3}', '{"zones": ["x"]}', '{"alerts": ["car > x"]}', '{"zones": [[]]}'],
)
def test_what_a_damaged_profile_keeps_is_as_good_as_not_there(tmp_path, kept):
    saved = SavedState(tmp_path / "settings.ini")
    zone = parse_zone("ö=0,0,1,0,1,1")
    saved.keep_watch(DEMO, Watch((zone,), (parse_rule("car in ö > 2%"),)))
    assert SavedState(tmp_path / "settings.ini").watch_of(DEMO) == saved.watch_of(DEMO)
    assert saved.watch_of(DEMO).zones == (zone,)
    assert saved.watch_of(SourceSpec("file", "/another.mp4")) == Watch()
    key = next(key for key in saved._store.allKeys() if key.startswith("zones"))
    saved._store.setValue(key, kept)
    assert saved.watch_of(DEMO) == Watch()


def test_nothing_is_drawn_without_a_picture_and_escape_gives_up():
    with window() as w:
        QTest.keyClick(w, Qt.Key.Key_A, SHIFT)
        assert not w.drawn.tool.isVisible()
        press(w, Qt.Key.Key_A)
        assert not w.drawn.dialog.draw.isEnabled()
        w.drawn.dialog.close()
        w.activateWindow()
        play(w)
        QTest.qWaitForWindowActive(w, 2000)
        QTest.keyClick(w, Qt.Key.Key_A, SHIFT)
        assert w.drawn.tool.isVisible()
        draw_polygon(w, GATE[:2], key=Qt.Key.Key_Escape)
        assert not w.drawn.tool.isVisible()
        QTest.keyClick(w, Qt.Key.Key_A, SHIFT)
        draw_polygon(w, GATE)
        w.drawn.dialog.naming.reject()
        assert w.drawn.watch.own.zones == ()


def test_lists_without_a_line_say_what_they_are_for_and_drawing_leaves_the_rates_readable():
    with holding(900, 480) as w:
        press(w, Qt.Key.Key_A)
        dialog = w.drawn.dialog
        for box, add in ((dialog.zones, None), (dialog.rules, "car > 1%")):
            empty = screenshot(box.viewport())
            assert len(np.unique(empty.reshape(-1, 4), axis=0)) > 2
            if add is not None:
                add_rule(w, add)
                assert not np.array_equal(screenshot(box.viewport())[40:], empty[40:])
        dialog.close()
        corner = w.view.panes().picture(0).topLeft().toPoint()
        before = screenshot(w.view)
        w.drawn.draw_zone()
        during = screenshot(w.view)
        rates = np.s_[corner.y() : corner.y() + 70, corner.x() : corner.x() + 150]
        assert np.array_equal(before[rates], during[rates])
        assert not np.array_equal(before, during)
