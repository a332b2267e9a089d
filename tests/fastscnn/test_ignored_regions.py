"""Polygons in which nothing is seen or judged."""

import json

import cv2
import numpy as np
import pytest

from fastscnn import evaluate
from fastscnn.ignored_regions import format_polygon, parse_polygon, region_mask, without_regions

LABELS = np.zeros((40, 100), np.uint8)


@pytest.mark.parametrize(
    "text", ["0,20,50,20,50,40,0,40", "0,0.5,0.5,0.5,0.5,1,0,1", " 0, 20 ,50,20, 50,40,0,40.0"]
)
def test_pixels_and_shares_mean_the_same(text):
    polygon = parse_polygon(text)
    found = without_regions(LABELS, [polygon])
    unknown = found == 255
    assert unknown[22:38, 2:48].all()
    assert not unknown[:18].any()
    assert not unknown[:, 53:].any()
    assert not LABELS.any()
    assert parse_polygon(format_polygon(polygon)) == polygon


@pytest.mark.parametrize("edges", [(48, 144), (47, 143), (0.25, 0.75), (47.4, 143.6), (0, 1)])
def test_a_region_holds_the_pixels_whose_middle_lies_in_it(edges):
    left, right = edges
    bottom = 1 if right <= 1 else 40
    found = region_mask((((left, 0), (right, 0), (right, bottom), (left, bottom)),), 40, 192)
    scale = 192 if right <= 1 else 1
    middles = np.arange(192) + 0.5
    inside = (middles > left * scale) & (middles < right * scale)
    assert (found == np.where(inside, 255, 0)).all()


def test_several_regions_add_up_and_none_costs_nothing():
    left, right = parse_polygon("0,0,0.2,0,0.2,1"), parse_polygon("0.8,0,1,0,1,1")
    found = without_regions(LABELS, [left, right])
    assert (found[:, :20] == 255).any()
    assert (found[:, 80:] == 255).any()
    assert without_regions(LABELS, []) is LABELS


def test_corners_outside_the_picture_reach_to_its_edge():
    found = without_regions(LABELS, [parse_polygon("0,0,5000,0,5000,5000,0,5000")])
    assert (found == 255).all()


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3,4", "1,2,3,4,5", "a,b,c,d,e,f", "nan,0,1,1,0,1", "--1,0,1,1,0,1", "1," * 3000],
)
def test_what_is_no_polygon_is_refused(text):
    with pytest.raises(ValueError, match="is no region: use x,y"):
        parse_polygon(text)


@pytest.mark.parametrize("text", ["-1,0,1,0,1,1", "0,0,1,0, 1 ,-0.5", "10,10,20,-10,20,20,10,20"])
def test_a_negative_number_is_named_as_what_is_wrong(text):
    with pytest.raises(ValueError, match="must not be negative"):
        parse_polygon(text)


@pytest.mark.parametrize(
    "text", ["0,0,0,0,0,0", "5,0,5,20,5,40", "0.1,0.1,0.2,0.2,0.3,0.3", "0,7,999999,7,30,7,1,7"]
)
def test_a_region_without_an_area_is_refused(text):
    with pytest.raises(ValueError, match="has no area"):
        parse_polygon(text)


def test_a_narrow_or_crossed_region_has_an_area():
    for text in ("0,0,1,0,1,1,0,0.999", "0,0,1,1,1,0,0,1", "0,0,1000,0,1000,1"):
        assert len(parse_polygon(text)) >= 3


def test_evaluation_judges_nothing_in_them(tmp_path):
    data = tmp_path / "data"
    for folder in ("images", "labels"):
        (data / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    cv2.imwrite(str(data / "images/a_1.png"), rng.integers(0, 256, (64, 96, 3), np.uint8))
    cv2.imwrite(str(data / "labels/a_1.png"), np.full((64, 96), 1, np.uint8))
    counted = []
    for name, regions in (("all", []), ("part", ["0,0.5,1,0.5,1,1,0,1"])):
        out = tmp_path / f"{name}.json"
        more = [word for region in regions for word in ("--ignore-region", region)]
        arguments = [str(data), "--input-size", "64x96", "--device", "cpu", "--json", str(out)]
        assert evaluate.main([*arguments, *more]) == 0
        counted.append(np.sum(json.loads(out.read_text())["reports"][0]["confusion"]))
    assert counted[0] == 64 * 96
    assert counted[1] == pytest.approx(64 * 96 / 2, abs=100)
