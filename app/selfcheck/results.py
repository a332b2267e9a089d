"""Results on the device, beside those of the processor in float32 and of the plain paths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from app.selfcheck.findings import Findings, Setup, pictures
from fastscnn.checkpoints.checkpoint import load
from fastscnn.inference.card_ways import alike, difference, measured
from fastscnn.inference.input_size import InputSize
from fastscnn.inference.runtimes import RUNTIMES, card_ways, installed
from fastscnn.kernels.kernel_choice import refusal
from fastscnn.segmenter import Segmenter, default_checkpoint
from fastscnn.upsampling import upsample
from fastscnn.upsampling.confidence import confidence_reference

_SAME = {"bf16": 98.5}
_SAME_OTHERWISE = 99.9
"""Least percentage of pixels whose label is that of the processor in float32."""


def reference(input_size: InputSize) -> Segmenter:
    """Return the network as PyTorch runs it on the processor in float32."""
    return Segmenter.from_checkpoint(
        device="cpu", precision="fp32", input_size=input_size, runtime="torch"
    )


def _ways(setup: Setup) -> list[tuple[str, str]]:
    """Return precisions and runtimes to compare."""
    if setup.on_card:
        return [(precision, "torch") for precision in ("auto", "fp32", "fp16", "bf16")]
    others = (
        [("fp32", name) for name in RUNTIMES if installed(name)] if setup.device == "cpu" else []
    )
    return [("auto", "auto"), *others]


def labels(setup: Setup) -> Findings:
    """Compare labels by precision, input size and skip connection."""
    found = Findings()
    image = pictures(1)[0]
    odd = np.ascontiguousarray(image[:333, :467])
    sizes = ["quarter"] if setup.quick else ["quarter", "half", "full"]
    plain = reference("quarter")
    cases = [(size, skip, image) for size in sizes for skip in (True, False)]
    cases.append(("exact", True, odd))
    wanted = [plain.at(size)(given, skip=skip) for size, skip, given in cases]
    for precision, runtime in _ways(setup):
        segmenter = setup.segmenter("quarter", precision, runtime)
        shares = []
        for (size, skip, given), right in zip(cases, wanted, strict=True):
            at = segmenter.at(size)
            first, again = at(given, skip=skip), at(given, skip=skip)
            name = f"{size}, skip {'on' if skip else 'off'}"
            found.expect(
                bool((first == again).all()), f"{segmenter.precision} {name}: a second run differs"
            )
            shares.append(100 * float((again == right).mean()))
            least = _SAME.get(segmenter.precision, _SAME_OTHERWISE)
            found.expect(
                shares[-1] >= least,
                f"{segmenter.precision} {name}: {shares[-1]:.3f} % as in float32",
            )
        way = f"{segmenter.precision} ({segmenter.runtime})"
        found.figures[way] = min(shares)
        found.facts.append(f"{way} {min(shares):.3f} %")
    return found


def measures(setup: Setup) -> Findings:
    """Compare probabilities, confidence and entropy."""
    found = Findings()
    image = pictures(1, 480, 270)[0]
    size = image.shape[0], image.shape[1]
    segmenter = setup.segmenter("quarter")
    right, prob = reference("quarter").prob(image), segmenter.prob(image)
    logits = segmenter.logits(torch.from_numpy(segmenter.fit(image)).to(segmenter.device))
    confidence = segmenter.labels_and_confidence(logits, size)[1].cpu().numpy()
    entropy = segmenter.labels_and_entropy(logits, size)[1].cpu().numpy()
    spread = -(right * np.log(np.maximum(right, 1e-30))).sum(0) / math.log(len(right))
    off = {
        "probability": float(np.abs(prob - right).mean()),
        "confidence": float(np.abs(confidence - 255 * right.max(0)).mean()) / 255,
        "entropy": float(np.abs(entropy - 255 * spread).mean()) / 255,
    }
    found.expect(bool(np.isfinite(prob).all()), "probabilities are not all numbers")
    found.expect(bool(np.abs(prob.sum(0) - 1).max() < 1e-4), "probabilities do not sum to one")
    for name, value in off.items():
        found.expect(value < 0.01, f"{name} is off by {value:.4f} in the mean")
        found.facts.append(f"{name} off by {value:.5f}")
    found.figures |= off
    return found


def fast_paths(setup: Setup) -> Findings:
    """Compare the device's fastest way from logits to labels and confidence with the plain ones."""
    found = Findings()
    device = setup.segmenter("quarter").device
    generator = torch.Generator().manual_seed(1)
    worst, cases = 0.0, 0
    sizes = (
        [(54, 96), (37, 53), (1, 1)] if setup.quick else [(540, 960), (333, 467), (37, 53), (1, 1)]
    )
    dtypes = (torch.float32, torch.float16, torch.bfloat16)
    for dtype in dtypes if setup.on_card else dtypes[:1]:
        for aligned in (False, True):
            for size in sizes:
                logits = torch.randn(1, 19, 24, 40, generator=generator).mul_(3).to(device, dtype)
                labels, levels = upsample.labels_and_confidence(logits, size, aligned)
                plain = upsample.labels_reference(logits, size, aligned)
                wrong = int((labels != plain).sum())
                worst, cases = max(worst, wrong / plain.numel()), cases + 1
                found.expect(
                    wrong <= 1 + plain.numel() // 2000, f"{dtype} {size}: {wrong} labels differ"
                )
                same = upsample.labels(logits, size, aligned)
                found.expect(
                    bool((same == labels).float().mean() > 0.999),
                    f"{size}: other labels alone than with confidence",
                )
                sure = confidence_reference(logits, size, aligned)
                off = float((levels.float() - sure.float()).abs().mean())
                found.expect(off < 2, f"{dtype} {size}: confidence off by {off:.1f} levels")
    found.facts.append(f"{cases} cases, at most {100 * worst:.4f} % of labels differ")
    found.facts.append(refusal() or ("by Triton's kernels" if setup.on_card else "by cells"))
    found.figures |= {"cases": cases, "worst_share": worst, "kernels_refused": refusal()}
    return found


def ways(setup: Setup) -> Findings:
    """Compare the logits of all ways to run the network on a card, and name the one in use."""
    found = Findings()
    device = setup.segmenter("quarter").device
    checkpoint = load(default_checkpoint())
    for dtype in (torch.float16, torch.bfloat16):
        kind = str(dtype).removeprefix("torch.")
        offered = card_ways(checkpoint, device, dtype)
        usual = next(iter(offered))
        for name in list(offered)[1:]:
            worst = 0.0
            for image in pictures(1, 480, 270)[0], pictures(1)[0][:333, :467]:
                pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device)
                with torch.inference_mode():
                    right = offered[usual]()(pixels, (True, False))
                    given = offered[name]()(pixels, (True, False))
                worst = max(worst, *map(difference, given, right))
                found.expect(alike(given, right), f"{kind}: {name} gives other logits")
            found.facts.append(f"{kind}: {name} off by {worst:.1f} roundings")
            found.figures[f"{kind}, {name}"] = worst
    for card, seconds in measured().items():
        found.figures |= {f"{card}: {name}": value for name, value in seconds.items()}
        told = (f"{name} {1000 * value:.3f} ms" for name, value in seconds.items())
        found.facts.append(f"{card}: {', '.join(told)}")
    return found


def same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether two results are equal."""
    return one.shape == other.shape and bool((one == other).all())
