"""Truth in the window: views of what is true and what is wrong, and how much of it."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QAction

from app.gui.window.saved_state import SavedState
from app.sources.source_spec import SourceSpec
from tests.support.labelled_data import street_frames, write_truth
from tests.support.media import write_clip
from tests.support.window_driver import (
    DEMO,
    SMALL,
    click,
    hold,
    messages,
    play,
    press,
    street,
    wait_until,
    window,
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip of four frames over and over, 15 s long, and the folder of its labels."""
    folder = tmp_path_factory.mktemp("clip")
    frames = street_frames(4)
    path = write_clip(
        folder / "drive.mp4", 150, rate=10, size=(256, 128), pictures=[image for image, _ in frames]
    )
    names = [f"{number:04d}" for number in range(150)]
    write_truth(folder / "drive", [frames[n % 4][1] for n in range(150)], names)
    return SourceSpec("file", str(path)), folder / "drive"


def entry(w, text) -> QAction:
    """The entry of a menu by its text."""
    return next(e for e in w.findChildren(QAction) if e.text() == text)


def judged(w):
    result = w.view.result
    return result is not None and result.judgement is not None


@contextmanager
def judging(clip, **window_options):
    """A window that plays a clip and has its labels."""
    spec, labels = clip
    with window(**window_options) as w:
        play(w, spec)
        w.true_labels.use(labels)
        wait_until(lambda: judged(w), "errors")
        yield w


def test_the_demo_street_offers_its_errors_and_says_how_many_they_are():
    with window() as w:
        play(w, DEMO)
        assert not w.view_panel.truth.isVisible()
        click(w.view_panel.views["errors"])
        wait_until(lambda: judged(w) and w.view.result.view.view == "errors", "errors")
        wait_until(lambda: "so far" in w.view_panel.truth.text(), "figures")
        assert w.view_panel.truth.text().startswith("Mean IoU ")
        assert w.view_panel.views["errors"].isChecked()
        road = w.legend.rows[0]
        wait_until(lambda: road.accessibleDescription().startswith("shown, IoU "), "IoU of a class")
        assert w.legend.heading.text() == "Classes: IoU so far"
        hold(w)
        wait_until(lambda: f"({w.view.result.verdict_at(0).frames} frame" in shown(w))
        assert not messages(w)
        click(w.view_panel.views["overlay"])
        wait_until(lambda: "of the picture" in road.accessibleDescription(), "its share again")
        assert w.legend.heading.text() == "Classes"


def shown(w):
    return w.view_panel.truth.text()


def test_a_clip_is_asked_for_its_labels_where_a_view_needs_them(clip):
    spec, labels = clip
    with window() as w:
        play(w, spec)
        assert not w.view_panel.views["truth"].isVisible()
        entry(w, "Truth").trigger()
        assert w.true_labels.dialog.isVisible()
        assert w.pipeline.view.view == "overlay"
        w.true_labels.dialog.fileSelected.emit(str(labels))
        w.true_labels.dialog.close()
        wait_until(lambda: judged(w) and w.view.result.view.view == "truth", "the truth")
        wait_until(w.view_panel.views["truth"].isVisible, "its place in the panel")
        # an entry in a wipe, too
        entry(w, "overlay | errors").trigger()
        wait_until(lambda: len(w.view.result.sides) == 2 and judged(w), "the wipe")
        assert w.view.result.captions[1].startswith("errors · IoU ")
        # V comes to them, as to any other view
        w.pipeline.view = replace(w.pipeline.view, view="raw")
        w.actions_by_name["view"].trigger()
        assert w.pipeline.view.view == "truth"


def test_another_source_has_no_truth_and_says_so(clip):
    with judging(clip) as w:
        play(w, street())
        assert not judged(w)
        assert "no true labels" in w.view._shown_stats().badges
        wait_until(lambda: not w.view_panel.truth.isVisible(), "the figures to go")
        w.pipeline.view = replace(w.pipeline.view, view="raw")
        press(w, Qt.Key.Key_V)
        assert w.pipeline.view.view == "side"


def test_the_mouse_tells_what_a_wrong_pixel_is(clip):
    with judging(clip) as w:
        hold(w)
        result = w.view.result
        rows, columns = np.nonzero(result.verdict_at(0).wrong[20:-20, 20:-20])
        middle = len(rows) // 2
        row, column = rows[middle] + 20, columns[middle] + 20
        picture = w.view.panes().picture()
        size = result.frame.image.shape
        x = picture.left() + (column + 0.5) * picture.width() / size[1]
        y = picture.top() + (row + 0.5) * picture.height() / size[0]
        w.view._mouse = QPointF(x, y)
        info = w.view.pixel_info()
        assert (info.column, info.row) == (column, row)
        true = result.judgement.truth[row, column]
        assert info.truth == w.legend.classes.names[true]
        assert info.lines[1].startswith(f"truth: {info.truth}")


def test_a_wrong_folder_is_told_in_one_message_and_another_may_be_chosen(clip, tmp_path):
    spec, labels = clip
    with window() as w:
        play(w, spec)
        w.true_labels.use(tmp_path)
        wait_until(lambda: messages(w), "the message")
        assert "holds no PNGs" in messages(w)[0]
        (button,) = w.notifications.shown[0].actions_by_name.values()
        click(button)
        wait_until(lambda: w.true_labels.dialog is not None, "the dialog")
        w.true_labels.dialog.fileSelected.emit(str(labels))
        w.true_labels.dialog.close()
        wait_until(lambda: judged(w), "errors")
        assert not messages(w)


def test_classes_counted_as_one_are_chosen_in_the_menu(clip):
    with judging(clip) as w:
        hold(w)
        assert len(w.view.result.verdict_at(0).class_iou) == 19
        entry(w, "CamVid's 11 classes").trigger()
        # the labels of this clip hold values that are none of that table's
        wait_until(lambda: messages(w), "the message")
        assert "which is no label here" in messages(w)[0]


def test_a_view_that_needs_labels_is_not_kept_for_the_next_time(tmp_path, clip):
    with judging(clip, saved=SavedState(tmp_path / "settings.ini")):
        pass
    assert SavedState(tmp_path / "settings.ini").apply(SMALL).view.view == "overlay"


def test_a_camera_or_nothing_has_no_labels_to_choose():
    with window() as w:
        press(w, Qt.Key.Key_L, control=True)
        assert "open one first" in messages(w)[0]
        assert w.true_labels.dialog is None


def begins_at(w):
    w.actions_by_name["labels"].trigger()
    return Path(w.true_labels.dialog.directory().absolutePath())


def test_the_dialog_begins_where_labels_were_chosen_last(tmp_path, clip):
    other = SourceSpec("file", str(write_clip(tmp_path / "other.mp4", 10)))
    chosen = tmp_path / "labels"
    chosen.mkdir()
    with window(saved=SavedState(tmp_path / "settings.ini")) as w:
        play(w, clip[0])
        assert begins_at(w) == Path(clip[0].value).parent
        w.true_labels.dialog.fileSelected.emit(str(chosen))
        w.true_labels.dialog.close()
        play(w, other)
        assert begins_at(w) == chosen
    with window(saved=SavedState(tmp_path / "settings.ini")) as w:
        play(w, other)
        assert begins_at(w) == chosen
        chosen.rmdir()
        assert begins_at(w) == tmp_path
