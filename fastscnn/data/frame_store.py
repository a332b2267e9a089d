"""Frame store: all frames of a training run in one buffer on a device, which crops are cut from.

Frames may differ in size, and each is kept with smaller versions of itself (a mipmap). A batch of
crops is a few gathers from that buffer, whatever frames, scales and data sets it is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fastscnn.data.augmentation import Augmentation, Variation
from fastscnn.data.pair_dataset import Sample
from fastscnn.labels import UNKNOWN

LEVELS = 5
"""Versions of each frame, each half as large as the one before."""
PIXEL_BYTES = 4
"""Red, green, blue and the target."""


def upload(array: NDArray[Any], device: torch.device) -> Tensor:
    """Return an array's copy on a device, without waiting for what the device is doing."""
    tensor = torch.from_numpy(array)
    return (tensor.pin_memory() if device.type == "cuda" else tensor).to(device, non_blocking=True)


def layout(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return frames×levels×3: where each version begins, its height and its width, in pixels.

    Args:
        sizes: frames×2: height and width.
    """
    areas = np.maximum(1, sizes[:, None] >> np.arange(LEVELS)[:, None])
    counts = areas.prod(axis=2)
    begins = counts.cumsum().reshape(counts.shape) - counts
    return np.concatenate([begins[..., None], areas], axis=2)


def bytes_of(table: NDArray[np.int64]) -> int:
    """Return the memory that frames of such a layout take."""
    begin, height, width = table[-1, -1].tolist()
    return int(PIXEL_BYTES * (begin + height * width))


class FrameStore:
    """Frames and their targets on a device.

    Args:
        table: their layout.
        device: where they are kept.
    """

    def __init__(self, table: NDArray[np.int64], device: torch.device) -> None:
        self._table, self._device = table, device
        self._bytes = torch.empty(bytes_of(table), dtype=torch.uint8, device=device)
        # To a gather, a pixel with its target is one number.
        self._pixels = self._bytes.view(torch.int32)
        self._fill = torch.tensor(Augmentation.FILL, dtype=torch.float32, device=device)

    def put(self, number: int, sample: Sample) -> None:
        """Keep a frame; several threads may put different ones."""
        image, target = sample
        parts = []
        for _, height, width in self._table[number].tolist():
            if target.shape != (height, width):
                smaller = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
                image = np.asarray(smaller, np.uint8)
                target = np.full((height, width), UNKNOWN, np.uint8)
            parts.append(np.dstack([image, target]).ravel())
        pixels = torch.from_numpy(np.concatenate(parts))
        begin = int(PIXEL_BYTES * self._table[number, 0, 0])
        self._bytes[begin : begin + len(pixels)] = pixels

    def crops(
        self, numbers: NDArray[np.int64], variations: Sequence[Variation], crop: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Return crops with the geometry that ``Augmentation`` gives them.

        Where a frame is shrunk or loses sharpness, its smaller versions are interpolated between.

        Args:
            numbers: N, of the frames.
            variations: N, what becomes of each; its colours are left alone.
            crop: height and width.

        Returns:
            Grey levels N×H×W×3 float32 and targets N×H×W uint8.
        """
        shapes = np.array([(v.height, v.width, v.y, v.x, v.flip) for v in variations], np.float32)
        down, across, inside = _positions(upload(shapes, self._device), crop)
        full = self._table[numbers, 0]
        shrunk = np.sqrt(full[:, 1:].prod(axis=1) / shapes[:, :2].prod(axis=1))
        blurred = np.array([1 / v.sharpness for v in variations])
        detail = np.log2(np.maximum(shrunk, blurred)).clip(0, LEVELS - 1)
        level = np.minimum(detail.astype(np.int64), LEVELS - 2)
        versions = [full, self._table[numbers, level], self._table[numbers, level + 1]]
        exact, large, small = upload(np.stack(versions), self._device)
        pixels = self._bilinear(large, down, across)
        between = np.flatnonzero(detail > level)
        if len(between):
            some = upload(between, self._device)
            share = upload((detail - level)[between].astype(np.float32), self._device)
            softer = self._bilinear(small[some], down[some], across[some])
            pixels[some] = torch.lerp(pixels[some], softer, share[:, None, None, None])
        pixels = torch.where(inside[..., None], pixels, self._fill)
        return pixels, self._nearest(exact, down, across).masked_fill(~inside, UNKNOWN)

    def _bilinear(self, versions: Tensor, down: Tensor, across: Tensor) -> Tensor:
        begin, height, width = versions.T.unsqueeze(2)
        top, bottom, lower = _neighbours(down, height)
        left, right, further = _neighbours(across, width)

        def row(y: Tensor) -> Tensor:
            first, second = (self._gather(begin + y * width, x) for x in (left, right))
            share = further[:, None, :, None]
            return torch.lerp(first[..., :3].float(), second[..., :3].float(), share)

        return torch.lerp(row(top), row(bottom), lower[:, :, None, None])

    def _nearest(self, versions: Tensor, down: Tensor, across: Tensor) -> Tensor:
        begin, height, width = versions.T.unsqueeze(2)
        y = (down * height).long().clamp(min=0).minimum(height - 1)
        x = (across * width).long().clamp(min=0).minimum(width - 1)
        return self._gather(begin + y * width, x)[..., 3]

    def _gather(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return N×H×W×4 bytes from where N×H rows begin and N×W columns lie."""
        words = self._pixels[rows[:, :, None] + columns[:, None, :]]
        return words.unsqueeze(3).view(torch.uint8)


def _positions(shapes: Tensor, crop: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Return where rows and columns of the crops come from, 0 to 1 across the frames.

    Returns:
        N×H, N×W, and N×H×W bool: whether that is within the frame.
    """
    height, width, y, x, flip = shapes.T.unsqueeze(2)
    rows, columns = (torch.arange(size, device=shapes.device) + 0.5 for size in crop)
    down = (rows + y) / height
    across = (torch.where(flip > 0, crop[1] - columns, columns) + x) / width
    hit = [(place >= 0) & (place < 1) for place in (down, across)]
    return down, across, hit[0][:, :, None] & hit[1][:, None, :]


def _neighbours(places: Tensor, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the two pixels that each place lies between, and how far it is from the first."""
    exact = (places * size - 0.5).clamp(min=0)
    first = exact.long().minimum(size - 1)
    return first, (first + 1).minimum(size - 1), exact.frac()
