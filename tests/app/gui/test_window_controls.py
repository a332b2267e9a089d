"""What the controls do to the picture."""

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractButton, QSlider

from app.rendering.view_options import JUDGING, VIEWS
from tests.support.media import count_by_opencv, read_clip
from tests.support.window_driver import (
    click,
    hold,
    messages,
    play,
    press,
    screenshot,
    wait_until,
    window,
)


def test_the_skip_toggle_reaches_the_pictures_while_they_play():
    with window() as w:
        play(w)
        assert w.view.result.skip
        index = w.view.result.frame.index
        click(w.view_panel.skip)
        wait_until(lambda: not w.view.result.skip, "a picture without skip")
        wait_until(lambda: w.view.result.frame.index > index, "a later picture")
        assert not w.view.result.skip
        press(w, Qt.Key.Key_S)
        wait_until(lambda: w.view.result.skip, "a picture with skip")
        wait_until(w.view_panel.skip.isChecked, "the switch")


def test_the_skip_toggle_changes_a_held_picture():
    with window() as w:
        play(w)
        hold(w)
        before, labels = screenshot(w.view), w.view.result.labels
        index = w.view.result.frame.index
        press(w, Qt.Key.Key_S)
        wait_until(lambda: not w.view.result.skip, "the picture without skip")
        assert w.view.result.frame.index == index
        assert (w.view.result.labels != labels).any()
        assert (screenshot(w.view) != before).any()


def test_names_of_the_classes_come_and_go_on_a_held_picture():
    with window() as w:
        play(w)
        hold(w)
        before = w.view.result.picture
        press(w, Qt.Key.Key_T)
        wait_until(lambda: w.view.result.view.class_names, "the names")
        named = w.view.result.picture
        assert (named != before).any()
        assert w.view.result.frame.image is not named
        press(w, Qt.Key.Key_T)
        wait_until(lambda: not w.view.result.view.class_names, "the plain picture")
        assert (w.view.result.picture == before).all()


def test_the_opacity_slider_changes_a_held_picture():
    with window() as w:
        play(w)
        hold(w)
        before = screenshot(w.view)
        w.view_panel.alpha.setFocus()
        press(w.view_panel.alpha, Qt.Key.Key_Home)
        wait_until(lambda: w.view.result.view.alpha == 0, "the bare picture")
        assert w.view_panel.percent.text() == "0 %"
        assert (w.view.result.picture == w.view.result.frame.image).all()
        assert (screenshot(w.view) != before).any()


def test_v_changes_between_overlay_and_labels():
    with window() as w:
        play(w)
        hold(w)
        enabled = screenshot(w.view_panel.alpha)
        press(w, Qt.Key.Key_V)
        wait_until(lambda: w.view.result.view.view == "labels", "the labels")
        assert w.view_panel.views["labels"].isChecked()
        assert not w.view_panel.alpha.isEnabled()
        assert (screenshot(w.view_panel.alpha) != enabled).any()
        shown = {v: button for v, button in w.view_panel.views.items() if button.isVisible()}
        assert set(shown) == set(VIEWS) - JUDGING
        for view, button in shown.items():
            click(button)
            wait_until(lambda view=view: w.view.result.view.view == view, "the view")
            others = [other for other in w.view_panel.views.values() if other is not button]
            assert button.isChecked()
            assert not any(other.isChecked() for other in others)


def test_a_click_in_the_legend_hides_a_class_and_show_all_brings_it_back():
    with window() as w:
        play(w)
        hold(w)
        labels = w.view.result.labels
        common = int(np.bincount(labels.ravel(), minlength=19)[:19].argmax())
        before = screenshot(w.view)
        click(w.legend.rows[common])
        wait_until(lambda: w.view.result.view.hidden == {common}, "the picture without the class")
        result = w.view.result
        there = result.labels == common
        assert (result.picture[there] == result.frame.image[there]).all()
        assert (screenshot(w.view) != before).any()
        click(w.legend.show_all)
        wait_until(lambda: not w.view.result.view.hidden, "the picture with all classes")
        assert w.legend.rows[common].isChecked()
        assert not w.legend.show_all.isVisible()


def test_the_record_button_writes_a_playable_file_and_says_where(tmp_path):
    with window(recordings=tmp_path) as w:
        play(w)
        click(w.transport_bar.record)
        wait_until(lambda: w.pipeline.stats.counters().recorded > 15, "fifteen recorded frames")
        wait_until(
            lambda: w.transport_bar.record.text().strip().startswith("Stop 0:0"), "the elapsed time"
        )
        assert "libx264" in w.status_bar.text.text()
        press(w, Qt.Key.Key_R)
        wait_until(lambda: messages(w), "the message")
        [path] = tmp_path.glob("*.mp4")
        assert str(path) in messages(w)[0]
        assert w.transport_bar.record.text().strip() == "Record"
        times, pictures = read_clip(path)
        assert len(times) == len(pictures) == count_by_opencv(path) > 15
        assert times == sorted(times)


def test_a_recordings_folder_that_is_gone_is_a_message(tmp_path):
    with window(recordings=tmp_path / "gone") as w:
        play(w)
        press(w, Qt.Key.Key_R)
        wait_until(lambda: messages(w), "the message")
        assert "gone" in messages(w)[0]
        assert w.pipeline.status().recording is None


def test_enter_presses_the_button_that_has_the_focus():
    with window() as w:
        play(w)
        w.view_panel.skip.setFocus(Qt.FocusReason.TabFocusReason)
        press(w.view_panel.skip, Qt.Key.Key_Return)
        wait_until(lambda: not w.pipeline.live.skip, "the switch")


def test_space_acts_on_a_switch_with_the_focus_and_plays_elsewhere():
    with window() as w:
        play(w)
        w.view_panel.skip.setFocus(Qt.FocusReason.TabFocusReason)
        press(w.view_panel.skip, Qt.Key.Key_Space)
        wait_until(lambda: not w.pipeline.live.skip, "the switch")
        assert w.pipeline.status().state == "playing"
        w.view.setFocus()
        press(w, Qt.Key.Key_Space)
        wait_until(lambda: w.pipeline.status().state == "paused", "the pause")


def test_keys_move_the_divider_and_change_the_opacity():
    control = Qt.KeyboardModifier.ControlModifier
    with window() as w:
        play(w)
        press(w, Qt.Key.Key_W)
        split, alpha = w.pipeline.view.split, w.pipeline.view.alpha
        QTest.keyClick(w, Qt.Key.Key_Right, control)
        QTest.keyClick(w, Qt.Key.Key_Down, control)
        wait_until(lambda: w.pipeline.view.split > split, "the divider")
        assert w.pipeline.view.alpha < alpha
        for _ in range(60):
            QTest.keyClick(w, Qt.Key.Key_Left, control)
        assert w.pipeline.view.split == 0.0


def test_every_control_has_a_name_for_those_who_do_not_see_it():
    with window() as w:
        w.notifications.notify("a message")
        QTest.qWait(20)
        for control in [*w.findChildren(QAbstractButton), *w.findChildren(QSlider)]:
            if control.isVisible():
                assert control.accessibleName() or control.text(), control
                assert control.toolTip(), control.accessibleName()
