import numpy as np

from fastscnn.labels import (
    CATEGORIES,
    CLASS_NAMES,
    CLASSES,
    ID_TO_TRAIN_ID,
    LABELS,
    PALETTE,
    UNKNOWN,
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
