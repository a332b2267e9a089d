"""Schedules: crops in turn, a run by time, and a look at the loss now and then."""

import csv
import json
from dataclasses import replace

import pytest
import torch

from fastscnn.train import main
from fastscnn.training.recipe import PRESETS, Recipe
from fastscnn.training.run_loop import Pace, TrainingRun
from fastscnn.training.task import Segmentation
from fastscnn.training.trainer import Trainer
from tests.support.labelled_data import labelled_folder

TINY = Recipe(steps=7, batch=2, clip=5.0, crop=(64, 96), loss_stride=2, ema=0.9)
SMALL = ["--batch", "2", "--crop", "32x64", "--device", "cpu", "--clip", "5"]


@pytest.fixture
def folder(tmp_path):
    return labelled_folder(tmp_path / "data")


def trainer_of(recipe, folder, run):
    return Trainer(Segmentation([f"folder:{folder}"]), recipe, run, device="cpu")


def rows_of(run):
    with (run / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_small_crop_has_its_scale_and_as_many_pixels_or_fewer():
    large, small = PRESETS["gpu"].turns
    assert (large.crop, large.batch) == ((512, 1024), 24)
    assert (small.crop, small.batch) == ((288, 576), 72)
    assert small.short_side == (231, 576)
    assert small.turns == [small]
    assert PRESETS["paper"].turns == [PRESETS["paper"]]
    wide = replace(PRESETS["paper"], small_crop=(512, 1024)).turns[1]
    assert wide.scale == (0.25, 1.0)


def test_which_crop_a_step_has_depends_on_seed_and_step_alone():
    recipe = replace(PRESETS["gpu"], small_share=0.25)
    batches = [recipe.at(step).batch for step in range(2000)]
    assert batches.count(72) / 2000 == pytest.approx(0.25, abs=0.03)
    assert [recipe.at(step).batch for step in (5, 900)] == [batches[5], batches[900]]
    assert batches != [replace(recipe, seed=2).at(step).batch for step in range(2000)]


def test_epochs_count_the_samples_of_both_crops():
    recipe = replace(TINY, steps=0, epochs=10, crop=(64, 64), small_crop=(32, 32), small_share=0.5)
    assert recipe.resolved(100).steps == 10 * 100 / (0.5 * 2 + 0.5 * 8)


def test_two_crops_in_turn_learn_on_the_host_too(folder, tmp_path):
    recipe = replace(TINY, small_crop=(32, 48), small_share=0.5)
    trainer = trainer_of(recipe, folder, tmp_path / "run")
    shapes = {trainer.batches(step)[0].shape for step in range(7)}
    TrainingRun(trainer, Pace(100))()
    assert shapes == {(2, 64, 96, 3), (8, 32, 48, 3)}
    assert trainer.step == 7


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["--small-crop", "128x192"], "smaller than --crop"),
        (["--small-crop", "16x32"], "at least 32x32"),
        (["--small-share", "2"], "--small-share"),
        (["--repeat-rare", "-1"], "--repeat-rare"),
        (["--minutes", "-1"], "--minutes must be at least 0"),
        (["--minutes", "5", "--steps", "7"], "--steps and --minutes say the same thing"),
        (["--momentum", "0", "--nesterov"], "--nesterov needs"),
    ],
)
def test_a_schedule_that_cannot_be_meant_is_refused(asked, sentence, folder, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--data", f"folder:{folder}", "--run", str(tmp_path / "run"), *SMALL, *asked])
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


def test_the_rate_falls_by_time_where_time_decides():
    recipe = Recipe(minutes=10, rate=0.1, warmup=100)
    assert recipe.rate_at(0, 0) == pytest.approx(0.001)
    assert recipe.rate_at(49, 6) == pytest.approx(0.05 * 0.99**0.9)
    assert recipe.rate_at(5000, 300) == pytest.approx(0.1 * 0.5**0.9)
    assert recipe.rate_at(9000, 601) == 0
    # a slow machine has few steps: the rise is over after a fifth of the time
    assert recipe.rate_at(3, 120) == pytest.approx(0.1 * 0.8**0.9)
    assert recipe.resolved(1000).steps == 0


class Clock:
    """A clock that goes on by so many seconds a step, whatever the machine is at."""

    def __init__(self, trainer, seconds):
        self.trainer, self.seconds, self.first = trainer, seconds, trainer.step

    def __call__(self):
        return 1000.0 + self.seconds * (self.trainer.step - self.first)


@pytest.mark.parametrize("look", [1, 4])
def test_a_run_by_time_ends_in_time_and_resumes_with_what_is_left(
    folder, tmp_path, monkeypatch, look
):
    recipe = replace(TINY, steps=0, minutes=1.0, crop=(32, 64))
    first = trainer_of(recipe, folder, tmp_path / "run")
    monkeypatch.setattr("fastscnn.training.run_loop.time.monotonic", Clock(first, 5.0))
    for _ in range(4):  # as if it was killed behind a save
        first.train_step()
    first.elapsed = 20.0
    first.save_state()
    first.batches.close()
    second = trainer_of(recipe, folder, tmp_path / "run")
    second.load_state(torch.load(first.state_path))
    assert (second.step, second.elapsed) == (4, 20.0)
    monkeypatch.setattr("fastscnn.training.run_loop.time.monotonic", Clock(second, 5.0))
    TrainingRun(second, Pace(0, read_every=look))()
    assert second.step == 12
    assert second.elapsed == 60
    rates = [float(row["rate"]) for row in rows_of(tmp_path / "run")]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.045 * (1 - 20 / 60) ** 0.9, rel=1e-3)


def test_a_run_by_time_is_judged_evenly(folder, tmp_path, monkeypatch):
    recipe = replace(TINY, steps=0, minutes=1.0, crop=(32, 64))
    trainer = trainer_of(recipe, folder, tmp_path / "run")
    monkeypatch.setattr("fastscnn.training.run_loop.time.monotonic", Clock(trainer, 2.0))
    monkeypatch.setattr(Pace, "JUDGED", 5)
    judged = []

    def validate(weights):
        judged.append(trainer.step)
        return {"mean IoU": 0.5}

    TrainingRun(trainer, Pace(0), validate, ["mean IoU"])()
    assert judged == [0, 6, 12, 18, 24, 30]
    assert [row["step"] for row in rows_of(tmp_path / "run") if row["mean IoU"]] == [
        str(step) for step in judged
    ]


def test_a_look_at_the_loss_now_and_then_finds_what_a_look_at_each_does(folder, tmp_path):
    tables, states = [], []
    for name, look in (("each", 1), ("some", 3)):
        trainer = trainer_of(TINY, folder, tmp_path / name)
        TrainingRun(trainer, Pace(100, read_every=look))()
        tables.append([(r["step"], r["loss"], r["rate"]) for r in rows_of(tmp_path / name)])
        states.append(trainer.weights)
    assert tables[0] == tables[1]
    assert [row[0] for row in tables[0]] == [str(step) for step in range(1, 8)]
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def test_validations_keep_their_steps_between_looks(folder, tmp_path):
    trainer = trainer_of(TINY, folder, tmp_path / "run")
    judged = []
    TrainingRun(
        trainer,
        Pace(2, read_every=5),
        lambda weights: judged.append(trainer.step) or {"mean IoU": 0.5},
        ["mean IoU"],
    )()
    assert judged == [0, 2, 4, 6, 7]


def test_minutes_take_the_place_of_a_presets_steps_and_the_other_way_round(folder, tmp_path):
    data = ["--data", f"folder:{folder}", *SMALL]
    first, second = tmp_path / "first", tmp_path / "second"
    arguments = ["--preset", "cpu", "--minutes", "0.01", "--run", str(first)]
    assert main([*data, *arguments]) == 0
    config = json.loads((first / "config.json").read_text())
    assert (config["recipe"]["steps"], config["recipe"]["minutes"]) == (0, 0.01)
    assert main(["--config", str(first), "--steps", "2", "--run", str(second), *SMALL]) == 0
    recipe = json.loads((second / "config.json").read_text())["recipe"]
    assert (recipe["steps"], recipe["minutes"]) == (2, 0.0)
    assert torch.load(second / "state.pth")["step"] == 2


def test_a_finished_run_by_time_resumes_to_its_own_end(folder, tmp_path):
    run = str(tmp_path / "run")
    assert main(["--data", f"folder:{folder}", *SMALL, "--minutes", "0.005", "--run", run]) == 0
    before = torch.load(tmp_path / "run" / "state.pth")
    assert before["elapsed"] >= 0.3
    assert main(["--run", run, "--resume", "--device", "cpu"]) == 0
    after = torch.load(tmp_path / "run" / "state.pth")
    assert (after["step"], after["elapsed"]) == (before["step"], before["elapsed"])
