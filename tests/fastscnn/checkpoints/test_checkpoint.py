import os
import pickle
import signal
import subprocess
import sys
import time

import pytest
import torch

from fastscnn.checkpoints.checkpoint import Checkpoint, CheckpointError, load, save
from fastscnn.model.fast_scnn import FastSCNN
from tests.support.media import ROOT


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return FastSCNN().eval()


@pytest.fixture
def stored(network, tmp_path):
    path = tmp_path / "net.pth"
    save(Checkpoint(network, mean=(0.1, 0.2, 0.3), info={"note": "x"}), path)
    return path


def _change(path, **changes):
    values = torch.load(path, weights_only=True)
    torch.save(values | changes, path)


def test_a_checkpoint_brings_back_weights_normalisation_classes_and_info(network, stored):
    checkpoint = load(stored)
    for name, tensor in network.state_dict().items():
        assert torch.equal(checkpoint.model.state_dict()[name], tensor)
    assert checkpoint.mean == (0.1, 0.2, 0.3)
    assert len(checkpoint.classes) == 19
    assert checkpoint.info == {"note": "x"}
    assert not checkpoint.model.training


def test_half_precision_halves_the_file_and_hardly_moves_the_logits(network, stored, tmp_path):
    small = tmp_path / "half.pth"
    save(Checkpoint(network), small, half=True)
    assert small.stat().st_size < 0.6 * stored.stat().st_size
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        a, b = network(x), load(small).model(x)
    assert (a - b).abs().max() < 0.02 * a.std()


def test_a_missing_file_is_named():
    with pytest.raises(CheckpointError, match=r"no checkpoint nosuch\.pth"):
        load("nosuch.pth")


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="not a file"):
        load(tmp_path)


def test_a_truncated_file_is_refused_in_one_sentence(stored):
    stored.write_bytes(stored.read_bytes()[:-5000])
    with pytest.raises(CheckpointError, match="damaged or of another kind") as error:
        load(stored)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", os.urandom(4096)])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged or of another kind"):
        load(path)


def test_code_hidden_in_a_checkpoint_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    for name, dump in (("pickle", lambda f: pickle.dump(Bomb(), f)), ("torch", None)):
        path = tmp_path / f"{name}.pth"
        with path.open("wb") as file:
            dump(file) if dump else torch.save({"format": "fastscnn-live", "x": Bomb()}, file)
        with pytest.raises(CheckpointError):
            load(path)
    assert not (tmp_path / "ran").exists()


def test_an_oversized_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.pth"
    with path.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(CheckpointError, match="2048 MiB"):
        load(path)


def test_another_programs_checkpoint_is_refused(tmp_path):
    path = tmp_path / "foreign.pth"
    torch.save({"state_dict": {"conv.weight": torch.zeros(1)}}, path)
    with pytest.raises(CheckpointError, match="no Fast-SCNN that is known"):
        load(path)


def test_a_later_version_is_refused(stored):
    _change(stored, version=99)
    with pytest.raises(CheckpointError, match="version 99"):
        load(stored)


def test_missing_extra_and_misshapen_tensors_are_named(stored):
    weights = dict(torch.load(stored, weights_only=True)["weights"])
    first, second, *_ = weights
    weights["stranger"] = torch.zeros(1)
    weights[second] = torch.zeros(7)
    del weights[first]
    _change(stored, weights=weights)
    with pytest.raises(CheckpointError) as error:
        load(stored)
    for part in (f"{first} is missing", "stranger is not of this network", "has [7] where"):
        assert part in str(error.value)


def test_weights_that_are_not_finite_are_refused(stored):
    weights = dict(torch.load(stored, weights_only=True)["weights"])
    name = next(iter(weights))
    weights[name] = torch.full_like(weights[name], float("nan"))
    _change(stored, weights=weights)
    with pytest.raises(CheckpointError, match="not finite"):
        load(stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"num_classes": 10**8}},
        {"config": [1, 2]},
        {"mean": [1]},
        {"std": [0, 0, 0]},
        {"classes": ["a"]},
        {"weights": None},
    ],
)
def test_damaged_fields_are_refused_in_one_sentence(stored, changes):
    _change(stored, **changes)
    with pytest.raises(CheckpointError) as error:
        load(stored)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is for POSIX systems")
def test_a_kill_while_saving_never_leaves_half_a_checkpoint(stored):
    script = (
        "import sys\nfrom fastscnn.checkpoints.checkpoint import load, save\n"
        "checkpoint = load(sys.argv[1])\nprint('on', flush=True)\n"
        "while True:\n    save(checkpoint, sys.argv[1])\n"
    )
    for delay in (0.03, 0.08):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(stored)], stdout=subprocess.PIPE, cwd=ROOT
        ) as process:
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        load(stored)
