"""Samples that are varied on the device, with the CPU standing for it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fastscnn.data.augmentation import Augmentation
from fastscnn.data.dataset_check import check
from fastscnn.data.dataset_mix import Mix
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.street import Street
from fastscnn.train import main
from fastscnn.training.batch_loader import BatchLoader
from fastscnn.training.device_batches import DeviceBatches, NoRoomError
from fastscnn.training.recipe import PRESETS
from fastscnn.training.task import Segmentation
from fastscnn.training.trainer import Trainer

CPU = torch.device("cpu")
ALL_OF_IT = replace(
    PRESETS["gpu"],
    minutes=0.0,
    steps=6,
    batch=2,
    crop=(64, 96),
    small_crop=(32, 64),
    small_share=0.5,
    short_side=(48, 160),
    ohem=0.5,
)


@pytest.fixture
def streets(tmp_path):
    """Three sizes of real pictures with exact labels."""
    for i, size in enumerate(((256, 128), (192, 160), (201, 131))):
        image, labels = Street(i, *size).render(2.0)
        for name, pixels in (("images", image[..., ::-1]), ("labels", labels)):
            (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "data" / name / f"{i}.png"), pixels)
    return tmp_path / "data"


def batches_of(folder, how, places=6, **more):
    mix = Mix([f"folder:{folder}"], TargetSets())
    more = {"seed": 3, "places": lambda _: range(places), **more}
    return mix, DeviceBatches(mix, check(mix.datasets), lambda _: how, CPU, **more)


@pytest.mark.parametrize("short_side", [(20, 40), (40, 70), (100, 140), (150, 400)])
@pytest.mark.parametrize("blur", [0, 0.5])
def test_augmentation_on_the_device_does_what_the_host_does(streets, short_side, blur):
    how = Augmentation(crop=(96, 128), short_side=short_side, noise=0, aspect=1.3, blur=blur)
    how = replace(how, saturation=0.5, contrast=0.3)
    mix, device = batches_of(streets, how)
    host = BatchLoader(
        lambda rng, _: how(mix.sample(rng), rng), seed=3, places=lambda _: range(6), steps=4
    )
    for step in range(4):
        images, targets = host(step)
        other_images, other_targets = device(step)
        assert targets.shape == other_targets.shape
        assert (targets == other_targets).float().mean() > 0.99
        difference = (images.float() - other_images).abs()
        # shrinking leaves a little more or less detail
        assert difference.mean() < 3
        assert (difference > 16).float().mean() < 0.03
    host.close()
    device.close()


def test_noise_on_the_device_is_as_strong_as_asked_for_and_each_samples_own(tmp_path):
    for name, pixels in (("images", np.full((64, 64, 3), 128)), ("labels", np.zeros((64, 64)))):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "0.png"), pixels.astype(np.uint8))
    plain = {"scale": (1, 1), "color": 0, "brightness": 0, "gamma": 0, "blur": 0, "aspect": 1}
    how = Augmentation(crop=(64, 64), noise=12, **plain)
    _, device = batches_of(tmp_path, how, places=40)
    deviations = device(0)[0].flatten(1).std(1)
    device.close()
    variations = device._plan(0)[1]
    asked = torch.tensor([variation.noise for variation in variations])
    assert (asked == 0).any()
    assert (asked > 8).any()
    torch.testing.assert_close(deviations, asked, atol=0.3, rtol=0.05)


class Asked(TorchDispatchMode):
    """Numbers that the host asked the device for: each makes it wait on a GPU."""

    WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "unique")

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        # a boolean index has to count first how many are true
        mask = name in ("index", "index_put", "index_put_", "_index_put_impl_") and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        if name in self.WAITING or mask:
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("table", ["", "&sets=camvid"])
def test_a_step_on_the_device_never_waits_for_it(streets, tmp_path, table):
    """Sets of classes, hard example mining, class weights and two crops among it."""
    spec = f"folder:{streets}?loss=0.5{table}"
    if table:
        for path in (streets / "labels").iterdir():
            labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            cv2.imwrite(str(path), np.where(labels == 10, 10, 2).astype(np.uint8))
    trainer = Trainer(Segmentation([spec]), ALL_OF_IT, tmp_path / "run", device="cpu")
    crops = set()
    with Asked() as asked:
        for _ in range(6):
            crops.add(trainer.recipe.at(trainer.step).crop)
            found = trainer.train_step()
    trainer.batches.close()
    assert crops == {(64, 96), (32, 64)}
    assert asked.found == []
    loss, refused = found.tolist()
    assert np.isfinite(loss)
    assert refused == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_cuda_itself_finds_no_step_that_waits(streets, tmp_path):
    task = Segmentation([f"folder:{streets}?loss=0.5"])
    trainer = Trainer(task, ALL_OF_IT, tmp_path / "run", device="cuda")
    trainer.train_step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            trainer.train_step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
        trainer.batches.close()


def test_what_waits_is_noticed():
    values = torch.arange(3.0)
    with Asked() as asked:
        bool(values.sum() > 1)
        values[values > 1]
        values[values > 1] = 0
    assert len(asked.found) >= 3


def test_a_run_on_the_device_resumes_to_the_same_weights(streets, tmp_path):
    def trainer(name):
        task = Segmentation([f"folder:{streets}", f"folder:{streets}?loss=0.5"])
        return Trainer(task, ALL_OF_IT, tmp_path / name, device="cpu")

    whole, first, second = trainer("whole"), trainer("parts"), trainer("parts")
    assert isinstance(whole.batches, DeviceBatches)
    losses = [whole.train_step().tolist() for _ in range(6)]
    parts = [first.train_step().tolist() for _ in range(3)]
    first.save_state()
    second.load_state(torch.load(first.state_path))
    parts += [second.train_step().tolist() for _ in range(3)]
    for each in (whole, first, second):
        each.batches.close()
    assert parts == losses
    for name, tensor in whole.weights.items():
        assert torch.equal(tensor, second.weights[name]), name


@pytest.mark.parametrize("made", [0, 2])
def test_a_step_with_no_finite_gradient_changes_nothing_on_the_device(streets, tmp_path, made):
    """The first step as well, before which there is no momentum."""
    trainer = Trainer(
        Segmentation([f"folder:{streets}"]),
        replace(ALL_OF_IT, skip_drop=0.0),
        tmp_path,
        device="cpu",
    )
    for _ in range(made):
        trainer.train_step()

    def numbers():
        momentum = trainer.optimizer.state_dict()["state"]
        yield from trainer.trainee.state_dict().items()
        yield from ((f"momentum {i}", state["momentum_buffer"]) for i, state in momentum.items())

    before = {name: tensor.clone() for name, tensor in numbers()}
    weight = trainer.trainee.network.classifier[3].weight
    hook = weight.register_hook(lambda gradient: gradient * float("nan"))
    trainer.train_step()
    assert trainer.refused == 1
    for name, tensor in numbers():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, before[name]), name
    hook.remove()
    loss, refused = trainer.train_step().tolist()
    trainer.batches.close()
    assert np.isfinite(loss)
    assert refused == 1
    assert all(bool(tensor.isfinite().all()) for _, tensor in numbers())


def test_frames_that_do_not_fit_are_refused_in_a_sentence(streets):
    with pytest.raises(NoRoomError, match=r"3 frames take 0\.0 GB, .* on cpu; .*--augment host"):
        batches_of(streets, Augmentation(), room=1000)


def test_the_demo_street_stays_on_the_device_too(monkeypatch, tmp_path):
    monkeypatch.setattr("fastscnn.training.device_batches.ENDLESS_POOL", 2)
    mix = Mix(["street?worlds=1"], TargetSets())
    how = Augmentation(crop=(64, 96), short_side=(64, 128))
    places = {"seed": 1, "places": lambda _: range(3)}
    device = DeviceBatches(mix, check(mix.datasets), lambda _: how, CPU, **places)
    images, targets = device(0)
    device.close()
    assert images.shape == (3, 64, 96, 3)
    assert set(targets.unique().tolist()) <= {*range(19), 255}
    assert device.about.startswith("2 frames stay on cpu")


def test_the_command_trains_by_the_recipe_for_gpus(streets, tmp_path, capsys):
    arguments = ["--preset", "gpu", "--run", str(tmp_path / "run"), "--data", f"folder:{streets}"]
    small = ["--crop", "64x96", "--small-crop", "32x64", "--short-side", "48-160", "--batch", "2"]
    small += ["--steps", "3", "--device", "cpu"]
    assert main([*arguments, *small]) == 0
    said = capsys.readouterr().out
    assert "3 steps of 2 samples at 64×96 or 6 samples at 32×64 on cpu" in said
    assert "3 frames stay on cpu" in said
