"""Figures of a whole evaluation, against confusion matrices computed by hand."""

import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch

from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.data.class_sets import ClassSet
from fastscnn.data.dataset_factory import open_frames
from fastscnn.data.label_sets import TargetSets, read_sets
from fastscnn.evaluate import main
from fastscnn.evaluation.class_merging import PLAIN, merging_of, read_merging
from fastscnn.evaluation.evaluator import AHEAD, Evaluator, evaluate, evaluate_settings
from fastscnn.evaluation.scores import Setting
from fastscnn.labels import CLASS_NAMES
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from fastscnn.segmenter import Segmenter
from tests.support.labelled_data import knowing, write_pair
from tests.support.waiting import PATIENCE

ROAD, SIDEWALK, BUILDING, WALL, SKY, CAR, TRUCK = (
    CLASS_NAMES.index(name)
    for name in ("road", "sidewalk", "building", "wall", "sky", "car", "truck")
)


@pytest.fixture
def weights(tmp_path):
    """A checkpoint that calls bright frames truck and dark ones road, and all road without skip."""
    save(Checkpoint(knowing(TRUCK, ROAD)), tmp_path / "known.pth")
    return tmp_path / "known.pth"


@pytest.fixture
def folder(tmp_path):
    """A bright and a dark frame of 64×64, truth in quarters of 16 rows."""
    rows = np.repeat(np.array([[CAR], [TRUCK], [255], [WALL]], np.uint8), 16, axis=0)
    write_pair(tmp_path / "data", "a_bright", np.repeat(rows, 64, axis=1), gray=250)
    rows = np.repeat(np.array([[ROAD], [ROAD], [255], [CAR]], np.uint8), 16, axis=0)
    write_pair(tmp_path / "data", "b_dark", np.repeat(rows, 64, axis=1), gray=5)
    return tmp_path / "data"


def run(capsys, tmp_path, *arguments):
    """The command's figures."""
    json_file = tmp_path / "figures.json"
    arguments = [*map(str, arguments), "--json", str(json_file), "--overwrite", "--device", "cpu"]
    assert main(arguments) == 0, capsys.readouterr().err
    return json.loads(json_file.read_text("utf-8"))


def test_figures_of_known_labels_are_those_computed_by_hand(folder, weights, tmp_path, capsys):
    found = run(capsys, tmp_path, folder, "--weights", weights, "--skip", "both")
    on, off = found["reports"]
    # Bright: car, truck and wall, 1024 pixels each, all called truck. Dark: 2048 road, 1024 car,
    # all called road. The rest is unlabelled.
    assert on["class_iou"]["truck"] == pytest.approx(1024 / 3072)
    assert on["class_iou"]["road"] == pytest.approx(2048 / 3072)
    assert on["class_iou"]["car"] == 0
    assert on["class_iou"]["wall"] == 0
    assert on["class_iou"]["sky"] is None
    assert on["mean_iou"] == pytest.approx((1 / 3 + 2 / 3) / 4)
    assert on["pixel_accuracy"] == pytest.approx(3 / 6)
    # vehicle: 2048 + 1024 true, 3072 called so, 2048 of them rightly
    assert on["category_iou"]["vehicle"] == pytest.approx(2048 / 4096)
    assert on["category_iou"]["flat"] == pytest.approx(2 / 3)
    assert on["category_iou"]["construction"] == 0
    assert on["category_iou"]["sky"] is None
    assert on["mean_category_iou"] == pytest.approx((1 / 2 + 2 / 3) / 3)
    # Without the skip connection all six thousand are called road.
    assert off["class_iou"]["road"] == pytest.approx(2048 / 6144)
    assert off["class_iou"]["truck"] == 0
    assert off["mean_iou"] == pytest.approx(1 / 12)
    assert not off["skip"]


@pytest.mark.parametrize("merge", ["camvid", "truck=car,wall=building"])
def test_merged_classes_count_as_one(folder, weights, tmp_path, capsys, merge):
    found = run(capsys, tmp_path, folder, "--weights", weights, "--merge", merge)
    (on,) = found["reports"]
    assert "truck" not in found["classes"]
    # car: 2048 of the bright frame rightly, 1024 wall called car, 1024 car missed in the dark one
    assert on["class_iou"]["car"] == pytest.approx(2048 / 4096)
    assert on["class_iou"]["building"] == 0
    assert on["class_iou"]["road"] == pytest.approx(2 / 3)
    assert on["mean_iou"] == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_classes_that_are_predicted_and_never_true_count_as_in_the_benchmark(
    folder, tmp_path, capsys
):
    save(Checkpoint(knowing(SKY, ROAD)), tmp_path / "sky.pth")
    (on,) = run(capsys, tmp_path, folder, "--weights", tmp_path / "sky.pth")["reports"]
    assert on["class_iou"]["sky"] == 0
    assert on["mean_iou"] == pytest.approx(2 / 3 / 5)
    assert on["mean_iou_occurring"] == pytest.approx(2 / 3 / 4)
    assert on["classes_occurring"] == 4


def _lines(text):
    cells = (line.rsplit(maxsplit=2) for line in text.splitlines())
    return {line[0].strip(): line[1:] for line in cells if len(line) == 3}


@pytest.mark.parametrize("other", [SKY, SIDEWALK])
def test_columns_are_compared_over_the_same_classes(folder, tmp_path, capsys, other):
    # Sky (or sidewalk) is never true; with the skip connection it is predicted, without it is not.
    save(Checkpoint(knowing(other, ROAD)), tmp_path / "w.pth")
    on, off = run(capsys, tmp_path, folder, "--weights", tmp_path / "w.pth", "--skip", "both")[
        "reports"
    ]
    assert (on["classes_averaged"], off["classes_averaged"]) == (5, 4)
    text = capsys.readouterr().out
    lines = _lines(text)
    assert lines["mean IoU over the 4 that occur"] == ["16.7", "8.3"]
    assert lines["mean IoU as the benchmark's"] == ["13.3", "8.3"]
    assert lines["classes averaged"] == ["5", "4"]
    assert text.index("over the 4 that occur") < text.index("as the benchmark's")
    category = "mean category IoU"
    assert lines[category if other == SIDEWALK else f"{category} over the 3 that occur"]
    assert lines["categories averaged"] == (["3", "3"] if other == SIDEWALK else ["4", "3"])


def test_columns_over_the_same_classes_have_one_mean(folder, weights, tmp_path, capsys):
    run(capsys, tmp_path, folder, "--weights", weights, "--skip", "both")
    text = capsys.readouterr().out
    assert _lines(text)["mean IoU"] == ["25.0", "8.3"]
    assert _lines(text)["classes averaged"] == ["4", "4"]
    assert "that occur" not in text


def test_groups_are_judged_by_merging_predictions_into_them(tmp_path, weights, capsys):
    truth = np.repeat(np.array([[3], [3], [5], [255]], np.uint8), 16, axis=0)
    data = tmp_path / "data"
    write_pair(data, "a_0", np.repeat(truth, 64, axis=1), folder="groups", gray=250)
    write_pair(data, "a_0", np.full((64, 64), 255), gray=250)  # labels/ tells nothing
    for asked in ([data, "--merge", "idd_lite"], [f"{data}?sets=idd_lite"]):
        found = run(capsys, tmp_path, *asked, "--weights", weights)
        assert found["classes"][3] == "vehicles"
        (on,) = found["reports"]
        assert on["class_iou"]["vehicles"] == pytest.approx(2 / 3)
        assert on["class_iou"]["far objects"] == 0
        assert on["category_iou"] == {}


def test_sets_that_are_wider_than_the_classes_judged_are_left_out(tmp_path):
    write_pair(tmp_path, "a_0", [[6, 6], [5, 0]], folder="groups")
    frames = open_frames(f"{tmp_path}?sets=idd_lite")
    _, target = frames.read(0)
    judged = PLAIN.truth(frames.sets)[target]
    assert judged.tolist() == [[SKY, SKY], [255, ROAD]]


def test_merging_holds_for_finer_truth_too():
    sets = TargetSets()
    merging = merging_of(read_sets("camvid"))
    table = merging.truth(sets)
    assert table[TRUCK] == table[CAR] == merging.names.index("car")
    assert table[WALL] == table[BUILDING]


def test_the_camvid_tables_names_stand_for_all_classes():
    merging = read_merging("camvid")
    assert len(merging) == 11
    assert sorted(i for ids in merging.members for i in ids) == list(range(19))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lorry=car", "'lorry' is no class"),
        ("truck=van", "'van' is no class"),
        ("=car", "'' is no class"),
        ("nosuch", "no table of sets 'nosuch'"),
        ("truck=car,car=bus", "car is merged into another"),
    ],
)
def test_mergings_that_cannot_be_meant_are_refused(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_merging(text)


def test_a_table_whose_sets_overlap_is_no_merging(tmp_path):
    table = tmp_path / "t.json"
    table.write_text('{"0": ["road"], "1": ["road", "sidewalk"]}')
    with pytest.raises(ValueError, match="road is in two of its sets"):
        read_merging(str(table))


def test_several_sizes_stand_side_by_side(folder, weights, tmp_path, capsys):
    found = run(
        capsys, tmp_path, folder, "--weights", weights,
        "--input-size", "quarter,64x64,exact", "--skip", "both",
    )  # fmt: skip
    settings = [(r["input_size"], r["skip"]) for r in found["reports"]]
    assert settings == [
        (size, skip) for size in ("quarter", "64x64", "exact") for skip in (True, False)
    ]
    head, skips = capsys.readouterr().out.splitlines()[3:5]
    assert head.split() == ["class", "quarter", "quarter", "64x64", "64x64", "exact", "exact"]
    ends = [head.index("64x64"), head.index("exact"), len(head)]
    assert [skips.count("skip off", 0, end) for end in ends] == [1, 2, 3]


def test_figures_by_drive_are_those_of_the_drives_alone(folder, weights, tmp_path, capsys):
    (whole,) = run(capsys, tmp_path, folder, "--weights", weights, "--by-drive")["reports"]
    assert "b" in capsys.readouterr().out.splitlines()[-1]
    for drive in ("a", "b"):
        (alone,) = run(capsys, tmp_path, f"{folder}?drives={drive}", "--weights", weights)[
            "reports"
        ]
        figures = whole["drives"][drive]
        assert figures["mean_iou_occurring"] == alone["mean_iou_occurring"]
        assert figures["pixel_accuracy"] == alone["pixel_accuracy"]


def test_the_markdown_table_has_a_line_for_every_class(folder, weights, capsys):
    assert main([str(folder), "--weights", str(weights), "--markdown", "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "| class | half |" in lines
    assert "| road | 66.7 |" in lines
    assert "| **mean IoU** | **25.0** |" in lines


def test_a_network_in_training_is_judged_and_left_as_it_is(folder):
    network = knowing(TRUCK, ROAD).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    report = evaluate(network, open_frames(str(folder)), setting=Setting("exact"), limit=1)
    assert report.frames == 1
    assert report.class_iou["truck"] == pytest.approx(1 / 3)
    assert network.training
    assert all(torch.equal(before[n], t) for n, t in network.state_dict().items())


def test_frames_are_read_once_and_few_are_in_memory_at_a_time(folder, weights):
    class Counting:
        def __init__(self, frames):
            self.frames, self.sets, self.read_count = frames, frames.sets, 0
            self.alive, self.most = set(), 0

        def __len__(self):
            return 40

        def read(self, index):
            image, target = self.frames.read(index % 2)
            self.read_count += 1
            self.alive.add(index)
            self.most = max(self.most, len(self.alive))
            weakref.finalize(image, self.alive.discard, index)
            return image, target

        def name(self, index):
            return str(index)

        def drive(self, index):
            return "a"

    inner = open_frames(str(folder))
    frames = Counting(inner)
    segmenter = Segmenter.from_checkpoint(weights, device="cpu")
    settings = [Setting("exact"), Setting("exact", skip=False)]
    judge = Evaluator(segmenter, frames.sets, PLAIN)
    first, _ = evaluate_settings(judge, frames, settings, worst=3)
    assert frames.read_count == first.frames == 40
    assert not inner._cache
    assert frames.most <= AHEAD + 2  # those ahead, and the one in the network
    assert not frames.alive
    assert [score.accuracy for score in first.worst] == [pytest.approx(1 / 3)] * 3


def test_the_demo_street_can_be_judged_by(weights, tmp_path, capsys):
    found = run(
        capsys, tmp_path, "street?seeds=77,78&frames=1", "--weights", weights,
        "--input-size", "64x128",
    )  # fmt: skip
    (on,) = found["reports"]
    assert on["frames"] == 2
    assert list(on["drives"]) == ["street77", "street78"]


def fails(capsys, code, *arguments):
    assert main([*map(str, arguments), "--device", "cpu"]) == code
    error = capsys.readouterr().err.strip()
    assert error.startswith("Error: ")
    assert error.count("\n") == 0
    assert error.endswith(".")
    return error


def test_what_is_wrong_is_said_in_a_sentence_with_its_exit_code(folder, weights, tmp_path, capsys):
    assert "nosuch.pth" in fails(capsys, 4, folder, "--weights", "nosuch.pth")
    assert "/nosuch" in fails(capsys, 3, "/nosuch")
    assert "There is no folder" in fails(capsys, 5, folder, "--json", tmp_path / "no" / "x.json")
    (tmp_path / "x.json").write_text("precious")
    assert "--overwrite" in fails(capsys, 5, folder, "--json", tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text() == "precious"
    assert main([str(folder), "--device", "cpu", "--precision", "fp16"]) == 2


def test_weights_with_other_classes_are_refused(folder, tmp_path, capsys):
    network = FastSCNN(FastSCNNConfig(num_classes=3)).eval()
    save(Checkpoint(network, classes=ClassSet(("a", "b", "c"))), tmp_path / "other.pth")
    assert "3 classes of their own (a, b, c)" in fails(
        capsys, 4, folder, "--weights", tmp_path / "other.pth"
    )


def test_classes_that_no_labels_have_are_told_beside_the_figures(folder, tmp_path, capsys):
    names = list(CLASS_NAMES)
    names[SKY] = "kerb"
    save(Checkpoint(knowing(SKY, ROAD), classes=ClassSet(tuple(names))), tmp_path / "kerb.pth")
    (on,) = run(capsys, tmp_path, folder, "--weights", tmp_path / "kerb.pth")["reports"]
    assert "know 1 classes that no labels here have (kerb)" in capsys.readouterr().out
    assert on["pixel_accuracy"] == pytest.approx(2048 / 6144)
    assert on["class_iou"]["sky"] is None


def test_weights_that_know_their_classes_in_another_order_are_judged_by_name(
    folder, tmp_path, capsys
):
    network = knowing(TRUCK, ROAD)
    names = list(CLASS_NAMES)
    names[TRUCK], names[CAR] = names[CAR], names[TRUCK]
    save(Checkpoint(network, classes=ClassSet(tuple(names))), tmp_path / "swapped.pth")
    (on,) = run(capsys, tmp_path, folder, "--weights", tmp_path / "swapped.pth")["reports"]
    assert on["class_iou"]["truck"] == 0
    assert on["class_iou"]["car"] == pytest.approx(1024 / 4096)


def test_labels_that_break_on_the_way_are_named(folder, weights, capsys):
    write_pair(folder, "b_dark", np.full((64, 64), 44), gray=5)
    assert "b_dark.png holds 44" in fails(capsys, 3, folder, "--weights", weights)
    (folder / "labels" / "b_dark.png").write_bytes(b"no picture")
    assert "b_dark.png cannot be read" in fails(capsys, 3, folder, "--weights", weights)


def test_data_that_are_named_the_wrong_way_are_told_the_right_one(tmp_path, capsys):
    assert "cityscapes:PATH" in fails(capsys, 3, "clouds:x")
    (tmp_path / "leftImg8bit").mkdir()
    assert f"use cityscapes:{tmp_path}" in fails(capsys, 3, tmp_path)


def test_where_nobody_reads_on_the_figures_are_written_all_the_same(folder, weights, tmp_path):
    command = [sys.executable, "-m", "fastscnn.evaluate", str(folder), "--weights", str(weights)]
    command += ["--device", "cpu", "--json", str(tmp_path / "x.json")]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "x.json").read_text("utf-8"))["reports"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_devices_are_written_to_and_not_replaced(folder, weights, capsys):
    error = fails(capsys, 5, folder, "--weights", weights, "--json", "/dev/full", "--overwrite")
    assert "/dev/full cannot be written" in error
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize(
    "arguments",
    [["--input-size", "huge"], ["--merge", "nosuch"], ["--limit", "0"], ["--skip", "maybe"]],
)
def test_wrong_use_ends_with_2(folder, arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main([str(folder), *arguments])
    assert stop.value.code == 2
