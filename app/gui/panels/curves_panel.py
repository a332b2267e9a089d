"""Curves panel: shares of the classes and confidence along the timeline, and jumps by them."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from app.core.formatting import clock, fine_clock
from app.core.frame import Result
from app.gui.controllers.playback_controller import PlaybackController
from app.gui.widgets import theme
from app.gui.widgets.controls import DropdownButton, add_choice
from app.inference.overview import Overview
from app.pipeline.status import PipelineStatus
from app.rendering.share_history import ShareHistory, moment_of
from app.sources.source_spec import SourceSpec
from fastscnn.labels import CITYSCAPES, ClassTable

_CURVES = 4
_LEAST = (0.005, 0.02, 0.05, 0.1, 0.25)
"""Shares that a class may be looked for with."""
_UNSURE = 12
_LEFT, _TOP, _BELOW = 44, 26, 18
_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""Seconds that may lie between two marks of the time scale."""
_ROOM = 64
"""Pixels that a mark needs."""
_FAINT = 130
"""Opacity of curves of what was not played yet, of 255."""


class CurvesPanel(QWidget):
    """Curves over the time of a file, filled as it plays; a click goes there."""

    seek_requested = pyqtSignal(float)
    """Seconds that the user goes to."""
    notified = pyqtSignal(str)
    """Message for the user."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.history = ShareHistory()
        self.plot = _Plot(self.history)
        self.plot.chosen.connect(self.seek_requested)
        self.number, self.least = CITYSCAPES.names.index("person"), 0.02
        """Class that is looked for, and the share above which it counts."""
        self._classes = CITYSCAPES
        self._of: object = None
        self._seen: Result | None = None
        self._position = 0.0
        self._overview: Overview | None = None
        self.target = DropdownButton()
        menu = QMenu(self.target)
        menu.aboutToShow.connect(lambda: self._fill(menu))
        self.target.setMenu(menu)
        self.target.setToolTip("What is looked for, and from which share of the picture on")
        self.next = QPushButton("Next")
        self.next.setToolTip("Go to where it begins next (F3)")
        self.next.clicked.connect(self.go_to_next)
        self.unsure = QPushButton("Least sure")
        self.unsure.setToolTip("Go to the next of the moments of which the network is least sure")
        self.unsure.clicked.connect(self.go_to_unsure)
        side = QVBoxLayout()
        side.addWidget(QLabel("Look for"))
        for widget in (self.target, self.next, self.unsure):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            side.addWidget(widget)
        side.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, theme.GAP, theme.PAD, theme.GAP)
        layout.setSpacing(theme.PAD)
        layout.addWidget(self.plot, 1)
        layout.addLayout(side)
        self._name_target()

    def connect_to(self, playback: PlaybackController, overview: Overview) -> None:
        """Let a controller go to what is chosen, and tell the user what is not there.

        Args:
            playback: the controller.
            overview: looks at what was not played yet, once the panel is open.
        """
        self._overview = overview
        self.seek_requested.connect(playback.seek)
        self.notified.connect(playback.notified)

    def refresh(self, status: PipelineStatus, result: Result | None) -> None:
        """Take in what is on the screen, and show where the file is."""
        source = status.source
        duration = source.duration if source is not None and status.seekable else None
        self._position = status.position
        for widget in (self.target, self.next, self.unsure):
            widget.setEnabled(bool(duration))
        if (
            duration
            and result is not None
            and result.predictions
            and result.frame.session is not None
        ):
            spec = result.frame.session.spec
            of = spec.kind, spec.value, result.classes.names
            if of != self._of:
                self._of = of
                self.history.forget()
                self._look_at(None)
                self._use(result.classes)
            self._classes = result.classes
            if result is not self._seen:  # the window looks more often than slow pictures come
                first = result.predictions[0]
                count = len(first.classes)
                self.history.add(moment_of(result.frame.time, first.labels, first.logits, count))
                self._seen = result
            if self.isVisible():
                self._look_at(spec, duration)
        elif not duration:
            self._look_at(None)
            self._seen = None
        if self._overview is not None:
            for moment in self._overview.take():
                self.history.add(moment)
        if self.isVisible():
            self.plot.show_at(status.position, duration or 0.0, self._classes, self.number)

    def _look_at(self, spec: SourceSpec | None, duration: float = 0.0) -> None:
        if self._overview is not None:
            self._overview.look_at(spec, duration)

    def go_to_next(self) -> None:
        """Go to where the class that is looked for begins next."""
        self._go(
            self.history.next_with(self.number, self.least, self._position),
            f"No {self._classes.names[self.number]} over {100 * self.least:g} % was seen so far:"
            " what was not looked at is not known.",
        )

    def go_to_unsure(self) -> None:
        """Go to the next of the moments of which the network is least sure."""
        self._go(
            self.history.next_unsure(_UNSURE, self._position),
            "Nothing has been played yet of which the network could be unsure.",
        )

    def _go(self, seconds: float | None, otherwise: str) -> None:
        if seconds is None:
            self.notified.emit(otherwise)
        else:
            self.seek_requested.emit(seconds)

    def _use(self, classes: ClassTable) -> None:
        if classes.names != self._classes.names:
            names = classes.names
            self.number = names.index("person") if "person" in names else 0
        self._classes = classes
        self._name_target()

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        for number, name in enumerate(self._classes.names):
            choose = partial(self._look_for, number, self.least)
            add_choice(menu, name, choose, ticked=number == self.number)
        menu.addSeparator()
        for least in _LEAST:
            choose = partial(self._look_for, self.number, least)
            add_choice(menu, f"over {100 * least:g} %", choose, ticked=least == self.least)

    def _look_for(self, number: int, least: float) -> None:
        self.number, self.least = number, least
        self._name_target()

    def _name_target(self) -> None:
        text = f"{self._classes.names[self.number]} > {100 * self.least:g} %"
        self.target.setText(text)
        self.target.setAccessibleName(f"Look for {text}")
        self.target.setMinimumWidth(self.fontMetrics().horizontalAdvance(text) + 44)


class _Plot(QWidget):
    """Plot of the largest classes and the confidence over the whole file."""

    chosen = pyqtSignal(float)

    def __init__(self, history: ShareHistory) -> None:
        super().__init__()
        self._history = history
        self._position = self._duration = 0.0
        self._classes, self._number = CITYSCAPES, 0
        self._mouse: float | None = None
        self.setMouseTracking(True)
        self.setMinimumSize(200, 80)
        self.setAccessibleName("Shares of the classes and confidence over the file")

    def show_at(self, position: float, duration: float, classes: ClassTable, number: int) -> None:
        """Show what is known, and where the file is."""
        self._position, self._duration = position, duration
        self._classes, self._number = classes, number
        self.update()

    def area(self) -> QRectF:
        """Return the rectangle of the curves."""
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -1, -_BELOW)

    def seconds_at(self, x: float) -> float:
        """Return the time at a position."""
        area = self.area()
        return self._duration * min(1.0, max(0.0, (x - area.left()) / max(1.0, area.width())))

    def marks(self) -> list[tuple[float, str]]:
        """Return the marks of the time scale: seconds, and what they say."""
        most = max(1.0, self.area().width() / _ROOM)
        step = next((s for s in _STEPS if self._duration / s <= most), self._duration)
        times = [number * step for number in range(int(self._duration / step) + 1)]
        return [(time, fine_clock(time) if step < 1 else clock(time)) for time in times]

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton and self._duration:
            self.chosen.emit(self.seconds_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is not None:
            self._mouse = event.position().x()
            self.update()

    def leaveEvent(self, event: object) -> None:
        self._mouse = None
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.area()
        painter.setPen(QPen(QColor(theme.LINE), 1))
        painter.setBrush(QColor(theme.CANVAS))
        painter.drawRoundedRect(area, 5, 5)
        painter.setFont(theme.font(11))
        painter.setPen(QColor(theme.MUTED))
        for share, text in ((1.0, "100 %"), (0.5, "50 %"), (0.0, "0 %")):
            y = area.bottom() - share * area.height()
            words = QRectF(0, y - 8, _LEFT - 6, 16)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(words, right, text)
        if not self._duration or not self._history.moments:
            said = "Nothing was seen yet" if self._duration else "For files, which have an end"
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, said)
            return
        self._scale(painter, area)
        shown = self._history.largest(_CURVES)
        shown += [self._number] if self._number not in shown else []
        for number in shown:
            weight = 2.4 if number == self._number else 1.5
            pen = QPen(_visible(self._classes, number), weight)
            self._curve(painter, area, pen, number)
        self._curve(painter, area, QPen(QColor(theme.TEXT), 1.2, Qt.PenStyle.DashLine), None)
        x = area.left() + area.width() * min(1.0, self._position / self._duration)
        painter.setPen(QPen(QColor(theme.ACCENT), 1.5))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        self._legend(painter, area, shown)

    def _scale(self, painter: QPainter, area: QRectF) -> None:
        """Draw marks of the time below the curves."""
        for seconds, text in self.marks():
            x = area.left() + area.width() * seconds / self._duration
            painter.setPen(QPen(QColor(theme.EDGE), 1))
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
            wide = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(0.0, x - wide / 2), self.width() - wide - 1.0)
            painter.setPen(QColor(theme.MUTED))
            painter.drawText(QPointF(left, area.bottom() + _BELOW - 3), text)

    def _curve(self, painter: QPainter, area: QRectF, pen: QPen, number: int | None) -> None:
        """Draw the share of a class, or the confidence; faintly what was not played yet."""
        faint = QPen(pen)
        color = pen.color()
        color.setAlpha(_FAINT)
        faint.setColor(color)
        run: list[QPointF] = []
        rough = False
        for place, each in enumerate(self._history.moments):
            value = each.confidence if number is None else each.shares[number]
            gap = self._history.gap_before(place) or value is None
            if gap or each.rough != rough:
                painter.setPen(faint if rough else pen)
                painter.drawPolyline(QPolygonF(run))
                run = [] if gap else run[-1:]
            rough = each.rough
            if value is not None:
                x = area.left() + area.width() * min(1.0, each.time / self._duration)
                run.append(QPointF(x, area.bottom() - value * area.height()))
        painter.setPen(faint if rough else pen)
        painter.drawPolyline(QPolygonF(run))

    def _legend(self, painter: QPainter, area: QRectF, shown: list[int]) -> None:
        """Name the curves, and the time under the mouse, in the line above."""
        parts = [(self._classes.names[n], _visible(self._classes, n)) for n in shown]
        parts.append(("confidence (dashed)", QColor(theme.TEXT)))
        if self._mouse is not None:
            parts.append((fine_clock(self.seconds_at(self._mouse)), QColor(theme.ACCENT)))
        metrics = painter.fontMetrics()
        width = sum(metrics.horizontalAdvance(text) + 26 for text, _ in parts)
        plate = QRectF(area.left(), 0, min(width, area.width()), _TOP - 4)
        painter.setClipRect(plate)
        x = plate.left() + 2
        for text, color in parts:
            painter.fillRect(QRectF(x, plate.center().y() - 4, 9, 9), color)
            painter.setPen(QColor(theme.TEXT))
            wide = metrics.horizontalAdvance(text)
            words = QRectF(x + 14, plate.top(), wide + 2, plate.height())
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)
            x += wide + 26
        painter.setClipping(False)


def _visible(classes: ClassTable, number: int) -> QColor:
    """Return a class' colour, moved away from the ground's where the two are alike."""
    color = QColor(*(int(part) for part in classes.palette[number]))
    dark = QColor(theme.CANVAS).lightness() < 128
    if dark and color.lightness() < 110:
        return QColor.fromHsl(color.hslHue(), color.hslSaturation(), 150)
    if not dark and color.lightness() > 160:
        return QColor.fromHsl(color.hslHue(), color.hslSaturation(), 120)
    return color
