"""Averaged checkpoints."""

import pytest
import torch

from fastscnn import FastSCNN, FastSCNNConfig, soup
from fastscnn.checkpoints.checkpoint import Checkpoint, load, save


def checkpoint(seed, config=None, **more):
    torch.manual_seed(seed)
    network = FastSCNN(config or FastSCNNConfig()).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
    return Checkpoint(network, info={"seed": seed}, **more)


def test_every_weight_and_statistic_is_the_mean_of_those_given(tmp_path, capsys):
    given = [checkpoint(seed) for seed in (1, 2, 3)]
    paths = [str(tmp_path / f"{i}.pth") for i in range(3)]
    for one, path in zip(given, paths, strict=True):
        save(one, path)
    out = tmp_path / "soup.pth"
    assert soup.main([*paths, "-o", str(out)]) == 0
    assert "the average of 3 checkpoints" in capsys.readouterr().out
    states = [one.model.state_dict() for one in given]
    for name, tensor in load(out).model.state_dict().items():
        if tensor.is_floating_point():
            wanted = sum(state[name] for state in states) / 3
            assert torch.allclose(tensor, wanted, atol=1e-6), name
    assert [info["seed"] for info in load(out).info["soup"]] == [1, 2, 3]


def test_one_alone_stays_as_it_is():
    one = checkpoint(4)
    averaged = soup.average([one]).model.state_dict()
    assert all(torch.equal(averaged[k], v) for k, v in one.model.state_dict().items())


@pytest.mark.parametrize(
    "other",
    [
        {"config": FastSCNNConfig(fusion_dilation=1)},
        {"mean": (0.5, 0.5, 0.5)},
    ],
)
def test_what_is_not_of_one_network_is_refused_in_a_sentence(tmp_path, capsys, other):
    paths = [str(tmp_path / name) for name in ("a.pth", "b.pth")]
    save(checkpoint(1), paths[0])
    save(checkpoint(2, **other), paths[1])
    assert soup.main([*paths, "-o", str(tmp_path / "c.pth")]) == 4
    assert "cannot be averaged: they are not of the same network" in capsys.readouterr().err
    assert not (tmp_path / "c.pth").exists()


def test_nothing_is_overwritten_unasked_and_missing_files_are_named(tmp_path, capsys):
    path, there = tmp_path / "a.pth", tmp_path / "there.pth"
    save(checkpoint(1), path)
    there.write_bytes(b"precious")
    assert soup.main([str(path), "-o", str(there)]) == 5
    assert there.read_bytes() == b"precious"
    assert soup.main([str(tmp_path / "none.pth"), "-o", str(tmp_path / "c.pth")]) == 4
    assert "There is no checkpoint" in capsys.readouterr().err
    assert soup.main([str(path), "-o", str(there), "--overwrite"]) == 0
