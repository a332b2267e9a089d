"""Batches made on the GPU: data sets stay in its memory, and augmentation runs there.

Two CPU cores prepare about a hundred small samples a second; one large GPU asks for many more. The
geometry and the colours are drawn by the same ``Augmentation`` from the same random numbers as on
the host, only how they are applied differs, to rounding.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fastscnn.data.augmentation import Augmentation, Variation
from fastscnn.data.dataset_mix import Mix, Pick
from fastscnn.data.pair_dataset import Sample
from fastscnn.labels import UNKNOWN

ENDLESS_POOL = 4000
"""Images of the demo street that are drawn once and used again, instead of ever new ones."""


def warp(
    image: Tensor, target: Tensor, variation: Variation, how: Augmentation
) -> tuple[Tensor, Tensor]:
    """Apply what ``Augmentation`` does, on the tensors' device.

    Args:
        image: H×W×3 uint8 RGB.
        target: H×W uint8.
        variation: what is to be done.
        how: where its crop's size and filling come from.

    Returns:
        Image and target of the crop's size, uint8.
    """
    pixels = image.permute(2, 0, 1).unsqueeze(0).float()
    if variation.sharpness < 1:
        size = [max(1, round(v * variation.sharpness)) for v in pixels.shape[2:]]
        pixels = F.interpolate(pixels, size=size, mode="area")
    stored = pixels.shape[2], pixels.shape[3]
    rows, columns = variation.smoothing(stored)
    if rows * columns > 1:
        # cv2.blur's anchor, for even sizes too
        left, top = columns // 2, rows // 2
        pad = (left, columns - 1 - left, top, rows - 1 - top)
        pixels = F.avg_pool2d(F.pad(pixels, pad, mode="reflect"), (rows, columns), stride=1)
    fill = torch.tensor(how.FILL, dtype=torch.float32, device=image.device).view(1, 3, 1, 1)
    grid = _grid(variation, stored, how.crop, image.device)
    # What lies outside is zero to grid_sample, so what stands for it is moved there.
    pixels = F.grid_sample(pixels - fill, grid, mode="bilinear", align_corners=False) + fill
    known = target[None, None].float() - UNKNOWN
    grid = _grid(variation, (target.shape[0], target.shape[1]), how.crop, image.device)
    numbers = F.grid_sample(known, grid, mode="nearest", align_corners=False) + UNKNOWN
    return _colours(pixels[0], variation), numbers[0, 0].round().to(torch.uint8)


def _grid(
    variation: Variation, stored: tuple[int, int], crop: tuple[int, int], device: torch.device
) -> Tensor:
    """Return 1×H×W×2: where each pixel of the crop comes from, in ``grid_sample``'s coordinates."""
    matrix = variation.matrix(stored, crop)
    (sx, _, tx), (_, sy, ty) = matrix
    x = (torch.arange(crop[1], device=device, dtype=torch.float32) - tx) / sx
    y = (torch.arange(crop[0], device=device, dtype=torch.float32) - ty) / sy
    x, y = (2 * x + 1) / stored[1] - 1, (2 * y + 1) / stored[0] - 1
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([columns, rows], dim=-1).unsqueeze(0)


def _colours(pixels: Tensor, variation: Variation) -> Tensor:
    """Return H×W×3 uint8 of 3×H×W float grey levels."""
    gains = torch.tensor(variation.gains, dtype=torch.float32, device=pixels.device).view(3, 1, 1)
    pixels = (pixels.round().clamp(0, 255) / 255) ** variation.gamma * gains * 255
    pixels = pixels.clamp(0, 255).floor()
    if variation.noise:
        generator = torch.Generator(pixels.device).manual_seed(variation.seed)
        grain = torch.empty_like(pixels).normal_(0, variation.noise, generator=generator)
        pixels = (pixels + grain.round()).clamp(0, 255)
    return pixels.to(torch.uint8).permute(1, 2, 0)


class GpuBatches:
    """Batches like those of ``Batches``, made on the device.

    Images are uploaded when they are first drawn and stay there as long as there is room; what
    is not there yet is read ahead by threads.

    Args:
        mix: where images come from.
        augmentation: how they are varied.
        device: where.
        seed: of the run.
        places: which samples of each batch are prepared here.
        steps: where the run ends.
        workers: threads that read ahead.
        room: bytes that stored images may take.
    """

    AHEAD = 3

    def __init__(
        self,
        mix: Mix,
        augmentation: Augmentation,
        device: torch.device,
        *,
        seed: int,
        places: range,
        steps: int,
        workers: int = 1,
        room: int = 0,
    ) -> None:
        self._mix, self._augmentation, self._device = mix, augmentation, device
        self._seed, self._places, self._steps = seed, places, steps
        self._pool = ThreadPoolExecutor(max(1, workers), "pictures")
        self._stored: dict[Pick, tuple[Tensor, Tensor]] = {}
        self._reading: dict[Pick, Future[Sample]] = {}
        self._room = room or _room(device)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return images N×H×W×3 and targets N×H×W, both uint8, on the device."""
        for ahead in range(step, min(step + 1 + self.AHEAD, max(self._steps, step + 1))):
            for place in self._places:
                pick, _ = self._pick(ahead, place)
                if pick not in self._stored and pick not in self._reading:
                    self._reading[pick] = self._pool.submit(self._mix.fetch, pick)
        samples = [self._sample(step, place) for place in self._places]
        images, targets = zip(*samples, strict=True)
        return torch.stack(images), torch.stack(targets)

    def close(self) -> None:
        """Stop reading; what is in progress is waited for."""
        self._pool.shutdown(cancel_futures=True)

    def _pick(self, step: int, place: int) -> tuple[Pick, np.random.Generator]:
        rng = np.random.default_rng((self._seed, 2, step, place))
        pick = self._mix.pick(rng)
        if not len(self._mix.datasets[pick.dataset]):
            pick = Pick(pick.dataset, pick.number % ENDLESS_POOL)
        return pick, rng

    def _sample(self, step: int, place: int) -> tuple[Tensor, Tensor]:
        pick, rng = self._pick(step, place)
        image, target = self._stored.get(pick) or self._upload(pick)
        variation = self._augmentation.vary((target.shape[0], target.shape[1]), rng)
        return warp(image, target, variation, self._augmentation)

    def _upload(self, pick: Pick) -> tuple[Tensor, Tensor]:
        reading = self._reading.pop(pick, None)
        image, target = reading.result() if reading else self._mix.fetch(pick)
        pair = torch.from_numpy(image).to(self._device), torch.from_numpy(target).to(self._device)
        size = image.nbytes + target.nbytes
        if size <= self._room:
            self._room -= size
            self._stored[pick] = pair
        return pair


def _room(device: torch.device) -> int:
    """Return the bytes that images may take: half of a GPU's free memory, 2 GB elsewhere."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free // 2
    return 2 * 2**30
