"""Plots: a stacked bar of stages, and a history of rate and latency."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from app.gui.widgets import theme

Times = Sequence[tuple[str, float]]
"""Stages by name with their seconds, in order."""


class StageBar(QWidget):
    """Stacked bar of the stages of a frame, as wide as they last, with names and times below.

    The names stand in the order of the bar, in one column or, where there is room, two that are
    read downwards; they say all that the colours say.
    """

    _BAR = 18.0
    _LINE = 17.0
    _COLUMN = 135
    """Least width of a column."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._times: Times = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(130)

    def sizeHint(self) -> QSize:
        lines = len(theme.STAGES)
        return QSize(280, int(self._BAR + 8 + lines * self._LINE))

    def show_times(self, times: Times) -> None:
        """Show other times."""
        self._times = times
        self.setAccessibleName("Time per frame by stage")
        said = ", ".join(f"{stage} {seconds * 1000:.1f} ms" for stage, seconds in times)
        self.setAccessibleDescription(said)
        self.setToolTip(said.replace(", ", "\n"))
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(0, 0, self.width(), self._BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.HOVER))
        painter.drawRoundedRect(whole, 4, 4)
        total = sum(seconds for _, seconds in self._times)
        left = 0.0
        for stage, seconds in self._times:
            width = whole.width() * seconds / total if total else 0.0
            # A gap of the ground's colour parts neighbours, whatever colours they have.
            painter.fillRect(QRectF(left, 0, max(0.0, width - 1), self._BAR), _face(stage))
            left += width
        face = theme.font(12)
        painter.setFont(face)
        columns = 2 if self.width() >= 2 * self._COLUMN else 1
        lines = -(-len(self._times) // columns) or 1
        column = self.width() / columns
        for place, (stage, seconds) in enumerate(self._times):
            x = column * (place // lines)
            y = self._BAR + 8 + self._LINE * (place % lines)
            painter.fillRect(QRectF(x + 1, y + 5, 9, 9), _face(stage))
            words = QRectF(x + 17, y, column - (34 if columns == 2 else 18), self._LINE)
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, stage)
            painter.setPen(QColor(theme.TEXT))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(words, flags, _milliseconds(seconds))


class History(QWidget):
    """Plot of frames per second and latency over the last minute."""

    SECONDS = 60.0

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.samples: deque[tuple[float, float, float]] = deque()
        """Monotonic time, frames per second, latency in seconds; a rate of 0 is a gap."""
        self.setMinimumSize(170, 96)
        self.setAccessibleName("History of frames per second and latency")

    def add(self, now: float, fps: float, latency: float) -> None:
        """Add one sample."""
        self.samples.append((now, fps, latency))
        while now - self.samples[0][0] > self.SECONDS:
            self.samples.popleft()
        self.setAccessibleDescription(
            f"{fps:.1f} frames per second, latency {latency * 1000:.0f} ms"
        )
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        half = (self.height() - 10) / 2
        rates = [(t, fps) for t, fps, _ in self.samples]
        latencies = [(t, late * 1000 if fps else 0.0) for t, fps, late in self.samples]
        upper = QRectF(0, 0, self.width(), half)
        self._curve(painter, upper, rates, "fps", theme.ACCENT, Qt.PenStyle.SolidLine)
        lower = upper.translated(0, half + 10)
        self._curve(painter, lower, latencies, "latency, ms", theme.WARN, Qt.PenStyle.DotLine)

    def _curve(
        self,
        painter: QPainter,
        area: QRectF,
        points: Sequence[tuple[float, float]],
        title: str,
        color: str,
        line: Qt.PenStyle,
    ) -> None:
        painter.setPen(QPen(QColor(theme.LINE), 1))
        painter.setBrush(QColor(theme.CANVAS))
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        top = _round_up(max((value for _, value in points), default=0.0))
        inner = area.adjusted(6, 16, -6, -5)
        painter.setFont(theme.font(11))
        painter.setPen(QColor(theme.MUTED))
        words = area.adjusted(7, 2, -7, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, title)
        painter.drawText(words, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, f"{top:g}")
        painter.setPen(QPen(QColor(color), 1.6, line))
        run: list[QPointF] = []
        newest = points[-1][0] if points else 0.0
        for moment, value in points:
            if value <= 0:
                painter.drawPolyline(QPolygonF(run))
                run = []
                continue
            x = inner.right() - (newest - moment) / self.SECONDS * inner.width()
            run.append(QPointF(x, inner.bottom() - min(1.0, value / top) * inner.height()))
        painter.drawPolyline(QPolygonF(run))


def _face(stage: str) -> QColor:
    return QColor(theme.STAGES.get(stage, theme.MUTED))


def _milliseconds(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 9.95 else f"{value:.0f} ms"


def _round_up(value: float) -> float:
    """Return the next of 10, 20, 50, 100, 200, …"""
    step = 10.0
    while True:
        for factor in (1, 2, 5):
            if value <= step * factor:
                return step * factor
        step *= 10
