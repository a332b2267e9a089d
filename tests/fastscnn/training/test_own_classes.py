"""Own classes: from a JSON file through training into the checkpoint and all that reads it."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fastscnn import evaluate, train
from fastscnn.checkpoints.checkpoint import load, save
from fastscnn.compress.pruning import prune
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet, class_set
from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.dataset_mix import open_dataset
from fastscnn.data.label_sets import TargetSets
from fastscnn.exporting.export_writers import write_graph
from fastscnn.exporting.exportable_model import Signature
from fastscnn.segmenter import Segmenter
from tests.support.labelled_data import write_pair

SMALL = ["--batch", "2", "--crop", "64x96", "--device", "cpu", "--clip", "5", "--workers", "0"]
NAMES = ("floor", "crack", "tool")
CLASSES = {
    "classes": list(NAMES),
    "colors": ["#203040", "#ff0000", "#00ff00"],
    "ids": {"floor": [0, 9], "crack": 200, "tool": 2},
    "ignore": [4],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data, their classes, and a run of a few steps on them."""
    place = tmp_path_factory.mktemp("own")
    for number in range(3):
        truth = np.zeros((72, 96), np.uint8)
        truth[:, 20:40], truth[:10], truth[60:], truth[:, 90:] = 200, 9, 2, 4
        truth[-1, -1] = 255
        write_pair(place / "data", f"drive_{number}", truth, gray=60 * number)
    (place / "classes.json").write_text(json.dumps(CLASSES), "utf-8")
    assert train.main(arguments(place, "run", "--classes", str(place / "classes.json"))) == 0
    return place


def arguments(place, run, *more):
    data = f"folder:{place / 'data'}"
    given = ["--run", str(place / run), "--data", data, "--val", data, "--val-size", "64x96"]
    return [*given, "--steps", "4", *SMALL, *more]


def test_the_checkpoint_carries_names_colours_and_values(place):
    classes = load(place / "run" / "last.pth").classes
    assert classes.names == NAMES
    assert classes.table.palette[:3].tolist() == [[32, 48, 64], [255, 0, 0], [0, 255, 0]]
    assert classes.label_values == {0: 0, 9: 0, 200: 1, 2: 2, 4: 255}
    assert Segmenter.from_checkpoint(place / "run" / "last.pth").table is classes.table


def test_values_become_the_numbers_of_their_classes(place):
    classes = load(place / "run" / "last.pth").classes
    _, target = open_frames(f"folder:{place / 'data'}", classes=classes).read(0)
    assert target[[0, 30, 30, 70, 30], [50, 50, 30, 50, 95]].tolist() == [0, 0, 1, 2, 255]
    assert target[-1, -1] == 255


def test_a_value_of_no_class_is_refused_before_the_first_step(place, tmp_path, capsys):
    said = CLASSES | {"ignore": []}
    (tmp_path / "c.json").write_text(json.dumps(said), "utf-8")
    run = ["--run", str(tmp_path / "run"), "--classes", str(tmp_path / "c.json")]
    assert train.main([*arguments(place, "x"), *run]) == 3
    assert "holds 4, which is no label here" in capsys.readouterr().err


def test_a_run_is_repeated_and_resumed_with_its_classes(place, tmp_path, capsys):
    again = tmp_path / "again"
    assert train.main(["--config", str(place / "run"), "--run", str(again), "--steps", "2"]) == 0
    assert load(again / "last.pth").classes == load(place / "run" / "last.pth").classes
    assert train.main(["--run", str(again), "--resume", "--device", "cpu"]) == 0
    more = ["--classes", str(place / "classes.json")]
    assert train.main(["--run", str(again), "--resume", *more]) == 4
    assert "has its classes already" in capsys.readouterr().err


def test_it_is_judged_by_its_own_classes(place, tmp_path, capsys):
    data, weights = str(place / "data"), ["--weights", str(place / "run" / "last.pth")]
    size = ["--input-size", "64x96", "--device", "cpu"]
    outputs = ["--json", str(tmp_path / "f.json"), "--labels", str(tmp_path / "labels")]
    assert evaluate.main([data, *weights, *size, *outputs]) == 0
    found = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert found["classes"] == list(NAMES)
    assert "category" not in capsys.readouterr().out
    [report] = found["reports"]
    assert report["classes_occurring"] == 3
    values = {int(v) for file in (tmp_path / "labels").iterdir() for v in np.unique(_png(file))}
    assert values <= {0, 200, 2}
    assert evaluate.main([data, *weights, *size, "--merge", "crack=tool", "--by-drive"]) == 0
    assert "2 of 2 classes occur" in capsys.readouterr().out


def _png(file):
    return cv2.imread(str(file), cv2.IMREAD_UNCHANGED)


@pytest.mark.slow
def test_graphs_and_smaller_networks_carry_the_classes_too(place, tmp_path):
    pytest.importorskip("onnxscript")
    own = load(place / "run" / "last.pth")
    write_graph(own, Signature("logits8", "input"), tmp_path / "own.onnx", "onnx")
    assert Segmenter.from_checkpoint(tmp_path / "own.onnx").class_set == own.classes
    pictures = [np.zeros((64, 96, 3), np.uint8)]
    save(prune(own, 0.3, pictures), tmp_path / "small.pth")
    assert load(tmp_path / "small.pth").classes == own.classes


def test_weights_that_say_nothing_of_labels_are_judged_by_a_file(place, tmp_path, capsys):
    own = load(place / "run" / "last.pth")
    save(replace(own, classes=ClassSet(NAMES[::-1])), tmp_path / "turned.pth")
    more = ["--weights", str(tmp_path / "turned.pth"), "--input-size", "64x96", "--device", "cpu"]
    assert evaluate.main([str(place / "data"), *more]) == 4
    assert "name the classes of the labels by --classes FILE" in capsys.readouterr().err
    classes = ["--classes", str(place / "classes.json")]
    assert evaluate.main([str(place / "data"), *more, *classes]) == 0
    assert "3 of 3 classes occur" in capsys.readouterr().out


def test_the_street_and_cityscapes_are_learned_by_names_and_parts(tmp_path, capsys):
    said = {"classes": ["vehicle", "road"], "cityscapes": {"vehicle": ["car", "bus", "truck"]}}
    classes = class_set(said)
    street, _ = open_dataset("street?worlds=1", TargetSets(classes))
    for _, target in (street[0], open_frames("street?frames=2", classes=classes).read(1)):
        assert {0, 1} <= set(np.unique(target).tolist()) <= {0, 1, 255}
    (tmp_path / "c.json").write_text('{"classes": ["a", "b"]}', "utf-8")
    given = ["--run", str(tmp_path / "run"), "--data", "street?worlds=1", "--steps", "1", *SMALL]
    assert train.main([*given, "--classes", str(tmp_path / "c.json")]) == 3
    assert "None of the classes (a, b, …) is one of Cityscapes" in capsys.readouterr().err


def test_a_malformed_file_is_refused_in_a_sentence(tmp_path, capsys):
    (tmp_path / "c.json").write_text('{"classes": ["a", "a"]}', "utf-8")
    more = ["--classes", str(tmp_path / "c.json")]
    with pytest.raises(SystemExit) as stop:
        train.main(["--run", str(tmp_path / "run"), "--data", "street", *more])
    assert stop.value.code == 2
    assert "name 'a' twice" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_runs_begun_before_there_were_own_classes_go_on(place, tmp_path):
    values = {"data": [f"folder:{place / 'data'}"]}
    (tmp_path / "config.json").write_text(json.dumps(values), "utf-8")
    assert train.run_setup.classes_of(None, None, values) == CITYSCAPES_SET
