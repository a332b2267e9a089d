"""Checkpoints of the public implementations give what those implementations give."""

import pickle

import numpy as np
import pytest
import torch

from fastscnn import Segmenter
from fastscnn.checkpoints.checkpoint import CheckpointError, load, save
from tests.support.cli_process import run_main
from tests.support.media import SHARED
from tests.support.reference_models import PaddleLike, SegmenTronLike, randomise

FIXTURES = SHARED / "fixtures" / "checkpoints"
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the checkpoint fixtures (../shared/fixtures) are not here"
)
NAMES = {
    "tramac": "Tramac/Fast-SCNN-pytorch",
    "pytorchcv": "pytorchcv (GluonCV)",
    "mmseg": "mmsegmentation",
    "zh320": "zh320/realtime-semantic-segmentation-pytorch",
}


def _full_size(checkpoint, image):
    """Normalised picture → logits at full size, in float32, by the plain path."""
    x = torch.from_numpy(image).float() / 255
    x = ((x - torch.tensor(checkpoint.mean)) / torch.tensor(checkpoint.std)).permute(2, 0, 1)[None]
    config = checkpoint.model.config
    with torch.inference_mode():
        return torch.nn.functional.interpolate(
            checkpoint.model(x),
            image.shape[:2],
            mode="bilinear",
            align_corners=config.align_corners,
        )[0]


def _assert_agree(ours, theirs):
    assert (ours - theirs).abs().max() <= 1e-3 * theirs.std()
    assert (ours.argmax(0) == theirs.argmax(0)).float().mean() >= 0.9999


@needs_fixtures
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", ["96x192", "128x96"])
def test_logits_agree_with_those_of_the_original_implementation(name, size):
    checkpoint = load(FIXTURES / f"{name}.pth")
    assert checkpoint.origin == NAMES[name]
    with np.load(FIXTURES / f"{name}.npz") as truth:
        image, logits = truth[f"image_{size}"], torch.from_numpy(truth[f"logits_{size}"])
    _assert_agree(_full_size(checkpoint, image), logits)


@needs_fixtures
@pytest.mark.parametrize("name", NAMES)
def test_the_segmenter_gives_the_labels_of_the_original_implementation(name):
    segmenter = Segmenter.from_checkpoint(
        FIXTURES / f"{name}.pth", device="cpu", precision="fp32", input_size="exact"
    )
    with np.load(FIXTURES / f"{name}.npz") as truth:
        image, logits = truth["image_96x192"], truth["logits_96x192"]
    assert (segmenter(image) == logits.argmax(0)).mean() >= 0.9999


@pytest.mark.parametrize("size", [(96, 160), (97, 131)])
def test_segmentron_weights_agree_with_a_literal_implementation(tmp_path, size):
    torch.manual_seed(0)
    original = randomise(SegmenTronLike())
    torch.save(original.state_dict(), tmp_path / "s.pth")
    checkpoint = load(tmp_path / "s.pth")
    assert checkpoint.origin == "SegmenTron"
    x = torch.randn(1, 3, *size)
    with torch.inference_mode():
        _assert_agree(checkpoint.model(x)[0], original(x)[0])


@pytest.mark.parametrize("size", [(96, 160), (97, 131)])
@pytest.mark.parametrize("protocol", [2, 4])
def test_paddle_weights_agree_with_a_literal_implementation(tmp_path, size, protocol):
    torch.manual_seed(1)
    original = randomise(PaddleLike())
    with (tmp_path / "p.pdparams").open("wb") as file:
        pickle.dump(original.paddle_state(), file, protocol=protocol)
    checkpoint = load(tmp_path / "p.pdparams")
    assert checkpoint.origin == "PaddleSeg"
    assert checkpoint.mean == checkpoint.std == (0.5, 0.5, 0.5)
    x = torch.randn(1, 3, *size)
    with torch.inference_mode():
        _assert_agree(checkpoint.model(x)[0], original(x)[0])


@needs_fixtures
def test_a_run_says_whose_weights_it_found(tmp_path):
    done = run_main(
        *("demo", "--headless", "--max-frames", "2", "--input-size", "64x96"),
        *("--weights", str(FIXTURES / "zh320.pth"), "-o", str(tmp_path / "o.mp4")),
    )
    assert done.returncode == 0, done.stderr
    assert NAMES["zh320"] in done.stderr


@needs_fixtures
def test_the_older_names_of_zh320_are_understood(tmp_path):
    values = torch.load(FIXTURES / "zh320.pth", weights_only=True)
    places = [f"bottleneck{s}.{i}" for s, n in ((1, 3), (2, 2), (3, 3)) for i in range(n)]
    state = {}
    for key, tensor in values["state_dict"].items():
        for flat, place in enumerate(places):
            key = key.replace(f".bottlenecks.{flat}.", f".{place}.")
        state[key] = tensor
    torch.save(values | {"state_dict": state}, tmp_path / "z.pth")
    new, old = load(FIXTURES / "zh320.pth"), load(tmp_path / "z.pth")
    for name, tensor in new.model.state_dict().items():
        assert torch.equal(tensor, old.model.state_dict()[name])


@needs_fixtures
@pytest.mark.parametrize("name", NAMES)
def test_a_converted_checkpoint_survives_being_saved_as_our_own(tmp_path, name):
    converted = load(FIXTURES / f"{name}.pth")
    save(converted, tmp_path / "own.pth")
    again = load(tmp_path / "own.pth")
    assert again.model.config == converted.model.config
    assert again.origin == converted.origin
    x = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(again.model(x), converted.model(x))


@needs_fixtures
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.pop("classifier.conv.1.bias"), r"classifier\.3\.bias is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "extra is not of this network"),
        (
            lambda s: s.update({"classifier.conv.1.weight": torch.zeros(19, 64, 1, 1)}),
            "where .* belongs",
        ),
    ],
)
def test_a_half_matching_file_is_refused_with_its_first_differences(tmp_path, change, sentence):
    state = torch.load(FIXTURES / "tramac.pth", weights_only=True)
    change(state)
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=sentence) as error:
        load(tmp_path / "x.pth")
    assert "\n" not in str(error.value)


def test_another_networks_weights_are_refused(tmp_path):
    state = {"conv1.weight": torch.zeros(64, 3, 7, 7), "fc.bias": torch.zeros(1000)}
    torch.save(state, tmp_path / "resnet.pth")
    with pytest.raises(CheckpointError, match="no Fast-SCNN that is known"):
        load(tmp_path / "resnet.pth")


def test_code_hidden_in_a_pdparams_file_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            import os

            return (os.mkdir, (str(tmp_path / "ran"),))

    for value in (Bomb(), {"learning_to_downsample.conv_bn_relu._conv.weight": Bomb()}):
        (tmp_path / "b.pdparams").write_bytes(pickle.dumps(value))
        with pytest.raises(CheckpointError, match="damaged or of another kind"):
            load(tmp_path / "b.pdparams")
    assert not (tmp_path / "ran").exists()


def test_an_array_larger_than_its_file_is_not_made(tmp_path):
    class Huge:
        def __reduce__(self):
            from numpy._core.multiarray import _reconstruct

            return (_reconstruct, (np.ndarray, (10**12,), b"b"))

    (tmp_path / "h.pdparams").write_bytes(pickle.dumps({"x": Huge()}))
    with pytest.raises(CheckpointError, match="damaged or of another kind"):
        load(tmp_path / "h.pdparams")
