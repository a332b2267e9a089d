"""Frame painter: images in their panes, and what is around them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter

from app.core.frame import Result
from app.gui.video.annotation_painter import paint_caption, paint_scale
from app.gui.video.pane_layout import PaneLayout
from app.gui.widgets import theme


def convert_sides(sides: Sequence[NDArray[np.uint8]], buffers: list[NDArray[np.uint8]]) -> None:
    """Convert the sides of a result into images for Qt, into the same memory where sizes allow.

    Args:
        sides: RGB uint8 H×W×3.
        buffers: replaced by H×W×4: blue, green, red, unused.
    """
    for number, side in enumerate(sides):
        if number == len(buffers):
            buffers.append(np.empty((*side.shape[:2], 4), np.uint8))
        pixels = cv2.cvtColor(side, cv2.COLOR_RGB2BGRA, dst=buffers[number])
        buffers[number] = np.asarray(pixels, np.uint8)
    del buffers[len(sides) :]


def paint_text(painter: QPainter, room: QRectF, colour: QColor, text: str) -> None:
    """Paint a message in the middle."""
    painter.setPen(colour)
    painter.setFont(theme.font(16))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(room.toRect().adjusted(40, 40, -40, -40), flags, text)


def paint_sides(
    painter: QPainter,
    panes: PaneLayout,
    pictures: Sequence[NDArray[np.uint8]],
    divider: float | None,
) -> list[QRectF]:
    """Paint each image where it is visible, and what is around it; return the visible rectangles.

    Args:
        painter: painter of the widget.
        panes: layout of the images.
        pictures: H×W×4, blue, green, red, unused.
        divider: position of the wipe's divider; ``None`` where there is none.
    """
    crisp = panes.viewport.crisp
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not crisp)
    seen: list[QRectF] = []
    for number, pixels in enumerate(pictures):
        target = panes.picture(number if panes.count == 2 else 0)
        room = panes.seen(number, divider)
        height, width = pixels.shape[:2]
        # One drawing of RGB32 is the fastest way that Qt has on a processor.
        image = QImage(  # type: ignore[call-overload]  # the stubs know no buffers
            pixels.data, width, height, width * 4, QImage.Format.Format_RGB32
        )
        # The part of the picture that is seen: cheaper than the whole of it, clipped.
        part = QRectF(
            (room.left() - target.left()) * width / target.width(),
            (room.top() - target.top()) * height / target.height(),
            room.width() * width / target.width(),
            room.height() * height / target.height(),
        )
        if not room.isEmpty():
            painter.drawImage(room, image, part)
        seen.append(room)
    canvas = QColor(theme.CANVAS)
    for bar in _bars(panes.whole, seen[0] | seen[-1]):
        painter.fillRect(bar, canvas)
    if panes.count == 2:
        width = max(0.0, seen[1].left() - seen[0].right())
        painter.fillRect(QRectF(seen[0].right(), 0, width, panes.whole.height()), canvas)
    return seen


def paint_captions(
    painter: QPainter, result: Result, seen: Sequence[QRectF], divider: float | None
) -> None:
    """Paint the captions of two sides, and the scale of a confidence."""
    for number, (side, room) in enumerate(zip(result.view.sides, seen, strict=True)):
        # Names keep to the divider, so that they move with it; scales keep to the edges.
        names_right = divider is not None and number == 0
        if len(seen) == 2:
            paint_caption(painter, result.captions[number], room, right=names_right)
        if side.content == "confidence" and result.prediction_at(number) is not None:
            paint_scale(painter, result.view.measure, room, right=not names_right)


def _bars(whole: QRectF, picture: QRectF) -> tuple[QRectF, ...]:
    """Return the bars around the image: above and below it, and left and right."""
    width, height = whole.width(), whole.height()
    return (
        QRectF(0, 0, width, picture.top()),
        QRectF(0, picture.bottom(), width, height - picture.bottom()),
        QRectF(0, 0, picture.left(), height),
        QRectF(picture.right(), 0, width - picture.right(), height),
    )
