"""ONNX networks of any architecture as weights."""

import importlib.util
import json

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fastscnn import CheckpointError, DeviceError, Segmenter
from fastscnn.inference import onnx_model_runtimes
from fastscnn.labels import CLASS_NAMES, UNKNOWN
from tests.support.cli_process import run_main
from tests.support.media import write_clip
from tests.support.onnx_networks import FIVE, five_classes


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)


def reference(image, *, size=None, normalise=True):
    """The graph of ``five_classes`` by NumPy: means of 4×4 blocks, five weighted sums."""
    seen = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR) if size else image
    x = seen.astype(np.float64)
    if normalise:
        x = (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    h, w = x.shape[0] // 4, x.shape[1] // 4
    x = x[: h * 4, : w * 4].reshape(h, 4, w, 4, 3).mean((1, 3))
    return np.moveaxis(x @ FIVE.T, -1, 0)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("dtype", ["float", "uint8"])
@pytest.mark.parametrize("channels", ["first", "last"])
def test_logits_of_stride_four_become_labels_of_the_picture(
    tmp_path, image, layout, dtype, channels
):
    path = five_classes(tmp_path / "m.onnx", layout=layout, dtype=dtype, channels=channels)
    segmenter = Segmenter.from_checkpoint(path, input_size="exact")
    logits = reference(image, normalise=dtype == "float")
    full = cv2.resize(np.moveaxis(logits, 0, -1), (160, 96), interpolation=cv2.INTER_LINEAR)
    assert (segmenter(image) == full.argmax(-1)).mean() > 0.995
    assert segmenter.classes == ("a", "b", "c", "d", "e")
    prob = segmenter.prob(image)
    assert prob.shape == (5, 96, 160)
    assert prob.sum(0) == pytest.approx(1, abs=1e-4)
    assert not segmenter.has_skip


def test_labels_out_are_shown_as_they_are(tmp_path, image):
    path = five_classes(tmp_path / "m.onnx", output="labels")
    segmenter = Segmenter.from_checkpoint(path, input_size="exact")
    small = reference(image).argmax(0).astype(np.uint8)
    assert (segmenter(image) == cv2.resize(small, (160, 96), interpolation=0)).mean() > 0.999
    assert not segmenter.gives_logits


def test_labels_that_are_no_class_are_unknown(tmp_path, image):
    path = five_classes(tmp_path / "m.onnx", output="labels", metadata={"classes": ["a", "b"]})
    labels = Segmenter.from_checkpoint(path, input_size="exact")(image)
    assert set(np.unique(labels)) == {0, 1, UNKNOWN}


def test_probabilities_out_keep_their_values(tmp_path, image):
    sharp = Segmenter.from_checkpoint(five_classes(tmp_path / "a.onnx"), input_size="exact")
    path = five_classes(tmp_path / "b.onnx", output="probabilities")
    soft = Segmenter.from_checkpoint(path, input_size="exact")
    corner = np.s_[:, 0, 0]
    assert soft.prob(image)[corner] == pytest.approx(sharp.prob(image)[corner], abs=1e-4)


def test_a_size_of_the_graph_or_of_its_metadata_is_taken(tmp_path, image):
    fixed = five_classes(tmp_path / "a.onnx", size=(64, 96))
    said = five_classes(tmp_path / "b.onnx", metadata={"input_size": [64, 96]})
    for path in (fixed, said):
        segmenter = Segmenter.from_checkpoint(path, input_size="full")
        assert segmenter.network_size(96, 160) == (64, 96)
        full = cv2.resize(
            np.moveaxis(reference(image, size=(64, 96)), 0, -1), (160, 96), interpolation=1
        )
        assert (segmenter(image) == full.argmax(-1)).mean() > 0.99


def test_what_is_said_beside_wins_and_what_nobody_says_is_told(tmp_path):
    path = five_classes(tmp_path / "m.onnx", metadata={"classes": None})
    segmenter = Segmenter.from_checkpoint(path)
    assert segmenter.classes == ("0", "1", "2", "3", "4")
    assert "5 classes without names" in segmenter.assumed
    assert "ImageNet" in segmenter.assumed
    assert "m.json beside it" in segmenter.assumed
    said = {
        "classes": ["lane", "kerb", "sky", "car", "cone"],
        "colors": [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12], [13, 14, 15]],
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
    }
    (tmp_path / "m.json").write_text(json.dumps(said))
    segmenter = Segmenter.from_checkpoint(path)
    assert segmenter.assumed == ""
    assert segmenter.classes == tuple(said["classes"])
    assert [row.color for row in segmenter.table.rows] == list(map(tuple, said["colors"]))
    more = {"ids": {name: 3 * i for i, name in enumerate(said["classes"])}, "ignore": [1]}
    (tmp_path / "m.json").write_text(json.dumps(said | more))
    values = Segmenter.from_checkpoint(path).class_set.label_values
    assert values == {0: 0, 3: 1, 6: 2, 9: 3, 12: 4, 1: 255}
    (tmp_path / "m.json").write_text(json.dumps(said | {"ids": {"lane": 1}}))
    with pytest.raises(CheckpointError, match="no values of label files, 0 to 255, for 'kerb'"):
        Segmenter.from_checkpoint(path)


def test_a_switch_of_the_skip_connection_is_used(tmp_path, image):
    path = five_classes(tmp_path / "m.onnx", skip=True)
    segmenter = Segmenter.from_checkpoint(path, input_size="exact")
    assert segmenter.has_skip
    on, off = segmenter(image, skip=True), segmenter(image, skip=False)
    assert (on == Segmenter.from_checkpoint(path, input_size="exact")(image)).all()
    assert (on != off).any()


@pytest.mark.slow
def test_a_network_exported_here_gives_the_labels_that_it_gives_here(tmp_path, image):
    from fastscnn.export import main

    path = tmp_path / "own.onnx"
    assert main(["--format", "onnx", "--output", "logits8", str(path)]) == 0
    own = Segmenter.from_checkpoint(path, input_size="exact", device="cpu")
    plain = Segmenter.from_checkpoint(input_size="exact", device="cpu", precision="fp32")
    assert own.classes == CLASS_NAMES
    assert (own(image) == plain(image)).mean() > 0.999


def save(path, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


F, PICTURE = TensorProto.FLOAT, ("x", TensorProto.FLOAT, [1, 3, "h", "w"])
IDENTITY = helper.make_node("Identity", ["x"], ["y"])
UNUSABLE = {
    "two pictures": (
        lambda p: save(
            p,
            [helper.make_node("Add", ["x", "z"], ["y"])],
            [value(*PICTURE), value("z", F, [1, 3, "h", "w"])],
            [value("y", F, None)],
        ),
        "takes x: tensor\\(float\\)",
    ),
    "four channels": (
        lambda p: save(p, [IDENTITY], [value("x", F, [1, 4, "h", "w"])], [value("y", F, None)]),
        "must have three channels",
    ),
    "a batch": (
        lambda p: save(p, [IDENTITY], [value("x", F, [8, 3, 64, 64])], [value("y", F, None)]),
        "takes 8 pictures at once",
    ),
    "one number": (
        lambda p: save(
            p,
            [helper.make_node("ReduceMean", ["x"], ["y"])],
            [value(*PICTURE)],
            [value("y", F, None)],
        ),
        "gives float32 \\[1, 1, 1, 1\\]",
    ),
    "a size that it does not say": (
        lambda p: save(
            p,
            [helper.make_node("Add", ["x", "c"], ["y"])],
            [value(*PICTURE)],
            [value("y", F, None)],
            [numpy_helper.from_array(np.zeros((1, 3, 50, 50), np.float32), "c")],
        ),
        'does not run at 256×512 .* "input_size"',
    ),
    "text": (lambda p: p.write_text("no graph") and p, "cannot be read as an ONNX network"),
    "nothing": (lambda p: p, "There is no"),
    "a giant": (
        lambda p: save(p, [IDENTITY], [value("x", F, [1, 3, 64, 99999])], [value("y", F, None)]),
        "sides must be whole numbers",
    ),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_an_unusable_graph_is_refused_in_a_sentence(tmp_path, what):
    make, words = UNUSABLE[what]
    with pytest.raises(CheckpointError, match=words) as refused:
        Segmenter.from_checkpoint(make(tmp_path / "m.onnx"))
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("[1]", "is not one JSON object"),
        ("{", "is no JSON"),
        ('{"classes": ["a"]}', "names 1 classes for 5 outputs"),
        ('{"classes": 5}', "no list of at most 255 names"),
        ('{"colors": [[1, 2, 3]]}', "no list of 5 colours"),
        ('{"colors": "red"}', "no list of 5 colours"),
        ('{"mean": [1, 2]}', "not three numbers"),
        ('{"std": [1, 0, 1]}', "not three numbers"),
        ('{"input_size": [64, "x"]}', "sides must be whole numbers"),
    ],
)
def test_what_is_said_wrongly_is_named(tmp_path, said, words):
    path = five_classes(tmp_path / "m.onnx")
    (tmp_path / "m.json").write_text(said)
    with pytest.raises(CheckpointError, match=words):
        Segmenter.from_checkpoint(path)


@pytest.mark.parametrize("more", [{}, {"layout": "nhwc", "dtype": "uint8"}, {"skip": True}])
@pytest.mark.parametrize("output", ["logits", "probabilities", "labels"])
def test_openvino_gives_the_labels_of_onnx_runtime_at_any_size(tmp_path, image, output, more):
    pytest.importorskip("openvino")
    path = five_classes(tmp_path / "m.onnx", output=output, **more)
    one, other = (
        Segmenter.from_checkpoint(path, input_size="exact", runtime=name)
        for name in ("onnxruntime", "openvino")
    )
    assert other.runtime.startswith("OpenVINO")
    for seen in (image, image[:64, :128], image):
        for skip in (True, False):
            assert (one(seen, skip=skip) == other(seen, skip=skip)).mean() > 0.999


def in_8_bits(path, image):
    """The graph of ``five_classes``, its convolution in 8 bits."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    seen = iter([{"image": image[None]}])

    class Reader(CalibrationDataReader):
        def get_next(self):
            return next(seen, None)

    plain = five_classes(path.with_stem("plain"), layout="nhwc", dtype="uint8")
    quantize_static(plain, path, Reader(), op_types_to_quantize=["Conv"])
    return path


def test_a_network_in_8_bits_runs_by_what_is_faster_at_them(tmp_path, image):
    path = in_8_bits(tmp_path / "small.onnx", image)
    small = Segmenter.from_checkpoint(path, input_size="exact")
    here = importlib.util.find_spec("openvino") is not None
    assert small.runtime.startswith("OpenVINO" if here else "ONNX Runtime")
    assert (small(image) == reference_labels(image)).mean() > 0.9
    named = Segmenter.from_checkpoint(path, input_size="exact", runtime="onnxruntime")
    assert named.runtime.startswith("ONNX Runtime")
    plain = Segmenter.from_checkpoint(path.with_stem("plain"), input_size="exact")
    assert plain.runtime.startswith("ONNX Runtime")


def reference_labels(image):
    logits = np.moveaxis(reference(image, normalise=False), 0, -1)
    return cv2.resize(logits, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).argmax(-1)


def test_a_runtime_that_is_not_installed_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_model_runtimes, "find_spec", lambda name: None)
    with pytest.raises(DeviceError, match="openvino is not installed: pip install openvino"):
        Segmenter.from_checkpoint(five_classes(tmp_path / "m.onnx"), runtime="openvino")


@pytest.mark.parametrize("asked", [{"device": "cuda"}, {"precision": "bf16"}, {"runtime": "torch"}])
def test_another_device_precision_or_runtime_is_refused(tmp_path, asked):
    with pytest.raises(DeviceError, match="runs by ONNX Runtime or OpenVINO on the CPU"):
        Segmenter.from_checkpoint(five_classes(tmp_path / "m.onnx"), **asked)


@pytest.mark.parametrize("output", ["logits", "labels"])
def test_it_runs_without_a_window_records_and_gives_data(tmp_path, output):
    path = five_classes(tmp_path / "m.onnx", output=output)
    clip = write_clip(tmp_path / "c.mp4", 6)
    done = run_main(
        str(clip), "--headless", "--weights", str(path), "--input-size", "exact",
        "-o", str(tmp_path / "o.mp4"), "--view", "confidence", "--data", str(tmp_path / "d.jsonl"),
        "--objects", str(tmp_path / "o.json"), "--classes", "a,b",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Assumed: " in done.stderr
    assert "ONNX Runtime" in done.stderr
    rows = list(map(json.loads, (tmp_path / "d.jsonl").read_text().splitlines()))
    assert len(rows) == 6
    assert sum(rows[0][f"share_{name}"] for name in "abcde") == pytest.approx(1, abs=1e-4)
    assert (rows[0]["confidence"] is None) == (output == "labels")
    assert (tmp_path / "o.mp4").stat().st_size > 1000


def test_a_size_that_does_not_run_is_an_error_of_the_weights(tmp_path):
    path = five_classes(tmp_path / "m.onnx", multiple=64)
    clip = write_clip(tmp_path / "c.mp4", 2)
    asked = ("--headless", "--weights", str(path))
    assert run_main(str(clip), *asked, "--input-size", "64x64").returncode == 0
    done = run_main(str(clip), *asked, "--input-size", "96x160")
    assert done.returncode == 4
    [line] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert "does not run at 96×160" in line
    assert line.endswith("choose another --input-size.")
