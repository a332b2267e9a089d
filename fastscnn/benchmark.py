"""Speed benchmark of the network: ``python -m fastscnn.benchmark``.

The paper's protocol (§4.1): frames of one size, one at a time, some to warm up, then the mean over
as many. Beside our way stands the plain one, measured in the same run and in turn with it: the
network as written, float32, all logits interpolated to full size, then argmax. Between the two
stand the steps from one to the other. ``python -m app.benchmark`` measures the whole
program.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from fastscnn.benchmarking.kernel_profile import kernel_table, kernel_times
from fastscnn.benchmarking.roofline import Rates, measure_rates, network_work
from fastscnn.benchmarking.timing import SIZES, Timing, describe_machine, measure
from fastscnn.benchmarking.ways import ways_of
from fastscnn.checkpoints.checkpoint import CheckpointError, load
from fastscnn.console import run_command, say_error
from fastscnn.data.street import Street
from fastscnn.outputs import OutputError, check_apart, check_file, write_json
from fastscnn.paths import expand_user
from fastscnn.segmenter import PRECISIONS, DeviceError, default_checkpoint
from fastscnn.suggestions import SuggestingParser

OUTPUTS = ("cls", "prob", "cls + confidence", "network alone", "labels alone")
"""Outputs that can be measured; each that ends in labels or probabilities has them at full size."""


def benchmark(
    checkpoint_path: Path,
    *,
    device: str,
    precision: str,
    runtime: str,
    burn_in: int,
    frames: int,
    sizes: Sequence[str] = tuple(SIZES),
    outputs: Sequence[str] = OUTPUTS,
) -> tuple[list[Timing], Rates]:
    """Time plain, ours, and the steps between them, labels at full size included.

    Returns:
        The timings, and the device's rates that ``reached`` refers to.

    Raises:
        CheckpointError: the weights cannot be used.
        DeviceError: the device, precision or runtime is not to be had.
    """
    ways, ours = ways_of(checkpoint_path, device, precision, runtime)
    ways = {key: way for key, way in ways.items() if key[0] in outputs}
    dtype = PRECISIONS[ours.precision]
    rates = measure_rates(ours.device, dtype)
    rows = []
    for size in sizes:
        height, width = SIZES[size]
        street = Street(1, width, height)
        images = [street.render(2.0 * i)[0] for i in range(4)]
        work = network_work(load(checkpoint_path).model, (height, width), dtype.itemsize)
        limits = {"network alone": sum(layer.seconds(rates) for layer in work)}
        # Logits in, labels out: nothing else needs to be moved.
        moved = 4 * len(ours.classes) * (height // 8) * (width // 8) + height * width
        limits["labels alone"] = moved / rates.bytes
        limits["cls"] = sum(limits.values())
        times = measure(ways, images, burn_in=burn_in, frames=frames)
        for (output, way), seconds in times.items():
            median, limit = statistics.median(seconds), limits.get(output)
            rows.append(
                Timing(
                    size,
                    output,
                    way,
                    statistics.fmean(seconds),
                    median,
                    float(np.percentile(seconds, 95)),
                    statistics.median(times[output, "plain"]) / median,
                    limit / median if limit is not None and way == "ours" else None,
                )
            )
    return rows, rates


def table(rows: list[Timing]) -> str:
    """Return the timings as text, in milliseconds."""
    lines = [
        f"{'size':<9}{'output':<18}{'way':<24}{'mean':>8}{'median':>8}{'p95':>8} ms"
        f"{'fps':>8}{'× plain':>9}{'of limit':>10}"
    ]
    for r in rows:
        reached = f"{100 * r.reached:8.1f} %" if r.reached is not None else ""
        lines.append(
            f"{r.size:<9}{r.output:<18}{r.way:<24}"
            f"{1e3 * r.mean:8.1f}{1e3 * r.median:8.1f}{1e3 * r.p95:8.1f}"
            f"   {1 / r.mean:8.1f}{r.ratio:9.1f}{reached}"
        )
    return "\n".join(lines)


def print_kernels(args: argparse.Namespace) -> None:
    """Print which kernels the plain way and ours spend their time in, at each size."""
    ways, ours = ways_of(args.weights, args.device, args.precision, args.runtime)
    for size in args.size or SIZES:
        height, width = SIZES[size]
        image = Street(1, width, height).render(2.0)[0]
        for way in ("plain", "ours"):
            times = kernel_times(partial(ways["cls", way], image), ours.device)
            print(f"\n{size}, {way}: a frame's kernels\n{kernel_table(times, args.kernels)}")


def _parser() -> argparse.ArgumentParser:
    parser = SuggestingParser(
        prog="python -m fastscnn.benchmark",
        description="Frames per second by the paper's protocol (Table 5), beside the plain way.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--weights", type=expand_user, default=default_checkpoint(), help="a checkpoint"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--precision", default="auto", help="auto, fp32, fp16 or bf16")
    parser.add_argument(
        "--runtime", default="auto", help="what runs ours: auto, torch, onnxruntime or openvino"
    )
    parser.add_argument(
        "--size", choices=list(SIZES), action="append", help="only this size; may be repeated"
    )
    parser.add_argument(
        "--output", choices=OUTPUTS, action="append", help="only this output; may be repeated"
    )
    parser.add_argument(
        "--kernels", type=int, default=0, metavar="N", help="list the N kernels that take longest"
    )
    parser.add_argument("--burn-in", type=int, default=100, help="frames before measuring")
    parser.add_argument("--frames", type=int, default=100, help="frames measured")
    parser.add_argument(
        "--quick", action="store_true", help="quarter size, 3 frames after 1: whether it runs"
    )
    parser.add_argument("--json", type=expand_user, metavar="FILE", help="write the figures there")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.quick:
        args.size, args.burn_in, args.frames = args.size or ["quarter"], 1, 3
    if args.frames < 1 or args.burn_in < 0:
        parser.error("--frames must be at least 1 and --burn-in at least 0")
    try:
        if args.json:
            check_file(args.json, overwrite=True)
            check_apart([args.json], [args.weights])
        rows, rates = benchmark(
            args.weights,
            device=args.device,
            precision=args.precision,
            runtime=args.runtime,
            burn_in=args.burn_in,
            frames=args.frames,
            sizes=args.size or tuple(SIZES),
            outputs=args.output or OUTPUTS,
        )
        machine = describe_machine(args.device)
        print(f"{machine}\nlimit: {rates.flops / 1e9:.0f} GFLOP/s, {rates.bytes / 1e9:.1f} GB/s")
        print(f"{args.frames} frames after {args.burn_in}\n{table(rows)}")
        if args.kernels > 0:
            print_kernels(args)
        if args.json:
            figures = {
                "machine": machine,
                "rates": asdict(rates),
                "burn_in": args.burn_in,
                "frames": args.frames,
                "timings": [asdict(row) for row in rows],
            }
            write_json(args.json, figures)
    except (CheckpointError, DeviceError, OutputError) as error:
        return say_error(str(error), error.exit_code if isinstance(error, OutputError) else 2)
    return 0


if __name__ == "__main__":
    run_command(main)
