import numpy as np
import pytest

from app.rendering.overlay import SCALE, compose, draw, shares
from app.rendering.view_options import ViewOptions

IMAGE = np.full((2, 2, 3), 100, np.uint8)
LABELS = np.array([[10, 13], [10, 255]], np.uint8)


def overlay(**options):
    return draw(IMAGE, "overlay", ViewOptions(**options), LABELS)


def test_overlay_blends_the_official_colours_by_alpha():
    out = overlay(alpha=0.5)
    assert out[0, 0].tolist() == pytest.approx([85, 115, 140], abs=1)
    assert out[0, 1].tolist() == pytest.approx([50, 50, 121], abs=1)


def test_alpha_0_shows_the_frame_and_alpha_1_the_colours():
    assert np.array_equal(overlay(alpha=0), IMAGE)
    assert overlay(alpha=1)[0, 0].tolist() == [70, 130, 180]


def test_the_labels_show_colours_alone():
    out = draw(IMAGE, "labels", ViewOptions(alpha=0.2), LABELS)
    assert out[0, 1].tolist() == [0, 0, 142]
    assert out[1, 1].tolist() == [0, 0, 0]


def test_hidden_and_unknown_classes_show_the_frame():
    out = overlay(alpha=1, hidden=frozenset({10}))
    assert out[0, 0].tolist() == [100] * 3
    assert out[0, 1].tolist() == [0, 0, 142]
    assert out[1, 1].tolist() == [100] * 3


def test_raw_is_the_frame_whatever_else_is_chosen():
    options = ViewOptions(contours=True, selected=10)
    assert np.array_equal(draw(IMAGE, "raw", options, LABELS), IMAGE)


def test_the_confidence_goes_by_its_scale_and_hides_no_class():
    sure = np.array([[0, 64], [128, 255]], np.uint8)
    out = draw(IMAGE, "confidence", ViewOptions(hidden=frozenset(range(19))), LABELS, sure)
    known = LABELS != 255
    assert np.array_equal(out[known], SCALE[sure, 0][known])
    assert np.array_equal(out[~known], IMAGE[~known])  # nothing is told of what is left out


def test_the_scale_is_even_to_the_eye():
    lightness = SCALE[:, 0].astype(float) @ (0.2126, 0.7152, 0.0722)
    steps = np.diff(lightness)
    assert (steps > -0.6).all()  # it only ever gets lighter, but for rounding
    assert SCALE[255, 0, 0] > 200 > SCALE[0, 0, 2]  # from violet to yellow, in RGB


@pytest.fixture
def halves():
    labels = np.full((40, 60), 13, np.uint8)
    labels[:, 30:] = 10
    return np.full((40, 60, 3), 100, np.uint8), labels


def test_contours_are_a_light_and_a_dark_line_on_the_border_and_nowhere_else(halves):
    image, labels = halves
    plain = draw(image, "overlay", ViewOptions(), labels)
    out = draw(image, "overlay", ViewOptions(contours=True), labels)
    changed = np.flatnonzero((plain != out).any((0, 2)))
    assert changed.tolist() == [29, 30]
    assert abs(int(out[5, 29].mean()) - int(out[5, 30].mean())) > 150


def test_hidden_classes_have_no_borders_among_each_other(halves):
    image, labels = halves
    hidden = ViewOptions(contours=True, hidden=frozenset({10, 13}))
    assert np.array_equal(draw(image, "overlay", hidden, labels), image)
    one = ViewOptions(contours=True, alpha=0, hidden=frozenset({13}))
    assert not np.array_equal(draw(image, "overlay", one, labels), image)


def test_a_selected_class_is_outlined_alone(halves):
    image, labels = halves
    labels[10:20, 5:15] = 8
    plain = draw(image, "overlay", ViewOptions(), labels)
    out = draw(image, "overlay", ViewOptions(selected=8), labels)
    rows, columns = np.nonzero((plain != out).any(2))
    assert 0 < len(rows) < 400
    assert rows.min() >= 7
    assert columns.max() <= 17


def test_a_wipe_is_the_left_side_up_to_the_divider_and_the_right_one_after_it():
    left, right = np.full((40, 100, 3), 10, np.uint8), np.full((40, 100, 3), 200, np.uint8)
    out = compose((left, right), "wipe", 0.3)
    assert out.shape == left.shape
    assert (out[:, :27] == 10).all()
    assert (out[:, 33:] == 200).all()
    assert (out[:, 29:31] == 255).all()
    assert (left == 10).all()
    assert (right == 200).all()


@pytest.mark.parametrize(("split", "value"), [(0.0, 200), (1.0, 10)])
def test_a_divider_at_the_edge_leaves_one_side(split, value):
    left, right = np.full((40, 100, 3), 10, np.uint8), np.full((40, 100, 3), 200, np.uint8)
    assert (compose((left, right), "wipe", split)[:, 5:95] == value).all()


def test_two_pictures_stand_next_to_each_other_at_full_size():
    left, right = np.full((40, 100, 3), 10, np.uint8), np.full((40, 100, 3), 200, np.uint8)
    out = compose((left, right), "side")
    assert np.array_equal(out, np.concatenate((left, right), axis=1))


def test_captions_are_written_on_their_own_side_and_left_out_where_there_is_no_room():
    grey = np.full((400, 800, 3), 120, np.uint8)
    out = compose((grey, grey), "wipe", 0.5, ("skip on", "skip off"))
    written = np.flatnonzero((out[300:] != 120).any((0, 2)))
    assert (written < 390).any()
    assert (written > 410).any()
    narrow = compose((grey, grey), "wipe", 0.02, ("skip on", "skip off"))
    assert (narrow[:, :10] == 120).all()
    assert np.array_equal(
        narrow[:, 20:], compose((grey, grey), "wipe", 0.02, ("", "skip off"))[:, 20:]
    )


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 400), (400, 9)])
def test_pictures_of_any_size_are_put_together(size):
    one = np.zeros((*size, 3), np.uint8)
    assert compose((one, one), "wipe", 0.5, ("raw", "overlay")).shape == one.shape
    assert compose((one, one), "side", 0.5, ("raw", "overlay")).shape == (size[0], 2 * size[1], 3)


def test_shares_are_those_of_the_labels():
    assert shares(LABELS)[10] == pytest.approx(2 / 3)
    assert shares(LABELS)[13] == pytest.approx(1 / 3)
    assert sum(shares(LABELS)) == pytest.approx(1)  # unknown pixels count for nothing


def test_neither_frame_nor_labels_are_written_to():
    image, labels = IMAGE.copy(), LABELS.copy()
    for content in ("overlay", "labels", "confidence", "raw"):
        options = ViewOptions(hidden=frozenset({10}), contours=True, selected=13)
        draw(image, content, options, labels, labels)
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(labels, LABELS)
