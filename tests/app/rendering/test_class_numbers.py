"""What a class is called, how it looks and whether it is hidden belongs to its network."""

from dataclasses import replace

import numpy as np
import pytest

from app.config.persistence import SavedSettings
from app.core.frame import Frame, Prediction, Result
from app.rendering.overlay import draw, shares
from app.rendering.view_options import InferencePass, NamedClasses, Side, ViewOptions
from fastscnn.labels import CITYSCAPES, CLASS_NAMES, class_table

IMAGE = np.full((2, 2, 3), 100, np.uint8)
ROAD, SKY = CLASS_NAMES.index("road"), CLASS_NAMES.index("sky")
OWN = class_table(("lane", "sky", "kerb"))
MANY = class_table(tuple(map(str, range(30))))


@pytest.mark.parametrize(("classes", "number"), [(OWN, 2), (MANY, 25), (MANY, 29)])
def test_every_class_of_a_network_has_a_colour_in_the_picture(classes, number):
    labels = np.full((2, 2), number, np.uint8)
    for content in ("overlay", "labels"):
        out = draw(IMAGE, content, ViewOptions(alpha=1), labels, classes=classes)
        assert tuple(out[0, 0].tolist()) == classes.rows[number].color


def test_numbers_beyond_the_classes_show_the_frame():
    labels = np.full((2, 2), 3, np.uint8)
    assert np.array_equal(draw(IMAGE, "overlay", ViewOptions(), labels, classes=OWN), IMAGE)


def test_a_class_stays_hidden_by_its_name_whatever_its_number():
    labels = np.array([[0, 1], [2, 2]], np.uint8)
    options = ViewOptions(alpha=1, hidden=frozenset({ROAD, SKY}))
    out = draw(IMAGE, "overlay", options, labels, classes=OWN)
    assert out[0, 0].tolist() != [100] * 3  # a lane has road's number and is none
    assert out[0, 1].tolist() == [100] * 3
    assert options.numbered_as(OWN.names).hidden == {1}
    back = ViewOptions(hidden=frozenset({1, 2}), numbering=OWN.names).numbered_as(CLASS_NAMES)
    assert back.hidden == {SKY}


@pytest.mark.parametrize(("selected", "there"), [(SKY, 1), (ROAD, None), (None, None)])
def test_an_outlined_class_is_outlined_by_its_name(selected, there):
    assert ViewOptions(selected=selected).numbered_as(OWN.names).selected == there


def test_showing_only_some_hides_all_others_of_the_network():
    only = ViewOptions(named=NamedClasses((OWN.names[1],), only=True))
    assert only.numbered_as(OWN.names).hidden == {0, 2}


def test_shares_are_told_for_as_many_classes_as_there_are():
    labels = np.array([[0, 29], [29, 255]], np.uint8)
    found = shares(labels, classes=30)
    assert len(found) == 30
    assert (found[0], found[29]) == pytest.approx((1 / 3, 2 / 3))


@pytest.mark.parametrize("view", ["wipe", "side"])
def test_shares_of_two_networks_with_other_classes_are_those_of_the_first(view):
    def seen(weights, labels, classes):
        logits = np.zeros((3, 1, 1), np.float32)
        return Prediction(InferencePass(weights=weights), labels, logits, classes=classes)

    first, second = np.full((4, 6), 1, np.uint8), np.full((4, 6), 2, np.uint8)
    options = ViewOptions(view, left=Side(weights="a"), right=Side(weights="b"))
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 0, 0.0, 0.0)
    predictions = (seen("a", first, CITYSCAPES), seen("b", second, OWN))
    result = Result(frame, predictions, (), (), options, True)
    [part] = result.labels_at(0.5)
    assert result.classes is CITYSCAPES
    assert set(part.ravel().tolist()) == {1}
    same = replace(result, predictions=(seen("a", first, OWN), seen("b", second, OWN)))
    assert len(same.labels_at(0.5)) == 2


class _Profile(dict):
    def get(self, key):
        return super().get(key, "")

    def set(self, key, text):
        self[key] = text


def test_what_is_hidden_of_other_classes_leaves_the_profile_as_it_is():
    profile = _Profile()
    saved, before = SavedSettings(profile), ViewOptions()
    saved.keep_view(replace(before, hidden=frozenset({SKY})), before)
    kept = dict(profile)
    saved.keep_view(ViewOptions(hidden=frozenset({0}), numbering=OWN.names), before)
    assert profile == kept
    assert f"[{SKY}]" in profile["picture/view"]
