"""Evaluation: ``python -m fastscnn.evaluate``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fastscnn.checkpoint import CheckpointError
from fastscnn.data.folder import DataError, FolderDataset, Sample
from fastscnn.data.street import Street
from fastscnn.data.targets import TargetSets
from fastscnn.labels import CLASS_NAMES, NUM_CLASSES
from fastscnn.metrics import class_iou, confusion_matrix, mean_iou, pixel_accuracy
from fastscnn.segmenter import DeviceError, Segmenter
from fastscnn.sizes import parse_input_size
from fastscnn.zoo import ZooError, resolve

STREET_SEED = 77
"""A street that no training run draws from (see ``StreetDataset``)."""


def read_merge(text: str) -> NDArray[np.uint8]:
    """A table that merges predicted classes, from ``wall+building=building,…``.

    Data sets with coarser classes need it: where "car" holds trucks, a predicted truck is right.

    Returns:
        256 uint8: train id → train id.

    Raises:
        ValueError: a name is no class.
    """
    table = np.arange(256, dtype=np.uint8)
    for part in filter(None, text.split(",")):
        sources, _, target = part.partition("=")
        for name in [target, *sources.split("+")]:
            if name.strip() not in CLASS_NAMES:
                raise ValueError(f"--merge: {name.strip()!r} is no class.")
        for name in sources.split("+"):
            table[CLASS_NAMES.index(name.strip())] = CLASS_NAMES.index(target.strip())
    return table


def evaluate(
    segmenter: Segmenter,
    samples: list[Sample] | FolderDataset,
    *,
    skip: bool = True,
    merge: NDArray[np.uint8] | None = None,
) -> NDArray[np.int64]:
    """The confusion matrix over pairs of picture and truth.

    Args:
        segmenter: runs the network; labels are compared at each picture's own size.
        samples: RGB uint8 H×W×3 and train ids H×W.
        skip: whether the skip connection contributes.
        merge: table applied to predictions, see ``read_merge``.
    """
    total = np.zeros((NUM_CLASSES, NUM_CLASSES + 1), np.int64)
    for index in tqdm(range(len(samples)), unit="picture", leave=False, disable=None):
        image, truth = samples[index]
        labels = segmenter(image, skip=skip)
        total += confusion_matrix(truth, labels if merge is None else merge[labels])
    return total


def report(confusion: NDArray[np.int64]) -> str:
    """A table of class IoU, mean IoU and pixel accuracy, in per cent."""
    lines = [
        f"  {name:<14} {100 * iou:5.1f}"
        for name, iou in zip(CLASS_NAMES, class_iou(confusion), strict=True)
        if np.isfinite(iou)
    ]
    present = len(lines)
    lines += [
        f"  {'mean IoU':<14} {100 * mean_iou(confusion):5.1f}   over {present} classes present",
        f"  {'pixel accuracy':<14} {100 * pixel_accuracy(confusion):5.1f}",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m fastscnn.evaluate",
        description="Class IoU, mean IoU and pixel accuracy of a checkpoint, in per cent.",
    )
    parser.add_argument("data", help="a folder with images/ and labels/ (train ids), or street")
    parser.add_argument(
        "--weights", help="a checkpoint: file, name of the zoo or address; default: the shipped one"
    )
    parser.add_argument("--input-size", default="half", help="full, half, quarter, exact or HxW")
    parser.add_argument("--no-skip", action="store_true", help="disable the skip connection")
    parser.add_argument(
        "--merge", default="", metavar="A+B=C,…", help="count predicted A and B as C"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    args = parser.parse_args(argv)
    try:
        merge = read_merge(args.merge)
        input_size = parse_input_size(args.input_size)
    except ValueError as error:
        parser.error(str(error))
    try:
        segmenter = Segmenter.from_checkpoint(
            resolve(args.weights) if args.weights else None,
            device=args.device,
            input_size=input_size,
        )
        samples: list[Sample] | FolderDataset
        if args.data == "street":
            street = Street(STREET_SEED, 1024, 512)
            samples = [street.render(3.0 * i) for i in range(60)]
        else:
            samples = FolderDataset(args.data, TargetSets())
        confusion = evaluate(segmenter, samples, skip=not args.no_skip, merge=merge)
    except (CheckpointError, DataError, DeviceError, ZooError) as error:
        print(f"fastscnn.evaluate: {error}", file=sys.stderr)
        return 2
    print(report(confusion))
    if args.json:
        figures = {
            "mean_iou": mean_iou(confusion),
            "pixel_accuracy": pixel_accuracy(confusion),
            "class_iou": {
                name: None if np.isnan(iou) else float(iou)
                for name, iou in zip(CLASS_NAMES, class_iou(confusion), strict=True)
            },
        }
        args.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
