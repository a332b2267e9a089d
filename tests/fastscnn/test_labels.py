import numpy as np
import pytest

from fastscnn.labels import (
    CATEGORIES,
    CLASS_NAMES,
    CLASSES,
    ID_TO_TRAIN_ID,
    LABELS,
    PALETTE,
    TRAIN_ID_TO_ID,
    UNKNOWN,
    class_table,
    colorize,
)


def test_the_19_evaluated_classes_stand_in_order_of_their_train_ids():
    assert [c.train_id for c in CLASSES] == list(range(19))
    assert CLASS_NAMES[0] == "road"
    assert CLASS_NAMES[10] == "sky"
    assert CLASS_NAMES[18] == "bicycle"


def test_colours_are_the_official_ones():
    colors = {c.name: c.color for c in CLASSES}
    assert colors["sky"] == (70, 130, 180)
    assert colors["road"] == (128, 64, 128)
    assert colors["terrain"] == (152, 251, 152)
    assert len(set(colors.values())) == 19


def test_the_19_classes_fall_into_7_categories():
    assert set(CATEGORIES) == {
        "flat", "construction", "object", "nature", "sky", "human", "vehicle",
    }  # fmt: skip


def test_every_cityscapes_id_maps_to_its_train_id():
    assert {c.id for c in LABELS} == set(range(-1, 34))
    assert ID_TO_TRAIN_ID[7] == 0
    assert ID_TO_TRAIN_ID[33] == 18
    assert ID_TO_TRAIN_ID[9] == UNKNOWN  # parking
    assert ID_TO_TRAIN_ID[255] == UNKNOWN


def test_colorize_paints_classes_in_their_colour_and_unknown_in_black():
    painted = colorize(np.array([[0, 13], [255, 200]], np.uint8))
    assert painted.tolist() == [[[128, 64, 128], [0, 0, 142]], [[0, 0, 0], [0, 0, 0]]]


def test_tables_cannot_be_changed_by_accident():
    assert not PALETTE.flags.writeable
    assert not ID_TO_TRAIN_ID.flags.writeable


@pytest.mark.parametrize("count", [2, 5, 30, 255])
def test_own_classes_have_colours_that_differ_from_each_other_and_from_black(count):
    table = class_table(tuple(map(str, range(count))))
    colors = {row.color for row in table.rows}
    assert len(colors) == count
    assert (0, 0, 0) not in colors
    assert table.palette[count:].max(initial=0) == 0
    assert table.ids is None
    assert f"know {count} classes of their own (0, 1" in table.in_words


def test_names_of_cityscapes_bring_their_colour_group_and_id_along():
    table = class_table(("sky", "kerb", "road"))
    sky, kerb, road = table.rows
    assert (sky.id, sky.train_id, sky.color, sky.category) == (23, 0, (70, 130, 180), "sky")
    assert (road.id, road.train_id) == (7, 2)
    assert kerb.id == -1
    assert table.ids is None  # a kerb has none
    assert "know 3 classes, 1 of them of their own (kerb)" in table.in_words


def test_cityscapes_classes_in_another_order_have_their_ids():
    table = class_table(("sky", "road"))
    assert table.ids[[0, 1, 2, 255]].tolist() == [23, 7, 0, 0]
    assert "2 classes in an order of their own (sky, road)" in table.in_words
    assert class_table().in_words == ""
    assert (class_table().ids == TRAIN_ID_TO_ID).all()


def test_labels_of_other_classes_are_painted_in_their_own_colours():
    painted = colorize(np.array([[0, 1, 2]], np.uint8), ("sky", "kerb"))
    assert painted[0, 0].tolist() == [70, 130, 180]
    assert painted[0, 1].any()
    assert not painted[0, 2].any()
