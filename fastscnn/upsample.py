"""From logits at 1/8 size to labels or probabilities at the picture's own size.

The logits are interpolated bilinearly with half-pixel centres, then the largest one wins.

Between four neighbouring logits every interpolated one is a convex combination of theirs. Where the
four agree on the class, that class wins on every pixel between them, so only the other cells, a
tenth or so of a street scene, need interpolating at all. ``labels_by_cells`` is built on this: the
same labels as ``labels_reference``, with no full-size logits ever in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from fastscnn.blocks import resize

_CHUNK = 1024
"""Mixed cells interpolated at a time: small enough for the processor's cache."""


def labels_reference(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Labels by the plain path: interpolate all logits in float32, then argmax (*cls*, §3.2.4).

    Args:
        logits: N×C×h×w, any float dtype.
        size: height and width of the labels.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Returns:
        N×H×W uint8 class indices; ties go to the lowest class.
    """
    return resize(logits.float(), size, align_corners).argmax(dim=1).to(torch.uint8)


def probabilities(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Class probabilities (*prob*, §3.2.4): interpolated logits through a softmax.

    Returns:
        N×C×H×W float32, summing to one over C.
    """
    return resize(logits.float(), size, align_corners).softmax(dim=1)


def labels(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Labels by the fastest path for the device; arguments and result as ``labels_reference``."""
    enlarges = size[0] >= logits.shape[2] and size[1] >= logits.shape[3]
    if logits.device.type != "cpu" or not enlarges:
        return labels_reference(logits, size, align_corners)
    return torch.stack([labels_by_cells(one, size, align_corners) for one in logits])


@dataclass(frozen=True, slots=True)
class _Axis:
    """How the pixels of one axis fall into the cells between logits, n + 1 cells for n logits.

    The first and last cell lie outside the outermost logits, where interpolation repeats them.

    Attributes:
        cell: per pixel, its cell.
        pixels: cells×k, the pixels of each cell; short cells repeat their last one.
        weight: cells×k float32, weight of the cell's second logit at these pixels.
        empty: per cell, whether it has no pixel.
    """

    cell: Tensor
    pixels: Tensor
    weight: Tensor
    empty: Tensor


@lru_cache(maxsize=32)
def _axis(logits: int, pixels: int, align_corners: bool) -> _Axis:
    # The same float32 arithmetic as torch's interpolation, so that the weights are the same.
    numbers = torch.arange(pixels, dtype=torch.float32)
    if align_corners:
        steps = torch.tensor(logits - 1, dtype=torch.float32)
        position = numbers * (steps / (pixels - 1) if pixels > 1 else 0)
    else:
        position = torch.tensor(logits, dtype=torch.float32) / pixels * (numbers + 0.5) - 0.5
    cell = (position.floor().long() + 1).clamp(0, logits)
    weight = torch.where(cell == 0, 0.0, position - (cell - 1))
    count = torch.bincount(cell, minlength=logits + 1)
    first = count.cumsum(0) - count
    offsets = torch.arange(int(count.max()))
    members = first[:, None] + torch.minimum(offsets, (count[:, None] - 1).clamp(min=0))
    members.clamp_(max=pixels - 1)
    return _Axis(cell, members, weight[members], count == 0)


def _argmax_first(values: Tensor) -> tuple[Tensor, Tensor]:
    """Largest value over dimension 0 and the lowest index that has it, as uint8."""
    # Running maximum over contiguous planes: several times faster than argmax over 19 values
    best = values[0].clone()
    index = torch.zeros(best.shape, dtype=torch.uint8)
    for number in range(1, len(values)):
        index.masked_fill_(values[number] > best, number)
        torch.maximum(best, values[number], out=best)
    return best, index


def labels_by_cells(logits: Tensor, size: tuple[int, int], align_corners: bool = False) -> Tensor:
    """Labels of one picture, interpolating only between logits that disagree on the class.

    Args:
        logits: C×h×w on the CPU, any float dtype, C at most 255.
        size: height and width of the labels, neither smaller than h and w.
        align_corners: interpolate so that the corner pixels' centres coincide.

    Returns:
        H×W uint8, equal to ``labels_reference`` but where two classes lie within float32 rounding
        of each other.
    """
    rows = _axis(logits.shape[1], size[0], align_corners)
    columns = _axis(logits.shape[2], size[1], align_corners)
    padded = F.pad(logits.float()[None], (1, 1, 1, 1), mode="replicate")[0].contiguous()
    _, classes = _argmax_first(padded)
    corner = classes[:-1, :-1]
    mixed = (corner != classes[:-1, 1:]) | (corner != classes[1:, :-1])
    mixed |= corner != classes[1:, 1:]
    mixed &= ~(rows.empty[:, None] | columns.empty)
    # Columns first: whole rows are then copied, not single pixels.
    out = corner.index_select(1, columns.cell).index_select(0, rows.cell)
    at_row, at_column = mixed.nonzero(as_tuple=True)
    flat, stride = padded.flatten(1), padded.shape[2]
    width = size[1]
    for part in range(0, len(at_row), _CHUNK):
        i, j = at_row[part : part + _CHUNK], at_column[part : part + _CHUNK]
        # C×cells×(top, bottom)×(left, right)
        start = i * stride + j
        top_left, top_right = flat[:, start], flat[:, start + 1]
        low_left, low_right = flat[:, start + stride], flat[:, start + stride + 1]
        wx, wy = columns.weight[j], rows.weight[i]  # cells×k
        top = top_left[..., None] * (1 - wx) + top_right[..., None] * wx
        low = low_left[..., None] * (1 - wx) + low_right[..., None] * wx
        wy = wy[:, :, None]
        values = top[:, :, None, :] * (1 - wy) + low[:, :, None, :] * wy  # C×cells×ky×kx
        _, winners = _argmax_first(values)
        pixels = rows.pixels[i][:, :, None] * width + columns.pixels[j][:, None, :]
        out.view(-1)[pixels.view(-1)] = winners.view(-1)
    return out
