"""Statistics over the video: fps, latency, and badges for what is out of the ordinary."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from app.core.frame import Result
from app.gui.widgets import theme
from app.pipeline.status import PipelineStatus


@dataclass(frozen=True, slots=True)
class OverlayStats:
    """Statistics in the corner of the video.

    Attributes:
        fps: frames finished per second; 0 where that is not known.
        latency: seconds from capture to screen.
        badges: short words on the state.
    """

    fps: float = 0.0
    latency: float = 0.0
    badges: tuple[str, ...] = ()

    def moves(self, before: OverlayStats) -> bool:
        """Return whether more is to be painted anew than the text of fps and latency."""
        return (self.badges, self.fps > 0) != (before.badges, before.fps > 0)

    @property
    def fps_text(self) -> str:
        """Text of the rate."""
        if self.fps <= 0:
            return "–"
        return f"{self.fps:.0f}" if self.fps >= 9.95 else f"{self.fps:.1f}"

    @property
    def latency_text(self) -> str:
        """Text of the latency."""
        if self.fps <= 0 or self.latency <= 0:
            return "– ms"
        return f"{self.latency * 1000:.0f} ms"


def stats_of(status: PipelineStatus) -> OverlayStats:
    """Return the statistics of a pipeline; rates only while it plays."""
    badges = {"paused": ("paused",), "ended": ("ended",), "opening": ("opening…",)}
    moving = status.state == "playing"
    return OverlayStats(status.fps if moving else 0.0, status.latency, badges.get(status.state, ()))


def badges_of(result: Result | None) -> tuple[str, ...]:
    """Return short words on what is out of the ordinary in one picture."""
    if result is None or len(result.sides) != 1:
        return ()
    judged = result.judgement is not None or not (result.view.judges and result.predictions)
    return (*(() if result.skip else ("skip off",)), *(() if judged else ("no true labels",)))


_INSET = 14.0
_RADIUS = 9.0
_ROOM = QSizeF(360, 58)


def rates_room(picture: QRectF) -> QRect:
    """Return the part of the widget in which fps and latency are painted, with room for any."""
    corner = picture.topLeft() + QPointF(_INSET - 2, _INSET - 2)  # with its smoothed rim
    return QRectF(corner, _ROOM).toAlignedRect()


def paint_stats(painter: QPainter, picture: QRectF, stats: OverlayStats) -> None:
    """Paint the statistics into the top left corner of the image, the badges under them."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    corner = picture.topLeft() + QPointF(_INSET, _INSET)
    if stats.fps > 0:  # until then progress is told there
        corner.setY(_rates(painter, corner, stats) + 8)
    for badge in stats.badges:
        corner.setX(_badge(painter, corner, badge))


def _rates(painter: QPainter, corner: QPointF, stats: OverlayStats) -> float:
    """Paint fps and latency; return the lower edge of the plate."""
    large, small = theme.font(30, bold=True), theme.font(13)
    # Wide enough for the usual texts, so that the plate does not twitch with every digit.
    number = max(text_width(large, "00"), text_width(large, stats.fps_text))
    caption = max(text_width(small, "0000 ms"), text_width(small, stats.latency_text))
    plate = QRectF(corner.x(), corner.y(), 12 + number + 9 + caption + 14, 54)
    paint_plate(painter, plate)
    left = QRectF(plate.x() + 12, plate.y(), number, plate.height())
    right = QRectF(left.right() + 9, plate.y() + 8, caption + 4, (plate.height() - 16) / 2)
    write(painter, left, stats.fps_text, large, theme.TEXT, Qt.AlignmentFlag.AlignRight)
    write(painter, right, "fps", small, theme.MUTED)
    write(painter, right.translated(0, right.height()), stats.latency_text, small, theme.TEXT)
    return plate.bottom()


def _badge(painter: QPainter, corner: QPointF, text: str) -> float:
    """Paint one badge; return the left edge of the next one."""
    face = theme.font(13, bold=True)
    plate = QRectF(corner.x(), corner.y(), text_width(face, text) + 24, 28)
    paint_plate(painter, plate)
    write(painter, plate, text, face, theme.WARN, Qt.AlignmentFlag.AlignHCenter)
    return plate.right() + 8


def paint_plate(painter: QPainter, rect: QRectF) -> None:
    """Paint a background for text on the image."""
    painter.setPen(QColor(255, 255, 255, 28))
    painter.setBrush(theme.PLATE)
    painter.drawRoundedRect(rect, _RADIUS, _RADIUS)


def text_width(face: QFont, text: str) -> float:
    """Return the width of a line."""
    return QFontMetricsF(face).horizontalAdvance(text)


def write(
    painter: QPainter,
    rect: QRectF,
    text: str,
    face: QFont,
    color: str,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """Paint one line of text, in the middle of the rectangle's height."""
    painter.setFont(face)
    painter.setPen(QColor(color))
    painter.drawText(rect, align | Qt.AlignmentFlag.AlignVCenter, text)
