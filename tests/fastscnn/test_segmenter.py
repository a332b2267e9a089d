import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from fastscnn import DeviceError, Segmenter
from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.data.street import Street
from fastscnn.evaluation.metrics import confusion_matrix, pixel_accuracy
from fastscnn.inference.input_size import network_size, parse_input_size
from fastscnn.inference.runtimes import RUNTIMES, installed
from fastscnn.model.fast_scnn import FastSCNN
from tests.support.waiting import PATIENCE


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter.from_checkpoint(device="cpu", precision="fp32", input_size="quarter")


@pytest.fixture(scope="module")
def street():
    return Street(5, 512, 256).render(3.0)


@pytest.mark.parametrize(
    ("name", "picture", "seen"),
    [
        ("full", (1024, 2048), (1024, 2048)),
        ("half", (1024, 2048), (512, 1024)),
        ("quarter", (1024, 2048), (256, 512)),
        ("half", (540, 960), (512, 896)),
        ("half", (1280, 720), (896, 512)),
        ("half", (1, 1), (512, 512)),
        ("half", (10, 10_000), (512, 4096)),
        ("exact", (333, 467), (333, 467)),
        ("exact", (1, 9000), (32, 4096)),
        ((64, 128), (540, 960), (64, 128)),
    ],
)
def test_input_sizes_set_the_short_side_and_keep_the_aspect(name, picture, seen):
    assert network_size(name, *picture) == seen


def test_input_sizes_are_read_from_text():
    assert parse_input_size("Half") == "half"
    assert parse_input_size("360x640") == (360, 640)


@pytest.mark.parametrize("text", ["", "big", "12", "x", "16x64", "64x5000", "-64x64", "1e3x64"])
def test_other_input_sizes_are_refused(text):
    with pytest.raises(ValueError, match="input size"):
        parse_input_size(text)


@pytest.mark.parametrize("size", [(1, 1), (96, 160), (333, 467)])
def test_labels_have_the_pictures_own_size(segmenter, size):
    labels = segmenter(np.full((*size, 3), 90, np.uint8))
    assert labels.shape == size
    assert labels.dtype == np.uint8
    assert labels.max() < 19


def test_labels_are_those_of_interpolated_logits(segmenter, street):
    image, _ = street
    pixels = torch.from_numpy(segmenter.fit(image))
    logits = segmenter.logits(pixels)
    plain = torch.nn.functional.interpolate(
        logits, image.shape[:2], mode="bilinear", align_corners=False
    ).argmax(1)[0]
    assert np.array_equal(segmenter(image), plain.numpy())


def test_pixels_are_normalised_as_the_checkpoint_says():
    torch.manual_seed(1)
    network = FastSCNN().eval()
    mean, std = (0.2, 0.4, 0.6), (0.5, 0.3, 0.1)
    segmenter = Segmenter(
        Checkpoint(network, mean, std), device="cpu", precision="fp32", input_size="exact"
    )
    image = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)
    x = (torch.from_numpy(image).double() / 255 - torch.tensor(mean)) / torch.tensor(std)
    with torch.inference_mode():
        plain = network(x.permute(2, 0, 1)[None].float())
    assert torch.allclose(segmenter.logits(torch.from_numpy(image)), plain, atol=1e-4)


def test_probabilities_sum_to_one_and_their_largest_is_the_label(segmenter, street):
    image, _ = street
    prob = segmenter.prob(image)
    assert prob.shape == (19, *image.shape[:2])
    assert prob.sum(axis=0) == pytest.approx(1, abs=1e-4)
    assert (prob.argmax(axis=0) == segmenter(image)).mean() > 0.9999


def test_the_skip_connection_can_be_switched_from_call_to_call(segmenter, street):
    image, _ = street
    on, off = segmenter(image), segmenter(image, skip=False)
    assert not np.array_equal(on, off)
    assert np.array_equal(on, segmenter(image))


def test_labels_are_coarser_without_the_skip_connection(segmenter):
    # Coarser means fewer borders between classes, over several frames.
    borders = {True: 0, False: 0}
    street = Street(6, 512, 256)
    for time in range(0, 60, 6):
        image, _ = street.render(time)
        for skip in borders:
            labels = segmenter(image, skip=skip).astype(int)
            borders[skip] += np.count_nonzero(np.diff(labels)) + np.count_nonzero(
                np.diff(labels, axis=0)
            )
    assert borders[False] < 0.9 * borders[True]


def test_the_shipped_weights_see_the_demo_street():
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size="half")
    street = Street(77, 1024, 512)
    total = sum(confusion_matrix(truth, segmenter(image)) for image, truth in map(
        street.render, (2.0, 12.0, 30.0)
    ))  # fmt: skip
    assert pixel_accuracy(total) > 0.85


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(segmenter, image):
    with pytest.raises(ValueError, match="uint8 H×W×3"):
        segmenter(image)


@pytest.mark.parametrize("device", ["cuda:99", "abacus", "xpu"])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(DeviceError, match=r"no device|not in this machine"):
        Segmenter.from_checkpoint(device=device)


def test_a_precision_that_the_device_lacks_is_refused():
    with pytest.raises(DeviceError, match="float16"):
        Segmenter.from_checkpoint(device="cpu", precision="fp16")
    with pytest.raises(DeviceError, match="no precision"):
        Segmenter.from_checkpoint(device="cpu", precision="int4")


@pytest.mark.parametrize("runtime", [name for name in RUNTIMES if name != "onnxruntime"])
def test_bfloat16_gives_nearly_the_same_labels(segmenter, street, runtime):
    if not installed(runtime):
        pytest.skip(f"{runtime} is not installed")
    image, _ = street
    half = Segmenter.from_checkpoint(
        device="cpu", precision="bf16", input_size="quarter", runtime=runtime
    )
    assert half.runtime_is(runtime)
    assert (half(image) == segmenter(image)).mean() > 0.97


@pytest.mark.parametrize("given", [None, "weights/fastscnn.pth", 5])
def test_what_is_no_checkpoint_is_refused_with_the_way_to_open_a_file(given):
    with pytest.raises(TypeError, match=r"not of \w+: use Segmenter\.from_checkpoint\(path\)"):
        Segmenter(given)


@pytest.mark.parametrize("image", [None, "street.jpg", [[0]]])
def test_what_is_no_array_is_refused_in_a_sentence(segmenter, image):
    for call in (segmenter, segmenter.prob):
        with pytest.raises(TypeError, match="A picture is an array, uint8 RGB H×W×3, not"):
            call(image)


@pytest.mark.parametrize("size", [(5, 5), (64,), 64, (64.5, 96), (64, 5000), "x"])
def test_an_input_size_that_cannot_be_meant_is_refused(segmenter, size):
    for make in (segmenter.at, lambda size: Segmenter.from_checkpoint(input_size=size)):
        with pytest.raises(ValueError, match="input size"):
            make(size)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_threads_that_share_a_segmenter_get_their_own_labels(runtime):
    if not installed(runtime):
        pytest.skip(f"{runtime} is not installed")
    shared = Segmenter.from_checkpoint(device="cpu", input_size=(64, 96), runtime=runtime)
    street = Street(77, 96, 64)
    images = [street.render(time)[0] for time in (1.0, 20.0)]
    expected = [shared(image) for image in images]
    assert (expected[0] != expected[1]).any()
    together = threading.Barrier(2)

    def right(index):
        together.wait(PATIENCE)
        return sum(np.array_equal(shared(images[index]), expected[index]) for _ in range(50))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(right, range(2))) == [50, 50]


def test_a_runtime_alone_picks_the_precision_that_it_has():
    pytest.importorskip("onnxruntime")
    segmenter = Segmenter.from_checkpoint(device="cpu", runtime="onnxruntime")
    assert segmenter.precision == "fp32"
