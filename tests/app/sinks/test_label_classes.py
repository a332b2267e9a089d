"""Labels that are written are what they are said to be, whatever classes the network knows."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch

from app.sinks.data.frame_row import SHARE
from app.sinks.recording.label_writer import LabelWriter
from app.sinks.recording.timestamps import MappedTime
from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.data.class_sets import ClassSet
from fastscnn.labels import CLASS_NAMES, class_table
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from tests.support.cli_process import run_main

FAST = ("demo", "--headless", "--input-size", "64x96", "--max-frames", "1", "--precision", "fp32")
THIRTY = tuple(map(str, range(30)))


def _weights(path, names):
    torch.manual_seed(2)
    network = FastSCNN(FastSCNNConfig(num_classes=len(names))).eval()
    save(Checkpoint(network, classes=ClassSet(names)), path)
    return str(path)


@pytest.mark.parametrize("names", [("lane", "kerb", "sky", "car", "bus"), THIRTY])
def test_cityscapes_ids_of_classes_that_have_none_are_refused(tmp_path, names):
    weights = _weights(tmp_path / "own.pth", names)
    done = run_main(
        *FAST, "--weights", weights, "--save-labels", str(tmp_path / "ids"), "--label-ids"
    )
    assert done.returncode == 5, done.stderr
    [sentence] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert "writes Cityscapes ids" in sentence
    assert names[0] in sentence
    assert "leave --label-ids away" in sentence
    assert list((tmp_path / "ids").iterdir()) == []


def test_numbers_of_own_classes_are_written_and_that_is_said_once(tmp_path):
    names = ("lane", "kerb", "grass", "puddle", "cone")
    weights, report = _weights(tmp_path / "own.pth", names), tmp_path / "report.json"
    outputs = ("--save-labels", str(tmp_path / "labels"), "--stats-json", str(report))
    done = run_main(*FAST, "--weights", weights, *outputs)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("know 5 classes of their own (lane, kerb, grass, puddle, cone)") == 1
    [file] = (tmp_path / "labels").iterdir()
    assert cv2.imread(str(file), cv2.IMREAD_UNCHANGED).max() < 5
    assert json.loads(report.read_text("utf-8"))["network"]["classes"] == list(names)


def test_all_that_is_written_names_own_classes(tmp_path):
    """Rows, regions and the report, with what was hidden and asked for by own names."""
    path = tmp_path / "own.pth"
    torch.manual_seed(2)
    network = FastSCNN(FastSCNNConfig(num_classes=3)).eval()
    own = ClassSet(("floor", "crack", "tool"), ((1, 2, 3), (4, 5, 6), (7, 8, 9)))
    save(Checkpoint(network, classes=own), path)
    rows, regions = tmp_path / "rows.jsonl", tmp_path / "regions.json"
    outputs = ("--data", str(rows), "--objects", str(regions), "--classes", "floor,tool,crack")
    alert = ("--alert", "floor,tool,crack > 1%", "--events", str(tmp_path / "events.jsonl"))
    done = run_main(*FAST, "--weights", str(path), *outputs, *alert, "--hide", "crack")
    assert done.returncode == 0, done.stderr
    row = json.loads(rows.read_text("utf-8").splitlines()[0])
    assert [name for name in row if name.startswith(SHARE)] == [SHARE + name for name in own.names]
    categories = json.loads(regions.read_text("utf-8"))["categories"]
    assert [each["name"] for each in categories] == list(own.names)
    assert [each["id"] for each in categories] == [1, 2, 3]
    assert "--hide" not in done.stderr


def test_a_hidden_class_that_weights_do_not_know_is_named(tmp_path):
    weights = _weights(tmp_path / "own.pth", ("floor", "crack", "tool"))
    out = ("-o", str(tmp_path / "out.mp4"))
    done = run_main(*FAST, "--weights", weights, "--hide", "car", *out)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("--hide: 'car' is no class: use floor, crack, tool.") == 1


def test_cityscapes_classes_in_another_order_are_written_with_their_ids(tmp_path):
    names = CLASS_NAMES[::-1]
    weights, ids = _weights(tmp_path / "turned.pth", names), tmp_path / "ids"
    done = run_main(*FAST, "--weights", weights, "--save-labels", str(ids), "--label-ids")
    assert done.returncode == 0, done.stderr
    numbers = tmp_path / "numbers"
    assert run_main(*FAST, "--weights", weights, "--save-labels", str(numbers)).returncode == 0
    written, raw = (
        cv2.imread(str(next(folder.iterdir())), cv2.IMREAD_UNCHANGED) for folder in (ids, numbers)
    )
    assert np.array_equal(written, class_table(names).ids[raw])
    assert set(np.unique(written)) <= set(range(7, 34))


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (CLASS_NAMES, "Cityscapes train ids, 255 is unknown"),
        (("lane", "kerb"), "0 lane, 1 kerb, 255 is unknown"),
    ],
)
def test_a_recording_of_labels_tells_what_its_numbers_are(tmp_path, names, title):
    path, classes = tmp_path / "l.mkv", class_table(names)
    writer = LabelWriter(path, size=(32, 16), rate=Fraction(30), classes=classes)
    writer.write(np.zeros((16, 32), np.uint8), MappedTime(0.0, 0, 0.0, 0.1, False))
    writer.close()
    with av.open(str(path)) as container:
        assert container.metadata["title"] == title
