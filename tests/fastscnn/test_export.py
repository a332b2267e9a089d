"""What is exported gives what the network gives, at any size."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fastscnn.checkpoints.checkpoint import Checkpoint, load, save
from fastscnn.checkpoints.public_formats import FORMATS, WRITABLE
from fastscnn.compress.compress_command import main as compress
from fastscnn.data.class_sets import ClassSet
from fastscnn.export import export, main
from fastscnn.exporting import agreement, export_writers, exportable_model
from fastscnn.exporting.agreement import Agreement, ExportError, compare, reference
from fastscnn.exporting.exportable_model import Exportable, Signature, average_pool
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from fastscnn.segmenter import default_checkpoint
from fastscnn.soup import main as soup
from tests.support.media import SHARED
from tests.support.reference_models import randomise

FIXTURES = SHARED / "fixtures" / "checkpoints"
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the checkpoint fixtures (../shared/fixtures) are not here"
)
CONFIGS = {"paper": FastSCNNConfig()} | {format_.name: format_.config for format_ in FORMATS}
PADDLE = next(format_ for format_ in FORMATS if format_.name == "PaddleSeg")


_SMALL = ((2, 64, 96), (1, 97, 131), (1, 128, 64))


@pytest.fixture
def small_sizes(monkeypatch):
    """Fewer pixels where only the way of an export matters."""
    monkeypatch.setattr(agreement, "SIZES", _SMALL)


def _random(config, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)):
    torch.manual_seed(3)
    return Checkpoint(randomise(FastSCNN(config)), mean, std)


def _session(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def _pixels(height, width):
    return agreement.street_images(1, height, width)


@pytest.mark.parametrize("bins", [1, 2, 3, 4, 6, 16])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 13), (12, 39), (32, 64)])
def test_the_exportable_pooling_is_adaptive_average_pooling(size, bins):
    x = torch.randn(2, 5, *size)
    assert torch.allclose(average_pool(x, bins), F.adaptive_avg_pool2d(x, bins), atol=1e-6)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("size", [(32, 32), (97, 131)])
def test_every_known_network_has_an_exportable_form(name, size):
    checkpoint = _random(CONFIGS[name])
    pixels = _pixels(*size)
    for skip in (True, False):
        ours = reference(checkpoint, pixels, "logits8", skip)
        for mode in ("input", "on" if skip else "off"):
            switch = torch.tensor(skip) if mode == "input" else None
            with torch.inference_mode():
                module = Exportable(checkpoint, Signature("logits8", mode))
                theirs = module(torch.from_numpy(pixels), switch)
            assert (ours - theirs).abs().max() <= 1e-3 * ours.std()


@pytest.mark.parametrize("name", CONFIGS)
def test_every_known_network_exports_for_any_size(name, tmp_path, small_sizes):
    found = export(
        _random(CONFIGS[name]), tmp_path / "x.ts", "torchscript", Signature("logits", "input")
    )
    assert found.labels >= 0.9999
    assert found.deviation <= 1e-3


@pytest.fixture(scope="module")
def onnx_labels(tmp_path_factory):
    """The shipped weights as ONNX that gives labels, by the command."""
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    path = tmp_path_factory.mktemp("onnx") / "fastscnn.onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement, "SIZES", _SMALL)
        assert main([str(path)]) == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return path


@pytest.mark.parametrize("size", [(512, 1024), (360, 640), (375, 1242), (32, 33)])
def test_onnx_gives_the_labels_of_the_network(onnx_labels, size):
    pixels = _pixels(*size)
    (labels,) = _session(onnx_labels).run(None, {"pixels": pixels})
    assert labels.dtype == np.uint8
    assert labels.shape == (1, *size)
    truth = reference(load(default_checkpoint()), pixels, "cls", True).numpy()
    assert (labels == truth).mean() >= 0.9999
    assert len(np.unique(truth)) > 1


def test_onnx_tells_how_it_is_used_and_nothing_of_where_it_was_made(onnx_labels):
    session = _session(onnx_labels)
    (pixels,), (labels,) = session.get_inputs(), session.get_outputs()
    assert (pixels.name, pixels.type) == ("pixels", "tensor(uint8)")
    assert pixels.shape == ["batch", "height", "width", 3]
    assert (labels.name, labels.type) == ("labels", "tensor(uint8)")
    assert labels.shape == ["batch", "height", "width"]
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"])[0] == "road"
    assert "uint8 RGB N×H×W×3" in about["input"]
    assert b"exportable_model.py" not in onnx_labels.read_bytes()


@pytest.mark.slow
def test_onnx_takes_the_skip_connection_as_an_input_and_odd_sizes(tmp_path, small_sizes):
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name)
    # Fewer bottlenecks, for the time that exporting takes
    config = replace(PADDLE.config, repeats=(1, 1, 1))
    checkpoint = _random(config, PADDLE.mean, PADDLE.std)
    path = tmp_path / "x.onnx"
    export(checkpoint, path, "onnx", Signature("prob", "input", "nchw"))
    pixels = _pixels(95, 161)
    for skip in (True, False):
        inputs = {"pixels": pixels.transpose(0, 3, 1, 2), "skip": np.array(skip)}
        (prob,) = _session(path).run(None, inputs)
        truth = reference(checkpoint, pixels, "prob", skip).numpy()
        assert np.abs(prob - truth).max() < 1e-4


@pytest.mark.slow
def test_an_exported_program_gives_the_labels_of_the_network(tmp_path, small_sizes):
    path = tmp_path / "x.pt2"
    assert main([str(path), "--output", "cls"]) == 0
    assert b"exportable_model.py" not in path.read_bytes()
    pixels = _pixels(101, 203)
    labels = torch.export.load(path).module()(torch.from_numpy(pixels))
    truth = reference(load(default_checkpoint()), pixels, "cls", True)
    assert (labels == truth).float().mean() >= 0.9999


def test_openvino_gives_the_labels_of_the_network(tmp_path, small_sizes):
    openvino = pytest.importorskip("openvino")
    path = tmp_path / "x.xml"
    assert main([str(path)]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.bin", "x.xml"]
    pixels = _pixels(101, 203)
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    truth = reference(load(default_checkpoint()), pixels, "cls", True).numpy()
    assert (model([pixels])[0] == truth).mean() >= 0.9999


@pytest.mark.parametrize("output", ["cls", "prob", "logits", "logits8"])
def test_a_model_that_differs_is_not_written(tmp_path, monkeypatch, capsys, small_sizes, output):
    path = tmp_path / "x.ts"
    path.write_bytes(b"what was here")
    # The mean of all cells in place of each cell's own: the mistake of a naive export
    monkeypatch.setattr(
        exportable_model,
        "average_pool",
        lambda x, bins: x.mean((2, 3), keepdim=True).expand(-1, -1, bins, bins) + 1,
    )
    assert main([str(path), "--output", output, "--overwrite"]) == 5
    error = capsys.readouterr().err
    assert "does not agree with the network at 64×96" in error
    assert error.count("\n") == 1
    assert path.read_bytes() == b"what was here"
    assert [file.name for file in tmp_path.iterdir()] == ["x.ts"]


def test_outputs_of_another_shape_or_without_a_value_do_not_agree(small_sizes):
    checkpoint = _random(FastSCNNConfig())
    with pytest.raises(ExportError, match="float64"):
        compare(checkpoint, Signature("logits8"), lambda pixels, skip: np.zeros((1, 19, 8, 12)))
    with pytest.raises(ExportError, match="does not agree"):
        compare(
            checkpoint,
            Signature("logits8"),
            lambda pixels, skip: reference(checkpoint, pixels, "logits8", skip).numpy() * np.nan,
        )
    same = compare(
        checkpoint, Signature(), lambda p, skip: reference(checkpoint, p, "cls", skip).numpy()
    )
    assert same == Agreement(1.0, 0.0)


@pytest.mark.parametrize("output", ["logits8", "prob"])
def test_a_tie_that_rounding_decides_is_no_difference_but_another_class_is(output, small_sizes):
    checkpoint = _random(FastSCNNConfig())
    last = checkpoint.model.classifier[-1]
    with torch.no_grad():
        for tensor in (last.weight, last.bias):  # each class ties with others
            tensor[3:18] = tensor[:3].repeat(5, *(1,) * (tensor.ndim - 1))
            tensor[18] = tensor[0]

    def off_by(share):
        def run(pixels, skip):
            values = reference(checkpoint, pixels, output, skip).numpy()
            noise = np.random.default_rng(1).uniform(-1, 1, values.shape)
            return (values + share * values.std() * noise).astype(np.float32)

        return run

    assert compare(checkpoint, Signature(output), off_by(1e-5)).labels == 1
    with pytest.raises(ExportError, match="does not agree"):
        compare(checkpoint, Signature(output), off_by(0.1))


def test_a_missing_package_is_said_in_one_sentence(tmp_path, monkeypatch, capsys):
    find = export_writers.importlib.util.find_spec
    monkeypatch.setattr(
        export_writers.importlib.util,
        "find_spec",
        lambda name: None if name in ("onnxscript", "openvino") else find(name),
    )
    for name in ("x.onnx", "x.xml"):
        assert main([str(tmp_path / name)]) == 2
        error = capsys.readouterr().err
        assert "needs onnxscript" in error
        assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["x.weights"], "does not tell the format"),
        (["x.pth", "--format", "tramac", "--output", "cls"], "holds weights alone"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments, sentence, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert sentence in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said_before_any_work(tmp_path, capsys):
    (tmp_path / "old.ts").write_text("precious")
    assert main([str(tmp_path / "old.ts" / "x.ts")]) == 5
    assert "no folder" in capsys.readouterr().err
    assert main([str(tmp_path / "old.ts")]) == 5
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "old.ts").read_text() == "precious"


@needs_fixtures
@pytest.mark.parametrize("format_", WRITABLE)
def test_the_way_back_gives_the_original_names_and_shapes(format_, tmp_path, small_sizes):
    original = torch.load(FIXTURES / f"{format_}.pth", weights_only=True)
    original = original.get("state_dict", original)
    checkpoint = load(FIXTURES / f"{format_}.pth")
    export(checkpoint, tmp_path / "back.pth", format_)
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    state = back["state_dict"] if format_ == "mmseg" else back
    expected = {k: v.shape for k, v in original.items() if not k.startswith("aux")}
    assert {k: v.shape for k, v in state.items()} == expected
    again = load(tmp_path / "back.pth")
    assert again.origin == checkpoint.origin
    for name, tensor in checkpoint.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], tensor)
    biases = [k for k in state if "conv_lower_res.0.bias" in k or "conv_higher_res.0.bias" in k]
    assert len(biases) == (2 if format_ == "tramac" else 0)
    assert all(not state[name].any() for name in biases)


@pytest.mark.parametrize("names", [("lane", "kerb", "sky"), tuple(map(str, range(30)))])
def test_names_of_other_classes_are_told_and_go_along(names, tmp_path, small_sizes, capsys):
    network = randomise(FastSCNN(replace(WRITABLE["mmseg"].config, num_classes=len(names))))
    save(Checkpoint(network, classes=ClassSet(names)), tmp_path / "own.pth")
    out = tmp_path / "theirs.pth"
    assert main([str(out), "--format", "mmseg", "--weights", str(tmp_path / "own.pth")]) == 0
    said = capsys.readouterr().out
    assert said.count(f"These weights know {len(names)} classes") == 1
    assert load(out).classes.names == names
    assert len(torch.load(out, weights_only=True)["meta"]["PALETTE"]) == len(names)


@pytest.mark.parametrize("format_", WRITABLE)
def test_a_network_of_our_own_with_fitting_switches_finds_the_way_back(
    format_, tmp_path, small_sizes
):
    checkpoint = _random(WRITABLE[format_].config)
    save(checkpoint, tmp_path / "own.pth")
    foreign = tmp_path / "foreign.pth"
    arguments = [str(foreign), "--weights", str(tmp_path / "own.pth"), "--format", format_]
    assert main(arguments) == 0
    x = torch.randn(1, 3, 65, 96)
    with torch.inference_mode():
        assert torch.equal(load(foreign).model(x), checkpoint.model(x))


@pytest.mark.parametrize("format_", WRITABLE)
def test_a_network_with_other_switches_is_refused_by_their_names(format_, tmp_path, capsys):
    save(_random(FastSCNNConfig(), mean=(0.5, 0.5, 0.5)), tmp_path / "own.pth")
    path = tmp_path / "back.pth"
    arguments = [str(path), "--weights", str(tmp_path / "own.pth"), "--format", format_]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "fusion_dilation is 4, not 1" in error
    assert "mean is (0.5, 0.5, 0.5)" in error
    assert error.count("\n") == 1
    assert not path.exists()


def test_weights_that_cannot_be_loaded_end_with_4(tmp_path, capsys):
    assert main([str(tmp_path / "x.ts"), "--weights", "nosuch.pth"]) == 4
    assert "nosuch.pth" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["small.onnx", "net.xml", "net.pt2", "NET.TS"])
def test_a_graph_is_no_checkpoint_and_says_what_is_wanted(name, tmp_path, capsys):
    graph, out = tmp_path / name, tmp_path / "x"
    graph.write_bytes(b"a graph")
    for command, words in (
        (main, [f"{out}.ts", "--weights", str(graph)]),
        (compress, [str(graph), "-o", f"{out}.onnx", "--int8"]),
        (soup, [str(graph), "-o", f"{out}.pth"]),
    ):
        assert command(words) == 4
        error = capsys.readouterr().err
        assert f"{name} is a graph, made of a checkpoint" in error
        assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]
