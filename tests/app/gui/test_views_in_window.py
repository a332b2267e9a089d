"""What a user does with the picture itself: the wipe, zoom, and asking what is where."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu

from app.rendering.view_options import Side
from fastscnn.labels import CLASS_NAMES
from tests.support.window_driver import holding, press, screenshot, wait_until

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def held():
    """A window that holds one picture."""
    with holding(1200, 760) as made:
        yield made


@pytest.fixture(autouse=True)
def as_it_was(held):
    yield
    held.view.fit()
    show(held, view="overlay", left=Side("raw"), right=Side("overlay"), split=0.5, selected=None)


def show(made, **options):
    """Choose a view and wait until it is on the screen."""
    made.pipeline.view = replace(made.pipeline.view, **options)
    made.refresh()
    wait_until(lambda: made.view.result.view.draws_as(made.pipeline.view), "the view")


def wipe(made, left="raw", right="labels"):
    show(made, view="wipe", left=Side(left), right=Side(right))


def at(made, x, y):
    """A place in the widget from shares of the picture."""
    rect = made.view.picture_rect()
    return QPoint(round(rect.left() + x * rect.width()), round(rect.top() + y * rect.height()))


def drag(made, start, end, button=LEFT, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.mousePress(made.view, button, modifier, start)
    for part in (0.3, 0.7, 1.0):
        QTest.mouseMove(made.view, start + (end - start) * part)
        QTest.qWait(5)
    QTest.mouseRelease(made.view, button, modifier, end)


def wheel(made, point, steps):
    none = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        QPointF(point), QPointF(made.view.mapToGlobal(point)), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, none, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(made.view, event)
    QTest.qWait(20)


def looks_like(part, picture):
    """Whether a part of the screen has the mean colour of a part of a picture."""
    return part[..., 2::-1].mean((0, 1)) == pytest.approx(picture.mean((0, 1)), abs=4)


def test_the_divider_follows_the_mouse_with_no_new_result(held):
    wipe(held)
    result = held.view.result
    drag(held, at(held, 0.5, 0.3), at(held, 0.2, 0.3))
    assert held.pipeline.view.split == pytest.approx(0.2, abs=0.01)
    assert held.view.divider() == pytest.approx(at(held, 0.2, 0).x(), abs=1.5)
    assert held.view.result is result
    painted, raw, labels = screenshot(held.view), *result.sides
    low, high, middle = at(held, 0.03, 0.4), at(held, 0.17, 0.8), at(held, 0.3, 0.4)
    end = at(held, 0.9, 0.8)
    height, width = raw.shape[:2]
    rows = slice(int(0.4 * height), int(0.8 * height))
    assert looks_like(
        painted[low.y() : high.y(), low.x() : high.x()],
        raw[rows, int(0.03 * width) : int(0.17 * width)],
    )
    assert looks_like(
        painted[middle.y() : end.y(), middle.x() : end.x()],
        labels[rows, int(0.3 * width) : int(0.9 * width)],
    )


def test_the_divider_stops_at_the_edges_and_can_be_taken_back(held):
    wipe(held)
    drag(held, at(held, 0.5, 0.3), at(held, 1.4, 0.3))
    assert held.pipeline.view.split == 1.0
    drag(held, at(held, 1.0, 0.3) - QPoint(2, 0), at(held, 0.6, 0.3))
    assert held.pipeline.view.split == pytest.approx(0.6, abs=0.01)


def test_the_cursor_says_that_the_divider_can_be_dragged(held):
    wipe(held)
    QTest.mouseMove(held.view, at(held, 0.5, 0.3))
    assert held.view.cursor().shape() == Qt.CursorShape.SplitHCursor
    QTest.mouseMove(held.view, at(held, 0.3, 0.3))
    assert held.view.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_arrow_keys_move_the_divider_while_the_picture_has_the_focus(held):
    wipe(held)
    position = held.pipeline.status().position
    held.view.setFocus(Qt.FocusReason.TabFocusReason)
    press(held.view, Qt.Key.Key_Right)
    press(held.view, Qt.Key.Key_Right)
    assert held.pipeline.view.split == pytest.approx(0.54)
    press(held.view, Qt.Key.Key_Home)
    assert held.pipeline.view.split == 0
    assert "0 percent" in held.view.accessibleDescription()
    assert held.pipeline.status().position == position  # nothing was sought
    held.view.clearFocus()


def test_skip_on_and_off_stand_under_one_divider_and_say_so(held):
    show(held, view="wipe", left=Side(skip=True), right=Side(skip=False))
    result = held.view.result
    assert result.captions == ("skip on", "skip off")
    assert (result.sides[0] != result.sides[1]).any()
    assert "skip on" in held.view.accessibleDescription()


def test_what_is_recorded_has_the_divider_where_it_is_now(held):
    wipe(held)
    held.view.move_divider(-0.3)
    result = held.view.result
    picture = result.picture_at(held.pipeline.view.split)
    width = picture.shape[1]
    assert np.array_equal(
        picture[:40, : int(0.18 * width)], result.sides[0][:40, : int(0.18 * width)]
    )
    assert np.array_equal(
        picture[:40, int(0.22 * width) :], result.sides[1][:40, int(0.22 * width) :]
    )


def test_two_pictures_stand_next_to_each_other_in_their_own_aspect(held):
    show(held, view="side")
    QTest.qWait(30)
    rect = held.view.picture_rect()
    frame = held.view.result.frame.image
    assert rect.right() < held.view.width() / 2
    assert rect.width() / rect.height() == pytest.approx(frame.shape[1] / frame.shape[0], rel=0.02)
    x, y = rect.left() + rect.width() // 4, rect.center().y()
    QTest.mouseMove(held.view, QPoint(x, y))
    first = held.view.pixel_info()
    QTest.mouseMove(held.view, QPoint(x + held.view.width() // 2 + 1, y))
    second = held.view.pixel_info()
    assert abs(first.column - second.column) <= 1
    assert first.row == second.row


def test_the_wheel_zooms_to_the_mouse(held):
    point = at(held, 0.7, 0.6)
    QTest.mouseMove(held.view, point)
    before = held.view.viewport.at(point.x(), point.y())
    wheel(held, point, 5)
    viewport = held.view.viewport
    assert viewport.zoom > 2.5 * viewport.fitting
    assert viewport.at(point.x(), point.y()) == pytest.approx(before, abs=0.7)
    wheel(held, point, -9)
    assert held.view.viewport.scale is None


def test_pixels_are_squares_when_zoomed_far(held):
    show(held, view="labels")
    wheel(held, at(held, 0.5, 0.5), 12)
    assert held.view.viewport.crisp
    QTest.mouseMove(held.view, QPoint(3, held.view.height() - 3))
    painted = screenshot(held.view)[200:500, 200:900, :3]
    colors = {tuple(color) for color in painted.reshape(-1, 3)[:, ::-1]}
    shown = {tuple(c) for c in held.view.result.sides[0].reshape(-1, 3)}
    assert colors <= shown  # no colour in between


def test_a_zoomed_picture_is_dragged_and_a_click_does_not_drag(held):
    wheel(held, at(held, 0.5, 0.5), 4)
    for button, modifier in (
        (LEFT, Qt.KeyboardModifier.NoModifier),
        (LEFT, Qt.KeyboardModifier.ControlModifier),
        (Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier),
    ):
        before = held.view.viewport.at(600, 300)
        drag(held, QPoint(600, 300), QPoint(640, 280), button, modifier)
        assert held.view.viewport.at(640, 280) == pytest.approx(before, abs=0.6)
    assert held.pipeline.view.selected is None


def test_messages_and_progress_move_nothing(held):
    held.notifications.clear()
    place = held.view.geometry()
    held.notify("notice", "Something to know.")
    held.notify("notice", "Something to know.")
    held.notify("error", "A sentence of more than one line. " * 5)
    wait_until(lambda: held.notifications.shown[-1].height() > 0, "the messages")
    QTest.qWait(50)
    assert held.view.geometry() == place
    assert len(held.notifications.shown) == 2
    last = held.notifications.shown[-1]
    bottom = last.mapTo(held.pages, QPoint(0, last.height())).y()
    assert last.isVisible()
    assert bottom <= held.pages.height()
    held.notifications.clear()
    assert not held.notifications.isVisible()


def test_what_is_dragged_stays_under_the_mouse_when_a_panel_moves_the_picture(held):
    wheel(held, at(held, 0.5, 0.5), 4)
    before, size = held.view.viewport.at(600, 300), held.view.size()
    QTest.mousePress(held.view, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(600, 300))
    QTest.mouseMove(held.view, QPoint(620, 290))
    press(held, Qt.Key.Key_E)
    wait_until(lambda: held.view.size() != size, "the room for the panel")
    QTest.mouseMove(held.view, QPoint(640, 280))
    QTest.qWait(5)
    QTest.mouseRelease(held.view, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(640, 280))
    assert held.view.viewport.at(640, 280) == pytest.approx(before, abs=0.6)
    press(held, Qt.Key.Key_E)


def test_a_drag_of_the_divider_does_not_move_a_zoomed_picture(held):
    wipe(held)
    wheel(held, at(held, 0.5, 0.5), 3)
    before, divider = held.view.viewport, round(held.view.divider())
    drag(held, QPoint(divider, 200), QPoint(divider + 100, 200))
    assert held.view.viewport == before
    assert held.view.divider() == pytest.approx(divider + 100, abs=1.5)
    drag(
        held,
        QPoint(divider + 100, 200),
        QPoint(divider + 150, 230),
        LEFT,
        Qt.KeyboardModifier.ControlModifier,
    )
    assert held.view.viewport != before


def test_fit_and_actual_size(held):
    held.view.actual_size()
    rect = held.view.picture_rect()
    ratio = held.view.devicePixelRatioF()
    assert rect.width() * ratio == pytest.approx(held.view.result.frame.image.shape[1], abs=1)
    held.view.zoom_in()
    assert held.view.viewport.zoom == pytest.approx(1.25)
    held.view.fit()
    assert held.view.viewport.scale is None


def test_hovering_tells_the_class_its_probability_and_the_pixel(held):
    image, labels = held.view.result.frame.image, held.view.result.labels
    for x, y in ((0.2, 0.15), (0.5, 0.85), (0.8, 0.5)):
        QTest.mouseMove(held.view, at(held, x, y))
        pixel_info = held.view.pixel_info()
        assert pixel_info.column == pytest.approx(x * image.shape[1], abs=1.5)
        assert pixel_info.row == pytest.approx(y * image.shape[0], abs=1.5)
        assert pixel_info.train_id == labels[pixel_info.row, pixel_info.column]
        assert 1 / 19 <= pixel_info.probability <= 1
        first, second = pixel_info.lines
        assert first.startswith(CLASS_NAMES[pixel_info.train_id])
        assert first.endswith("%")
        assert f"x {pixel_info.column}  y {pixel_info.row}" in second
    before = screenshot(held.view)
    QTest.mouseMove(held.view, at(held, 0.3, 0.3))
    QTest.qWait(20)
    assert (screenshot(held.view) != before).any()


def test_each_side_of_a_wipe_tells_what_its_own_network_sees(held):
    show(held, view="wipe", left=Side(skip=True), right=Side(skip=False))
    on, off = held.view.result.predictions
    rows, columns = np.nonzero(on.labels != off.labels)
    row, column = int(rows[0]), int(columns[0])
    x, y = (column + 0.5) / on.labels.shape[1], (row + 0.5) / on.labels.shape[0]
    for split, seen in ((1.0, on), (0.0, off)):
        held.view_commands.set_split(split)
        held.refresh()
        QTest.mouseMove(held.view, at(held, 0.5, 0.5))
        QTest.mouseMove(held.view, at(held, x, y))
        assert held.view.pixel_info().train_id == seen.labels[row, column]


def test_outside_the_picture_there_is_nothing_to_tell(held):
    held.resize(700, 760)
    QTest.qWait(50)
    QTest.mouseMove(held.view, QPoint(100, 3))
    assert held.view.pixel_info() is None
    held.resize(1200, 760)
    QTest.qWait(50)


def test_a_click_on_the_picture_selects_its_class_and_another_lets_it_go(held):
    point = at(held, 0.5, 0.85)
    QTest.mouseMove(held.view, point)
    expected = held.view.pixel_info().train_id
    plain = held.view.result.sides[0]
    QTest.mouseClick(held.view, LEFT, pos=point)
    assert held.pipeline.view.selected == expected
    wait_until(lambda: held.view.result.view.selected == expected, "the outline")
    assert (held.view.result.sides[0] != plain).any()
    QTest.qWait(QApplication.doubleClickInterval() + 50)
    QTest.mouseClick(held.view, LEFT, pos=point)
    assert held.pipeline.view.selected is None


def test_the_menu_changes_what_the_confidence_shows(held):
    show(held, view="confidence")
    sure = held.view.result.predictions[0].confidence
    [menu] = [m for m in held.findChildren(QMenu) if m.title() == "Confidence as"]
    probability, entropy = menu.actions()
    held.refresh()
    assert probability.isChecked()
    entropy.trigger()
    wait_until(lambda: held.view.result.view.measure == "entropy", "the entropy")
    unsure = held.view.result.predictions[0].confidence
    assert np.corrcoef(sure.ravel(), unsure.ravel())[0, 1] < -0.5
    probability.trigger()
    wait_until(lambda: held.view.result.view.measure == "probability", "the probability")
