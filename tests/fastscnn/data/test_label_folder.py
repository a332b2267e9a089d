"""What the values in a folder of labels stand for, by the names of its files."""

import cv2
import numpy as np
import pytest

from fastscnn.data.class_sets import CITYSCAPES_SET, class_set
from fastscnn.data.label_folder import LabelFolder
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError

COARSE = class_set({"classes": ["ground", "car"], "cityscapes": {"ground": ["road", "sidewalk"]}})
OWN = class_set({"classes": ["way", "else"], "ids": {"way": [7], "else": [8, 26]}})


def folder(path, name, values):
    assert cv2.imwrite(str(path / f"{name}.png"), np.array([values], np.uint8))
    return path


@pytest.mark.parametrize(
    ("classes", "name", "values", "expected"),
    [
        (CITYSCAPES_SET, "a_0_1_gtFine_labelIds", [7, 8, 26, 3], [0, 1, 13, 255]),
        (CITYSCAPES_SET, "a_0_1_gtCoarse_labelIds", [7, 8, 26, 3], [0, 1, 13, 255]),
        (CITYSCAPES_SET, "a_0_1_gtFine_labelTrainIds", [0, 1, 13, 255], [0, 1, 13, 255]),
        (CITYSCAPES_SET, "a_0_1", [0, 1, 13, 255], [0, 1, 13, 255]),
        (COARSE, "a_0_1_gtFine_labelIds", [7, 8, 26, 11], [0, 0, 1, 255]),
        (COARSE, "a_0_1_gtFine_labelTrainIds", [0, 1, 13, 2], [0, 0, 1, 255]),
        # none of Cityscapes: the values are those that its file names
        (OWN, "a_0_1_gtFine_labelIds", [7, 8, 26, 255], [0, 1, 1, 255]),
    ],
)
def test_values_are_brought_to_the_classes(tmp_path, classes, name, values, expected):
    labels = LabelFolder(folder(tmp_path, name, values), TargetSets(classes))
    number = labels.number_of("a_0_1_leftImg8bit" if "gt" in name else "a_0_1")
    assert labels.target(number, (1, 4)).tolist() == [expected]


@pytest.mark.parametrize(("name", "strange"), [("labelIds", 34), ("labelTrainIds", 19)])
def test_a_value_that_is_none_of_the_table_is_told(tmp_path, name, strange):
    labels = LabelFolder(folder(tmp_path, f"a_0_1_gtFine_{name}", [strange]), TargetSets())
    with pytest.raises(DataError, match=f"holds {strange}, which is no label here"):
        labels.target(0, (1, 1))


def test_ids_go_before_train_ids_and_fine_labels_before_coarse_ones(tmp_path):
    for kind, value in (("gtCoarse_labelIds", 8), ("gtFine_labelIds", 26)):
        folder(tmp_path, f"a_0_1_{kind}", [value])
    folder(tmp_path, "a_0_1_gtFine_labelTrainIds", [2])
    folder(tmp_path, "b_0_1_gtCoarse_labelIds", [7])
    labels = LabelFolder(tmp_path, TargetSets())
    assert [labels.target(number, (1, 1)).item() for number in range(len(labels))] == [13, 0]
