import json
import math
import signal
import time
from dataclasses import replace

import pytest
import torch

from fastscnn.checkpoints.checkpoint import Checkpoint, CheckpointError, load, save
from fastscnn.data.class_sets import ClassSet
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from fastscnn.segmenter import DeviceError
from fastscnn.train import main
from fastscnn.training.initial_weights import read_start
from fastscnn.training.optimisation import Average, Stepper
from fastscnn.training.recipe import PRESETS, Recipe
from fastscnn.training.run_log import RunLog
from fastscnn.training.run_loop import Pace, TrainingRun
from fastscnn.training.run_setup import check_memory
from fastscnn.training.task import Segmentation
from fastscnn.training.trainer import Trainer, parameter_groups
from tests.support.cli_process import Started
from tests.support.labelled_data import labelled_folder

TINY = Recipe(steps=4, batch=2, clip=5.0, crop=(64, 96), loss_stride=2)
SMALL = ["--batch", "2", "--crop", "64x96", "--device", "cpu", "--clip", "5"]


@pytest.fixture
def folder(tmp_path):
    return labelled_folder(tmp_path / "data")


def trainer_of(recipe, data, folder, **more):
    return Trainer(Segmentation(data), recipe, folder, device="cpu", **more)


def run(trainer):
    TrainingRun(trainer, Pace(100))()
    return trainer


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["--ohem", "0"], "--ohem must be"),
        (["--ema", "1"], "--ema must be"),
        (["--crop", "480"], "not of the form AxB"),
        (["--short-side", "900-400"], "LOW-HIGH"),
        (["--batch", "1"], "more than one sample"),
        (["--balance-c", "1"], "must be above 1"),
        (["--workers", "-1"], "-1 must be 0 or more"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(wrong, sentence, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--data", "street", "--run", str(tmp_path), *wrong])
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_recipe_comes_back_from_its_plain_values():
    recipe = replace(TINY, class_balance="enet", ema=0.5, freeze_bn=True)
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    with pytest.raises(ValueError, match="crop"):
        Recipe.from_dict(recipe.to_dict() | {"crop": "wide"})
    with pytest.raises(ValueError, match="missing"):
        Recipe.from_dict({"steps": 3})
    assert Recipe.from_dict({"steps": 3}, PRESETS["cpu"]) == replace(PRESETS["cpu"], steps=3)


def test_the_average_follows_weights_and_statistics():
    network = FastSCNN()
    average = Average(network, 0.5)
    before = {k: v.clone() for k, v in average.state.items()}
    _add_one(network)
    average.update(1000)
    for name, tensor in average.state.items():
        moved = 1 if name.endswith("num_batches_tracked") else 0.5
        torch.testing.assert_close(tensor, before[name] + moved)


def test_the_average_forgets_the_random_beginning_faster_than_its_decay_says():
    network = FastSCNN()
    average = Average(network, 0.999)
    before = average.state["classifier.3.bias"].clone()
    _add_one(network)
    average.update(1)
    moved = average.state["classifier.3.bias"] - before
    torch.testing.assert_close(moved, torch.full_like(moved, 9 / 11))


def _add_one(network):
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.add_(1)


def test_what_is_saved_is_the_average_and_the_state_keeps_both(folder, tmp_path):
    trainer = run(trainer_of(replace(TINY, ema=0.9), [f"folder:{folder}"], tmp_path / "run"))
    state = torch.load(trainer.state_path)
    saved = load(tmp_path / "run" / "last.pth").model.state_dict()
    for name, tensor in saved.items():
        assert torch.equal(tensor, state["average"][name])
    weight = "classifier.3.weight"
    assert not torch.equal(saved[weight], state["trainee"][f"network.{weight}"])


def test_a_run_starts_from_another_ones_state_with_its_auxiliary_heads(folder, tmp_path):
    spec = [f"folder:{folder}"]
    first = trainer_of(TINY, spec, tmp_path / "first")
    first.save_state()
    start = read_start(first.folder)
    second = trainer_of(replace(TINY, seed=9), spec, tmp_path / "x", start=start)
    for name, tensor in first.trainee.state_dict().items():
        assert torch.equal(tensor, second.trainee.state_dict()[name]), name
    own = len(first.trainee.network.state_dict())
    assert f"{own} of {own} tensors of the network" in second.started
    assert "16 of 16 tensors of the auxiliary heads" in second.started


def test_a_run_starts_from_a_checkpoint_and_says_what_is_new(folder, tmp_path, capsys):
    network = FastSCNN()
    save(Checkpoint(network, mean=(0.5, 0.5, 0.5)), tmp_path / "a.pth")
    arguments = ["--data", f"folder:{folder}", "--run", str(tmp_path / "run"), *SMALL]
    assert main([*arguments, "--steps", "1", "--start", str(tmp_path / "a.pth")]) == 0
    assert "0 of 16 tensors of the auxiliary heads" in capsys.readouterr().out
    trained = load(tmp_path / "run" / "last.pth")
    assert trained.mean == (0.5, 0.5, 0.5)
    stem = "learning_to_downsample.0.0.weight"
    difference = (trained.model.state_dict()[stem] - network.state_dict()[stem]).abs().max()
    assert 0 < difference < 0.1


def test_starting_from_what_is_no_network_is_refused(tmp_path):
    (tmp_path / "state.pth").write_bytes(b"not a state")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_start(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_start(tmp_path / "nosuch.pth")


def test_the_rate_follows_the_poly_schedule_after_its_warm_up():
    recipe = Recipe(steps=100, warmup=10, rate=0.045)
    assert recipe.rate_at(0) == pytest.approx(0.0045)
    assert recipe.rate_at(50) == pytest.approx(0.045 * 0.5**0.9)
    assert recipe.rate_at(100) == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rate": 1e8}, "--rate must be above 0 and below 1000"),
        ({"rate": 0.0}, "--rate must be above 0 and below 1000"),
        ({"epochs": 1e9}, "--epochs must be above 0 and below 1000000"),
        ({"aspect": 50.0}, "--aspect must be at least 1 and below 10"),
        ({"balance_c": 10.5}, "below 10"),
        ({"scale": (0.5, 200.0)}, "HIGH at most 100"),
        ({"weight_decay": float("nan")}, "at least 0 and finite"),
        ({"gamma": float("inf")}, "at least 0 and finite"),
    ],
)
def test_a_value_that_is_refused_is_told_its_whole_range(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Recipe(**values)


def test_the_default_recipe_is_the_papers():
    recipe = PRESETS["paper"]
    assert (recipe.batch, recipe.rate, recipe.power, recipe.momentum) == (12, 0.045, 0.9, 0.9)
    assert (recipe.weight_decay, recipe.epochs, recipe.scale) == (4e-5, 1000, (0.5, 2))
    assert (recipe.warmup, recipe.clip, recipe.ema, recipe.skip_drop) == (0, 0, 0, 0)
    assert recipe.resolved(2975).steps == round(2975 * 1000 / 12)


def test_epochs_count_stored_pictures_by_their_share(folder):
    assert Segmentation([f"folder:{folder}?weight=1", "street?weight=2"]).epoch == 9
    assert Segmentation(["street"]).epoch == 1000


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


@pytest.mark.parametrize(
    "amp",
    [
        "none",
        pytest.param("bf16", marks=pytest.mark.slow),
        pytest.param("fp16", marks=pytest.mark.slow),
    ],
)
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(folder, tmp_path, amp):
    spec = [f"folder:{folder}", f"folder:{folder}?sets=idd_lite"]
    recipe = replace(TINY, class_balance="enet", ema=0.9, ohem=0.5, skip_drop=0.3, amp=amp)
    if amp != "none":
        recipe = replace(recipe, crop=(32, 32), steps=3)
    whole = run(trainer_of(recipe, spec, tmp_path / "whole", workers=0))
    first = trainer_of(recipe, spec, tmp_path / "parts")
    first.train_step()
    first.train_step()
    first.save_state()
    first.batches.close()
    state = torch.load(first.state_path)
    task = Segmentation.from_dict(state["task"])
    second = Trainer(task, recipe, first.folder, device="cpu", workers=3)
    second.load_state(state)
    assert second.step == 2
    run(second)
    a, b = torch.load(whole.state_path), torch.load(second.state_path)
    for part in ("trainee", "average"):
        for name, tensor in a[part].items():
            assert torch.equal(tensor, b[part][name]), name
    assert a["task"]["shares"] == b["task"]["shares"]


def test_a_run_killed_at_any_moment_resumes_to_the_same_weights(folder, tmp_path):
    arguments = ["--data", f"folder:{folder}", *SMALL, "--steps", "20", "--ema", "0.9"]
    assert main([*arguments, "--run", str(tmp_path / "whole")]) == 0
    killed = tmp_path / "killed"
    command = (*arguments, "--save-every", "0", "--run", str(killed))
    with Started(*command, module="fastscnn.train") as process:
        while not (killed / "log.csv").exists() or (killed / "log.csv").read_text().count("\n") < 4:
            assert process.poll() is None, process.errors
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    load(killed / "last.pth")  # whole, whatever was under way
    step = torch.load(killed / "state.pth")["step"]
    assert 0 < step < 20
    assert main(["--run", str(killed), "--resume", "--device", "cpu"]) == 0
    a, b = (torch.load(tmp_path / name / "state.pth") for name in ("whole", "killed"))
    for part in ("trainee", "average"):
        for name, tensor in a[part].items():
            assert torch.equal(tensor, b[part][name]), name
    tables = [
        (tmp_path / name / "log.csv").read_text().splitlines() for name in ("whole", "killed")
    ]
    steps = [[line.split(",")[0] for line in table] for table in tables]
    assert steps[0] == steps[1]


def test_resuming_another_recipe_is_refused(folder, tmp_path, capsys):
    trainer_of(TINY, [f"folder:{folder}"], tmp_path / "run").save_state()
    arguments = ["--run", str(tmp_path / "run"), "--device", "cpu", "--resume"]
    assert main([*arguments, "--rate", "0.5"]) == 4
    assert "--rate 0.045, not 0.5" in capsys.readouterr().err


def test_resuming_nothing_is_refused(tmp_path, capsys):
    assert main(["--run", str(tmp_path), "--resume"]) == 4
    assert capsys.readouterr().err.endswith(".\n")


def test_a_step_with_no_finite_gradient_leaves_weights_and_statistics_alone(folder, tmp_path):
    trainer = trainer_of(replace(TINY, ema=0.9), [f"folder:{folder}"], tmp_path)
    weight = trainer.trainee.network.classifier[3].weight
    weight.register_hook(lambda g: g * math.inf)
    before = {k: v.clone() for k, v in trainer.trainee.state_dict().items()}
    trainer.train_step()
    trainer.batches.close()
    assert trainer.refused == 1
    for name, tensor in trainer.trainee.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("fused", [False, True])
def test_the_scale_of_a_float16_loss_falls_when_it_overflows(fused):
    """Fused, the device itself leaves the step out."""
    layer = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1))
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0, fused=fused)
    stepper = Stepper(layer, optimizer, amp="fp16", device=torch.device("cpu"), clip=0)
    scale = stepper.state_dict()["scale"]
    for factor, made in ((math.inf, False), (1.0, True)):
        stepper.begin()
        assert bool(stepper.finish(layer(torch.ones(2, 1)).sum() * factor)) is not made
    assert stepper.state_dict()["scale"] < scale


def test_frozen_batch_norm_keeps_its_statistics_and_still_learns(folder, tmp_path):
    trainer = trainer_of(replace(TINY, freeze_bn=True), [f"folder:{folder}"], tmp_path)
    before = {k: v.clone() for k, v in trainer.trainee.state_dict().items()}
    run(trainer)
    for name, tensor in trainer.trainee.state_dict().items():
        if "running" in name:
            assert torch.equal(tensor, before[name]), name
    stem = "network.learning_to_downsample.0.1.weight"
    assert not torch.equal(trainer.trainee.state_dict()[stem], before[stem])


def test_the_command_trains_validates_and_leaves_what_it_promises(
    folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.undo()  # with its curve
    out = tmp_path / "run"
    arguments = ["--data", f"folder:{folder}", "--run", str(out), *SMALL, "--steps", "4"]
    arguments += ["--val", str(folder), "--val-every", "2", "--val-size", "64x96"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert [line.split(":")[0] for line in said.splitlines() if ": mean IoU" in line] == [
        "step 0",
        "step 2",
        "step 4",
    ]
    assert load(out / "last.pth").info["step"] == 4
    best = load(out / "best.pth").info
    rows = [line.split(",") for line in (out / "log.csv").read_text().splitlines()]
    assert rows[0][:3] == ["step", "loss", "rate"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3", "4"]
    figures = {row[0]: float(row[-1]) for row in rows[1:] if row[-1]}
    assert figures.keys() == {"0", "2", "4"}
    assert best["figures"]["mean IoU"] == pytest.approx(max(figures.values()), abs=1e-5)
    if RunLog.can_draw():
        assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert not list(out.glob("*.part*"))


def test_a_config_file_reproduces_its_run(folder, tmp_path):
    arguments = ["--data", f"folder:{folder}", *SMALL, "--preset", "cpu", "--epochs", "3"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert main([*arguments, "--run", str(first), "--val", str(folder), "--val-size", "64x96"]) == 0
    config = json.loads((first / "config.json").read_text())
    assert config["recipe"]["steps"] == 4  # three times three pictures, two at a time
    assert main(["--config", str(first), "--run", str(second), "--device", "cpu"]) == 0
    a, b = (torch.load(run / "state.pth")["trainee"] for run in (first, second))
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name
    assert (second / "best.pth").exists()


def test_a_config_that_cannot_be_meant_is_refused(tmp_path, capsys):
    path = tmp_path / "c.json"
    for text, sentence in (("{", "no JSON"), ('{"data": 3}', "data cannot be 3")):
        path.write_text(text)
        assert main(["--config", str(path), "--run", str(tmp_path / "r")]) == 4
        assert sentence in capsys.readouterr().err
    path.write_text('{"data": ["street"], "recipe": {"speed": 1}}')
    with pytest.raises(SystemExit):
        main(["--config", str(path), "--run", str(tmp_path / "r")])
    assert "'speed' is no part of a recipe" in capsys.readouterr().err


def test_a_run_that_is_there_is_not_replaced_unasked(folder, tmp_path, capsys):
    arguments = ["--data", f"folder:{folder}", "--run", str(tmp_path / "run"), *SMALL]
    arguments += ["--steps", "1"]
    assert main(arguments) == 0
    before = (tmp_path / "run" / "last.pth").read_bytes()
    assert main(arguments) == 4
    assert "--resume" in capsys.readouterr().err
    assert (tmp_path / "run" / "last.pth").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_noticed_before_the_first_step(
    folder, tmp_path, capsys, monkeypatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(Trainer, "train_step", lambda self: pytest.fail("it began to train"))
    arguments = ["--data", f"folder:{folder}", "--run", str(tmp_path / "file" / "run")]
    assert main([*arguments, *SMALL]) == 5
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_says_in_a_sentence_what_is_wrong(tmp_path, capsys):
    assert main(["--data", "folder:/nosuch", "--run", str(tmp_path)]) == 3
    error = capsys.readouterr().err
    assert "/nosuch" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("count", [3, 19])
def test_a_start_that_knows_other_classes_gives_all_but_the_last_layers(
    count, folder, tmp_path, capsys
):
    network = FastSCNN(FastSCNNConfig(num_classes=count))
    names = ClassSet(tuple(f"own {number}" for number in range(count)))
    save(Checkpoint(network, classes=names), tmp_path / "a.pth")
    arguments = ["--data", f"folder:{folder}", "--run", str(tmp_path / "run"), *SMALL]
    assert main([*arguments, "--steps", "1", "--start", str(tmp_path / "a.pth")]) == 0
    said = capsys.readouterr().out
    own = len(network.state_dict())
    assert f"{own - 2} of {own} tensors of the network" in said
    assert "network.classifier" in said
    assert load(tmp_path / "run" / "last.pth").classes == ClassSet()


def test_what_does_not_fit_into_memory_is_refused_before_the_system_ends_it():
    check_memory(PRESETS["cpu"], 1, 8 * 2**30)
    with pytest.raises(DeviceError, match=r"needs about 21 GB in 1 process, this machine has 8"):
        check_memory(PRESETS["paper"], 1, 8 * 2**30)
