"""Zone layer: the zones that alerts watch, outlined over the picture with their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from app.core.watch import Zone
from app.gui.video.stats_overlay import paint_plate, text_width, write
from app.gui.video.video_view import VideoView
from app.gui.widgets import theme
from app.sources.source_spec import SourceSpec


class ZoneLayer(QWidget):
    """Layer over the picture that lets the mouse through; it is painted whenever that is.

    Args:
        view: shows the picture.
        zones_in: returns what is outlined in a source.
    """

    def __init__(
        self, view: VideoView, zones_in: Callable[[SourceSpec | None], Sequence[Zone]]
    ) -> None:
        super().__init__(view)
        self._view, self._zones_in = view, zones_in
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._view.rect())
        return False

    def paintEvent(self, event: QPaintEvent | None) -> None:
        result = self._view.result
        session = result.frame.session if result is not None else None
        zones = self._zones_in(session.spec if session is not None else None)
        if result is None or not zones:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height, width = result.frame.image.shape[:2]
        panes = self._view.panes()
        for pane in range(panes.count):
            place = panes.picture(pane)
            for zone in zones:
                in_shares = max(map(max, zone.polygon)) <= 1
                scale = (1.0, 1.0) if in_shares else (1 / width, 1 / height)
                corners = [
                    QPointF(
                        place.left() + x * scale[0] * place.width(),
                        place.top() + y * scale[1] * place.height(),
                    )
                    for x, y in zone.polygon
                ]
                painter.setPen(QPen(QColor(theme.ACCENT), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPolygon(QPolygonF(corners))
                _write_name(painter, zone.name, min(corners, key=lambda at: (at.y(), at.x())))


def _write_name(painter: QPainter, name: str, at: QPointF) -> None:
    face = theme.font(12, bold=True)
    plate = QRectF(at.x(), at.y() - 24, text_width(face, name) + 16, 22)
    paint_plate(painter, plate)
    write(painter, plate, name, face, theme.TEXT, Qt.AlignmentFlag.AlignHCenter)
