"""Where a kernel does not run, torch's operations do, and it is said why."""

import subprocess

import pytest
import torch

from app.config.settings import NetworkOptions
from app.core.events import EventBus
from app.inference.network_manager import NetworkManager
from fastscnn import Segmenter
from fastscnn.kernels import kernel_choice
from fastscnn.kernels.kernel_choice import kernel_or, refusal
from fastscnn.upsampling.row_strips import labels_by_strips
from fastscnn.upsampling.upsample import labels_reference


@pytest.fixture(autouse=True)
def unrefused(monkeypatch):
    monkeypatch.setattr(kernel_choice, "_refused", [])


@pytest.fixture
def broken(monkeypatch):
    """Replaces the kernels by ones that fail with an error."""
    import sys
    import types

    import fastscnn.kernels

    def make(error):
        calls = []

        def labels(*arguments):
            calls.append(arguments)
            raise error

        module = types.ModuleType("fastscnn.kernels.triton_kernels")
        module.labels = labels
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(fastscnn.kernels, "triton_kernels", module, raising=False)
        return calls

    return make


def test_on_a_machine_without_a_card_labels_come_from_torch_and_it_is_said():
    """By Triton's own error, or by that of its absence."""
    logits = torch.randn(1, 5, 4, 6)
    found = kernel_or("labels", labels_by_strips)(logits[0], (9, 13), False)
    if torch.cuda.is_available():
        pytest.skip("there is a card")
    assert torch.equal(found, labels_reference(logits, (9, 13))[0])
    assert refusal().startswith("Triton's kernels do not run here (")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Failed to find C compiler. Please specify via CC environment variable.\nx"),
        subprocess.CalledProcessError(1, ["gcc", "stub.c"]),
        PermissionError(13, "Permission denied", "/root/.triton"),
    ],
)
def test_a_kernel_that_cannot_be_made_is_tried_once(broken, error):
    calls = broken(error)
    logits = torch.randn(1, 5, 4, 6)
    way = kernel_or("labels", labels_by_strips)
    for _ in range(3):
        assert torch.equal(way(logits[0], (8, 12), False), labels_reference(logits, (8, 12))[0])
    assert len(calls) == 1
    assert "\n" not in refusal()
    assert ("Install a C compiler" in refusal()) == ("compiler" in str(error))


def test_out_of_memory_is_no_reason_to_give_kernels_up(broken):
    broken(torch.OutOfMemoryError("too large"))
    with pytest.raises(torch.OutOfMemoryError):
        kernel_or("labels", labels_by_strips)(torch.zeros(5, 4, 6), (8, 12), False)
    assert not refusal()


def test_the_user_is_told_once(monkeypatch):
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size=(64, 96))
    monkeypatch.setattr(Segmenter, "fallback", "Triton's kernels do not run here.")
    events = EventBus()
    networks = NetworkManager(NetworkOptions(), events)
    for _ in range(2):
        networks.ready(segmenter)
    assert "without Triton's kernels" in networks.info().runtime
    said = []
    while not events.empty():
        said.append(events.get().text)
    assert said == ["Triton's kernels do not run here."]
