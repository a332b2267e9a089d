"""Regions of classes as COCO and GeoJSON, read by what reads them elsewhere."""

import json
import os
import signal
from dataclasses import replace

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from app.config.data_options import ObjectOptions
from app.core.events import EventBus
from app.core.frame import Prediction
from app.rendering.view_options import InferencePass
from app.sinks.data.object_writers import ObjectSink
from app.sinks.data.regions import find_regions
from fastscnn import Segmenter
from fastscnn.labels import CLASSES, class_table
from tests.support.cli_process import Started, run_main
from tests.support.media import picture, read_clip, write_clip
from tests.support.recordings import result
from tests.support.sink_driver import refused_line, told_by
from tests.support.waiting import wait_until

PERSON, CAR = 11, 13


def written(path, what, **options):
    events = EventBus()
    sink = ObjectSink(path, events, ObjectOptions(**options))
    return sink, told_by(sink, events, what)


def labelled(labels, **more):
    height, width = labels.shape
    return result(picture(0, width, height), 0.0, labels=labels, **more)


@pytest.fixture
def scene():
    """Two people, of whom one has a hole, a car at the edge, a speck."""
    labels = np.zeros((90, 160), np.uint8)
    labels[10:40, 20:30] = PERSON
    labels[20:24, 24:27] = 0
    labels[50:80, 60:64] = PERSON
    labels[30:90, 120:160] = CAR
    labels[0, 0] = CAR
    return labels


def masks_of(coco):
    return {each["id"]: coco.annToMask(each).astype(bool) for each in coco.dataset["annotations"]}


def test_pycocotools_reads_the_regions_back_pixel_by_pixel(tmp_path, scene):
    sink, told = written(tmp_path / "o.json", [labelled(scene), labelled(scene.T.copy(), index=1)])
    assert sink.error is None
    assert told == [f"Saved objects of 2 frames: {tmp_path / 'o.json'}"]
    coco = COCO(tmp_path / "o.json")
    assert [image["file_name"] for image in coco.dataset["images"]] == [
        "frame_000000.PNG",
        "frame_000001.PNG",
    ]
    masks = masks_of(coco)
    for image, labels in zip(coco.dataset["images"], (scene, scene.T), strict=True):
        found = coco.loadAnns(coco.getAnnIds(image["id"]))
        assert [coco.cats[each["category_id"]]["name"] for each in found] == [
            "person",
            "person",
            "car",
        ]
        for each in found:
            mask = masks[each["id"]]
            ys, xs = np.nonzero(mask)
            box = [xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1]
            assert each["bbox"] == box
            assert each["area"] == mask.sum() >= 64
        people = np.logical_or.reduce(
            [masks[each["id"]] for each in found if each["category_id"] == 24]
        )
        assert (people == (labels == PERSON)).all()
    assert {row["id"] for row in coco.dataset["categories"]} == {
        row.id for row in CLASSES if row.category in {"human", "vehicle"}
    }
    assert "not instances" in coco.dataset["info"]["description"]
    assert not (tmp_path / "o.json.jsonl").exists()


@pytest.mark.parametrize("seed", range(3))
def test_regions_of_any_shape_are_whole_and_none_is_lost(tmp_path, seed):
    noise = np.random.default_rng(seed).random((61, 83)).astype(np.float32)
    labels = np.where(cv2.GaussianBlur(noise, (0, 0), 1.5) > 0.5, PERSON, CAR).astype(np.uint8)
    written(tmp_path / "o.json", [labelled(labels)], min_area=1)
    coco = COCO(tmp_path / "o.json")
    count = np.zeros(labels.shape, int)
    for each in coco.dataset["annotations"]:
        mask = coco.annToMask(each).astype(bool)
        count += mask
        assert {24: PERSON, 26: CAR}[each["category_id"]] == np.unique(labels[mask])
        assert cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] == 2
    assert (count == 1).all()
    assert len(find_regions(labels, [PERSON], min_area=20)) < len(find_regions(labels, [PERSON]))


def test_polygons_cover_their_regions(tmp_path, scene):
    scene[85, 5:15] = PERSON  # a pixel high
    sink, _ = written(tmp_path / "o.geojson", [labelled(scene)], classes=("person",), min_area=5)
    assert sink.error is None
    found = json.loads((tmp_path / "o.geojson").read_text())
    assert found["type"] == "FeatureCollection"
    assert [f["properties"]["class"] for f in found["features"]] == ["person"] * 3
    drawn = np.zeros(scene.shape, np.uint8)
    for feature in found["features"]:
        assert feature["geometry"]["type"] == "MultiPolygon"
        for polygon in feature["geometry"]["coordinates"]:
            assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in polygon)
            cv2.fillPoly(drawn, [np.array(polygon[0])], 1)
            for hole in polygon[1:]:
                cv2.fillPoly(drawn, [np.array(hole)], 0)
    differs = (drawn > 0) != (scene == PERSON)
    border = cv2.morphologyEx(drawn, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    assert not (differs & ~border).any()
    assert differs.sum() < 40


def test_classes_of_a_networks_own_have_ids_of_their_own(tmp_path):
    labels = np.full((40, 40), 2, np.uint8)
    seen = Prediction(
        InferencePass(), labels, np.zeros((3, 0, 0)), classes=class_table(("leaf", "Soil", "pot"))
    )
    one = replace(labelled(labels), predictions=(seen,))
    written(tmp_path / "o.json", [one])
    coco = COCO(tmp_path / "o.json")
    assert [(row["id"], row["name"]) for row in coco.dataset["categories"]] == [
        (1, "leaf"),
        (2, "Soil"),
        (3, "pot"),
    ]
    assert [each["category_id"] for each in coco.dataset["annotations"]] == [3]
    sink, _ = written(tmp_path / "p.json", [one], classes=("soil", "person"))
    assert "'person' is no class: use leaf, Soil, pot." in str(sink.error)
    assert sink.error.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["o.json"]


def test_a_network_with_other_classes_begins_another_file(tmp_path, scene):
    seen = Prediction(
        InferencePass(), scene, np.zeros((3, 0, 0)), classes=class_table(("leaf", "soil"))
    )
    first = labelled(scene)
    sink, told = written(tmp_path / "o.json", [first, replace(first, predictions=(seen,))])
    assert sink.error is None
    assert "other classes" in told[0]
    assert len(COCO(tmp_path / "o.json").cats) == 8
    assert len(COCO(tmp_path / "o-2.json").cats) == 2


def test_a_run_writes_what_the_network_sees(tmp_path):
    from fastscnn.data.street import Street

    street = Street(3, 256, 128)
    clip = write_clip(
        tmp_path / "c.mp4", 3, size=(256, 128), pictures=[street.render(t)[0] for t in (0, 1, 2)]
    )
    done = run_main(
        str(clip), "--headless", "--input-size", "exact", "--objects", str(tmp_path / "o.json"),
        "--classes", "road,vegetation", "--min-area", "1", "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    coco = COCO(tmp_path / "o.json")
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size="exact")
    for image, frame in zip(coco.dataset["images"], read_clip(clip)[1], strict=True):
        labels = segmenter(frame)
        found = coco.loadAnns(coco.getAnnIds(image["id"]))
        for number, category in ((0, 7), (8, 21)):
            masks = [coco.annToMask(each) for each in found if each["category_id"] == category]
            seen = np.logical_or.reduce(masks) if masks else np.zeros(labels.shape, bool)
            assert (seen == (labels == number)).mean() > 0.999


def test_pictures_keep_the_names_of_their_files(tmp_path):
    for name in ("x.png", "a/y.JPG"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((32, 48, 3), np.uint8))
    done = run_main(
        str(tmp_path / "in"), "--headless", "--input-size", "64x96",
        "--objects", str(tmp_path / "o.json"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [i["file_name"] for i in COCO(tmp_path / "o.json").dataset["images"]] == ["x.png"]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_kill_leaves_the_lines_of_all_frames(tmp_path):
    rows = tmp_path / "o.json.jsonl"
    given = ("--input-size", "64x96", "--objects", str(tmp_path / "o.json"))
    with Started("demo", "--headless", *given) as run:
        wait_until(lambda: rows.exists() and rows.read_bytes().count(b"\n") > 5)
        run.send_signal(signal.SIGKILL)
    whole = rows.read_text().rpartition("\n")[0].splitlines()
    assert [json.loads(line)["image"]["frame"] for line in whole] == list(range(len(whole)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--classes", "car"), "add --objects FILE.json"),
        (("--objects", "o.json", "--classes", "cra"), "'cra' is no class"),
        (("--objects", "o.json", "--classes", ","), "it is empty"),
        (("--objects", "o.txt"), "must end in .json, .geojson"),
        (("--objects", "o.json", "--min-area", "0"), "whole number above 0"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    tmp_path, monkeypatch, capsys, arguments, words
):
    assert words in refused_line(arguments, tmp_path, monkeypatch, capsys)
