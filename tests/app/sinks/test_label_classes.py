"""Labels that are written are what they are said to be, whatever classes the network knows."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch

from app.sinks.recording.label_writer import LabelWriter
from app.sinks.recording.timestamps import MappedTime
from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.labels import CLASS_NAMES, class_table
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from tests.support.cli_process import run_main

FAST = ("demo", "--headless", "--input-size", "64x96", "--max-frames", "1", "--precision", "fp32")
THIRTY = tuple(map(str, range(30)))


def _weights(path, names):
    torch.manual_seed(2)
    network = FastSCNN(FastSCNNConfig(num_classes=len(names))).eval()
    save(Checkpoint(network, classes=names), path)
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
