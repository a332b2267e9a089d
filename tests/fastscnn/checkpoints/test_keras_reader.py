"""Checkpoints of the public Keras networks give what these give, and strange files nothing."""

import sys
import zipfile

import h5py
import numpy as np
import pytest
import torch

from fastscnn.checkpoints import keras_reader
from fastscnn.checkpoints.checkpoint import CheckpointError, load, save
from fastscnn.export import main as export
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.training.initial_weights import read_start
from fastscnn.training.loss import Trainee
from tests.support.keras_networks import (
    KerasLike,
    write_keras,
    write_legacy,
    write_weights,
)

ORIGINS = {
    "rachthree": "rachthree/fast_scnn",
    "kshitizrimal": "kshitizrimal/Fast-SCNN",
    "SkyWa7ch3r": "SkyWa7ch3r/ImageSegmentation",
}
SIZE = (256, 288)


@pytest.fixture(scope="module", params=["rachthree", "auxiliary", "kshitizrimal", "SkyWa7ch3r"])
def original(request):
    auxiliary = request.param == "auxiliary"
    whose = "rachthree" if auxiliary else request.param
    network = KerasLike(whose, 20 if whose == "SkyWa7ch3r" else 19, auxiliary)
    picture = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(1))
    return network, picture, network(picture)


@pytest.mark.parametrize("kind", ["model", "weights", "new weights", "zip"])
def test_weights_agree_with_a_literal_implementation(original, kind, tmp_path):
    network, picture, logits = original
    if kind == "model":
        path = tmp_path / "m.h5"
        write_legacy(path, network.numbered(), whole=True)
    elif kind == "weights":  # of the second model of a session: numbers go on
        path = tmp_path / "w.hdf5"
        write_legacy(path, network.numbered(57), whole=False, end="")
    elif kind == "new weights":
        path = tmp_path / "m.weights.h5"
        write_weights(path, network.by_depth())
    else:
        path = tmp_path / "m.keras"
        write_keras(path, network.by_depth())
    checkpoint = load(path)
    assert checkpoint.origin == ORIGINS[network.whose]
    assert (checkpoint.mean, checkpoint.std) == ((0, 0, 0), (1, 1, 1))
    with torch.inference_mode():
        ours = checkpoint.model(picture)
    assert (ours - logits).abs().max() <= 1e-3 * logits.std()
    if len(checkpoint.classes) == 20:
        assert checkpoint.classes.names[18:] == ("bicycle", "unlabeled")


def test_the_switches_go_through_our_own_file_and_into_a_training(tmp_path):
    network = KerasLike("rachthree")
    logits = network(torch.zeros(1, 3, *SIZE))
    write_keras(tmp_path / "m.keras", network.by_depth())
    save(load(tmp_path / "m.keras"), tmp_path / "own.pth")
    with torch.inference_mode():
        ours = load(tmp_path / "own.pth").model(torch.zeros(1, 3, *SIZE))
    assert (ours - logits).abs().max() <= 1e-3 * logits.std()
    start = read_start(tmp_path / "m.keras")
    assert start.config.pyramid_windows
    trainee = Trainee(FastSCNN(start.config), torch.eye(19, dtype=torch.bool))
    assert "0 of 16 tensors of the auxiliary heads" in start.fill(trainee)
    labels = torch.zeros(2, 64, 96, dtype=torch.uint8)
    trainee(torch.zeros(2, 3, 64, 96), labels, True, [1, 2]).backward()


def test_what_no_format_takes_is_not_exported(tmp_path, capsys):
    network = KerasLike("rachthree")
    network(torch.zeros(1, 3, *SIZE))
    write_weights(tmp_path / "m.h5", network.by_depth())
    out = tmp_path / "m.ts"
    assert export([str(out), "--weights", str(tmp_path / "m.h5")]) == 2
    assert "which no format takes for any size" in capsys.readouterr().err
    assert not out.exists()


def test_another_keras_network_is_none_that_is_known(tmp_path):
    network = KerasLike("kshitizrimal")
    network(torch.zeros(1, 3, *SIZE))
    layers = network.numbered()
    del layers["conv2d_25"]
    write_legacy(tmp_path / "m.h5", layers, whole=True)
    with pytest.raises(CheckpointError, match="holds no Fast-SCNN that is known here"):
        load(tmp_path / "m.h5")


@pytest.mark.parametrize("shape", [(3, 3, 48, 1), (128,), (1, 1, 2, 2)])
def test_a_layer_of_another_shape_does_not_fit(shape, tmp_path):
    network = KerasLike("SkyWa7ch3r")
    network(torch.zeros(1, 3, *SIZE))
    layers = network.numbered()
    layers["conv2d_24"] = {"kernel": np.zeros((1, 1, 5, 7)), "bias": np.zeros(shape)}
    write_legacy(tmp_path / "m.h5", layers, whole=False)
    with pytest.raises(CheckpointError, match=r"does not fit: .*feature_fusion"):
        load(tmp_path / "m.h5")


@pytest.mark.parametrize("number", [29, 30, 31, 32, 33, 35])
@pytest.mark.parametrize("whose", ["kshitizrimal", "SkyWa7ch3r"])
def test_a_batch_norm_of_another_size_does_not_fit(number, whose, tmp_path):
    network = KerasLike(whose)
    network(torch.zeros(1, 3, *SIZE))
    layers = network.numbered()
    norm = layers[f"batch_normalization_{number}"]
    layers[f"batch_normalization_{number}"] = {what: array[:5] for what, array in norm.items()}
    write_legacy(tmp_path / "m.h5", layers, whole=False)
    with pytest.raises(CheckpointError, match="does not fit"):
        load(tmp_path / "m.h5")


def _other_files(file, folder):
    with h5py.File(folder / "secret.h5", "w") as other:
        other["numbers"] = np.ones(3)
    file["conv2d/conv2d/kernel"] = h5py.ExternalLink("secret.h5", "numbers")


def _raw(file, folder):
    (folder / "raw").write_bytes(bytes(64))
    raw = [(str(folder / "raw"), 0, 64)]
    file.create_dataset("conv2d/conv2d/kernel", (16,), "f4", external=raw)


def _virtual(file, folder):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "numbers", (3,))
    file.create_virtual_dataset("conv2d/bias", layout)


def _huge(file, folder):
    file.create_dataset("conv2d/kernel", (10**6, 10**6), "f4", chunks=(1000, 1000))


def _many(file, folder):
    for number in range(2100):
        file[f"a{number}/b"] = np.float32(1)


def _groups(file, folder):
    for number in range(2100):
        file.create_group(f"a{number}")


def _deep(file, folder):
    file["/".join("a" * 50) + "/b"] = np.ones(3)


def _endless(file, folder):
    file["a/b"] = file["/"]
    file["a/c"] = file["a"]


@pytest.mark.parametrize(
    "make", [_other_files, _raw, _virtual, _huge, _many, _groups, _deep, _endless]
)
def test_a_file_from_a_stranger_is_refused_within_bounds(make, tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        make(file, tmp_path)
    with pytest.raises(CheckpointError, match=r"m\.h5"):
        load(tmp_path / "m.h5")


@pytest.mark.parametrize("keep", [8, 100, 3000, -2000])
def test_a_file_that_ends_early_is_refused(keep, tmp_path):
    network = KerasLike("rachthree")
    network(torch.zeros(1, 3, *SIZE))
    write_weights(tmp_path / "m.h5", network.by_depth())
    path = tmp_path / "m.h5"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"m\.h5 cannot be read"):
        load(path)


def test_a_zip_that_unpacks_to_more_than_any_network_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(keras_reader, "_MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(5000))
    with pytest.raises(CheckpointError, match="cannot be read"):
        load(tmp_path / "m.keras")


def test_what_it_takes_is_named(tmp_path, monkeypatch):
    write_weights(tmp_path / "m.h5", {})
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(CheckpointError, match="needs h5py, which is not installed"):
        load(tmp_path / "m.h5")
