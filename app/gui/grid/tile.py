"""Tile: one source of the grid, its picture and how it does."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from PyQt6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFont,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app.core.formatting import clock
from app.core.frame import Result
from app.gui.feedback.status_bar import offline_message, waiting_message
from app.gui.video.frame_painter import paint_text
from app.gui.widgets import theme
from app.gui.widgets.controls import plain_tip
from app.gui.widgets.images import to_qimage
from app.pipeline.pipeline import Pipeline
from app.pipeline.status import PipelineStatus

_LINE = 30
"""Height of the line under the picture."""
_BETWEEN = " · "


def _name_font() -> QFont:
    return theme.font(13, bold=True)


def _figures_font() -> QFont:
    return theme.font(12)


class Tile(QWidget):
    """Picture of one source with its name, rate, age and drops; it asks to be shown large.

    Args:
        pipeline: the source's; what is painted here counts as shown.
        number: of the source, from 1.
    """

    chosen = pyqtSignal()
    menu_asked = pyqtSignal(QPoint)
    """The place on the screen at which the user wants a menu of what can be done."""
    removal_asked = pyqtSignal()

    def __init__(self, pipeline: Pipeline, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pipeline, self._number = pipeline, number
        self.result: Result | None = None
        """Result on the screen."""
        self.error = ""
        """The last error of the source."""
        self.ending = ""
        """Message that came with the last end of the source."""
        self._image = QImage()
        self._made_of: tuple[Result | None, QSize] = None, QSize()
        """The result at the size at which it is shown, and what that was made of."""
        self._status: PipelineStatus | None = None
        self.setMinimumSize(240, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def name(self) -> str:
        """Name of the source."""
        spec = self._pipeline.session.opened_spec
        return f"{self._number}  {spec.name if spec is not None else 'empty'}"

    @property
    def words(self) -> str:
        """Message over the picture, or in its place; empty where all is well."""
        status = self._status
        if status is None:
            return ""
        if status.state in {"failed", "empty"}:
            return self.error or "Nothing is open here: click, and open a source."
        if status.offline is not None:
            return offline_message(status)
        if status.state == "ended" and self.ending:
            return f"Ended. {self.ending}"
        if status.state in {"ended", "paused"}:
            return status.state.capitalize()
        return waiting_message(status) if self.result is None else ""

    @property
    def figures(self) -> str:
        """Length of what is recorded of the source, rate and age while it plays, and its drops."""
        status = self._status
        if status is None:
            return ""
        parts = [f"{status.counters.dropped_total} dropped"]
        if status.state == "playing":
            age = [f"{1000 * status.latency:.0f} ms"] if status.latency else []
            parts = [f"{status.fps:.1f} fps", *age, *parts]
        if status.recording is not None:
            parts.insert(0, f"recording {clock(status.recording.seconds)}")
        return _BETWEEN.join(parts)

    def refresh(self) -> None:
        """Show the source as it is now."""
        self._status = self._pipeline.status()
        if self._status.state in {"failed", "empty"}:
            self.result = None
        self.setAccessibleName(f"{self.name}: {self.words or self.figures}")
        self.setToolTip(plain_tip("\n".join(filter(None, (self.name, self.figures)))))
        self.update()

    def look(self) -> None:
        """Paint where a new result is there to be taken."""
        display = self._pipeline.sinks.display
        if display is not None and len(display):
            self.update()

    def adopt(self, result: Result | None) -> None:
        """Show a result that was on the screen elsewhere."""
        if result is not None:
            self.result = result
            self.update()

    def hand_over(self) -> None:
        """Have the window of the source show the result that is here; it counts as shown once."""
        display = self._pipeline.sinks.display
        if self.result is not None and display is not None and not len(display):
            display.put(replace(self.result, repeated=True), wait=False)

    def line_texts(self, width: int) -> tuple[str, str]:
        """Return name and figures for a line of so many pixels.

        Where they do not fit, the name loses its middle, and figures are left out, the last ones
        first, until it has half the line.
        """
        of_name, of_figures = QFontMetrics(_name_font()), QFontMetrics(_figures_font())
        parts = self.figures.split(_BETWEEN)
        least = min(of_name.horizontalAdvance(self.name), width // 2)

        def left() -> int:
            return width - of_figures.horizontalAdvance(_BETWEEN.join(parts)) - 16

        while len(parts) > 1 and left() < least:
            parts.pop()
        name = of_name.elidedText(self.name, Qt.TextElideMode.ElideMiddle, left())
        return name, _BETWEEN.join(parts)

    def sizeHint(self) -> QSize:
        return QSize(480, 300)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        result = self._pipeline.take()
        if result is not None:
            self.result = result
        painter = QPainter(self)
        room = self.rect().adjusted(0, 0, 0, -_LINE)
        painter.fillRect(self.rect(), QColor(theme.PANEL))
        painter.fillRect(room, QColor(theme.CANVAS))
        if self.result is not None:
            self._paint_picture(painter, room, self.result)
        if words := self.words:
            painter.fillRect(room, QColor(0, 0, 0, 130 if self.result is not None else 0))
            color = QColor("#ffffff") if self.result is not None else QColor(theme.TEXT)
            paint_text(painter, QRectF(room), color, words)
        self._paint_line(painter)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(QColor(theme.ACCENT), 3))
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if self.rect().contains(event.position().toPoint()):
            self.chosen.emit()

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        if event is not None:
            self.menu_asked.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.chosen.emit()
        elif event is not None and event.key() == Qt.Key.Key_Delete:
            self.removal_asked.emit()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent | None) -> None:
        self.update()

    def leaveEvent(self, event: QEvent | None) -> None:
        self.update()

    def _paint_picture(self, painter: QPainter, room: QRect, result: Result) -> None:
        if self._made_of[0] is not result or self._made_of[1] != room.size():
            picture = result.picture_at(self._pipeline.view.split_at(result.frame.time))
            height, width = picture.shape[:2]
            ratio = self.devicePixelRatioF()
            scale = ratio * min(room.width() / width, room.height() / height)
            size = max(1, round(scale * width)), max(1, round(scale * height))
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            pixels = np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
            self._image = to_qimage(pixels)
            self._image.setDevicePixelRatio(ratio)
            self._made_of = result, room.size()
        place = QRect(QPoint(), self._image.deviceIndependentSize().toSize())
        place.moveCenter(room.center())
        painter.drawImage(place.topLeft(), self._image)

    def _paint_line(self, painter: QPainter) -> None:
        line = QRect(10, self.height() - _LINE, self.width() - 20, _LINE)
        middle = Qt.AlignmentFlag.AlignVCenter
        name, figures = self.line_texts(line.width())
        painter.setPen(QColor(theme.MUTED))
        painter.setFont(_figures_font())
        painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, figures)
        painter.setFont(_name_font())
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(line, middle | Qt.AlignmentFlag.AlignLeft, name)
