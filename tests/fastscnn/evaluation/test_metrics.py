import numpy as np
import pytest

from fastscnn.evaluation.metrics import (
    category_iou,
    class_iou,
    confusion_matrix,
    mean_iou,
    pixel_accuracy,
)

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


def test_every_pixel_of_a_large_picture_is_counted():
    # More pixels of one kind than float32 counts
    truth = np.zeros((4100, 4200), np.uint8)
    truth[-1, -3:] = 1
    confusion = confusion_matrix(truth, np.zeros_like(truth), 2)
    assert confusion.tolist() == [[4100 * 4200 - 3, 0, 0], [3, 0, 0]]


def test_differing_shapes_and_strange_truths_are_refused():
    with pytest.raises(ValueError, match="truth"):
        confusion_matrix(np.zeros(3, np.uint8), np.zeros(4, np.uint8))
    with pytest.raises(ValueError, match="no class"):
        confusion_matrix(np.full(3, 30, np.uint8), np.zeros(3, np.uint8))


def test_a_class_that_is_predicted_and_never_true_counts_as_zero():
    truth, guess = np.array([0, 0, 0, 1], np.uint8), np.array([0, 0, 2, 1], np.uint8)
    confusion = confusion_matrix(truth, guess, 4)
    assert class_iou(confusion)[:3].tolist() == pytest.approx([2 / 3, 1, 0])
    assert np.isnan(class_iou(confusion)[3])
    assert mean_iou(confusion) == pytest.approx(5 / 9)
    assert mean_iou(confusion, only_occurring=True) == pytest.approx(5 / 6)


def test_predictions_where_nothing_is_known_do_not_count():
    confusion = confusion_matrix(np.array([0, 255], np.uint8), np.array([0, 1], np.uint8), 2)
    assert class_iou(confusion)[0] == 1
    assert np.isnan(class_iou(confusion)[1])


def test_confusion_within_a_category_is_no_mistake_of_it():
    # rows true, columns predicted: classes 0 and 1 are one category, 2 another, 3 a third
    truth = np.array([0, 0, 1, 1, 2, 2, 2, 255], np.uint8)
    guess = np.array([1, 0, 0, 2, 2, 0, 255, 1], np.uint8)
    confusion = confusion_matrix(truth, guess, 4)
    found = category_iou(confusion, {"a": (0, 1), "b": (2,), "c": (3,)})
    assert found["a"] == pytest.approx(3 / 5)  # 3 right, one missed, one too many
    assert found["b"] == pytest.approx(1 / 4)  # 1 right, two missed, one too many
    assert np.isnan(found["c"])
