import numpy as np
import pytest

from app.pipeline.overlay import draw
from app.pipeline.view import ViewOptions

IMAGE = np.full((2, 2, 3), 100, np.uint8)
LABELS = np.array([[10, 13], [10, 255]], np.uint8)


def test_overlay_blends_the_official_colours_by_alpha():
    out = draw(IMAGE, LABELS, ViewOptions(alpha=0.5))
    assert out[0, 0].tolist() == pytest.approx([85, 115, 140], abs=1)
    assert out[0, 1].tolist() == pytest.approx([50, 50, 121], abs=1)


def test_alpha_0_shows_the_frame_and_alpha_1_the_colours():
    assert np.array_equal(draw(IMAGE, LABELS, ViewOptions(alpha=0)), IMAGE)
    assert draw(IMAGE, LABELS, ViewOptions(alpha=1))[0, 0].tolist() == [70, 130, 180]


def test_the_labels_view_shows_colours_alone():
    out = draw(IMAGE, LABELS, ViewOptions(view="labels", alpha=0.2))
    assert out[0, 1].tolist() == [0, 0, 142]
    assert out[1, 1].tolist() == [0, 0, 0]


def test_hidden_and_unknown_classes_show_the_frame():
    out = draw(IMAGE, LABELS, ViewOptions(alpha=1, hidden=frozenset({10})))
    assert out[0, 0].tolist() == [100] * 3
    assert out[0, 1].tolist() == [0, 0, 142]
    assert out[1, 1].tolist() == [100] * 3


def test_neither_frame_nor_labels_are_written_to():
    image, labels = IMAGE.copy(), LABELS.copy()
    draw(image, labels, ViewOptions(hidden=frozenset({10})))
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(labels, LABELS)
