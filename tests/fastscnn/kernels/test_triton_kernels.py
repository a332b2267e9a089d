"""The kernels for cards, run by Triton's interpreter where there is no card."""

import pytest

from tests.support.triton_scripts import needs_triton, run_compiler, run_scripts

BEGIN = """
import math
import torch
from fastscnn.kernels import triton_kernels

device = "cuda" if torch.cuda.is_available() else "cpu"
generator = torch.Generator().manual_seed(1)
"""

LABELS = """
from fastscnn.upsampling.confidence import confidence_reference
from fastscnn.upsampling.upsample import labels_reference, probabilities_reference

# The interpreter takes its time: small and few, with more columns than a block, and fewer rows.
for dtype, aligned, size in (
    (torch.float32, False, (5, 9)), (torch.float32, True, (4, 7)), (torch.float32, False, (1, 260)),
    (torch.float16, False, (3, 4)), (torch.float16, True, (2, 1)), (torch.bfloat16, False, (1, 2)),
):
    logits = torch.randn(5, 3, 4, generator=generator).mul_(3).to(dtype).to(device)
    logits = logits.permute(1, 2, 0).contiguous().permute(2, 0, 1)  # channels last
    labels = triton_kernels.labels(logits, size, aligned)
    plain = labels_reference(logits[None], size, aligned)[0]
    assert labels.shape == plain.shape and labels.dtype == torch.uint8
    assert (labels != plain).sum() <= (dtype != torch.float32), (dtype, size)

    again, confidence = triton_kernels.labels_and_confidence(logits, size, aligned)
    assert torch.equal(again, labels)
    plain = confidence_reference(logits[None], size, aligned)[0]
    assert (confidence.int() - plain.int()).abs().max() <= 1, (dtype, size)

    again, entropy = triton_kernels.labels_and_entropy(logits, size, aligned)
    assert torch.equal(again, labels)
    prob = probabilities_reference(logits[None], size, aligned)[0].double()
    plain = -(prob * prob.clamp(min=1e-30).log()).sum(0) / math.log(5) * 255
    assert (entropy.double() - plain).abs().max() <= 0.51, (dtype, size)
"""

EXTREMES = """
from fastscnn.upsampling.upsample import labels_reference

ties = torch.randint(-1, 2, (5, 3, 5), generator=generator).float().to(device)
assert torch.equal(triton_kernels.labels(ties, (6, 10)), labels_reference(ties[None], (6, 10))[0])
for sure in (0, 4):
    certain = torch.zeros(5, 1, 2, device=device)
    certain[sure] = 60000
    assert (triton_kernels.labels_and_confidence(certain, (1, 3))[1] == 255).all()
    assert (triton_kernels.labels_and_entropy(certain, (1, 3))[1] == 0).all()
even = torch.full((5, 1, 2), -7.0, device=device)
assert (triton_kernels.labels_and_confidence(even, (1, 3))[1] == 51).all()
assert (triton_kernels.labels_and_entropy(even, (1, 3))[1] == 255).all()
"""

NORMALISED = """
from fastscnn.inference.runtimes import normalised

scale = torch.tensor([0.017, 0.018, 0.0174]).view(1, 3, 1, 1).to(device)
shift = torch.tensor([-2.1, -2.04, -1.8]).view(1, 3, 1, 1).to(device)
for size in ((16, 17), (3, 7), (1, 1)):
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
    "extremes": EXTREMES,
    "normalised": NORMALISED,
}


@pytest.fixture(scope="module")
def said():
    """What each script came to."""
    return run_scripts(BEGIN, SCRIPTS)


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
from fastscnn.kernels import triton_kernels

def kinds(name):
    return {
        "logits": "*fp16", "out": "*u8", "levels": "*u8", "pixels": "*u8",
        "scale": "*fp32", "shift": "*fp32", "step_y": "fp32", "step_x": "fp32", "per_nat": "fp32",
    }.get(name, "i32")

for measure in range(3):
    constants = {"ALIGNED": measure == 1, "MEASURE": measure, "BLOCK": 256}
    assert compiled(triton_kernels._upsample, constants, kinds).asm["cubin"]
numbers = lambda name: "*fp16" if name == "out" else kinds(name)
assert compiled(triton_kernels._normalise, {"BLOCK": 256}, numbers).asm["cubin"]
print("compiled")
"""


@needs_triton
@pytest.mark.slow
def test_the_kernels_compile_for_a_card_that_is_not_there(tmp_path):
    assert run_compiler(COMPILED, tmp_path) == "compiled"
    assert list(tmp_path.rglob("*.cubin"))  # kept on disk for the next process
