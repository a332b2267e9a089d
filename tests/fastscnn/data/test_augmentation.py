from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from fastscnn.data.augmentation import Augmentation
from fastscnn.data.dataset_mix import Mix, StreetDataset
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.street import Street
from fastscnn.training.batch_loader import BatchLoader
from fastscnn.training.gpu_batches import GpuBatches, warp
from fastscnn.training.recipe import PRESETS
from fastscnn.training.task import Segmentation
from fastscnn.training.trainer import Trainer

CPU = torch.device("cpu")


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
    sample = StreetDataset()[3]
    a, b = (Augmentation()(sample, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(a[0], b[0])
    assert np.array_equal(a[1], b[1])


@pytest.fixture
def streets(tmp_path):
    """Two sizes of real pictures with exact labels."""
    for i, size in enumerate(((256, 128), (192, 160), (200, 130))):
        image, labels = Street(i, *size).render(2.0)
        for name, pixels in (("images", image[..., ::-1]), ("labels", labels)):
            (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "data" / name / f"{i}.png"), pixels)
    return tmp_path / "data"


@pytest.mark.parametrize("short_side", [(40, 70), (100, 140), (150, 400)])
def test_augmentation_on_the_device_does_what_the_host_does(streets, short_side):
    mix = Mix([f"folder:{streets}"], TargetSets())
    how = Augmentation(crop=(96, 128), short_side=short_side, noise=0, aspect=1.3, blur=0.3)
    more = {"seed": 3, "places": range(6), "steps": 4}
    host = BatchLoader(lambda rng: how(mix.sample(rng), rng), **more)
    device = GpuBatches(mix, how, CPU, **more)
    for step in range(4):
        images, targets = host(step)
        other_images, other_targets = device(step)
        assert other_images.dtype == other_targets.dtype == torch.uint8
        assert (targets == other_targets).float().mean() > 0.99
        difference = (images.int() - other_images.int()).abs().float()
        assert difference.mean() < 1.5
        assert (difference > 16).float().mean() < 0.01
    host.close()
    device.close()


def test_noise_on_the_device_is_as_strong_as_on_the_host():
    gray = np.full((64, 64, 3), 128, np.uint8), np.zeros((64, 64), np.uint8)
    how = Augmentation(
        crop=(64, 64), scale=(1, 1), color=0, brightness=0, gamma=0, blur=0, aspect=1
    )
    variation = replace(how.vary((64, 64), np.random.default_rng(0)), noise=5.0)
    tensors = torch.from_numpy(gray[0]), torch.from_numpy(gray[1])
    on_host, on_device = how._photometric(gray[0], variation), warp(*tensors, variation, how)[0]
    assert on_host.std() == pytest.approx(5, rel=0.1)
    assert on_device.float().std().item() == pytest.approx(5, rel=0.1)
    assert torch.equal(on_device, warp(*tensors, variation, how)[0])


def test_pictures_beyond_the_devices_room_are_read_again(streets):
    mix = Mix([f"folder:{streets}"], TargetSets())
    how = Augmentation(crop=(64, 64), short_side=(64, 128))
    more = {"seed": 3, "places": range(4), "steps": 3}
    roomy, tight = (
        GpuBatches(mix, how, CPU, **more),
        GpuBatches(mix, how, CPU, room=1, **more),
    )
    for step in range(3):
        for a, b in zip(roomy(step), tight(step), strict=True):
            assert torch.equal(a, b)
    roomy.close()
    tight.close()


def test_a_run_that_augments_on_the_device_repeats(streets, tmp_path):
    recipe = replace(PRESETS["cpu"], steps=2, batch=2, crop=(64, 64), augment="device")
    states = []
    for name in ("a", "b"):
        task = Segmentation([f"folder:{streets}"])
        trainer = Trainer(task, recipe, tmp_path / name, device="cpu")
        assert isinstance(trainer.batches, GpuBatches)
        losses = [trainer.train_step() for _ in range(2)]
        trainer.batches.close()
        states.append((losses, trainer.weights))
    assert states[0][0] == states[1][0]
    assert all(torch.equal(states[0][1][n], states[1][1][n]) for n in states[0][1])
