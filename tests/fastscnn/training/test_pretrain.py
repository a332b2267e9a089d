import cv2
import numpy as np
import pytest
import torch

from fastscnn.checkpoints.checkpoint import CheckpointError, load
from fastscnn.data.pair_dataset import DataError
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.pretrain import main
from fastscnn.train import main as train
from fastscnn.training.initial_weights import read_start
from fastscnn.training.loss import Trainee
from fastscnn.training.pretraining import ImageTree, Pretraining
from fastscnn.training.recipe import Recipe
from fastscnn.training.trainer import Trainer
from tests.support.labelled_data import labelled_folder, write_twins

SMALL = ["--batch", "4", "--crop", "64x64", "--device", "cpu", "--scale", "0.8-1.2"]


@pytest.fixture
def tree(tmp_path):
    """Three classes that a network can tell apart by their colour."""
    rng = np.random.default_rng(0)
    for name, color in (("red", (0, 0, 200)), ("green", (0, 200, 0)), ("blue", (200, 0, 0))):
        (tmp_path / "tree" / name).mkdir(parents=True)
        for i in range(4):
            image = np.clip(rng.normal(color, 20, (70, 80, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "tree" / name / f"{i}.jpg"), image)
    return tmp_path / "tree"


@pytest.mark.slow
def test_pre_training_learns_to_tell_pictures_apart(tree, tmp_path, capsys):
    run = tmp_path / "run"
    arguments = ["--data", str(tree), "--val", str(tree), "--run", str(run), *SMALL]
    assert main([*arguments, "--steps", "40", "--rate", "0.02", "--val-every", "40"]) == 0
    figures = [line for line in capsys.readouterr().out.splitlines() if "top-1" in line]
    before, after = (float(line.split("top-1 ")[1].split(" %")[0]) for line in figures)
    assert before < 60
    assert after > 90
    assert "top-5 100.0" in figures[1]


def test_hidden_files_and_folders_are_no_pictures_and_no_classes(tree):
    write_twins(tree)
    (tree / ".cache").mkdir()
    found = ImageTree(tree)
    assert (found.classes, len(found)) == (["blue", "green", "red"], 12)


def test_a_segmentation_starts_from_it_and_says_what_it_took(tree, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["--data", str(tree), "--run", str(first), *SMALL, "--steps", "2"]) == 0
    folder = labelled_folder(tmp_path / "data")
    arguments = ["--data", f"folder:{folder}", "--run", str(second), "--start", str(first)]
    assert train([*arguments, *SMALL, "--steps", "1", "--rate", "1e-9"]) == 0
    said = capsys.readouterr().out
    weights = torch.load(first / "last.pth")["weights"]
    trunk = [name for name in weights if not name.startswith("classifier")]
    assert f"{len(trunk)} of 266 tensors of the network" in said
    assert "network.feature_fusion" in said
    trained = load(second / "last.pth").model.state_dict()
    for name in trunk:
        if "weight" in name:
            torch.testing.assert_close(trained[name], weights[name], atol=1e-6, rtol=0)


def test_a_resumed_pre_training_ends_with_the_same_weights(tree, tmp_path):
    arguments = ["--data", str(tree), *SMALL, "--steps", "3", "--ema", "0.9"]
    assert main([*arguments, "--run", str(tmp_path / "whole")]) == 0
    recipe = Recipe.from_dict(torch.load(tmp_path / "whole" / "state.pth")["recipe"])
    part = Trainer(Pretraining(str(tree)), recipe, tmp_path / "part", device="cpu")
    part.train_step()
    part.save_state()
    part.batches.close()
    assert main(["--run", str(tmp_path / "part"), "--resume", "--device", "cpu"]) == 0
    a, b = (torch.load(tmp_path / name / "state.pth")["average"] for name in ("whole", "part"))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_state_of_another_kind_is_not_resumed(tree, tmp_path, capsys):
    assert main(["--data", str(tree), "--run", str(tmp_path), *SMALL, "--steps", "1"]) == 0
    assert train(["--run", str(tmp_path), "--resume"]) == 4
    assert "state of a pretraining, not of a segmentation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda d: [p.unlink() for p in (d / "red").iterdir()], "red holds no pictures"),
        (lambda d: d.rename(d.parent / "gone"), "is no folder"),
        (lambda d: [(d / n).rename(d.parent / n) for n in ("red", "blue")], "at least two"),
    ],
)
def test_a_tree_that_cannot_be_meant_is_refused(tree, damage, sentence):
    damage(tree)
    with pytest.raises(DataError, match=sentence):
        ImageTree(tree)


def test_a_validation_with_other_classes_is_refused(tree):
    with pytest.raises(DataError, match="'red', which is no class"):
        ImageTree(tree, ["blue", "green"])


def test_weights_of_which_nothing_fits_are_refused(tmp_path):
    torch.save({"trainee": {"other": torch.ones(2)}}, tmp_path / "state.pth")
    trainee = Trainee(FastSCNN(), torch.eye(19, dtype=torch.bool))
    with pytest.raises(CheckpointError, match="nothing that this network"):
        read_start(tmp_path).fill(trainee)
