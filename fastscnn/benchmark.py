"""How fast the network is: ``python -m fastscnn.benchmark``.

The paper's protocol (§4.1): frames of one size, one at a time, some to warm up, then the mean over
as many. Beside our way stands the plain one, measured in the same run and in turn with it: the
network as written, float32, all logits interpolated to full size, then argmax.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from fastscnn import upsample
from fastscnn.checkpoint import Checkpoint, CheckpointError, load
from fastscnn.data.street import Street
from fastscnn.segmenter import DeviceError, Segmenter, default_checkpoint, pick_device

SIZES = {"full": (1024, 2048), "half": (512, 1024), "quarter": (256, 512)}
"""The sizes of the paper's Table 5."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds per frame of one way at one size.

    Attributes:
        size: name of the size.
        way: ``plain`` or ``ours``, and the output (*cls* or *prob*).
        mean, median, p95: over the measured frames.
        ratio: how many times faster than plain with the same output, by medians.
    """

    size: str
    way: str
    mean: float
    median: float
    p95: float
    ratio: float


class Plain:
    """The network as public implementations run it.

    Args:
        checkpoint: network and normalisation.
        device: where to run.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self._model = checkpoint.model.eval().to(device)
        self._device = device
        self._mean = torch.tensor(checkpoint.mean, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(checkpoint.std, device=device).view(1, 3, 1, 1)

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8], *, prob: bool = False) -> NDArray[np.generic]:
        """Labels, or probabilities, of RGB uint8 H×W×3 at its own size."""
        x = torch.from_numpy(image).to(self._device).permute(2, 0, 1).unsqueeze(0).float() / 255
        logits = self._model(((x - self._mean) / self._std).contiguous())
        finish = upsample.probabilities if prob else upsample.labels_reference
        return np.asarray(finish(logits, image.shape[:2])[0].cpu().numpy())


def measure(
    ways: dict[str, Callable[[NDArray[np.uint8]], object]],
    images: list[NDArray[np.uint8]],
    *,
    burn_in: int,
    frames: int,
) -> dict[str, list[float]]:
    """Seconds per frame of each way, measured in turn so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in tqdm(range(burn_in + frames), unit="frame", leave=False, disable=None):
        image = images[number % len(images)]
        for name, way in ways.items():
            started = time.perf_counter()
            way(image)  # ends with a copy to the host, so the device is done
            if number >= burn_in:
                times[name].append(time.perf_counter() - started)
    return times


def benchmark(
    checkpoint_path: Path, *, device: str, precision: str, burn_in: int, frames: int
) -> list[Timing]:
    """Time plain and ours, *cls* and *prob*, at the three sizes, labels at full size included.

    Raises:
        CheckpointError: the weights cannot be used.
        DeviceError: the device or precision is not to be had.
    """
    rows = []
    for size, (height, width) in SIZES.items():
        street = Street(1, width, height)
        images = [street.render(2.0 * i)[0] for i in range(4)]
        plain = Plain(load(checkpoint_path), pick_device(device))
        ours = Segmenter.from_checkpoint(
            checkpoint_path, device=device, precision=precision, input_size="exact"
        )
        times = measure(
            {
                "plain cls": plain,
                "ours cls": ours,
                "plain prob": partial(plain, prob=True),
                "ours prob": ours.prob,
            },
            images,
            burn_in=burn_in,
            frames=frames,
        )
        for way, seconds in times.items():
            median = statistics.median(seconds)
            same_output = times[f"plain {way.split()[1]}"]
            rows.append(
                Timing(
                    size,
                    way,
                    statistics.fmean(seconds),
                    median,
                    float(np.percentile(seconds, 95)),
                    statistics.median(same_output) / median,
                )
            )
    return rows


def describe_machine(device: str) -> str:
    """Processor or card, threads and versions, in one line."""
    picked = pick_device(device)
    name = torch.cuda.get_device_name(picked) if picked.type == "cuda" else platform.machine()
    return (
        f"{picked.type} ({name}), {torch.get_num_threads()} threads, torch {torch.__version__},"
        f" Python {platform.python_version()}, {platform.system()}"
    )


def table(rows: list[Timing]) -> str:
    """The timings as text, in milliseconds."""
    lines = [f"{'size':<9}{'way':<12}{'mean':>8}{'median':>8}{'p95':>8} ms{'fps':>8}{'× plain':>9}"]
    lines += [
        f"{r.size:<9}{r.way:<12}{1e3 * r.mean:8.1f}{1e3 * r.median:8.1f}{1e3 * r.p95:8.1f}"
        f"   {1 / r.mean:8.1f}{r.ratio:9.1f}"
        for r in rows
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fastscnn.benchmark",
        description="Frames per second by the paper's protocol (Table 5), beside the plain way.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--weights", type=Path, default=default_checkpoint(), help="a checkpoint")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--precision", default="auto", help="auto, fp32, fp16 or bf16")
    parser.add_argument("--burn-in", type=int, default=100, help="frames before measuring")
    parser.add_argument("--frames", type=int, default=100, help="frames measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    args = parser.parse_args(argv)
    if args.frames < 1 or args.burn_in < 0:
        parser.error("--frames must be at least 1 and --burn-in at least 0")
    try:
        rows = benchmark(
            args.weights,
            device=args.device,
            precision=args.precision,
            burn_in=args.burn_in,
            frames=args.frames,
        )
    except (CheckpointError, DeviceError) as error:
        print(f"fastscnn.benchmark: {error}", file=sys.stderr)
        return 2
    machine = describe_machine(args.device)
    print(f"{machine}\n{table(rows)}")
    if args.json:
        figures = {"machine": machine, "timings": [asdict(row) for row in rows]}
        args.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
