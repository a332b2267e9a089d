import numpy as np
import pytest
import torch

from fastscnn.data.dataset_check import check
from fastscnn.data.dataset_mix import Mix, repeat_factors
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError
from fastscnn.training.loss import SetCrossEntropy
from fastscnn.training.recipe import Recipe
from fastscnn.training.task import Segmentation
from tests.support.labelled_data import labelled_folder, write_pair


def loss_of(task, logits, target):
    """The loss that a run on these data sets has, of numbers that they use."""
    trainee = task.module(Recipe(), torch.Tensor.detach)
    assert isinstance(trainee.loss, SetCrossEntropy)
    return trainee.loss(logits, target).item()


def test_pixels_of_a_less_sure_data_set_count_less(tmp_path):
    write_pair(tmp_path / "sure", "a", np.full((8, 8), 0))
    write_pair(tmp_path / "guess", "a", np.full((8, 8), 5))
    task = Segmentation([f"folder:{tmp_path}/sure", f"folder:{tmp_path}/guess?loss=0.25"])
    sure, guess = (dataset[0][1][0, 0] for dataset in task.mix.datasets)
    logits = torch.randn(1, 19, 1, 2)
    target = torch.tensor([[[int(sure), int(guess)]]])
    losses = -logits.log_softmax(1)[0, :, 0]
    expected = (losses[0, 0] + 0.25 * losses[5, 1]) / 1.25
    assert loss_of(task, logits, target) == pytest.approx(expected.item(), rel=1e-5)


def test_sets_of_classes_may_be_less_sure_too(tmp_path):
    folder = labelled_folder(tmp_path / "data")
    specs = [f"folder:{folder}?sets=idd_lite{loss}" for loss in ("", "&loss=0.5", "&loss=0.5")]
    task = Segmentation(specs)
    plain, weighted, again = (dataset[0][1] for dataset in task.mix.datasets)
    assert np.array_equal(weighted, again)
    assert np.array_equal(plain == 255, weighted == 255)
    assert not np.any((plain == weighted) & (plain != 255))
    known = plain != 255
    members = task.members.numpy()
    assert np.array_equal(members[plain[known]], members[weighted[known]])


def test_a_data_set_that_counts_fully_leaves_the_loss_as_it_was(tmp_path):
    folder = labelled_folder(tmp_path / "data")
    plain, explicit = (Segmentation([f"folder:{folder}{end}"]) for end in ("", "?loss=1"))
    assert np.array_equal(plain.mix.datasets[0][0][1], explicit.mix.datasets[0][0][1])
    logits, target = torch.randn(1, 19, 4, 4), torch.randint(0, 19, (1, 4, 4))
    assert loss_of(plain, logits, target) == loss_of(explicit, logits, target)


@pytest.mark.parametrize("loss", ["0", "-1", "nan", "much"])
def test_a_weight_that_cannot_be_meant_is_refused(tmp_path, loss):
    with pytest.raises(DataError, match=r"loss must be a positive number\.$"):
        Mix([f"folder:{tmp_path}?loss={loss}"], TargetSets())


def test_more_weights_than_a_byte_can_tell_apart_are_refused(tmp_path):
    write_pair(tmp_path, "a", np.full((8, 8), 0))
    specs = [f"folder:{tmp_path}?loss=0.{i}" for i in range(10, 25)]
    with pytest.raises(DataError, match="all 255 numbers"):
        Mix(specs, TargetSets())


def test_frames_with_rare_classes_are_drawn_more_often(tmp_path):
    """Of 16 frames one holds a train: a threshold of 1/4 draws it twice as often."""
    for i in range(16):
        truth = np.zeros((16, 16), np.uint8)
        if i == 3:
            truth[:8] = 16
        write_pair(tmp_path, f"f{i:02}", truth)
    mix = Mix([f"folder:{tmp_path}"], TargetSets())
    (contents,) = check(mix.datasets)
    factors = repeat_factors(contents, 0.25)
    assert factors.tolist() == [2.0 if i == 3 else 1.0 for i in range(16)]
    mix.favour(0, factors)
    rng = np.random.default_rng(0)
    counts = np.bincount([mix.pick(rng).number for _ in range(4000)], minlength=16)
    assert counts[3] / 4000 == pytest.approx(2 / 17, rel=0.15)
    assert np.delete(counts, 3).min() > 150


def test_specks_of_a_rare_class_do_not_make_a_frame_rare(tmp_path):
    for i in range(4):
        truth = np.zeros((128, 128), np.uint8)
        truth[0, : (i == 0)] = 16
        write_pair(tmp_path, f"f{i}", truth)
    mix = Mix([f"folder:{tmp_path}"], TargetSets())
    (contents,) = check(mix.datasets)
    assert repeat_factors(contents, 1.0).tolist() == [1, 1, 1, 1]


def test_the_favoured_frames_are_those_of_the_run(tmp_path):
    """Each data set by itself; the demo street, which holds none, is left alone."""
    for i in range(9):
        write_pair(tmp_path, f"f{i}", np.full((64, 64), 18 if i == 0 else 0))
    task = Segmentation([f"folder:{tmp_path}", "street?worlds=1"])
    recipe = Recipe(steps=1, batch=2, crop=(32, 32), repeat_rare=1.0)
    task.batches(recipe, lambda _: range(2), torch.device("cpu"), 0).close()
    rng = np.random.default_rng(0)
    picks = [task.mix.pick(rng) for _ in range(3000)]
    numbers = [number for dataset, number in picks if dataset == 0]
    assert len(numbers) / 3000 == pytest.approx(0.5, abs=0.05)
    assert numbers.count(0) / len(numbers) == pytest.approx(3 / (3 + 8 * (9 / 8) ** 0.5), rel=0.15)
