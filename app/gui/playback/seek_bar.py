"""Seek bar: position, track with loop marks and preview, duration."""

from __future__ import annotations

import math
from collections import deque

from PyQt6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QEnterEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from app.core.events import Event
from app.core.formatting import fine_clock
from app.gui.playback.thumbnails import Thumbnails
from app.gui.widgets import theme
from app.pipeline.status import PipelineStatus

_EDGE = 9
"""Space at both ends of the track for the handle."""
_MOST_ALERTS = 500
_ALIKE = 0.5
"""Seconds between two alerts that are marked apart."""


class Track(QSlider):
    """Slider over the seconds of a file, with marks of a loop and a preview at the mouse.

    Values are milliseconds.
    """

    seek_requested = pyqtSignal(float)
    """Seconds that the user seeks to."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setAccessibleName("Timeline")
        self.setToolTip("")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.loop: tuple[float | None, float | None] = (None, None)
        self.looping = False
        self.bookmarks: tuple[float, ...] = ()
        self.alerts: deque[float] = deque(maxlen=_MOST_ALERTS)
        """Times of alerts in the source, in seconds."""
        self.preview = _Preview(self)
        self._thumbnails = thumbnails
        thumbnails.ready.connect(self._thumbnail_came)
        self._hover: float | None = None

    def sizeHint(self) -> QSize:
        return QSize(200, 26)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 26)

    def seconds_at(self, x: float) -> float:
        """Return the time at a position of the track."""
        width = max(1, self.width() - 2 * _EDGE)
        share = min(1.0, max(0.0, (x - _EDGE) / width))
        return share * self.maximum() / 1000

    def x_of(self, seconds: float) -> float:
        """Return the position of a time on the track."""
        share = seconds * 1000 / self.maximum() if self.maximum() else 0.0
        return _EDGE + min(1.0, max(0.0, share)) * (self.width() - 2 * _EDGE)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        groove = QRectF(_EDGE, middle - 2, self.width() - 2 * _EDGE, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.HOVER))
        painter.drawRoundedRect(groove, 2, 2)
        here = self.x_of(self.value() / 1000)
        painter.setBrush(QColor(theme.ACCENT if self.isEnabled() else theme.EDGE))
        done = QRectF(groove)
        done.setRight(here)
        painter.drawRoundedRect(done, 2, 2)
        self._paint_loop(painter, middle)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.WARN))
        for mark in self.bookmarks:  # pennants below the groove
            x = self.x_of(mark)
            below = ((0, 3), (4.5, 11), (-4.5, 11))
            painter.drawPolygon(QPolygonF([QPointF(x + dx, middle + dy) for dx, dy in below]))
        self._paint_alerts(painter, middle)
        if self._hover is not None and self.isEnabled():
            x = self.x_of(self._hover)
            painter.setPen(QPen(QColor(theme.TEXT), 1))
            painter.drawLine(QPointF(x, middle - 6), QPointF(x, middle + 6))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.ACCENT), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(here, middle), 8.5, 8.5)
        painter.setPen(QPen(QColor(theme.CANVAS), 1))
        painter.setBrush(QColor(theme.TEXT if self.isEnabled() else theme.EDGE))
        painter.drawEllipse(QPointF(here, middle), 6.5, 6.5)

    def _paint_loop(self, painter: QPainter, middle: float) -> None:
        begin, end = self.loop
        color = QColor(theme.WARN if self.looping else theme.MUTED)
        if begin is not None and end is not None:
            shade = QColor(color)
            shade.setAlpha(90)
            left, right = self.x_of(begin), self.x_of(end)
            painter.fillRect(QRectF(left, middle - 5, right - left, 10), shade)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for mark, way in ((begin, 1), (end, -1)):
            if mark is not None:  # a flag that points into the loop
                x = self.x_of(mark)
                points = ((0, -11), (7 * way, -7), (0, -3), (0, 11), (-1.6 * way, 11))
                flag = [QPointF(x + dx, middle + dy) for dx, dy in (*points, (-1.6 * way, -11))]
                painter.drawPolygon(QPolygonF(flag))

    def _paint_alerts(self, painter: QPainter, middle: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.RECORD))
        for seconds in self.alerts:  # a peg that stands on the groove
            x = self.x_of(seconds)
            corners = (0, -3), (-4, -11), (4, -11)
            painter.drawPolygon(QPolygonF([QPointF(x + dx, middle + dy) for dx, dy in corners]))

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is None:
            return
        self._look(event.position().x())
        if self.isSliderDown():
            self._go(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        self.setSliderDown(False)

    def enterEvent(self, event: QEnterEvent | None) -> None:
        if event is not None:
            self._look(event.position().x())

    def leaveEvent(self, event: object) -> None:
        self._hover = None
        self.preview.hide()
        self.update()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        # The keys of the whole window go to and fro in the file, whatever has the focus.
        if event is not None:
            event.ignore()

    def _go(self, x: float) -> None:
        seconds = self.seconds_at(x)
        self.setValue(round(seconds * 1000))
        self.seek_requested.emit(seconds)

    def _look(self, x: float) -> None:
        if not self.isEnabled():
            return
        self._hover = self.seconds_at(x)
        self._thumbnails.ask(self._hover)
        self.preview.show_time(self._hover, QPoint(round(self.x_of(self._hover)), 0))
        self.update()

    def _thumbnail_came(self, seconds: float, picture: object) -> None:
        if self._hover is not None and isinstance(picture, QImage):
            self.preview.show_picture(picture)


class _Preview(QFrame):
    """Preview at the mouse: a thumbnail where there is one, and the time."""

    def __init__(self, track: QWidget) -> None:
        super().__init__(track, Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.seconds = 0.0
        self.image: QImage | None = None
        self._track, self._place = track, QPoint()

    def show_time(self, seconds: float, place: QPoint) -> None:
        """Show a time above a position of the track."""
        self.seconds, self._place = seconds, place
        self._arrange()

    def show_picture(self, image: QImage) -> None:
        """Show a thumbnail with it."""
        self.image = image
        self._arrange()

    def forget(self) -> None:
        """Discard the thumbnail: another file is played."""
        self.image = None
        self.hide()

    def _arrange(self) -> None:
        size = self.image.size() if self.image is not None else QSize(64, 0)
        self.resize(size.width() + 8, size.height() + 30)
        corner = self._track.mapToGlobal(self._place) - QPoint(self.width() // 2, self.height() + 6)
        window = self._track.window()
        if window is not None:
            left = window.mapToGlobal(QPoint(4, 0)).x()
            right = window.mapToGlobal(QPoint(window.width() - self.width() - 4, 0)).x()
            corner.setX(max(left, min(corner.x(), right)))
        self.move(corner)
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.RAISED))
        painter.setPen(QColor(theme.EDGE))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        if self.image is not None:
            painter.drawImage(QPoint(4, 4), self.image)
        painter.setPen(QColor(theme.TEXT))
        painter.setFont(theme.font(12))
        words = QRectF(0, self.height() - 25, self.width(), 24)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, fine_clock(self.seconds))


class SeekBar(QFrame):
    """Bar of position, track and duration; live sources have no track."""

    seek_requested = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("seek_bar")
        self.setFixedHeight(32)
        self.thumbnails = Thumbnails(self)
        self.track = Track(self.thumbnails)
        self.track.seek_requested.connect(self.seek_requested)
        self.position, self.duration = QLabel(), QLabel()
        self.position.setAccessibleName("Position")
        self.duration.setAccessibleName("Duration")
        self.duration.setObjectName("muted")
        for label in (self.position, self.duration):
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance("00:00.0") + 4)
        self.frame = QLabel()
        self.frame.setObjectName("muted")
        self.frame.setAccessibleName("Frame")
        self.frame.setMinimumWidth(self.frame.fontMetrics().horizontalAdvance("frame 00000") + 4)
        self.duration.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, 4, theme.PAD, 0)
        layout.setSpacing(4)
        for label in (self.position, self.frame):
            label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
            layout.addWidget(label)
        layout.addWidget(self.track, 1)
        layout.addWidget(self.duration)
        self.hide()

    def learn(self, event: Event) -> None:
        """Mark places of the source that events tell of, until another is opened."""
        if event.kind == "opened":
            self.track.alerts.clear()
        elif event.at is not None:
            at = event.at  # in a loop it comes again, at the frame that is shown then
            if all(abs(at - other) > _ALIKE for other in self.track.alerts):
                self.track.alerts.append(at)
        self.track.update()

    def refresh(
        self,
        status: PipelineStatus,
        marks: tuple[float | None, float | None],
        bookmarks: tuple[float, ...] = (),
    ) -> None:
        """Show position, duration and loop.

        Args:
            status: the pipeline.
            marks: start and end of the loop, as far as they are set.
            bookmarks: times that the user has marked.
        """
        source = status.source
        self.setVisible(source is not None)
        if source is None:
            self.track.preview.forget()
            return
        duration = source.duration
        known = duration is not None and status.seekable
        self.track.setEnabled(known)
        self.track.setVisible(known)
        self.position.setText(fine_clock(status.position))
        self.frame.setVisible(bool(status.seekable and source.rate))
        self.frame.setText(f"frame {math.floor(status.position * (source.rate or 0) + 0.5)}")
        if known and duration is not None:
            self.duration.setText(fine_clock(duration))
            self.track.setMaximum(max(1, round(duration * 1000)))
            self.track.setPageStep(max(1, self.track.maximum() // 10))
            if not self.track.isSliderDown():
                # The last picture begins before the end that the file states.
                whole = status.state == "ended" and not status.cut
                place = duration if whole else status.position
                self.track.setValue(round(place * 1000))
            looping = isinstance(status.loop, tuple)
            shown = self.track.loop, self.track.looping, self.track.bookmarks
            if shown != (marks, looping, bookmarks):
                self.track.loop, self.track.looping = marks, looping
                self.track.bookmarks = bookmarks
                self.track.update()
        else:
            self.duration.setText("Live" if status.offline is None else "Offline")
