"""Whatever runs the network, the labels are the same."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from fastscnn import DeviceError, FastSCNN, FastSCNNConfig, Segmenter
from fastscnn.checkpoints.checkpoint import Checkpoint
from fastscnn.data.street import Street
from fastscnn.inference import runtimes
from fastscnn.inference.processor import cpu_threads
from tests.support.waiting import PATIENCE

CONFIGS = {
    "paper": FastSCNNConfig(),
    "aligned, not padded": FastSCNNConfig(
        stem_padding="none",
        depthwise_activation="relu",
        pyramid_align_corners=True,
        align_corners=True,
    ),
    "end padding, other pyramid": FastSCNNConfig(
        stem_padding="end",
        bottleneck_activation="relu6",
        repeats=(3, 2, 3),
        pyramid_bins=(1, 2, 4, 6),
        pyramid_norm=False,
        pyramid_kernel=3,
        fusion_dilation=1,
        fusion_dense=True,
        final_norm=True,
    ),
    "padded at the end, pyramid of windows": FastSCNNConfig(
        stem_padding="end",
        stride_padding="end",
        pyramid_kernel=0,
        pyramid_windows=True,
    ),
    "strided pyramid, nearest and separable fusion": FastSCNNConfig(
        pyramid_kernel=0,
        pyramid_bins=(2, 4, 6, 8),
        pyramid_windows=True,
        pyramid_strided=True,
        fusion_separable=True,
        fusion_nearest=True,
    ),
}


@pytest.fixture(params=["onnxruntime", "openvino"])
def runtime(request):
    if not runtimes.installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    return request.param


def _pair(config, runtime):
    torch.manual_seed(3)
    network = FastSCNN(config).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    checkpoint = Checkpoint(network, (0.4, 0.5, 0.3), (0.2, 0.3, 0.25))
    return [
        Segmenter(checkpoint, device="cpu", precision="fp32", input_size="exact", runtime=name)
        for name in ("torch", runtime)
    ]


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("size", [(64, 128), (65, 97), (130, 33)])
def test_logits_are_those_of_pytorch_for_every_switch_and_odd_size(runtime, config, size):
    ours, theirs = _pair(config, runtime)
    pixels = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8))
    for skips in ((True,), (False,), (True, False), (False, True)):
        pairs = zip(ours.logits_of(pixels, skips), theirs.logits_of(pixels, skips), strict=True)
        for a, b in pairs:
            assert a.shape == b.shape
            assert torch.allclose(a, b, atol=1e-4 * float(a.abs().max()))


def test_labels_agree_with_pytorch_s_on_street_scenes(runtime):
    ours, theirs = (
        Segmenter.from_checkpoint(device="cpu", precision="fp32", runtime=name)
        for name in ("torch", runtime)
    )
    for time in (2.0, 12.0):
        image, _ = Street(9, 512, 256).render(time)
        for skip in (True, False):
            assert (ours(image, skip=skip) == theirs(image, skip=skip)).mean() >= 0.9999


def test_results_outlive_the_next_frame(runtime):
    _, segmenter = _pair(FastSCNNConfig(), runtime)
    first = segmenter.logits(torch.zeros(64, 96, 3, dtype=torch.uint8))
    kept = first.clone()
    segmenter.logits(torch.full((64, 96, 3), 200, dtype=torch.uint8))
    assert torch.equal(first, kept)


@pytest.mark.parametrize("which", [0, 1])
def test_pictures_that_run_beside_each_other_get_their_own_logits(runtime, which):
    segmenter = _pair(FastSCNNConfig(), runtime)[which]
    rng = np.random.default_rng(2)
    pixels = [torch.from_numpy(rng.integers(0, 256, (64, 96, 3), np.uint8)) for _ in range(12)]
    alone = [segmenter.logits(each) for each in pixels]
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(segmenter.logits_of, each, (True,), beside=2) for each in pixels]
        for expected, found in zip(alone, running, strict=True):
            tolerance = 1e-4 * float(expected.abs().max())
            assert torch.allclose(expected, found.result()[0], atol=tolerance)
    assert torch.equal(segmenter.logits(pixels[3]), alone[3])


def test_the_other_setting_of_the_skip_connection_is_made_ready(runtime):
    _, segmenter = _pair(FastSCNNConfig(), runtime)
    segmenter.logits(torch.zeros(64, 96, 3, dtype=torch.uint8), skip=True)
    for thread in threading.enumerate():
        if thread.name == "graph":
            thread.join(PATIENCE)
    assert ((64, 96), (False,), 1) in segmenter._runtime._ready


def test_graphs_are_kept_for_a_few_sizes_only(runtime):
    _, segmenter = _pair(FastSCNNConfig(), runtime)
    for width in range(32, 32 + 8 * 16, 16):
        segmenter.logits_of(torch.zeros(32, width, 3, dtype=torch.uint8), (True, False))
    assert len(segmenter._runtime._ready) <= 6


def test_the_fastest_runtime_that_is_installed_is_picked_and_shown():
    cpu = torch.device("cpu")
    fast = [name for name in ("onnxruntime", "openvino") if runtimes.installed(name)]
    assert runtimes.pick_runtime("auto", cpu, "fp32") == (fast or ["torch"])[0]
    assert runtimes.pick_runtime("torch", cpu, "fp32") == "torch"
    assert runtimes.pick_runtime("auto", torch.device("cuda"), "fp16") == "torch"
    shown = Segmenter.from_checkpoint(device="cpu", runtime="torch").runtime
    assert shown.startswith("PyTorch 2")


def test_a_runtime_that_cannot_be_used_is_refused_in_a_sentence(monkeypatch):
    with pytest.raises(DeviceError, match="no runtime: use auto, torch"):
        Segmenter.from_checkpoint(device="cpu", runtime="abacus")
    monkeypatch.setitem(runtimes._NEEDS, "onnxruntime", ())
    with pytest.raises(runtimes.RuntimeMissing, match="for the CPU"):
        runtimes.pick_runtime("onnxruntime", torch.device("cuda"), "fp16")
    with pytest.raises(DeviceError, match="in fp32 here, not bf16"):
        Segmenter.from_checkpoint(device="cpu", precision="bf16", runtime="onnxruntime")
    monkeypatch.setitem(runtimes._NEEDS, "openvino", ("no_such_library",))
    with pytest.raises(DeviceError, match="pip install no_such_library"):
        Segmenter.from_checkpoint(device="cpu", runtime="openvino")
    assert runtimes.pick_runtime("auto", torch.device("cpu"), "bf16") == "torch"


def test_a_thread_is_left_to_the_rest_where_there_are_some():
    assert 1 <= cpu_threads() <= max(1, torch.get_num_threads() * 2)


FIRST_TOGETHER = """
import os, sys, threading, torch
from fastscnn import Segmenter
sys.setswitchinterval(1e-6)
segmenter = Segmenter.from_checkpoint(
    input_size=(64, 96), precision="fp32", runtime=sys.argv[1], device="cpu"
)
image = torch.zeros(64, 96, 3, dtype=torch.uint8).numpy()
barrier = threading.Barrier(4)
def see():
    barrier.wait()
    segmenter(image)
threads = [threading.Thread(target=see) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
os._exit(0)
"""


def test_threads_may_begin_together(runtime):
    # In a process of its own: only its first inference is in danger, and it holds the interpreter.
    command = [sys.executable, "-c", FIRST_TOGETHER, runtime]
    assert subprocess.run(command, timeout=PATIENCE, check=False).returncode == 0
