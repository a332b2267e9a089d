"""Compressed networks: written by the command, loaded and run as any other."""

import logging

import cv2
import numpy as np
import pytest
import torch

from fastscnn.checkpoints.checkpoint import CheckpointError, load, save
from fastscnn.compress.compress_command import main
from fastscnn.compress.pruning import prune, tune
from fastscnn.data.street import Street
from fastscnn.export import export
from fastscnn.exporting.exportable_model import Signature
from fastscnn.inference.runtimes import RUNTIMES, installed
from fastscnn.segmenter import Segmenter, default_checkpoint
from fastscnn.soup import average

pytest.importorskip("torch_pruning", reason="torch-pruning is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of four small pictures of a street."""
    folder = tmp_path_factory.mktemp("pictures")
    street = Street(5, 128, 64)
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), street.render(4.0 * number)[0][..., ::-1])
    return folder


@pytest.fixture(scope="module")
def seen(pictures):
    """The pictures at the size that the tests run the network at."""
    read = (cv2.imread(str(path)) for path in sorted(pictures.iterdir()))
    return [np.ascontiguousarray(cv2.resize(one, (128, 64))[..., ::-1]) for one in read]


@pytest.fixture(scope="module")
def pruned(seen):
    return prune(load(default_checkpoint()), 0.4, seen)


def weights_of(checkpoint):
    return sum(one.numel() for one in checkpoint.model.parameters())


def labels(path_or_checkpoint, picture, *, skip=True):
    made = {"device": "cpu", "input_size": (64, 128), "precision": "fp32"}
    if isinstance(path_or_checkpoint, str):
        return Segmenter.from_checkpoint(path_or_checkpoint, **made)(picture, skip=skip)
    return Segmenter(path_or_checkpoint, **made)(picture, skip=skip)


@pytest.mark.slow
def test_a_network_in_8_bits_gives_the_labels_and_has_its_switch(pictures, seen, tmp_path, capsys):
    out = tmp_path / "small.onnx"
    assert main(["-o", str(out), "--int8", "--pictures", str(pictures)]) == 0
    assert "% of the labels are the original's" in capsys.readouterr().out
    assert out.stat().st_size < 0.7 * default_checkpoint().stat().st_size
    original = load(default_checkpoint())
    for skip in (True, False):
        same = labels(str(out), seen[0], skip=skip) == labels(original, seen[0], skip=skip)
        assert same.mean() > 0.85
    assert (labels(str(out), seen[0]) != labels(str(out), seen[0], skip=False)).any()
    assert logging.root.manager.disable == logging.NOTSET


def test_a_pruned_network_is_smaller_and_comes_back_from_its_file(pruned, seen, tmp_path):
    assert weights_of(pruned) < 0.5 * weights_of(load(default_checkpoint()))
    save(pruned, tmp_path / "pruned.pth")
    again = load(tmp_path / "pruned.pth")
    assert weights_of(again) == weights_of(pruned)
    assert again.info["pruned"] == 0.4
    for skip in (True, False):
        assert np.array_equal(labels(again, seen[1], skip=skip), labels(pruned, seen[1], skip=skip))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_pruned_network_runs_by_every_runtime(pruned, seen, runtime):
    if not installed(runtime):
        pytest.skip(f"{runtime} is not installed")
    network = Segmenter(pruned, device="cpu", input_size=(64, 128), runtime=runtime)
    assert network(seen[0]).shape == seen[0].shape[:2]


def test_a_pruned_network_is_exported_and_averaged_as_any_other(pruned, tmp_path):
    agreement = export(pruned, tmp_path / "pruned.ts", "torchscript", Signature("logits8"))
    assert "100.000 %" in str(agreement)
    mean = average([pruned, pruned])
    assert weights_of(mean) == weights_of(pruned)


@pytest.mark.slow
def test_tuning_brings_a_pruned_network_nearer_to_what_it_was(seen):
    original = load(default_checkpoint())
    small = prune(original, 0.3, seen)
    torch.manual_seed(0)

    def same():
        return np.mean([(labels(small, one) == labels(original, one)).mean() for one in seen])

    before = same()
    tune(small, original, seen, 12)
    assert same() > before
    assert not small.model.training


@pytest.mark.parametrize("spoiled", ["classifier.3.weight", "learning_to_downsample.0.0.weight"])
def test_layers_that_do_not_go_together_are_refused(pruned, tmp_path, spoiled):
    path = tmp_path / "damaged.pth"
    save(pruned, path)
    values = torch.load(path, weights_only=True)
    values["weights"][spoiled] = values["weights"][spoiled][:, :2].clone()
    torch.save(values, path)
    with pytest.raises(CheckpointError, match="does not fit"):
        load(path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.pth"], "--int8, --prune"),
        (["-o", "a.pth", "--prune", "1.5"], "above 0"),
        (["-o", "a.pth", "--int8"], ".onnx"),
        (["-o", "a.onnx", "--prune", "0.2"], ".pth"),
        (["-o", "a.onnx", "--int8", "--finetune", "."], "--prune leaves"),
        (["-o", "a.pth", "--prune", "0.2", "--steps", "1"], "at least 10"),
    ],
)
def test_what_does_not_go_together_is_said(capsys, arguments, words):
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "given", "words"),
    [
        (5, ["--prune", "0.2"], "exists"),
        (3, ["--prune", "0.2", "--overwrite", "--pictures", "nowhere"], "nowhere"),
        (4, ["missing.pth", "--prune", "0.2", "--overwrite"], "missing.pth"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(tmp_path, capsys, code, given, words):
    out = tmp_path / "out.pth"
    out.write_bytes(b"mine")
    assert main(["-o", str(out), *given]) == code
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert out.read_bytes() == b"mine"
