import numpy as np
import pytest

from fastscnn.evaluate import read_merge
from fastscnn.metrics import class_iou, confusion_matrix, mean_iou, pixel_accuracy

TRUTH = np.array([[0, 0, 1], [1, 2, 255]], np.uint8)
GUESS = np.array([[0, 1, 1], [1, 0, 2]], np.uint8)


def test_a_hand_computed_example():
    confusion = confusion_matrix(TRUTH, GUESS, 4)
    assert confusion[:, :4].tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    iou = class_iou(confusion)
    assert iou[:3].tolist() == pytest.approx([1 / 3, 2 / 3, 0])
    assert np.isnan(iou[3])  # class 3 does not occur
    assert mean_iou(confusion) == pytest.approx(1 / 3)
    assert pixel_accuracy(confusion) == pytest.approx(3 / 5)


def test_pixels_predicted_as_no_class_count_against_the_truth_only():
    confusion = confusion_matrix(np.zeros(4, np.uint8), np.array([0, 0, 255, 99], np.uint8), 2)
    assert class_iou(confusion)[0] == pytest.approx(0.5)


def test_nothing_labelled_gives_no_figure():
    confusion = confusion_matrix(np.full(3, 255, np.uint8), np.zeros(3, np.uint8))
    assert np.isnan(mean_iou(confusion))
    assert np.isnan(pixel_accuracy(confusion))


def test_merged_classes_count_as_right():
    merge = read_merge("truck+bus=car")
    truth = np.array([13, 13, 13], np.uint8)
    guess = np.array([13, 14, 15], np.uint8)
    assert mean_iou(confusion_matrix(truth, guess)) == pytest.approx(1 / 3)
    assert mean_iou(confusion_matrix(truth, merge[guess])) == 1


@pytest.mark.parametrize("text", ["lorry=car", "truck", "truck=van"])
def test_merging_unknown_classes_is_refused(text):
    with pytest.raises(ValueError, match="is no class"):
        read_merge(text)


def test_differing_shapes_and_strange_truths_are_refused():
    with pytest.raises(ValueError, match="truth"):
        confusion_matrix(np.zeros(3, np.uint8), np.zeros(4, np.uint8))
    with pytest.raises(ValueError, match="no class"):
        confusion_matrix(np.full(3, 30, np.uint8), np.zeros(3, np.uint8))
