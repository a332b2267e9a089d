"""Augmentation (§4.1): random resizing, crop, flip, colour-channel noise and brightness.

Geometry is one affine warp, so that each image is resampled once whatever is asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.data.pair_dataset import Sample
from fastscnn.labels import UNKNOWN


@dataclass(frozen=True, slots=True)
class Variation:
    """Variation of one sample, which the host and the device apply alike.

    Attributes:
        height, width: of the whole image after resizing.
        y, x: where the crop begins in it; negative where the image is smaller than the crop.
        flip: whether left and right change places.
        sharpness: the image is shrunk by this factor before it is enlarged; 1 leaves it sharp.
        gains: of the three channels.
        gamma: exponent of the channels.
        noise: deviation of the pixel noise in grey levels, 0 for none.
        seed: of that noise.
        saturation: factor of each pixel's distance from its own grey.
        contrast: factor of each pixel's distance from the crop's mean.
    """

    height: float
    width: float
    y: float
    x: float
    flip: bool
    sharpness: float
    gains: tuple[float, float, float]
    gamma: float
    noise: float
    seed: int
    saturation: float = 1.0
    contrast: float = 1.0

    def matrix(self, stored: tuple[int, int], crop: tuple[int, int]) -> NDArray[np.float64]:
        """Return the 2×3 map of pixels (x, y) of an image of stored size (H, W) to the crop's."""
        sy, sx = self.height / stored[0], self.width / stored[1]
        # Half-pixel centres: u' = (u + 0.5) * s - 0.5 - offset
        matrix = np.array(
            [[sx, 0, 0.5 * sx - 0.5 - self.x], [0, sy, 0.5 * sy - 0.5 - self.y]], np.float64
        )
        if self.flip:
            matrix[0] = [-sx, 0, crop[1] - 1 - matrix[0, 2]]
        return matrix

    def smoothing(self, stored: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the box to average over first.

        A warp that shrinks does not average by itself, and thin objects would sparkle.
        """
        sy, sx = self.height / stored[0], self.width / stored[1]
        if min(sx, sy) >= 0.75:
            return 1, 1
        return max(1, round(1 / sy)), max(1, round(1 / sx))


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Augmentation with the ranges that samples are varied in.

    Attributes:
        crop: height and width of what the network is given.
        scale: the image is resized by a factor of the stored size, drawn log-uniformly from
            this range (0.5–2 in the paper).
        short_side: where given, the short side of the whole image is drawn log-uniformly from
            this range instead, since data sets store images at very different sizes and the
            network meets them all at its input size.
        aspect: width is further scaled by up to this factor either way.
        color: largest gain of one colour channel, either way.
        brightness: largest gain of all channels, either way.
        gamma: largest logarithm of the channels' exponent, either way.
        noise: largest deviation of the pixel noise, in grey levels; half of the samples have some.
        blur: share of images that are shrunk before they are enlarged, so that sharpness does
            not give the data set away.
        saturation, contrast: largest logarithms of these factors, either way.
    """

    crop: tuple[int, int] = (384, 512)
    scale: tuple[float, float] = (0.5, 2.0)
    short_side: tuple[int, int] | None = None
    aspect: float = 1.15
    color: float = 0.12
    brightness: float = 0.4
    gamma: float = 0.3
    noise: float = 6.0
    blur: float = 0.25
    saturation: float = 0.0
    contrast: float = 0.0

    FILL: ClassVar[tuple[int, int, int]] = (124, 116, 104)
    """Fill outside the image: the mean of ImageNet, which the network sees as zero."""

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return a varied copy of a sample, of the crop's size; what lies outside is ignored."""
        image, target = sample
        height, width = target.shape
        variation = self.vary((height, width), rng)
        if variation.sharpness < 1:
            factor = variation.sharpness
            image = np.asarray(
                cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            )
        return (
            self._photometric(self._warp(image, variation, target=False), variation),
            self._warp(target, variation, target=True),
        )

    def vary(self, stored: tuple[int, int], rng: np.random.Generator) -> Variation:
        """Draw how a sample of the stored size (H, W) is varied."""
        height, width = stored
        if self.short_side is None:
            factor = float(np.exp(rng.uniform(*np.log(self.scale))))
        else:
            factor = float(np.exp(rng.uniform(*np.log(self.short_side)))) / min(stored)
        stretch = float(np.exp(rng.uniform(-1, 1) * np.log(self.aspect)))
        new_h, new_w = height * factor, width * factor * stretch
        crop_h, crop_w = self.crop
        # An image smaller than the crop floats in it, a larger one is cut from.
        y = float(rng.uniform(min(0.0, new_h - crop_h), max(0.0, new_h - crop_h)))
        x = float(rng.uniform(min(0.0, new_w - crop_w), max(0.0, new_w - crop_w)))
        flip = bool(rng.random() < 0.5)
        sharpness = float(rng.uniform(0.4, 0.9)) if rng.random() < self.blur else 1.0
        gain = np.exp(rng.uniform(-1, 1) * np.log1p(self.brightness))
        red, green, blue = gain * np.exp(rng.uniform(-1, 1, 3) * np.log1p(self.color))
        gamma = float(np.exp(rng.uniform(-1, 1) * self.gamma))
        sigma = float(rng.uniform(0, self.noise))
        noise = sigma if sigma > 0.5 and rng.random() < 0.5 else 0.0
        gains = float(red), float(green), float(blue)
        seed = int(rng.integers(2**31 - 1))
        # Last, so that runs that do not use them draw what they always drew.
        saturation, contrast = np.exp(rng.uniform(-1, 1, 2) * (self.saturation, self.contrast))
        colours = gains, gamma, noise, seed, float(saturation), float(contrast)
        return Variation(new_h, new_w, y, x, flip, sharpness, *colours)

    def _warp(
        self, array: NDArray[np.uint8], variation: Variation, *, target: bool
    ) -> NDArray[np.uint8]:
        stored = array.shape[0], array.shape[1]
        if not target:
            rows, columns = variation.smoothing(stored)
            if rows * columns > 1:
                array = np.asarray(cv2.blur(array, (columns, rows)))
        return np.asarray(
            cv2.warpAffine(
                array,
                variation.matrix(stored, self.crop),
                self.crop[::-1],
                flags=cv2.INTER_NEAREST if target else cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(UNKNOWN, 0, 0) if target else self.FILL,
            ),
            np.uint8,
        )

    def _photometric(self, image: NDArray[np.uint8], variation: Variation) -> NDArray[np.uint8]:
        if variation.saturation != 1:
            grey = cv2.cvtColor(cv2.transform(image, np.full((1, 3), 1 / 3)), cv2.COLOR_GRAY2RGB)
            share = variation.saturation
            image = np.asarray(cv2.addWeighted(image, share, grey, 1 - share, 0), np.uint8)
        levels = np.linspace(0, 1, 256)
        if variation.contrast != 1:
            mean = image.mean() / 255
            levels = (mean + (levels - mean) * variation.contrast).clip(0, 1)
        ramp = levels[:, None] ** variation.gamma * variation.gains * 255
        table = np.clip(ramp, 0, 255).astype(np.uint8)
        out = np.asarray(cv2.LUT(image, table[None]))
        if variation.noise:
            # cv2's generator is ten times faster than numpy's; seeded from ours it repeats
            cv2.setRNGSeed(variation.seed)
            grain = np.empty(out.shape, np.int16)
            cv2.randn(grain, np.zeros(3), np.full(3, variation.noise))
            out = np.asarray(cv2.add(out, grain, dtype=cv2.CV_8U))
        return np.asarray(out, np.uint8)
