import math

import numpy as np
import pytest
import torch

from fastscnn.data.dataset_mix import Mix
from fastscnn.data.label_sets import TargetSets
from fastscnn.training.loss import SetCrossEntropy, class_shares, enet_weights, sample_dropout


def test_loss_of_exact_labels_is_cross_entropy_over_the_labelled_pixels():
    logits = torch.randn(2, 19, 4, 5)
    target = torch.randint(0, 19, (2, 4, 5))
    target[0, 0] = 255
    plain = torch.nn.functional.cross_entropy(logits, target, ignore_index=255)
    members = TargetSets().members()
    assert SetCrossEntropy(members)(logits, target).item() == pytest.approx(plain.item())


def test_loss_of_a_set_is_minus_log_of_the_summed_softmax():
    sets = TargetSets()
    number = sets.number((2, 8))
    logits = torch.randn(1, 19, 1, 1)
    prob = logits.softmax(1)[0, :, 0, 0]
    loss = SetCrossEntropy(sets.members())(logits, torch.full((1, 1, 1), number))
    assert loss.item() == pytest.approx(-math.log(prob[2] + prob[8]), rel=1e-5)


def test_a_batch_with_nothing_labelled_has_no_loss_and_a_finite_gradient():
    logits = torch.randn(1, 19, 2, 2, requires_grad=True)
    loss = SetCrossEntropy(TargetSets().members())(logits, torch.full((1, 2, 2), 255))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_a_pixel_counts_by_its_weight():
    logits = torch.randn(1, 19, 1, 2)
    target = torch.tensor([[[0, 5]]])
    weight = torch.zeros(256)
    weight[[0, 5]] = torch.tensor([1.0, 3.0])
    losses = -logits.log_softmax(1)[0, :, 0]
    expected = (losses[0, 0] + 3 * losses[5, 1]) / 4
    loss = SetCrossEntropy(TargetSets().members(), weight)(logits, target)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_only_the_hardest_labelled_pixels_are_learned_from():
    logits = torch.zeros(1, 19, 1, 5)
    logits[0, 3] = torch.tensor([5.0, 1.0, 3.0, 0.0, -9.0])  # ever less sure of class 3
    logits.requires_grad_()
    target = torch.tensor([[[3, 3, 3, 3, 255]]])
    SetCrossEntropy(TargetSets().members(), hardest=0.5)(logits, target).backward()
    learned = logits.grad[0, :, 0].abs().sum(0) > 0
    assert learned.tolist() == [False, True, False, True, False]


def test_hard_example_mining_survives_a_batch_with_nothing_labelled():
    logits = torch.randn(1, 19, 2, 2, requires_grad=True)
    target = torch.full((1, 2, 2), 255)
    loss = SetCrossEntropy(TargetSets().members(), hardest=0.25)(logits, target)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_rare_classes_weigh_more_and_sets_by_their_summed_share():
    sets = TargetSets()
    number = sets.number((2, 8))
    shares = [0.4, 0, 0.2, *[0.0] * 5, 0.3, *[0.0] * 9, 0.1]
    weights = enet_weights(shares, sets.members(), 1.02)
    assert weights[0].item() == pytest.approx(1 / math.log(1.42))
    assert weights[number].item() == pytest.approx(1 / math.log(1.52))
    assert weights[1].item() == pytest.approx(1 / math.log(1.02))
    assert weights[255] == 0


def test_shares_are_those_of_the_labelled_area(tmp_path):
    _pictures(tmp_path / "a", "labels", [[0, 0, 0, 10], [255, 255, 13, 13]])
    sets = TargetSets()
    mix = Mix([f"folder:{tmp_path / 'a'}"], sets)
    shares = class_shares(mix, sets.members(), seed=1, samples=5)
    assert shares[0] == pytest.approx(0.5)
    assert shares[10] == pytest.approx(1 / 6)
    assert shares[13] == pytest.approx(1 / 3)
    assert sum(shares) == pytest.approx(1)


def test_a_sets_area_is_shared_as_exact_labels_say(tmp_path):
    _pictures(tmp_path / "a", "labels", [[2, 2, 2, 8]])
    _pictures(tmp_path / "b", "groups", [[5, 5, 5, 5]])
    sets = TargetSets()
    mix = Mix([f"folder:{tmp_path / 'a'}", f"folder:{tmp_path / 'b'}?sets=idd_lite"], sets)
    shares = class_shares(mix, sets.members(), seed=1, samples=40)
    assert shares[2] == pytest.approx(0.75, abs=1e-6)
    assert shares[8] == pytest.approx(0.25, abs=1e-6)


def _pictures(root, kind, values):
    import cv2

    truth = np.kron(np.array(values, np.uint8), np.ones((16, 16), np.uint8))
    for name in ("images", kind):
        (root / name).mkdir(parents=True)
    cv2.imwrite(str(root / "images" / "0.png"), np.repeat(truth[..., None], 3, axis=2))
    cv2.imwrite(str(root / kind / "0.png"), truth)


def test_dropout_is_each_samples_own():
    x = torch.ones(3, 8, 5, 4)
    seeds = [4, 5, 6]
    whole = sample_dropout(x, 0.25, seeds)
    assert torch.equal(whole[1:], sample_dropout(x[1:], 0.25, seeds[1:]))
    assert not torch.equal(whole[0], whole[1])
    assert whole.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert whole.mean().item() == pytest.approx(1, abs=0.1)
