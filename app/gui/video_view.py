"""The picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from app.gui import style
from app.gui.hud import Figures, paint_figures
from app.pipeline.frame import Result


class VideoView(QWidget):
    """Shows the newest result, with its aspect kept, and figures in its corner.

    The result is taken while painting: what counts as shown was on the screen.

    Args:
        take: gives the newest result once, ``None`` when there is no new one.
    """

    double_clicked = pyqtSignal()

    def __init__(self, take: Callable[[], Result | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(320, 180)
        self.setAccessibleName("Picture")
        self.result: Result | None = None
        """What the screen shows."""
        self._take = take
        # Pixels as Qt wants them. The QImage over them is made anew for each painting: it would
        # not keep the array alive.
        self._pixels: NDArray[np.uint8] | None = None
        self._figures = Figures()
        self._message = ""

    def set_figures(self, figures: Figures) -> None:
        """What the corner says."""
        if figures != self._figures:
            self._figures = figures
            self.update()

    def set_message(self, message: str) -> None:
        """What stands in the middle while there is no picture."""
        if message != self._message:
            self._message = message
            self.setAccessibleDescription(message)
            self.update()

    def clear(self) -> None:
        """Forget the picture."""
        self.result = self._pixels = None
        self.update()

    def picture_rect(self) -> QRect:
        """Where in the widget the picture is."""
        if self._pixels is None:
            return self.rect()
        height, width = self._pixels.shape[:2]
        size = QSize(width, height).scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRect(
            (self.width() - size.width()) // 2,
            (self.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )

    def paintEvent(self, event: QPaintEvent | None) -> None:
        result = self._take()
        if result is not None:
            self._keep(result)
        painter = QPainter(self)
        target = self.picture_rect()
        if self._pixels is None:
            painter.fillRect(self.rect(), QColor(style.CANVAS))
            painter.setPen(QColor(style.MUTED))
            painter.setFont(style.font(16))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(40, 40, -40, -40), flags, self._message)
            return
        for bar in _bars(self.rect(), target):
            painter.fillRect(bar, QColor(style.CANVAS))
        height, width = self._pixels.shape[:2]
        # One drawing of RGB32 is the fastest way that Qt has on a processor.
        image = QImage(  # type: ignore[call-overload]  # the stubs know no buffers
            self._pixels.data, width, height, width * 4, QImage.Format.Format_RGB32
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, image)
        paint_figures(painter, QRectF(target), self._shown_figures())

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        self.double_clicked.emit()

    def _keep(self, result: Result) -> None:
        self.result = result
        # The memory is used again where the size allows it.
        pixels = cv2.cvtColor(result.picture, cv2.COLOR_RGB2BGRA, dst=self._pixels)
        self._pixels = np.asarray(pixels, np.uint8)

    def _shown_figures(self) -> Figures:
        """The figures, with what is true of this very picture."""
        badges = self._figures.badges
        if self.result is not None and not self.result.skip:
            badges = ("skip off", *badges)
        return Figures(self._figures.fps, self._figures.latency, badges)


def _bars(whole: QRect, picture: QRect) -> tuple[QRect, ...]:
    """What the picture leaves free: above and below it, or left and right."""
    width, height = whole.width(), whole.height()
    return (
        QRect(0, 0, width, picture.top()),
        QRect(0, picture.bottom() + 1, width, height - picture.bottom() - 1),
        QRect(0, 0, picture.left(), height),
        QRect(picture.right() + 1, 0, width - picture.right() - 1, height),
    )
