"""Names of classes on their regions: where they are, where none is, and how they move."""

import numpy as np
import pytest

from app.rendering.region_names import RegionNames
from fastscnn.labels import CITYSCAPES

ROAD, SKY, CAR = 0, 10, 13
UNKNOWN = 255


def _labels(*boxes, size=(360, 640), ground=UNKNOWN):
    """Labels of boxes: a class, and left, top, right and bottom as shares of the size."""
    labels = np.full(size, ground, np.uint8)
    for number, left, top, right, bottom in boxes:
        height, width = size
        rows = slice(round(top * height), round(bottom * height))
        labels[rows, round(left * width) : round(right * width)] = number
    return labels


def _written(labels, names=None, **more):
    """Where something was written on a grey picture: one mask of pixels."""
    picture = np.full((*labels.shape, 3), 90, np.uint8)
    (names or RegionNames()).write(picture, labels, CITYSCAPES, **more)
    return (picture != 90).any(axis=2)


def _middle(mask):
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    return (columns.min() + columns.max()) / 2 / width, (rows.min() + rows.max()) / 2 / height


@pytest.mark.parametrize("size", [(360, 640), (1080, 1920), (720, 480), (64, 96)])
def test_a_name_stands_in_the_middle_of_its_region(size):
    labels = _labels((SKY, 0.1, 0.0, 0.9, 0.6), size=size)
    mask = _written(labels)
    assert mask.any()
    assert (labels[mask] == SKY).all()
    assert _middle(mask) == pytest.approx((0.5, 0.3), abs=0.06)


def test_it_stands_where_a_bent_region_is_widest():
    labels = _labels((ROAD, 0, 0.9, 1, 1), (ROAD, 0.6, 0.4, 1, 1))
    x, y = _middle(_written(labels))
    assert x == pytest.approx(0.8, abs=0.1)
    assert y == pytest.approx(0.7, abs=0.15)


def test_every_large_region_of_a_class_has_one():
    labels = _labels((CAR, 0, 0.5, 0.3, 0.9), (CAR, 0.7, 0.5, 1, 0.9))
    mask = _written(labels)
    assert mask[:, :192].any()
    assert mask[:, 448:].any()
    assert not mask[:, 192:448].any()


@pytest.mark.parametrize(
    ("labels", "more"),
    [
        (_labels((CAR, 0.5, 0.5, 0.55, 0.55)), {}),  # small
        (_labels((CAR, 0.5, 0, 0.52, 1)), {}),  # a pole
        (_labels((CAR, 0, 0.5, 1, 0.52)), {}),  # a line
        (_labels(), {}),  # unknown alone
        (_labels((CAR, 0, 0, 1, 1)), {"hidden": frozenset({CAR})}),
    ],
)
def test_what_is_small_thin_unknown_or_hidden_has_none(labels, more):
    assert not _written(labels, **more).any()


def test_noise_at_the_borders_does_not_move_it():
    rng = np.random.default_rng(0)
    names, places = RegionNames(), []
    for index in range(20):
        jitter = rng.uniform(-0.03, 0.03, 2)
        labels = _labels((ROAD, 0.2 + jitter[0], 0.4, 0.8 + jitter[1], 1))
        places.append(_middle(_written(labels, names, index=index)))
    assert np.ptp(np.array(places), axis=0).max() < 0.01


def test_it_follows_its_region_without_a_jump():
    names, places = RegionNames(), []
    for index in range(40):
        left = 0.5 * min(index, 25) / 25
        labels = _labels((ROAD, left, 0.3, left + 0.5, 1))
        places.append(_middle(_written(labels, names, index=index)))
    steps = np.abs(np.diff(np.array(places)[:, 0]))
    assert steps.max() < 0.06
    assert places[-1][0] == pytest.approx(0.75, abs=0.08)


def test_a_frame_that_is_drawn_again_moves_none_and_a_seek_begins_anew():
    names = RegionNames()
    _written(_labels((ROAD, 0, 0.3, 0.5, 1)), names, index=1)
    moved = _labels((ROAD, 0.2, 0.3, 0.7, 1))
    first = _middle(_written(moved, names, index=2))
    assert _middle(_written(moved, names, index=2)) == first
    assert _middle(_written(moved, names, index=3)) != first
    assert _middle(_written(moved, names, segment=(1, 1), index=3))[0] == pytest.approx(
        0.45, abs=0.04
    )


def test_a_region_at_the_threshold_does_not_flicker():
    names, seen = RegionNames(), []
    for index in range(12):
        wide = 0.145 if index % 2 else 0.16
        seen.append(_written(_labels((CAR, 0.4, 0.4, 0.4 + wide, 0.52)), names, index=index).any())
    assert len(set(seen[2:])) == 1


def test_it_is_legible_on_light_and_on_dark():
    for ground in (0, 255):
        labels = _labels((SKY, 0, 0, 1, 1))
        picture = np.full((*labels.shape, 3), ground, np.uint8)
        RegionNames().write(picture, labels, CITYSCAPES)
        assert picture.min() < 30
        assert picture.max() > 225
