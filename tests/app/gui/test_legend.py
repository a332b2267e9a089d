"""The list of classes as the control that it is."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QScrollArea

from app.core.formatting import percent
from app.core.frame import Frame, Prediction, Result
from app.gui.panels.legend import Legend
from app.rendering.view_options import InferencePass, Side, ViewOptions
from fastscnn.labels import CATEGORIES, CLASSES, NUM_CLASSES
from tests.support.media import picture
from tests.support.window_driver import click, holding, play, press, wait_until, window

LEFT = Qt.MouseButton.LeftButton
ALL = frozenset(range(NUM_CLASSES))


@pytest.fixture(scope="module")
def held():
    """A window that holds one picture."""
    with holding(1360, 830) as made:
        yield made


@pytest.fixture(autouse=True)
def as_it_was(held):
    yield
    held.legend.sort_by_share(False)
    for group in held.legend.groups.values():
        group.setChecked(True)
    held.pipeline.view = replace(held.pipeline.view, hidden=frozenset(), selected=None)
    held.refresh()


def true_shares(made):
    return np.bincount(made.view.result.labels.ravel(), minlength=256)[:19] / (
        made.view.result.labels.size
    )


def hides(made, hidden):
    wait_until(lambda: made.view.result.view.hidden == hidden, f"{set(hidden)} hidden")
    return made.legend.hidden == hidden


def shares_told(made):
    """The true shares, once the list tells them: it follows the picture calmly."""
    shares = true_shares(made)
    wait_until(
        lambda: np.allclose([row.share for row in made.legend.rows], shares, atol=0.006),
        "the shares",
    )
    return shares


def test_each_class_and_group_tells_its_share_of_the_picture(held):
    shares = shares_told(held)
    for row in held.legend.rows:
        assert percent(row.share) in row.accessibleDescription()
    for group in held.legend.groups.values():
        members = [c.train_id for c in CLASSES if c.category == group.category]
        assert group.share == pytest.approx(shares[members].sum(), abs=0.01)


def test_the_shares_go_with_the_picture():
    with window() as made:
        play(made)
        wait_until(lambda: any(row.share for row in made.legend.rows), "the shares")
        made.view.clear()
        made.legend.update_shares(None)
        assert not any(row.share for row in made.legend.rows)


def test_a_groups_tick_hides_and_shows_all_of_it(held):
    tick = held.legend.groups["nature"].tick
    nature = {c.train_id for c in CLASSES if c.category == "nature"}
    click(tick)
    assert hides(held, nature)
    assert tick.accessibleName() == "Nature: all hidden"
    click(held.legend.rows[8])
    assert tick.accessibleName() == "Nature: some shown"
    click(tick)
    assert hides(held, frozenset())
    assert tick.accessibleName() == "Nature: all shown"


def test_a_double_click_shows_one_class_alone_and_another_all_again(held):
    row = held.legend.rows[0]
    for hidden in (ALL - {0}, frozenset()):
        QTest.mouseClick(row, LEFT)
        QTest.mouseDClick(row, LEFT)
        assert hides(held, hidden)


def test_hide_all_and_show_all(held):
    click(held.legend.show_none)
    assert hides(held, ALL)
    assert not held.legend.show_none.isVisible()
    assert (held.view.result.sides[0] == held.view.result.frame.image).all()
    click(held.legend.show_all)
    assert hides(held, frozenset())


def test_the_menu_of_a_class_shows_it_or_its_group_alone(held):
    menu = held.legend.menu_of(held.legend.rows[13])
    actions = {action.text(): action for action in menu.actions()}
    actions["Only vehicle"].trigger()
    assert hides(held, frozenset(c.train_id for c in CLASSES if c.category != "vehicle"))
    actions["Only car"].trigger()
    assert hides(held, ALL - {13})
    actions["Outline in the picture"].trigger()
    assert held.pipeline.view.selected == 13
    assert held.legend.rows[13].marked


def test_the_menu_of_a_class_blurs_it_in_the_picture(held):
    def toggle(number):
        menu = held.legend.menu_of(held.legend.rows[number])
        [entry] = [a for a in menu.actions() if a.text() == "Blur in the picture"]
        before = entry.isChecked()
        entry.trigger()
        held.refresh()
        return before

    whole = held.view.result.frame.image
    assert not toggle(0)
    assert held.pipeline.view.blurred == ("road",)
    assert held.legend.rows[0].blurred
    assert "blurred" in held.legend.rows[0].accessibleDescription()
    wait_until(lambda: (held.view.result.frame.image != whole).any(), "the blur")
    held.pipeline.view = replace(held.pipeline.view, blurred=("vehicle", "nosuch"))
    held.refresh()
    assert [row.text() for row in held.legend.rows if row.blurred] == [
        c.name for c in CLASSES if c.category == "vehicle"
    ]
    assert toggle(13)
    assert held.pipeline.view.blurred == ("truck", "bus", "train", "motorcycle", "bicycle")
    held.pipeline.view = replace(held.pipeline.view, blurred=())
    wait_until(lambda: (held.view.result.frame.image == whole).all(), "the whole picture")


def test_a_right_click_opens_the_menu(held):
    row = held.legend.rows[2]
    row.customContextMenuRequested.emit(QPoint(5, 5))
    [menu] = [m for m in held.legend.findChildren(type(held.legend.menu_of(row))) if m.isVisible()]
    assert menu.actions()[0].text() == "Outline in the picture"
    menu.close()


def test_groups_fold_and_unfold(held):
    group = held.legend.groups["vehicle"]
    click_right(group)
    assert not held.legend.rows[13].isVisible()
    assert held.legend.rows[8].isVisible()
    assert "folded" in group.accessibleName()
    click_right(group)
    assert held.legend.rows[13].isVisible()
    assert held.legend.hidden == frozenset()  # folding hides no class in the picture


def click_right(row):
    QTest.mouseClick(row, LEFT, pos=QPoint(row.width() - 60, row.height() // 2))


def tops(made):
    return sorted((row for row in made.legend.rows if row.isVisible()), key=lambda row: row.y())


def test_in_a_wipe_the_shares_are_those_of_what_is_seen(held):
    image = picture(0)
    road, sky = np.zeros((96, 160), np.uint8), np.full((96, 160), 10, np.uint8)
    logits = np.zeros((19, 1, 1), np.float32)
    seen = (
        Prediction(InferencePass(skip=True), road, logits),
        Prediction(InferencePass(skip=False), sky, logits),
    )
    view = ViewOptions("wipe", left=Side(skip=True), right=Side(skip=False))
    shown = Result(Frame(image, 0, 0.0, 0.0), seen, (image, image), ("a", "b"), view, True)
    for split, expected in ((0.25, 0.25), (0.0, 0.0), (1.0, 1.0)):
        legend = Legend()
        legend.update_shares(shown, split)
        assert legend.rows[0].share == pytest.approx(expected)
        assert legend.rows[10].share == pytest.approx(1 - expected)
    side_by_side = replace(shown, view=replace(view, view="side"))
    legend = Legend()
    legend.update_shares(side_by_side)
    assert legend.rows[0].share == pytest.approx(0.5)


def test_sorted_by_share_the_largest_class_stands_first_and_groups_go(held):
    shares = shares_told(held)
    click(held.legend.sort)
    QTest.qWait(50)
    order = [row.train_id for row in tops(held)]
    assert len(order) == NUM_CLASSES
    assert shares[order[0]] >= shares.max() - 0.012  # twice what the list may be behind by
    assert not any(group.isVisible() for group in held.legend.groups.values())
    assert held.legend.sort.accessibleName() == "Classes: by share"
    click(held.legend.sort)
    QTest.qWait(50)
    assert [row.train_id for row in tops(held)] == list(range(NUM_CLASSES))
    assert all(held.legend.groups[name].isVisible() for name in CATEGORIES)


def test_arrow_keys_go_from_row_to_row_and_enter_hides(held):
    position = held.pipeline.status().position
    speed = held.pipeline.status().speed
    held.activateWindow()
    QTest.qWaitForWindowActive(held, 2000)
    held.legend.rows[0].setFocus(Qt.FocusReason.TabFocusReason)
    press(held.legend.rows[0], Qt.Key.Key_Down)
    assert held.legend.rows[1].hasFocus()
    press(held.legend.rows[1], Qt.Key.Key_Up)
    press(held.legend.rows[0], Qt.Key.Key_Up)
    assert held.legend.groups["flat"].hasFocus()
    press(held.legend.groups["flat"], Qt.Key.Key_Down)
    press(held.legend.rows[0], Qt.Key.Key_Return)
    assert hides(held, {0})
    assert held.pipeline.status().position == position
    assert held.pipeline.status().speed == speed
    held.legend.rows[0].clearFocus()


def test_a_class_clicked_in_the_picture_is_marked_and_brought_into_sight(held):
    held.resize(800, 600)
    QTest.qWait(50)
    held.legend.groups["vehicle"].setChecked(False)
    held.view.class_clicked.emit(18)
    row = held.legend.rows[18]
    assert row.marked
    assert "outlined" in row.accessibleDescription()
    QTest.qWait(50)
    assert row.isVisible()
    assert not row.visibleRegion().isEmpty()
    held.view.class_clicked.emit(18)
    assert not row.marked
    held.resize(1360, 830)
    QTest.qWait(50)


def test_rows_say_what_they_are_without_colour(held):
    click(held.legend.rows[13])
    row = held.legend.rows[13]
    assert row.accessibleName() == "car"
    assert row.accessibleDescription().startswith("hidden")
    assert held.legend.findChildren(QScrollArea)
