"""Error images of frames: input, truth, prediction and error.

Drawn with numpy and OpenCV alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fastscnn.evaluation.class_merging import ClassMerging
from fastscnn.evaluation.metrics import confusion_matrix
from fastscnn.labels import UNKNOWN

Image = NDArray[np.uint8]

PANEL = 720
"""Width of one of the four images."""
WRONG = (235, 30, 60)
"""RGB of pixels that are wrong."""
_BACK, _INK, _FAINT = (24, 26, 30), (235, 236, 238), (160, 164, 170)
_LINE = 30
_GAP = 8
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Judged:
    """Judged frame: its image, truth and labels.

    Attributes:
        image: RGB uint8 H×W×3.
        truth, labels: H×W places in the merging's names, ``UNKNOWN`` for none.
        title: what stands above.
    """

    image: Image
    truth: Image
    labels: Image
    title: str


def draw(judged: Judged, merging: ClassMerging) -> Image:
    """Draw input, truth, prediction and error as one image, with the classes' colours named.

    Returns:
        RGB uint8.
    """
    colors = merging.colors()
    height, width = judged.truth.shape
    size = PANEL, max(1, round(PANEL * height / width))
    wrong = (judged.truth != judged.labels) & (judged.truth != UNKNOWN)
    shrinks = width > PANEL
    smooth = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR

    def fit(image: Image, method: int) -> Image:
        return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)

    # Averaging keeps thin mistakes visible where nearest neighbours would lose them.
    share = cv2.resize(wrong.astype(np.float32), size, interpolation=smooth)
    known = fit((judged.truth != UNKNOWN).astype(np.uint8), cv2.INTER_NEAREST)
    panels = [
        ("input", fit(judged.image, smooth)),
        ("truth (black: unlabelled)", fit(colors[judged.truth], cv2.INTER_NEAREST)),
        ("prediction", fit(colors[judged.labels], cv2.INTER_NEAREST)),
        (_mistakes(judged, merging), _errors(fit(judged.image, smooth), share, known)),
    ]
    whole = 2 * PANEL + 3 * _GAP
    rows = [_line(judged.title, whole, _INK)]
    for left, right in (panels[:2], panels[2:]):
        rows.append(_beside(*(_line(text, PANEL, _FAINT) for text, _ in (left, right))))
        rows.append(_beside(left[1], right[1]))
    rows.append(_legend(judged, merging, whole))
    return np.vstack(rows)


def _errors(image: Image, share: NDArray[np.float32], known: Image) -> Image:
    """Return the image in gray with what is wrong in red, darker where nothing is known."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gray *= np.where(known > 0, 0.7, 0.25)
    weight = np.clip(share * 0.85, 0, 1)[..., None]
    mixed = gray[..., None] * (1 - weight) + np.array(WRONG, np.float32) * weight
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def _mistakes(judged: Judged, merging: ClassMerging) -> str:
    """Return the commonest mistakes in words."""
    confusion = confusion_matrix(judged.truth, judged.labels, len(merging))
    total = max(1, int(confusion.sum()))
    np.fill_diagonal(confusion, 0)
    parts = []
    for place in np.argsort(confusion, axis=None)[::-1][:3]:
        true, said = np.unravel_index(int(place), confusion.shape)
        part = 100 * confusion[true, said] / total
        if part >= 0.05:
            name = merging.names[said] if said < len(merging) else "none"
            parts.append(f"{merging.names[true]} as {name} {part:.1f} %")
    return "error: " + (", ".join(parts) or "none")


def _line(text: str, width: int, color: tuple[int, int, int]) -> Image:
    strip = np.full((_LINE, width, 3), _BACK, np.uint8)
    scale = 0.52
    # The fonts that OpenCV draws know ASCII alone.
    plain = text.encode("ascii", "replace").decode()
    while scale > 0.3 and cv2.getTextSize(plain, _FONT, scale, 1)[0][0] > width - 2 * _GAP:
        scale -= 0.04
    cv2.putText(strip, plain, (_GAP, _LINE - 9), _FONT, scale, color, 1, cv2.LINE_AA)
    return strip


def _beside(left: Image, right: Image) -> Image:
    gap = np.full((left.shape[0], _GAP, 3), _BACK, np.uint8)
    return np.hstack([gap, left, gap, right, gap])


def _legend(judged: Judged, merging: ClassMerging, width: int) -> Image:
    """Draw the classes that the frame shows, in as many lines as they need."""
    seen = np.union1d(judged.truth, judged.labels)
    colors = merging.colors()
    lines = [np.full((_LINE + _GAP, width, 3), _BACK, np.uint8)]
    at = _GAP
    for place in seen[seen < len(merging)]:
        name = merging.names[int(place)].encode("ascii", "replace").decode()
        room = 34 + cv2.getTextSize(name, _FONT, 0.5, 1)[0][0]
        if at + room > width:
            lines.append(np.full((_LINE, width, 3), _BACK, np.uint8))
            at = _GAP
        color = tuple(int(c) for c in colors[place])
        cv2.rectangle(lines[-1], (at, 10), (at + 16, 26), color, cv2.FILLED)
        cv2.putText(lines[-1], name, (at + 22, 23), _FONT, 0.5, _INK, 1, cv2.LINE_AA)
        at += room + _GAP
    return np.vstack(lines)
