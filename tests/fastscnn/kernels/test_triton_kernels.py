"""The kernels for cards, run by Triton's interpreter where there is no card."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.support.media import ROOT

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed"
)

BEGIN = """
import math
import torch
from fastscnn.kernels import triton_kernels

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(1)
SIZES = ((12, 9), (2, 260), (5, 7), (2, 1))  # the interpreter takes its time

def images():
    for dtype in (torch.float32, torch.float16):
        for aligned in (False, True):
            for size in SIZES:
                logits = torch.randn(7, 5, 7, generator=generator).mul_(3).to(dtype).to(device)
                logits = logits.permute(1, 2, 0).contiguous().permute(2, 0, 1)  # channels last
                yield logits, size, aligned
"""

LABELS = """
from fastscnn.upsampling.upsample import labels_reference

for logits, size, aligned in images():
    fast = triton_kernels.labels(logits, size, aligned)
    plain = labels_reference(logits[None], size, aligned)[0]
    assert fast.shape == plain.shape and fast.dtype == torch.uint8
    off = 1 if logits.dtype == torch.float32 else 4
    assert (fast != plain).sum() <= off, (logits.dtype, size)
ties = torch.randint(-1, 2, (5, 9, 11), generator=generator).float().to(device)
fast = triton_kernels.labels(ties, (18, 22))
assert torch.equal(fast, labels_reference(ties[None], (18, 22))[0])
"""

CONFIDENCE = """
from fastscnn.upsampling.confidence import confidence_reference

for logits, size, aligned in images():
    labels, fast = triton_kernels.labels_and_confidence(logits, size, aligned)
    assert torch.equal(labels, triton_kernels.labels(logits, size, aligned))
    plain = confidence_reference(logits[None], size, aligned)[0]
    assert (fast.int() - plain.int()).abs().max() <= 1, (logits.dtype, size)
certain = torch.zeros(7, 2, 2, device=device)
certain[3] = 60000
assert (triton_kernels.labels_and_confidence(certain, (2, 3))[1] == 255).all()
"""

ENTROPY = """
from fastscnn.upsampling.upsample import probabilities_reference

for logits, size, aligned in images():
    labels, fast = triton_kernels.labels_and_entropy(logits, size, aligned)
    assert torch.equal(labels, triton_kernels.labels(logits, size, aligned))
    prob = probabilities_reference(logits[None], size, aligned)[0].double()
    plain = -(prob * prob.clamp(min=1e-30).log()).sum(0) / math.log(7) * 255
    assert (fast.double() - plain).abs().max() <= 0.51, (logits.dtype, size)
even = torch.full((7, 2, 2), -7.0, device=device)
assert (triton_kernels.labels_and_entropy(even, (2, 3))[1] == 255).all()
certain = torch.zeros(7, 2, 2, device=device)
certain[6] = 60000
assert (triton_kernels.labels_and_entropy(certain, (2, 3))[1] == 0).all()
"""

NORMALISED = """
from fastscnn.inference.runtimes import normalised

scale = torch.tensor([0.017, 0.018, 0.0174]).view(1, 3, 1, 1).to(device)
shift = torch.tensor([-2.1, -2.04, -1.8]).view(1, 3, 1, 1).to(device)
for size in ((16, 32), (33, 7), (1, 1)):
    pixels = torch.randint(0, 256, (*size, 3), dtype=torch.uint8, generator=generator).to(device)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for layout in (torch.contiguous_format, torch.channels_last):
            fast = triton_kernels.normalised(pixels, scale, shift, dtype, layout)
            plain = normalised(pixels, scale, shift, dtype, layout)
            assert fast.is_contiguous(memory_format=layout) and fast.dtype == dtype
            assert torch.allclose(fast, plain, rtol=2 * torch.finfo(dtype).eps, atol=1e-6)
"""


SCRIPTS = {
    "labels": LABELS,
    "confidence": CONFIDENCE,
    "entropy": ENTROPY,
    "normalised": NORMALISED,
}


@pytest.fixture(scope="module")
def said():
    """What each script came to, all in one process: a new one takes seconds to import torch."""
    import torch

    environment = dict(os.environ)
    if not torch.cuda.is_available():
        environment["TRITON_INTERPRET"] = "1"
    whole = f"""
import traceback
for name, script in {SCRIPTS!r}.items():
    try:
        exec({BEGIN!r} + script)
        print(name, "same")
    except Exception:
        print(name, traceback.format_exc())
"""
    done = subprocess.run(
        [sys.executable, "-c", whole],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return done.stdout + done.stderr


@needs_triton
@pytest.mark.parametrize("kernel", SCRIPTS)
def test_a_kernel_gives_what_torch_s_operations_give(kernel, said):
    assert f"{kernel} same" in said.splitlines(), said


@needs_triton
def test_no_size_stride_or_step_is_compiled_for():
    from fastscnn.kernels import triton_kernels

    for kernel in (triton_kernels._upsample, triton_kernels._normalise):
        for parameter in kernel.params:
            assert parameter.is_constexpr or parameter.do_not_specialize or (
                parameter.do_not_specialize_on_alignment
            ), parameter.name  # fmt: skip


COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from fastscnn.kernels import triton_kernels

def compiled(kernel, constants, floats, numbers):
    kinds = {
        p.name: "constexpr" if p.is_constexpr
        else numbers if p.name in {"logits", "out"}
        else "*u8" if p.name in {"levels", "pixels"}
        else "*fp32" if p.name in {"scale", "shift"}
        else "fp32" if p.name in floats else "i32"
        for p in kernel.params
    }
    if "levels" in kinds:
        kinds["out"] = "*u8"
    source = ASTSource(kernel, kinds, constants)
    return triton.compile(source, target=GPUTarget("cuda", 80, 32)).asm["cubin"]

floats = {"step_y", "step_x", "per_nat"}
for measure in range(3):
    constants = {"ALIGNED": measure == 1, "MEASURE": measure, "BLOCK": 256}
    assert compiled(triton_kernels._upsample, constants, floats, "*fp16")
assert compiled(triton_kernels._normalise, {"BLOCK": 256}, floats, "*fp16")
print("compiled")
"""


@needs_triton
def test_the_kernels_compile_for_a_card_that_is_not_there(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILED],
        cwd=ROOT,
        env=environment | {"TRITON_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stdout.strip() == "compiled", done.stderr
    assert list(tmp_path.rglob("*.cubin"))  # kept on disk for the next process
