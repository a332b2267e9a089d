"""Small labelled data sets, written for the tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from fastscnn.data.street import Street
from fastscnn.labels import NUM_CLASSES
from fastscnn.model.fast_scnn import FastSCNN


def write_pair(
    root: Path, name: str, truth: ArrayLike, *, folder: str = "labels", gray: int = 128
) -> None:
    """``images/NAME.png``, all of one gray, and ``FOLDER/NAME.png`` with the truth."""
    labels = np.asarray(truth, np.uint8)
    image = np.full((*labels.shape, 3), gray, np.uint8)
    for place, pixels in (("images", image), (folder, labels)):
        (root / place).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(root / place / f"{name}.png"), pixels)


def knowing(bright: int, dark: int) -> FastSCNN:
    """A network whose labels can be told by hand.

    Bright pixels are ``bright`` and dark ones ``dark``, and without the skip connection, by which
    alone brightness comes through, all are ``dark``.
    """
    network = FastSCNN().eval()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.zero_()
                if layer.bias is not None:
                    layer.bias.zero_()
        # The red channel's middle goes through the first channel of all that is on the way.
        way = [network.learning_to_downsample, network.feature_fusion.high, network.classifier]
        for part in way:
            for layer in part.modules():
                if isinstance(layer, nn.Conv2d) and layer.out_channels != NUM_CLASSES:
                    layer.weight[0, 0, layer.kernel_size[0] // 2, layer.kernel_size[1] // 2] = 1
        last = [layer for layer in network.classifier.modules() if isinstance(layer, nn.Conv2d)][-1]
        assert last.out_channels == NUM_CLASSES
        last.weight[bright, 0] = 10
        last.bias[dark] = 1
    return network


def labelled_folder(root: Path, pictures: int = 3) -> Path:
    """Noise with train ids in ``labels/`` and IDD Lite's groups in ``groups/``."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels", "groups"):
        (root / name).mkdir(parents=True)
    for i in range(pictures):
        image = rng.integers(0, 256, (72, 96, 3), np.uint8)
        cv2.imwrite(str(root / "images" / f"{i}.jpg"), image)
        labels = rng.choice(np.array([0, 10, 13, 255], np.uint8), (72, 96))
        cv2.imwrite(str(root / "labels" / f"{i}.png"), labels)
        groups = rng.choice(np.array([0, 5, 255], np.uint8), (72, 96))
        cv2.imwrite(str(root / "groups" / f"{i}.png"), groups)
    return root


def write_twins(root: Path) -> None:
    """Put a hidden file of no image beside every file below, as a Mac does on a stick."""
    for path in [path for path in root.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7Mac OS X".ljust(4096, b"\0"))


def street_frames(
    count: int, size: tuple[int, int] = (256, 128)
) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Frames of a street, half a second apart, with their true labels."""
    street = Street(3, *size)
    return [street.render(number / 2) for number in range(count)]


def write_truth(folder: Path, labels: Iterable[ArrayLike], names: Iterable[str]) -> Path:
    """Write labels as PNGs of these names, without their ending."""
    for name, one in zip(names, labels, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / f"{name}.png"), np.asarray(one, np.uint8))
    return folder


def write_exact_clip(
    path: Path, pictures: Sequence[NDArray[np.uint8]], stamps: Sequence[int]
) -> Path:
    """Write a video (Matroska) without any loss, its stamps in milliseconds."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=20)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for pixels, stamp in zip(pictures, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
