"""Colours of the classes: for colour-blind eyes, or the user's own."""

from itertools import combinations

import cv2
import numpy as np
import pytest

from app.config.persistence import SavedSettings
from app.config.settings import Settings
from app.rendering.overlay import draw
from app.rendering.palettes import COLOUR_BLIND, _recolored, parse_palette, recolored
from app.rendering.view_options import ViewOptions
from fastscnn.labels import CITYSCAPES, CLASS_NAMES
from tests.support.window_driver import hold, play, wait_until, window

EYES = {
    "usual": np.eye(3),
    "without red cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "without green cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def _seen(colors, eyes):
    """CIELAB of RGB colours as these eyes see them."""
    share = np.asarray(colors) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ EYES[eyes].T, 0, 1)
    back = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(back[None].astype(np.float32), cv2.COLOR_RGB2Lab)[0]


@pytest.mark.parametrize("eyes", EYES)
def test_any_two_classes_can_be_told_apart(eyes):
    table = recolored(CLASS_NAMES, COLOUR_BLIND)
    lab = _seen([row.color for row in table.rows], eyes)
    distances = {
        (table.names[a], table.names[b]): np.linalg.norm(lab[a] - lab[b])
        for a, b in combinations(range(len(lab)), 2)
    }
    worst = min(distances, key=distances.get)
    assert distances[worst] > 20, worst


def test_colours_of_ones_own_paint_the_classes_that_they_name(tmp_path):
    file = tmp_path / "colours.json"
    file.write_text('{"car": "#0a141e"}')
    table = recolored(CLASS_NAMES, parse_palette(str(file)))
    labels = np.array([[13, 0]], np.uint8)
    image = np.zeros((1, 2, 3), np.uint8)
    painted = draw(image, "labels", ViewOptions(), labels, classes=table)
    assert painted.tolist() == [[[10, 20, 30], list(CITYSCAPES.rows[0].color)]]


def test_the_file_of_own_classes_is_a_palette_too(tmp_path):
    file = tmp_path / "classes.json"
    file.write_text('{"classes": ["crack", "car"], "colors": ["#010203", [4, 5, 6]]}')
    colors = {row.name: row.color for row in recolored(CLASS_NAMES, parse_palette(str(file))).rows}
    assert colors["car"] == (4, 5, 6)
    assert colors["road"] == CITYSCAPES.rows[0].color


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "no JSON"),
        ("[1]", "not one object"),
        ('{"car": "blue"}', "colour of 'car'"),
        ('{"car": 7}', "colour of 'car'"),
        ('{"car": [1, 2, 300]}', "colour of 'car'"),
        ('{"classes": ["car"], "colors": ["blue"]}', '"colors" are no list'),
        (None, "no palette"),
    ],
)
def test_what_is_no_palette_is_refused_in_words(tmp_path, text, words):
    file = tmp_path / "colours.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=words):
        parse_palette(str(file))


class _Memory(dict):
    def get(self, key):
        return super().get(key, "")

    def set(self, key, text):
        self[key] = text


def test_the_palette_is_kept_and_one_that_is_gone_forgotten(tmp_path):
    file = tmp_path / "colours.json"
    file.write_text("{}")
    before = Settings()
    saved = SavedSettings(_Memory())
    saved.keep_view(ViewOptions(palette=str(file)), before.view)
    assert saved.apply(before).view.palette == str(file)
    file.unlink()
    _recolored.cache_clear()
    from app.rendering import palettes

    palettes._colors.cache_clear()
    assert saved.apply(before).view.palette == "cityscapes"


def test_picture_and_list_change_their_colours_at_once():
    with window() as w:
        play(w)
        hold(w)
        w.view_commands.set_palette(COLOUR_BLIND)
        wait_until(lambda: w.view.result.view.palette == COLOUR_BLIND, "the colours")
        wait_until(lambda: w.legend.classes is recolored(CLASS_NAMES, COLOUR_BLIND), "the list")
        assert w.view.result.classes.rows[13].color == (0, 0, 255)
