"""The CUDA kernel, run by Triton's interpreter where there is no GPU."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.support.media import ROOT

SCRIPT = """
import torch
from fastscnn.upsampling.triton_kernels import labels_by_kernel
from fastscnn.upsampling.upsample import labels_reference

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(1)
for dtype in (torch.float32, torch.float16):
    for aligned in (False, True):
        for size in ((20, 28), (11, 300), (5, 7), (3, 2), (1, 1)):
            logits = torch.randn(19, 5, 7, generator=generator).to(dtype).to(device)
            logits = logits.permute(1, 2, 0).contiguous().permute(2, 0, 1)  # channels last
            fast = labels_by_kernel(logits, size, aligned)
            plain = labels_reference(logits[None], size, aligned)[0]
            assert fast.shape == plain.shape and fast.dtype == torch.uint8
            assert (fast != plain).sum() <= (1 if dtype == torch.float32 else 4), (dtype, size)
ties = torch.randint(-1, 2, (5, 9, 11), generator=generator).float().to(device)
assert torch.equal(labels_by_kernel(ties, (36, 44)), labels_reference(ties[None], (36, 44))[0])
print("same")
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
def test_the_kernel_gives_the_reference_labels():
    import torch

    environment = dict(os.environ)
    if not torch.cuda.is_available():
        environment["TRITON_INTERPRET"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stdout.strip() == "same", done.stderr
