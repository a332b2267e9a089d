"""Augmentation (§4.1): random resizing, crop, flip, colour-channel noise and brightness.

Geometry is one affine warp, so that each picture is resampled once whatever is asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.folder import Sample
from fastscnn.labels import UNKNOWN


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far samples are varied.

    Attributes:
        crop: height and width of what the network is given.
        short_side: the short side of the whole picture after resizing, drawn log-uniformly from
            this range. A range rather than factors of the stored size, since data sets store
            pictures at very different sizes and the network meets them all at its input size.
        aspect: width is further scaled by up to this factor either way.
        color: largest gain of one colour channel, either way.
        brightness: largest gain of all channels, either way.
        noise: largest deviation of the pixel noise, in grey levels.
        blur: share of pictures that are shrunk before they are enlarged, so that sharpness does
            not give the data set away.
    """

    crop: tuple[int, int] = (384, 512)
    short_side: tuple[int, int] = (288, 800)
    aspect: float = 1.15
    color: float = 0.12
    brightness: float = 0.4
    noise: float = 6.0
    blur: float = 0.25

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """A varied copy of a sample, of the crop's size; what lies outside is ignored."""
        image, target = sample
        if rng.random() < self.blur:
            factor = float(rng.uniform(0.4, 0.9))
            image = np.asarray(
                cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            )
        out_image = self._warp(image, *(geometry := self._geometry(sample, rng)), target=False)
        out_target = self._warp(target, *geometry, target=True)
        return self._photometric(out_image, rng), out_target

    def _geometry(
        self, sample: Sample, rng: np.random.Generator
    ) -> tuple[float, float, float, float, bool]:
        """Size of the whole picture after resizing, offset of the crop, and whether to flip."""
        height, width = sample[1].shape
        low, high = np.log(self.short_side)
        scale = float(np.exp(rng.uniform(low, high))) / min(height, width)
        stretch = float(np.exp(rng.uniform(-1, 1) * np.log(self.aspect)))
        new_h, new_w = height * scale, width * scale * stretch
        crop_h, crop_w = self.crop
        # A picture smaller than the crop floats in it, a larger one is cut from.
        y = float(rng.uniform(min(0.0, new_h - crop_h), max(0.0, new_h - crop_h)))
        x = float(rng.uniform(min(0.0, new_w - crop_w), max(0.0, new_w - crop_w)))
        return new_h, new_w, y, x, bool(rng.random() < 0.5)

    def _warp(
        self,
        array: NDArray[np.uint8],
        new_h: float,
        new_w: float,
        y: float,
        x: float,
        flip: bool,
        *,
        target: bool,
    ) -> NDArray[np.uint8]:
        height, width = array.shape[:2]
        sx, sy = new_w / width, new_h / height
        # Half-pixel centres: u' = (u + 0.5) * s - 0.5 - offset
        matrix = np.array([[sx, 0, 0.5 * sx - 0.5 - x], [0, sy, 0.5 * sy - 0.5 - y]], np.float64)
        crop_h, crop_w = self.crop
        if flip:
            matrix[0] = [-matrix[0, 0], 0, crop_w - 1 - matrix[0, 2]]
        shrinks = min(sx, sy) < 0.75
        if shrinks and not target:  # a warp does not average: smooth first, or thin things sparkle
            array = np.asarray(cv2.blur(array, (max(1, round(1 / sx)), max(1, round(1 / sy)))))
        return np.asarray(
            cv2.warpAffine(
                array,
                matrix,
                (crop_w, crop_h),
                flags=cv2.INTER_NEAREST if target else cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(UNKNOWN, 0, 0) if target else (124, 116, 104),
            ),
            np.uint8,
        )

    def _photometric(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        gain = np.exp(rng.uniform(-1, 1) * np.log1p(self.brightness))
        gains = gain * np.exp(rng.uniform(-1, 1, 3) * np.log1p(self.color))
        gamma = float(np.exp(rng.uniform(-1, 1) * 0.3))
        ramp = np.linspace(0, 1, 256)[:, None] ** gamma * gains * 255
        table = np.clip(ramp, 0, 255).astype(np.uint8)
        out = np.asarray(cv2.LUT(image, table[None]))
        sigma = float(rng.uniform(0, self.noise))
        if sigma > 0.5 and rng.random() < 0.5:
            # cv2's generator is ten times faster than numpy's; seeded from ours it repeats
            cv2.setRNGSeed(int(rng.integers(2**31 - 1)))
            grain = np.empty(out.shape, np.int16)
            cv2.randn(grain, np.zeros(3), np.full(3, sigma))
            out = np.asarray(cv2.add(out, grain, dtype=cv2.CV_8U))
        return np.asarray(out, np.uint8)
