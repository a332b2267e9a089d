"""Overlay of predictions: one picture per side, and both put together."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.rendering.view_options import Content, View, ViewOptions
from fastscnn.labels import CITYSCAPES, NUM_CLASSES, UNKNOWN, ClassTable

Picture = NDArray[np.uint8]

DIVIDER = (255, 255, 255)
"""RGB of the line between the two sides of a wipe."""
WRONG = (255, 40, 90)
"""RGB of what is wrong, over a picture in grey."""

_INK, _GROUND = (255, 255, 255), (10, 12, 16)


def _picture(array: object) -> Picture:
    return np.asarray(array, np.uint8)


def _greys(color: tuple[int, int, int], weight: float) -> Picture:
    """Return 256×1×3 uint8: what a grey is drawn as with a colour of some weight over it."""
    ramp = np.arange(256, dtype=np.float32)[:, None, None]
    return np.round(ramp * (1 - weight) + np.array(color, np.float32) * weight).astype(np.uint8)


_RIGHT = _greys((0, 0, 0), 0.5)
# A little of the picture shows through, so that it can be told what is taken for what.
_MARKED = _greys(WRONG, 0.75)


def _scale() -> Picture:
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    colors = _picture(cv2.applyColorMap(ramp, cv2.COLORMAP_VIRIDIS))  # in OpenCV's order
    table = np.ascontiguousarray(colors[:, :, ::-1])
    table.setflags(write=False)
    return table


SCALE = _scale()
"""256×1×3 uint8 RGB: the colours of the confidence from 0 to 1, even to the eye (viridis)."""


def draw(
    image: Picture,
    content: Content,
    options: ViewOptions,
    labels: NDArray[np.uint8],
    confidence: NDArray[np.uint8] | None = None,
    classes: ClassTable = CITYSCAPES,
) -> Picture:
    """Draw one side.

    Pixels of hidden or unknown classes show the frame in the overlay and black among the labels;
    the confidence is of all classes and hides none, but for unknown pixels.

    Args:
        image: RGB uint8 H×W×3.
        content: what is shown.
        options: how.
        labels: H×W uint8 numbers of classes.
        confidence: H×W uint8, 0–255 for 0–1; without it the confidence shows the frame.
        classes: those of the network that the labels are of.

    Returns:
        RGB uint8 H×W×3: a new array, or ``image`` itself where nothing is drawn over it.
    """
    if content == "raw":
        return image
    options = options.numbered_as(classes.names)
    if content == "confidence":
        if confidence is None:
            return image
        out = _picture(cv2.applyColorMap(confidence, SCALE))
        unknown = _picture(cv2.inRange(labels, UNKNOWN, UNKNOWN))
        if cv2.hasNonZero(unknown):  # of a region that is ignored
            cv2.copyTo(image, unknown, out)
    else:
        out = _colors(image, content, options, labels, classes)
    if options.contours:
        visible = labels
        if options.hidden and content != "confidence":
            visible = _picture(cv2.LUT(labels, _hiding(options.hidden)))
        _outline(out, visible)
    if options.selected is not None:
        _outline(out, _picture(cv2.inRange(labels, options.selected, options.selected)), 2)
    return out


def draw_errors(image: Picture, truth: Picture, wrong: Picture) -> Picture:
    """Draw what is wrong in one colour, what is right in dark grey; what is not judged stays.

    Args:
        image: RGB uint8 H×W×3.
        truth: H×W uint8, ``UNKNOWN`` where nothing is judged.
        wrong: H×W uint8, 255 where the labels are wrong.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    out = _picture(cv2.applyColorMap(grey, _RIGHT))
    cv2.copyTo(image, cv2.inRange(truth, UNKNOWN, UNKNOWN), out)
    cv2.copyTo(cv2.applyColorMap(grey, _MARKED), wrong, out)
    return out


def compose(
    sides: Sequence[Picture], view: View, split: float = 0.5, captions: Sequence[str] = ()
) -> Picture:
    """Put drawn sides together as they are recorded.

    Args:
        sides: one or two pictures of the same size.
        view: how two of them go together.
        split: where the divider of a wipe is, 0–1 of the width.
        captions: what is written on each of two sides.

    Returns:
        RGB uint8 H×W×3, twice as wide for ``side``; the only side itself where there is one.
    """
    if len(sides) == 1:
        return sides[0]
    left, right = sides
    height, width = left.shape[:2]
    if view == "side":
        out = np.concatenate((left, right), axis=1)
        places = ((0, width), (width, 2 * width))
    else:
        middle = round(split * width)
        out = right.copy()
        out[:, :middle] = left[:, :middle]
        places = ((0, middle), (middle, width))
        half = max(1, width // 960)
        cv2.rectangle(out, (middle - half - 1, 0), (middle + half, height), _GROUND, -1)
        cv2.rectangle(out, (middle - half, 0), (middle + half - 1, height), DIVIDER, -1)
    for side, ((start, end), text) in enumerate(zip(places, captions, strict=False)):
        # Those of a wipe keep to the divider, those of two pictures to their left corners.
        _caption(out, text, start, end, at_end=view == "wipe" and side == 0)
    return out


def shares(*parts: NDArray[np.uint8], classes: int = NUM_CLASSES) -> tuple[float, ...]:
    """The share that each of so many classes has of some labels taken together, 0–1.

    Pixels of no class count for nothing.
    """
    counts = np.zeros(256)
    for labels in parts:
        if labels.size:
            counts += np.asarray(cv2.calcHist([labels], [0], None, [256], [0, 256])).ravel()
    size = max(1.0, float(counts[:classes].sum()))
    return tuple(float(n) / size for n in counts[:classes])


def _colors(
    image: Picture,
    content: Content,
    options: ViewOptions,
    labels: NDArray[np.uint8],
    classes: ClassTable,
) -> Picture:
    # applyColorMap is a plain table look-up, ten times faster than palette[labels]
    colors = _picture(cv2.applyColorMap(labels, classes.palette[:, None]))
    if content == "labels":
        base, out = np.zeros_like(image), colors
    else:
        base = image
        out = _picture(cv2.addWeighted(colors, options.alpha, image, 1 - options.alpha, 0))
    bare = np.full(256, 255, np.uint8)
    bare[[i for i in range(len(classes)) if i not in options.hidden]] = 0
    mask = _picture(cv2.LUT(labels, bare))
    if cv2.hasNonZero(mask):
        cv2.copyTo(base, mask, out)
    return out


def _hiding(hidden: frozenset[int]) -> NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    table[list(hidden)] = 255
    return table


def _outline(out: Picture, labels: NDArray[np.uint8], weight: int = 1) -> None:
    """Draw where labels change: a light line with a dark one beside it, seen on any ground."""
    thick = max(1, round(weight * labels.shape[0] / 720))
    # The greater label's side of a border gets the light line, the lesser one's the dark line.
    kernel = np.ones((3, 3), np.uint8)
    light = _picture(cv2.compare(labels, cv2.erode(labels, kernel, iterations=thick), cv2.CMP_NE))
    dark = _picture(cv2.compare(labels, cv2.dilate(labels, kernel, iterations=thick), cv2.CMP_NE))
    cv2.copyTo(np.full_like(out, _GROUND), dark, out)
    cv2.copyTo(np.full_like(out, _INK), light, out)


def _caption(out: Picture, text: str, start: int, end: int, *, at_end: bool) -> None:
    """Write on a plate at the lower edge between two columns; nothing where there is no room."""
    height = out.shape[0]
    size = max(0.4, height / 1000)
    line = max(1, round(size * 1.6))
    face = cv2.FONT_HERSHEY_SIMPLEX
    text = text.replace("·", "-").encode("ascii", "replace").decode()  # all that this font has
    (width, tall), _ = cv2.getTextSize(text, face, size, line)
    pad, gap = round(tall * 0.7), round(tall * 0.9)
    if not text or end - start < width + 2 * pad + gap:
        return
    left = end - gap - width - 2 * pad if at_end else start + gap
    top = height - gap - tall - 2 * pad
    if top < 0:
        return
    plate = out[top : top + tall + 2 * pad, left : left + width + 2 * pad]
    plate[:] = plate // 5
    where = (left + pad, top + pad + tall)
    cv2.putText(out, text, where, face, size, _INK, line, cv2.LINE_AA)
