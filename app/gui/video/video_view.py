"""Video view: one image, two side by side, or a wipe; zoom, pan and pixel inspector."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QWidget

from app.core.frame import Result
from app.gui.video.annotation_painter import paint_tooltip
from app.gui.video.frame_painter import convert_sides, paint_captions, paint_sides, paint_text
from app.gui.video.pane_layout import PaneLayout
from app.gui.video.pixel_probe import PixelInfo, probe_pixel
from app.gui.video.stats_overlay import OverlayStats, badges_of, paint_stats, rates_room
from app.gui.video.viewport import Viewport
from app.gui.video.wipe_divider import WipeDivider, hits_divider, paint_divider
from app.gui.widgets import theme
from app.rendering.view_options import ViewOptions

_STEP = 1.25
"""Zoom of one step of the wheel."""


class VideoView(QWidget):
    """Widget that shows the newest result, with its aspect kept, and statistics in its corner.

    The result is taken while painting: what counts as shown was on the screen. The two sides of a
    wipe are put together here, so that the divider moves at once.

    Args:
        take: returns the newest result once, ``None`` when there is no new one.
        painted: called with the seconds that the painting of each new result took.
    """

    double_clicked = pyqtSignal()
    split_moved = pyqtSignal(float)
    """Emitted when the user moved the divider: 0–1 of the image's width."""
    class_clicked = pyqtSignal(int)
    """Emitted when the user clicked a pixel of the class with this number in the legend."""

    def __init__(
        self,
        take: Callable[[], Result | None],
        painted: Callable[[float], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(320, 180)
        self.setAccessibleName("Picture")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.result: Result | None = None
        """Result on the screen."""
        self.viewport = Viewport()
        """Placement of the image in the whole widget, or in either half of it."""
        self._take, self._painted = take, painted
        self._by_key = False
        # Pixels as Qt wants them. The QImage over them is made anew for each painting: it would
        # not keep the array alive.
        self._pixels: list[NDArray[np.uint8]] = []
        self._divider = WipeDivider(self._divider_moved)
        self._stats, self._rates = OverlayStats(), QRect()
        self._message = self._offline_message = ""
        self._mouse: QPointF | None = None
        self._pressed: QPointF | None = None
        self._pans = False
        self._clicked: int | None = None
        self._pan_start: tuple[tuple[float, float], int] | None = None

    # Display

    def set_options(self, options: ViewOptions) -> None:
        """Set the view options; the divider follows at once."""
        if options != self._divider.options:
            self._divider.options = options
            self._describe()
            self.update()

    def set_stats(self, stats: OverlayStats) -> None:
        """Set the statistics in the corner."""
        if stats != self._stats:
            elsewhere, self._stats = stats.moves(self._stats), stats
            self.update(self.rect() if elsewhere else self._rates)

    def set_message(self, message: str) -> None:
        """Set the message in the middle while there is no image."""
        if message != self._message:
            self._message = message
            self._describe()
            self.update()

    def set_offline_message(self, text: str) -> None:
        """Set the message over an image that is out of date; it is darkened then."""
        if text != self._offline_message:
            self._offline_message = text
            self._describe()
            self.update()

    def clear(self) -> None:
        """Discard the image."""
        self.result = self._divider.result = None
        self._pixels = []
        self.update()

    def fit(self) -> None:
        """Fit the whole image into the widget."""
        self._place(self.viewport.at_scale(None, 0, 0))

    def actual_size(self) -> None:
        """Zoom to 100 %: a pixel of the image on a pixel of the screen."""
        self._place(self.viewport.at_scale(1.0, *self._anchor()))

    def zoom_in(self, steps: float = 1.0) -> None:
        """Zoom to the mouse, or to the middle where it is elsewhere; negative steps zoom out."""
        self._place(self.viewport.zoomed(_STEP**steps, *self._anchor()))

    def zoom_out(self) -> None:
        """Zoom out by one step."""
        self.zoom_in(-1.0)

    def move_divider(self, by: float) -> None:
        """Move the divider of a wipe by a share of the image's width."""
        self._divider.move_to(self._divider.split + by)

    # Geometry

    def picture_rect(self) -> QRect:
        """Return the image's rectangle, that of the left one of two; parts may lie outside."""
        if not self._pixels:
            return self.rect()
        return self.panes().picture().toRect()

    def divider(self) -> float | None:
        """Return the divider's position in the widget: at an edge where it would lie outside."""
        room = QRectF(self.rect())
        return self._divider.x(self.panes().picture(), room, self.devicePixelRatioF())

    def pixel_info(self) -> PixelInfo | None:
        """Return the pixel under the mouse; ``None`` outside the image."""
        if self._mouse is None or self.result is None or self._dragged:
            return None
        panes = self.panes()
        side = panes.pane_at(self._mouse)
        pixel = self.viewport.pixel_at(*panes.inside(self._mouse, side))
        if pixel is None:
            return None
        if (divider := self.divider()) is not None:
            side = int(self._mouse.x() >= divider)
        return probe_pixel(self.result, side, *pixel)

    @property
    def _dragged(self) -> bool:
        """True while the mouse drags the image or the divider."""
        return self._pans or self._divider.dragged

    def panes(self) -> PaneLayout:
        """Return where the pictures are in the widget."""
        result = self.result
        count = 2 if result is not None and result.view.view == "side" else 1
        return PaneLayout(QRectF(self.rect()), self.devicePixelRatioF(), count, self.viewport)

    def _anchor(self) -> tuple[float, float]:
        if self._mouse is not None:
            panes = self.panes()
            return panes.inside(self._mouse, panes.pane_at(self._mouse))
        return self.viewport.room[0] / 2, self.viewport.room[1] / 2

    def _fit_room(self) -> None:
        """Update the viewport to the size of the widget and the image."""
        if self._pixels:
            height, width = self._pixels[0].shape[:2]
            self.viewport = self.viewport.fitted_to(self.panes().room, (width, height))

    def _place(self, viewport: Viewport) -> None:
        if self._pixels and viewport != self.viewport:
            self.viewport = viewport
            self._set_cursor()
            self.update()

    # Wipe divider

    def _on_divider(self, point: QPointF) -> bool:
        return hits_divider(point, self.divider(), QRectF(self.rect()))

    def _grasps_divider(self) -> bool:
        over = self._mouse is not None and self._on_divider(self._mouse)
        return self._divider.dragged or over

    def _divider_moved(self, split: float) -> None:
        self._describe()
        self.update()
        self.split_moved.emit(split)

    def _describe(self) -> None:
        """Set the accessible description."""
        words = self._offline_message or self._divider.description() or self._message
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:
        started = time.monotonic()
        # What is painted into the corner alone would be half a picture.
        alone = event is not None and self._rates.contains(event.rect())
        result = None if alone else self._take()
        if result is not None:
            self._keep(result)
        self._paint()
        if result is not None and not result.repeated:
            self._painted(time.monotonic() - started)

    def _paint(self) -> None:
        painter = QPainter(self)
        if not self._pixels or self.result is None:
            painter.fillRect(self.rect(), QColor(theme.CANVAS))
            paint_text(painter, QRectF(self.rect()), QColor(theme.MUTED), self._message)
            return
        self._fit_room()
        divider = self.divider()
        whole = QRectF(self.rect())
        seen = paint_sides(painter, self.panes(), self._pixels, divider)
        paint_captions(painter, self.result, seen, divider)
        self._paint_handle(painter, seen, divider)
        if self._offline_message:
            painter.fillRect(whole, QColor(0, 0, 0, 170))
            paint_text(painter, whole, QColor("white"), self._offline_message)
            return
        self._rates = rates_room(seen[0] | seen[-1])
        paint_stats(painter, seen[0] | seen[-1], self._shown_stats())
        if (pixel_info := self.pixel_info()) is not None and self._mouse is not None:
            paint_tooltip(painter, self._mouse, whole, pixel_info.color, pixel_info.lines)

    def _paint_handle(self, painter: QPainter, seen: list[QRectF], divider: float | None) -> None:
        """Paint the divider, or where there is none the focus frame."""
        if divider is not None:
            focused, room = self.hasFocus() and self._by_key, seen[0] | seen[1]
            paint_divider(painter, divider, room, grasped=self._grasps_divider(), focused=focused)
        elif self.hasFocus() and self._by_key:
            painter.setPen(QColor(theme.ACCENT))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -1, -1))

    def _keep(self, result: Result) -> None:
        described = self.result is None or self.result.captions != result.captions
        self.result = self._divider.result = result
        convert_sides(result.sides, self._pixels)
        if described:
            self._describe()

    def _shown_stats(self) -> OverlayStats:
        """Return the statistics, with badges for this very result."""
        badges = (*badges_of(self.result), *self._stats.badges)
        if self.viewport.scale is not None:
            badges = (*badges, f"{100 * self.viewport.zoom:.0f} %")
        return OverlayStats(self._stats.fps, self._stats.latency, badges)

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is None or self.result is None:
            return
        self._mouse = self._pressed = event.position()
        panes = self.panes()
        pane = panes.pane_at(event.position())
        self._pan_start = self.viewport.at(*panes.inside(event.position(), pane)), pane
        left = event.button() == Qt.MouseButton.LeftButton
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.button() == Qt.MouseButton.MiddleButton or (left and control):
            self._pans = True
        elif left and self._on_divider(event.position()):
            self._divider.dragged = True
        elif not left:
            self._pressed = None
        self._set_cursor()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is None:
            return
        self._mouse = now = event.position()
        if self._pressed is not None and not self._dragged:
            far = (now - self._pressed).manhattanLength() > 5
            if far and self.viewport.pans:
                self._pans = True
        if self._divider.dragged:
            self._divider.drag_to(now.x(), self.panes().picture())
        elif self._pans and self._pan_start is not None:
            # Not by how far the mouse went: a message may have moved the picture meanwhile.
            point, pane = self._pan_start
            self._place(self.viewport.with_at(point, *self.panes().inside(now, pane)))
        self._set_cursor()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        pressed, dragged = self._pressed, self._dragged
        self._pressed = None
        self._pans = self._divider.dragged = False
        if event is None:
            return
        self._mouse = event.position()
        near = pressed is not None and (event.position() - pressed).manhattanLength() <= 5
        if near and not dragged:
            self._click()
        self._set_cursor()
        self.update()

    def _click(self) -> None:
        pixel_info = self.pixel_info()
        self._clicked = pixel_info.listed if pixel_info is not None else None
        if self._clicked is not None:
            self.class_clicked.emit(self._clicked)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if self._on_divider(event.position()):
            self._divider.move_to(0.5)
            return
        if self._clicked is not None:  # its first click was no choice of a class
            self.class_clicked.emit(self._clicked)
            self._clicked = None
        self.double_clicked.emit()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is None or self.result is None:
            return
        self._mouse = event.position()
        self.zoom_in(event.angleDelta().y() / 120)
        event.accept()

    def leaveEvent(self, event: QEvent | None) -> None:
        self._mouse = None
        self.update()

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._mouse = event.position()
                self._place(self.viewport.zoomed(1 + event.value(), *self._anchor()))
                return True
        elif (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and self._divider.step_of(event) is not None
        ):
            event.accept()  # the window's commands on these keys wait until the focus goes on
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        step = self._divider.step_of(event)
        if step is None:
            super().keyPressEvent(event)
            return
        self.move_divider(step)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        # Who came by the keyboard needs to see where; who did not, not.
        keys = {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason}
        self._by_key = event is not None and event.reason() in keys and self.isVisible()
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        self.update()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._fit_room()

    def sizeHint(self) -> QSize:
        return QSize(960, 540)

    def _set_cursor(self) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self._pans:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._grasps_divider():
            shape = Qt.CursorShape.SplitHCursor
        elif self.viewport.pans:
            shape = Qt.CursorShape.OpenHandCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
