"""The paper's Tables 4 and 5 on one machine: ``python docs/benchmarks/rivals.py``.

The architectures of pytorchcv with random weights beside ours, one frame at a time, labels at full
size included, all on the device: eager, and from a CUDA graph where there is a card. Beside them
stand the paper's own figures, of the authors' implementations in TensorFlow on another card. Needs
``pip install pytorchcv``; nothing is downloaded. Figures are in ``h200.md``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from torch import Tensor, nn

from fastscnn.benchmarking.timing import describe_machine
from fastscnn.inference.cuda_graphs import CudaGraphRecorder
from fastscnn.outputs import OutputError, check_file, write_json
from fastscnn.paths import expand_user
from fastscnn.segmenter import DeviceError, Segmenter, pick_device
from fastscnn.upsampling import upsample

SIZES = {"full": (1024, 2048), "half": (512, 1024), "quarter": (256, 512)}
LAYOUTS = {"NCHW": torch.contiguous_format, "channels last": torch.channels_last}


@dataclass(slots=True)
class Row:
    """One network: the paper's figures, and ours of it.

    Attributes:
        name, function: in the paper, and in pytorchcv; ``None`` is ours.
        published_miou, published_params: of Table 4, on the test set, and in millions.
        published_fps: of Table 5 at full, half and quarter size; on a Titan X (Maxwell), a star:
            on a Titan Xp.
        params: millions here.
        milliseconds: by size, precision and way.
    """

    name: str
    function: str | None
    published_miou: float
    published_params: float
    published_fps: str
    params: float = 0.0
    milliseconds: dict[str, float] = field(default_factory=dict)


ROWS = (
    Row("SegNet", "segnet.segnet_cityscapes", 56.1, 29.46, "1.6 – –"),
    Row("ENet", "enet.enet_cityscapes", 58.3, 0.37, "20.4 76.9 142.9"),
    Row("ICNet", "icnet.icnet_resnetd50b_cityscapes", 69.5, 6.68, "30.3 – –"),
    Row("ERFNet", "erfnet.erfnet_cityscapes", 68.0, 2.1, "11.2 41.7 125.0"),
    Row("BiSeNet", "bisenet.bisenet_resnet18_celebamaskhq", 71.4, 5.8, "57.3* – –"),
    Row("ContextNet", "contextnet.ctxnet_cityscapes", 66.1, 0.85, "41.9 136.2 299.5"),
    Row("Fast-SCNN", "fastscnn.fastscnn_cityscapes", 68.0, 1.11, "123.5* 285.8* 485.4*"),
    Row("ours", None, 68.0, 1.11, "123.5* 285.8* 485.4*"),
)


def build(function: str, size: tuple[int, int]) -> nn.Module:
    """Return a network of pytorchcv for 19 classes, with random weights."""
    module, _, name = function.partition(".")
    make = getattr(import_module(f"pytorchcv.models.{module}"), name)
    wanted: dict[str, Any] = {"num_classes": 19, "in_size": size, "aux": False}
    while True:
        try:
            network: nn.Module = make(**wanted)
            return network.eval()
        except TypeError as error:
            unknown = [name for name in wanted if f"'{name}'" in str(error)]
            if not unknown:
                raise
            del wanted[unknown[0]]


def milliseconds(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the median of what fits into some time, waiting each time until the device is done."""
    times: list[float] = []
    warm = 3 if seconds else 1
    end = time.perf_counter() + seconds
    while len(times) <= warm or (time.perf_counter() < end and len(times) < 103):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[warm:])


def measure_rival(
    row: Row, size: tuple[int, int], name: str, device: torch.device, seconds: float
) -> None:
    """Time a network of pytorchcv in each precision and layout, eager and from a graph."""
    network = build(row.function or "", size).to(device)
    row.params = sum(each.numel() for each in network.parameters()) / 1e6
    dtypes = {"fp32": torch.float32, "fp16": torch.float16}
    for precision, dtype in dtypes.items() if device.type == "cuda" else [("fp32", torch.float32)]:
        for layout, memory_format in LAYOUTS.items():
            network.to(dtype=dtype, memory_format=memory_format)
            x = torch.randn(1, 3, *size, device=device).to(dtype, memory_format=memory_format)

            def labels(x: Tensor = x) -> tuple[Tensor]:
                found = network(x)
                found = found[0] if isinstance(found, tuple | list) else found
                return (upsample.labels_reference(found, size),)

            key = f"{name} {precision} {layout}"
            row.milliseconds[key] = milliseconds(labels, device, seconds)
            if device.type == "cuda":
                with suppress(RuntimeError):  # some do what cannot be recorded
                    replay, _outputs = CudaGraphRecorder(device).record(labels)
                    row.milliseconds[f"{key}, graph"] = milliseconds(replay, device, seconds)


def measure_ours(
    row: Row, size: tuple[int, int], name: str, device: torch.device, seconds: float
) -> None:
    """Time our network as it runs by default, and in float32."""
    for precision in ("fp32", "auto"):
        segmenter = Segmenter.from_checkpoint(
            device=str(device), precision=precision, input_size="exact"
        )
        pixels = torch.zeros(*size, 3, dtype=torch.uint8, device=device)
        key = f"{name} {segmenter.precision} {segmenter.runtime}"
        row.params = row.published_params

        def labels(segmenter: Segmenter = segmenter, pixels: Tensor = pixels) -> Tensor:
            return segmenter.labels(segmenter.logits(pixels), size)

        row.milliseconds[key] = milliseconds(labels, device, seconds)


def line(row: Row, sizes: list[str]) -> str:
    """Return a row of the table: the least time at each size, and the paper's figures."""
    cells = []
    for name in sizes:
        times = {key: ms for key, ms in row.milliseconds.items() if key.startswith(f"{name} ")}
        best = min(times, key=lambda key: times[key], default="")
        way = best.partition(" ")[2]
        cells.append(f"{name} {times[best]:8.2f} ms ({way})" if best else f"{name} –")
    paper = f"{row.published_miou} % {row.published_params} M, {row.published_fps} fps"
    return f"{row.name:<12}{row.params:6.2f} M  {'; '.join(cells)}   paper: {paper}"


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--quick", action="store_true", help="one tiny size, no times worth having")
    names = [row.name for row in ROWS]
    parser.add_argument("--only", choices=names, action="append", help="may be repeated")
    parser.add_argument("--json", type=expand_user, metavar="FILE", help="write the figures there")
    args = parser.parse_args(argv)
    try:
        if args.json:
            check_file(args.json, overwrite=True)
        device, machine = pick_device(args.device), describe_machine(args.device)
        import_module("pytorchcv")
    except (DeviceError, OutputError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except ImportError:
        print("Error: pytorchcv is not installed: pip install pytorchcv.", file=sys.stderr)
        return 2
    print(machine, flush=True)
    sizes = {"tiny": (128, 256)} if args.quick else SIZES
    seconds = 0.0 if args.quick else 3.0
    figures: dict[str, Any] = {"machine": machine, "rows": []}
    torch.manual_seed(0)
    for row in (each for each in ROWS if each.name in (args.only or names)):
        with torch.inference_mode():
            for name, size in sizes.items():
                way = measure_ours if row.function is None else measure_rival
                try:
                    way(row, size, name, device, seconds)
                except RuntimeError as error:  # one that is too large for the device, say
                    print(f"{row.name} at {name}: {str(error).splitlines()[0]}", file=sys.stderr)
        print(line(row, list(sizes)), flush=True)
        figures["rows"].append(asdict(row))
    if args.json:
        write_json(args.json, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
