"""The plain loop: a video annotated as the public video programs do it, one thing after the other.

It is what ``python -m app.benchmark`` measures the pipeline against, in a process of its
own with the libraries' own defaults: ``python -m app.benchmark.baseline_loop CLIP OUT.mp4``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from app.errors import AppError, OutputError, SourceError
from fastscnn.benchmarking.baseline import Baseline
from fastscnn.checkpoints.checkpoint import load
from fastscnn.console import run_command
from fastscnn.inference.input_size import InputSize, network_size, parse_input_size
from fastscnn.labels import PALETTE
from fastscnn.paths import expand_user
from fastscnn.segmenter import default_checkpoint, pick_device
from fastscnn.suggestions import SuggestingParser


def annotate(
    clip: Path, out: Path, *, input_size: InputSize, device: str, frames: int
) -> tuple[int, float]:
    """Annotate a frame and up to ``frames`` more; how many more, and their seconds.

    Raises:
        SourceError: OpenCV cannot read two frames of the clip.
        OutputError: OpenCV cannot write the file.
    """
    network = Baseline(load(default_checkpoint()), pick_device(device))
    # By its bytes: OpenCV crashes over a name that is no Unicode.
    capture = cv2.VideoCapture(os.fsencode(clip))  # type: ignore[call-overload]
    found, picture = capture.read()
    if not found:
        raise SourceError(f"{clip} cannot be read by OpenCV: choose another clip.")
    height, width = picture.shape[:2]
    size = network_size(input_size, height, width)
    rate = capture.get(cv2.CAP_PROP_FPS) or 30
    writer = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
    if not writer.isOpened():
        raise OutputError(f"{out} cannot be written by OpenCV: choose another file.")
    count, started = 0, time.perf_counter()
    while found and count <= frames:
        if count == 1:  # the first frame has everything allocated and is not counted
            started = time.perf_counter()
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        seen = np.asarray(cv2.resize(rgb, size[::-1]), np.uint8)
        colors = PALETTE[network(seen, (height, width))]
        blended = cv2.addWeighted(rgb, 0.5, colors, 0.5, 0)
        writer.write(cv2.cvtColor(blended, cv2.COLOR_RGB2BGR))
        count += 1
        found, picture = capture.read()
    writer.release()
    capture.release()
    seconds = time.perf_counter() - started
    if count < 2:
        raise SourceError(f"{clip} has only one frame for OpenCV: choose a clip of two or more.")
    return count - 1, seconds


def main(argv: list[str] | None = None) -> int:
    """The command; returns the exit code. It prints frames and seconds as JSON."""
    parser = SuggestingParser(prog="python -m app.benchmark.baseline_loop", description=__doc__)
    parser.add_argument("clip", type=expand_user)
    parser.add_argument("out", type=expand_user)
    parser.add_argument("--input-size", type=parse_input_size, default="half")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--frames", type=int, default=10**9)
    args = parser.parse_args(argv)
    try:
        count, seconds = annotate(
            args.clip,
            args.out,
            input_size=args.input_size,
            device=args.device,
            frames=args.frames,
        )
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print(json.dumps({"frames": count, "seconds": seconds}))
    return 0


if __name__ == "__main__":
    run_command(main)
