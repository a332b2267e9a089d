"""Steadier: logits carried over from frame to frame, so that labels do not flicker.

Where the picture has not changed, the logits of the frame before are kept but for a tenth; where it
has, the new ones take their place. What moves takes its logits with it: the old ones are warped by
the optical flow of the small picture first.

Example:
    >>> import numpy as np, torch
    >>> steadier, still = Steadier(), np.zeros((64, 64, 3), np.uint8)
    >>> steadier.steady(still, {"a": torch.zeros(1, 2, 8, 8)})["a"].max().item()
    0.0
    >>> steadier.steady(still, {"a": torch.ones(1, 2, 8, 8)})["a"].max().item()  # a tenth of it
    0.10000000149011612
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

_SHORT_SIDE = 256
"""Short side of the picture on which changes are measured."""
_FLOW_SHARE = 4
"""Ratio of that picture to the smaller one on which motion is estimated."""
_FRESH = 0.1
"""Share of the new logits where nothing has changed: what was wrong is not kept for long."""
_NOISE, _CHANGE = 2.0, 55.0
"""Grey levels: below the first all is noise, from the second on a cell is replaced whole."""
_CUT = 0.6
"""Share of the new logits in the mean from which on the picture is another one."""
_SMALLEST = 32
"""The least side of a picture on which motion can be estimated."""


@dataclass(frozen=True, slots=True)
class _Motion:
    """Motion and change of the picture since the frame before, by cells of the logits.

    Attributes:
        shift: h×w×2 float32, how far off a cell was: x and y in shares of the width and height.
        fresh: h×w float32, the share of the new logits, 0–1.
    """

    shift: NDArray[np.float32]
    fresh: NDArray[np.float32]


class Steadier:
    """Keeps the labels of a stream steady; frames are given to it in their order."""

    def __init__(self) -> None:
        self._grey: NDArray[np.uint8] | None = None
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._carried: dict[Hashable, Tensor] = {}

    def forget(self) -> None:
        """Begin anew with the next frame: what comes does not continue what was."""
        self._grey = None
        self._carried.clear()

    @torch.inference_mode()
    def steady(
        self, pixels: NDArray[np.uint8], logits: Mapping[Hashable, Tensor]
    ) -> dict[Hashable, Tensor]:
        """Return the logits of a frame with those before it carried over.

        Nothing on a card is waited for: motion is estimated on the processor.

        Args:
            pixels: the frame as the network saw it: h×w×3 uint8 RGB.
            logits: of each network or setting, 1×classes×h×w; one that was not there for the
                frame before, or has another shape, begins anew.
        """
        grey = _small(pixels)
        before, self._grey = self._grey, grey
        motions: dict[tuple[int, int], _Motion | None] = {}
        carried: dict[Hashable, Tensor] = {}
        for key, new in logits.items():
            size, old = (new.shape[2], new.shape[3]), self._carried.get(key)
            if size not in motions:
                motions[size] = None if before is None else self._motion(before, grey, size)
            motion = motions[size]
            if motion is None or old is None or old.shape != new.shape:
                carried[key] = new.to(torch.float32, copy=True)
            else:
                carried[key] = _mix(old, new, motion)
        self._carried = carried
        return {key: carried[key].to(new.dtype) for key, new in logits.items()}

    def last(self, key: Hashable) -> Tensor | None:
        """Return the logits that the last frame was given; ``None`` where it had none."""
        return self._carried.get(key)

    def _motion(
        self, before: NDArray[np.uint8], grey: NDArray[np.uint8], cells: tuple[int, int]
    ) -> _Motion | None:
        """Return the motion between two small pictures; ``None`` after a cut."""
        if before.shape != grey.shape:
            return None
        (height, width), (rows, columns) = grey.shape, cells
        size = (max(width // _FLOW_SHARE, _SMALLEST), max(height // _FLOW_SHARE, _SMALLEST))
        small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (grey, before)]
        at_rest = np.zeros((*size[::-1], 2), np.float32)
        flow = np.asarray(self._flow.calc(small[0], small[1], at_rest))
        scaled = np.multiply(flow, (width / size[0], height / size[1]), dtype=np.float32)
        origin = cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)
        cv2.add(origin, _places(height, width), origin)
        # What comes in from outside is black, which differs: it was not seen before.
        # Its types do not know that both coordinates may be in one map.
        warped = cv2.remap(  # type: ignore[call-overload]
            before, origin, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
        )
        # A cell's logits depend on more than its own pixels, and flow is off by some at borders.
        reach = 1 + 2 * max(1, round(height / rows / 4))
        changed = cv2.dilate(cv2.absdiff(grey, warped), np.ones((reach, reach), np.uint8))
        levels = cv2.resize(changed, (columns, rows), interpolation=cv2.INTER_AREA)
        fresh = (levels.astype(np.float32) - _NOISE) / (_CHANGE - _NOISE)
        np.clip(fresh, _FRESH, 1, out=fresh)
        if fresh.mean() > _CUT:
            return None
        shares = np.divide(flow, size, dtype=np.float32)
        shift = cv2.resize(shares, (columns, rows), interpolation=cv2.INTER_AREA)
        return _Motion(np.asarray(shift, np.float32), fresh)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    shrink = min(1.0, _SHORT_SIDE / min(height, width))
    size = (max(_SMALLEST, round(width * shrink)), max(_SMALLEST, round(height * shrink)))
    fitted = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(fitted, cv2.COLOR_RGB2GRAY), np.uint8)


@lru_cache(maxsize=4)
def _places(height: int, width: int) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.dstack([columns, rows]).astype(np.float32)


@lru_cache(maxsize=8)
def _grid(rows: int, columns: int, device: torch.device) -> Tensor:
    still = torch.eye(2, 3, device=device)[None]
    return functional.affine_grid(still, [1, 1, rows, columns], align_corners=False)


def _mix(old: Tensor, new: Tensor, motion: _Motion) -> Tensor:
    """Return the old logits where the picture's parts are now, with the share of the new ones."""
    shift = _sent(torch.from_numpy(motion.shift), new.device)
    fresh = _sent(torch.from_numpy(motion.fresh), new.device)
    grid = _grid(new.shape[2], new.shape[3], new.device) + 2 * shift  # from -1 to 1
    there = functional.grid_sample(old, grid, padding_mode="border", align_corners=False)
    return torch.lerp(there, new.float(), fresh)


def _sent(values: Tensor, device: torch.device) -> Tensor:
    """Return values on a device; from pinned memory a copy makes nobody wait."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)
