import math

import numpy as np
import pytest
import torch

from fastscnn.checkpoint import CheckpointError, load
from fastscnn.data.augment import Augmentation
from fastscnn.data.folder import DataError, FolderDataset
from fastscnn.data.mix import Mix, StreetDataset
from fastscnn.data.targets import TargetSets, read_sets
from fastscnn.model import FastSCNN
from fastscnn.train import Recipe, Trainer, main, parameter_groups, set_cross_entropy

TINY = Recipe(steps=4, batch=2, warmup=1, crop=(64, 96), loss_stride=2)


@pytest.fixture
def folder(tmp_path):
    import cv2

    rng = np.random.default_rng(0)
    for name in ("images", "labels", "groups"):
        (tmp_path / "data" / name).mkdir(parents=True)
    for i in range(3):
        image = rng.integers(0, 256, (72, 96, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "data" / "images" / f"{i}.jpg"), image)
        labels = rng.choice(np.array([0, 10, 13, 255], np.uint8), (72, 96))
        cv2.imwrite(str(tmp_path / "data" / "labels" / f"{i}.png"), labels)
        groups = rng.choice(np.array([0, 5, 255], np.uint8), (72, 96))
        cv2.imwrite(str(tmp_path / "data" / "groups" / f"{i}.png"), groups)
    return tmp_path / "data"


def test_loss_of_exact_labels_is_cross_entropy_over_the_labelled_pixels():
    logits = torch.randn(2, 19, 4, 5)
    target = torch.randint(0, 19, (2, 4, 5))
    target[0, 0] = 255
    plain = torch.nn.functional.cross_entropy(logits, target, ignore_index=255)
    members = TargetSets().members()
    assert set_cross_entropy(logits, target, members).item() == pytest.approx(plain.item())


def test_loss_of_a_set_is_minus_log_of_the_summed_softmax():
    sets = TargetSets()
    number = sets.number((2, 8))
    logits = torch.randn(1, 19, 1, 1)
    prob = logits.softmax(1)[0, :, 0, 0]
    loss = set_cross_entropy(logits, torch.full((1, 1, 1), number), sets.members())
    assert loss.item() == pytest.approx(-math.log(prob[2] + prob[8]), rel=1e-5)


def test_a_batch_with_nothing_labelled_has_no_loss_and_a_finite_gradient():
    logits = torch.randn(1, 19, 2, 2, requires_grad=True)
    loss = set_cross_entropy(logits, torch.full((1, 2, 2), 255), TargetSets().members())
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_the_rate_follows_the_poly_schedule_after_its_warm_up():
    recipe = Recipe(steps=100, warmup=10, rate=0.045)
    assert recipe.rate_at(0) == pytest.approx(0.0045)
    assert recipe.rate_at(50) == pytest.approx(0.045 * 0.5**0.9)
    assert recipe.rate_at(100) == 0


def test_depthwise_convolutions_have_no_l2():
    network = FastSCNN()
    decayed, free = parameter_groups(network, 4e-5)
    free_ids = {id(p) for p in free["params"]}
    fusion = network.feature_fusion
    assert id(fusion.low_depthwise[0].weight) in free_ids
    assert id(fusion.low[0].weight) not in free_ids
    assert free["weight_decay"] == 0
    assert decayed["weight_decay"] == 4e-5
    assert len(decayed["params"]) + len(free["params"]) == len(list(network.parameters()))


def test_the_shipped_table_of_sets_covers_idd_lites_seven_groups():
    table = read_sets("idd_lite")
    assert sorted(table) == list(range(7))
    assert table[5] == (2, 8)
    assert sorted(i for ids in table.values() for i in ids) == list(range(19))


def test_a_table_that_is_not_there_or_names_no_class_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no table"):
        read_sets("nosuch")
    (tmp_path / "t.json").write_text('{"0": ["lorry"]}')
    with pytest.raises(ValueError, match="lorry"):
        read_sets(str(tmp_path / "t.json"))


def test_groups_become_numbered_sets(folder):
    sets = TargetSets()
    _, target = FolderDataset(folder, sets, "idd_lite")[0]
    members = sets.members()
    seen = {tuple(torch.where(members[n])[0].tolist()) for n in np.unique(target) if n != 255}
    assert seen == {(0,), (2, 8)}


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda d: (d / "labels" / "1.png").unlink(), "lacks 1 labels, the first is 1.png"),
        (lambda d: (d / "labels" / "1.png").write_bytes(b"x"), "cannot be read"),
        (lambda d: (d / "labels").rename(d / "masks"), "is not there"),
    ],
)
def test_damaged_folders_are_named_in_a_sentence(folder, damage, sentence):
    damage(folder)
    with pytest.raises(DataError, match=sentence):
        [*map(FolderDataset(folder, TargetSets()).__getitem__, range(3))]


def test_labels_that_are_no_train_ids_are_refused(folder):
    import cv2

    cv2.imwrite(str(folder / "labels" / "0.png"), np.full((72, 96), 33, np.uint8))
    with pytest.raises(DataError, match="33, which is no label"):
        FolderDataset(folder, TargetSets())[0]


def test_labels_of_another_size_are_refused(folder):
    import cv2

    cv2.imwrite(str(folder / "labels" / "0.png"), np.zeros((10, 10), np.uint8))
    with pytest.raises(DataError, match="another size"):
        FolderDataset(folder, TargetSets())[0]


@pytest.mark.parametrize("spec", ["folder:/nosuch", "cloud:x", "street?weight=-1", "street?x=1"])
def test_data_that_cannot_be_meant_is_refused(spec):
    with pytest.raises(DataError, match=r"\.$"):
        Mix([spec], TargetSets())


def test_augmented_labels_stay_on_their_pixels():
    # A picture whose colour tells its label: after any geometry both must still agree.
    rng = np.random.default_rng(1)
    labels = np.kron(rng.integers(0, 19, (6, 8), np.uint8), np.ones((40, 40), np.uint8))
    image = np.repeat((labels * 12)[..., None], 3, axis=2)
    plain = Augmentation(crop=(96, 128), brightness=0, color=0, noise=0, blur=0)
    agree = total = 0
    for _ in range(20):
        out, target = plain((image, labels), rng)
        known = target != 255
        # gamma bends the colours monotonically: compare ranks by class means
        guess = np.abs(
            out[..., 1][..., None].astype(float)
            - [np.median(out[..., 1][target == c]) if (target == c).any() else 999
               for c in range(19)]
        ).argmin(-1)  # fmt: skip
        agree += (guess == target)[known].sum()
        total += known.sum()
    assert agree / total > 0.9


def test_augmentation_repeats_with_its_seed():
    sample = StreetDataset().sample(np.random.default_rng(3))
    a, b = (Augmentation()(sample, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(a[0], b[0])
    assert np.array_equal(a[1], b[1])


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(folder, tmp_path):
    spec = [f"folder:{folder}", f"folder:{folder}?sets=idd_lite"]
    whole = Trainer(TINY, spec, tmp_path / "whole", device="cpu")
    whole.train(report=lambda loss: None)
    first = Trainer(TINY, spec, tmp_path / "parts", device="cpu")
    first.trainee.train()
    first.train_step()
    first.train_step()
    first.save_state()
    second = Trainer(TINY, spec, tmp_path / "parts", device="cpu")
    second.resume()
    assert second.step == 2
    second.train(report=lambda loss: None)
    for name, tensor in whole.trainee.state_dict().items():
        assert torch.equal(tensor, second.trainee.state_dict()[name]), name


def test_resuming_another_recipe_is_refused(folder, tmp_path):
    Trainer(TINY, [f"folder:{folder}"], tmp_path / "run", device="cpu").save_state()
    other = Trainer(Recipe(steps=9), [f"folder:{folder}"], tmp_path / "run", device="cpu")
    with pytest.raises(CheckpointError, match="another recipe"):
        other.resume()


def test_a_step_with_no_finite_gradient_leaves_the_weights_alone(folder, tmp_path):
    trainer = Trainer(TINY, [f"folder:{folder}"], tmp_path, device="cpu")
    weight = trainer.trainee.network.classifier[3].weight
    weight.register_hook(lambda g: g * math.inf)
    before = weight.detach().clone()
    trainer.train_step()
    assert trainer.refused == 1
    assert torch.equal(weight, before)


def test_the_command_trains_and_leaves_a_checkpoint(folder, tmp_path, capsys):
    run = tmp_path / "run"
    arguments = ["--data", f"folder:{folder}", "--run", str(run), "--device", "cpu"]
    assert main([*arguments, "--steps", "1", "--batch", "2"]) == 0
    assert load(run / "last.pth").info["step"] == 1
    assert "last.pth" in capsys.readouterr().out


def test_a_run_that_is_there_is_not_replaced_unasked(folder, tmp_path, capsys):
    arguments = ["--data", f"folder:{folder}", "--run", str(tmp_path / "run"), "--device", "cpu"]
    arguments += ["--steps", "1", "--batch", "2"]
    assert main(arguments) == 0
    before = (tmp_path / "run" / "last.pth").read_bytes()
    assert main(arguments) == 2
    assert "--resume" in capsys.readouterr().err
    assert (tmp_path / "run" / "last.pth").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_noticed_before_the_first_step(
    folder, tmp_path, capsys, monkeypatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(Trainer, "train_step", lambda self: pytest.fail("it began to train"))
    arguments = ["--data", f"folder:{folder}", "--run", str(tmp_path / "file" / "run")]
    assert main([*arguments, "--device", "cpu"]) == 5
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_says_in_a_sentence_what_is_wrong(tmp_path, capsys):
    assert main(["--data", "folder:/nosuch", "--run", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "/nosuch" in error
    assert "Traceback" not in error
