"""Device batches: frames stay on the device, and samples are varied there, a batch at a time.

Two CPU cores prepare about a hundred small samples a second; one large GPU asks for many more. What
becomes of a sample is drawn by the same ``Augmentation`` from the same random numbers as on the
host; how it is applied differs in rounding, and in how much detail shrinking leaves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from fastscnn.data.augmentation import Augmentation, Variation
from fastscnn.data.dataset_check import LARGE, Contents
from fastscnn.data.dataset_mix import Mix, Pick
from fastscnn.data.frame_store import FrameStore, bytes_of, layout, upload
from fastscnn.data.pair_dataset import Sample
from fastscnn.segmenter import DeviceError

ENDLESS_POOL = 400
"""Images of the demo street that are drawn once and used again, instead of ever new ones."""

Plan = tuple[NDArray[np.int64], list[Variation], tuple[int, int]]
"""Numbers of a batch's frames, what becomes of them, and their crop."""


def recolour(pixels: Tensor, variations: Sequence[Variation]) -> Tensor:
    """Return grey levels N×H×W×3 float32 in the colours that ``Augmentation`` gives them.

    The noise of a batch comes from the seed of its first sample.
    """
    values = np.array(
        [(v.saturation, v.contrast, v.gamma, v.noise, *v.gains) for v in variations], np.float32
    )
    table = upload(values, pixels.device)[:, None, None, :]
    saturation, contrast, gamma, noise = table[..., :4].unsqueeze(4).unbind(3)
    pixels = torch.lerp(pixels.mean(3, keepdim=True), pixels, saturation)
    pixels = torch.lerp(pixels.mean((1, 2, 3), keepdim=True), pixels, contrast)
    pixels = ((pixels.clamp(0, 255) / 255) ** gamma * table[..., 4:] * 255).clamp(max=255)
    generator = torch.Generator(pixels.device).manual_seed(variations[0].seed)
    grain = torch.empty_like(pixels).normal_(generator=generator)
    return torch.addcmul(pixels, grain, noise).clamp(0, 255)


class NoRoomError(DeviceError):
    """The frames of a run do not fit into a device's memory."""


class DeviceBatches:
    """Batches of the same samples as those of ``BatchLoader``.

    Args:
        mix: where frames come from; all are read at once.
        contents: what its data sets hold.
        augment: how samples of a step are varied.
        device: where.
        seed: of the run.
        places: which samples of a step are prepared here.
        room: bytes that the frames may take; 0 for half of what is free.

    Raises:
        DataError: a frame cannot be read.
        NoRoomError: the frames do not fit.
    """

    def __init__(
        self,
        mix: Mix,
        contents: Sequence[Contents | None],
        augment: Callable[[int], Augmentation],
        device: torch.device,
        *,
        seed: int,
        places: Callable[[int], range],
        room: int = 0,
    ) -> None:
        self._mix, self._augment, self._seed, self._places = mix, augment, seed, places
        self._lengths = [len(dataset) or ENDLESS_POOL for dataset in mix.datasets]
        self._begins = np.cumsum([0, *self._lengths])
        self._planner = ThreadPoolExecutor(1, "plans")
        self._planned: dict[int, Future[Plan]] = {}
        with ThreadPoolExecutor(os.cpu_count() or 1, "frames") as pool:
            drawn = {
                i: list(pool.map(mix.datasets[i].read, range(self._lengths[i])))
                for i, known in enumerate(contents)
                if known is None
            }
            sizes = [
                [target.shape for _, target in drawn[i]] if known is None else known.sizes
                for i, known in enumerate(contents)
            ]
            table = layout(np.concatenate(sizes))
            self._sizes = [(int(height), int(width)) for _, height, width in table[:, 0]]
            _check_room(table, device, room)
            self._store = FrameStore(table, device)
            self._read_all(pool, drawn)
        self.about = f"{len(table)} frames stay on {device}: {bytes_of(table) / 2**30:.1f} GB."

    def _read_all(self, pool: ThreadPoolExecutor, drawn: dict[int, list[Sample]]) -> None:
        def read(pick: Pick) -> None:
            dataset, number = pick
            known = drawn.get(dataset)
            sample = known[number] if known else self._mix.datasets[dataset].read(number)
            self._store.put(int(self._begins[dataset]) + number, sample)

        picks = [Pick(i, n) for i, length in enumerate(self._lengths) for n in range(length)]
        bar = tqdm(
            pool.map(read, picks),
            desc="storing frames",
            total=len(picks),
            unit="frame",
            leave=False,
            disable=None if len(picks) >= LARGE else True,
        )
        for _ in bar:
            pass

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return images N×H×W×3 float32 and targets N×H×W uint8 of one step, on the device."""
        ready = self._planned.pop(step, None)
        numbers, variations, crop = ready.result() if ready else self._plan(step)
        self._planned = {step + 1: self._planner.submit(self._plan, step + 1)}
        pixels, targets = self._store.crops(numbers, variations, crop)
        return recolour(pixels, variations), targets

    def close(self) -> None:
        """Stop planning; what is in progress is waited for."""
        self._planner.shutdown(cancel_futures=True)

    def _plan(self, step: int) -> Plan:
        augment = self._augment(step)
        numbers: list[int] = []
        variations: list[Variation] = []
        for place in self._places(step):
            rng = np.random.default_rng((self._seed, 2, step, place))
            dataset, number = self._mix.pick(rng)
            numbers.append(int(self._begins[dataset]) + number % self._lengths[dataset])
            variations.append(augment.vary(self._sizes[numbers[-1]], rng))
        return np.array(numbers), variations, augment.crop


def _check_room(table: NDArray[np.int64], device: torch.device, room: int) -> None:
    """Check that frames fit: into half of a GPU's free memory, or 2 GB elsewhere.

    Raises:
        NoRoomError: they do not.
    """
    if not room:
        room = torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else 2 * 2**30
    need = bytes_of(table)
    if need > room:
        raise NoRoomError(
            f"The {len(table)} frames take {need / 2**30:.1f} GB, and there are"
            f" {room / 2**30:.1f} for them on {device}; fewer or smaller ones, or --augment host,"
            " would do."
        )
