"""The demo street: reproducible, exactly labelled, endless and smooth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fastscnn.data.street import Street, texture_set
from fastscnn.data.street import street as street_module
from fastscnn.labels import CLASS_NAMES, UNKNOWN


@pytest.fixture(autouse=True)
def painted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere in the tests the textures are kept."""
    monkeypatch.setattr(street_module, "paint_all", texture_set.paint_all)


@pytest.fixture(scope="module")
def street() -> Street:
    return Street(seed=5, width=512, height=256)


@pytest.fixture(scope="module")
def other_street() -> Street:
    return Street(seed=1, width=512, height=256)  # the same weather, another street


def test_same_seed_and_time_give_the_same_frame_in_any_order(street: Street) -> None:
    times = [0.0, 3.7, 61.25]
    other = Street(5, 512, 256)
    forward = [street.render(t) for t in times]
    backward = [other.render(t) for t in reversed(times)][::-1]
    for (rgb, labels), (rgb2, labels2) in zip(forward, backward, strict=True):
        assert np.array_equal(rgb, rgb2)
        assert np.array_equal(labels, labels2)


def test_a_rendered_frame_is_not_changed_by_later_ones(street: Street) -> None:
    rgb, labels = street.render(1.0)
    kept = rgb.copy(), labels.copy()
    street.render(2.0)
    assert np.array_equal(rgb, kept[0])
    assert np.array_equal(labels, kept[1])


def test_different_seeds_give_different_streets(street: Street, other_street: Street) -> None:
    _, one = street.render(4.0)
    _, other = other_street.render(4.0)
    assert np.mean(one != other) > 0.02


def test_pictures_are_contiguous_bytes_and_labels_are_train_ids(street: Street) -> None:
    allowed = {*range(len(CLASS_NAMES)), UNKNOWN}
    for time in (0.0, 12.3, 200.0):
        rgb, labels = street.render(time)
        assert rgb.shape == (256, 512, 3)
        assert labels.shape == (256, 512)
        assert rgb.dtype == labels.dtype == np.uint8
        assert rgb.flags.c_contiguous
        assert labels.flags.c_contiguous
        assert set(np.unique(labels).tolist()) <= allowed
        assert np.mean(labels == UNKNOWN) < 0.01


def test_sky_is_above_and_road_below(street: Street) -> None:
    for time in (0.5, 20.0, 44.4):
        _, labels = street.render(time)
        sky, road = labels == CLASS_NAMES.index("sky"), labels == CLASS_NAMES.index("road")
        assert not sky[140:].any()
        assert not road[:90].any()
        assert np.mean(road[-10:, 150:350]) > 0.8
        assert np.mean(sky[:90]) > 0.02


def test_every_main_class_occurs_along_a_minute() -> None:
    missing = set(CLASS_NAMES) - {"train"}
    for seed in range(2):
        street = Street(seed, 320, 160)
        for time in np.arange(0.0, 60.0, 2.5):
            seen = np.unique(street.render(float(time))[1]).tolist()
            missing -= {CLASS_NAMES[i] for i in seen if i != UNKNOWN}
            if not missing:
                return
    assert not missing


def test_motion_is_smooth(street: Street) -> None:
    frames = [street.render(10.0 + i / 30) for i in range(8)]
    for (rgb, labels), (rgb2, labels2) in pairwise(frames):
        change = np.abs(rgb.astype(np.int16) - rgb2.astype(np.int16))
        assert 0.5 < change.mean() < 12
        assert 0 < np.mean(labels != labels2) < 0.08


def test_labels_follow_the_picture(street: Street) -> None:
    """What is labelled as sky is brighter than what is labelled as road, by day."""
    rgb, labels = street.render(7.0)
    gray = rgb.mean(axis=2)
    sky = gray[labels == CLASS_NAMES.index("sky")].mean()
    assert sky > gray[labels == CLASS_NAMES.index("road")].mean() + 20


@pytest.mark.parametrize("size", [(64, 64), (333, 129), (129, 333)])
def test_odd_and_small_sizes_work(size: tuple[int, int]) -> None:
    rgb, labels = Street(1, *size).render(5.0)
    assert rgb.shape == (size[1], size[0], 3)
    assert labels.shape == (size[1], size[0])


@pytest.mark.parametrize("time", [0.0, 3600.0, 1e6])
def test_the_street_has_no_end(street: Street, time: float) -> None:
    _, labels = street.render(time)
    assert np.mean(labels == CLASS_NAMES.index("road")) > 0.1


@pytest.mark.parametrize(
    ("width", "height"), [(63, 512), (1024, 10), (0, 0), (-5, 100), (99999, 64)]
)
def test_a_bad_size_gives_one_clear_sentence(width: int, height: int) -> None:
    with pytest.raises(ValueError, match=r"^The street's (width|height) must be .* pixels.*\.$"):
        Street(0, width, height)
