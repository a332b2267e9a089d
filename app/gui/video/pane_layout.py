"""Pane layout: geometry of one image, or of two side by side, in a widget."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRectF

from app.gui.video.viewport import Viewport

_GAP = 2
"""Gap between two images side by side, in device pixels."""


@dataclass(frozen=True, slots=True)
class PaneLayout:
    """Division of a widget among images that all lie alike in their panes.

    Attributes:
        whole: the widget.
        ratio: device pixels per pixel of the widget.
        count: 1, or 2 side by side.
        viewport: placement of the image in each pane.
    """

    whole: QRectF
    ratio: float
    count: int
    viewport: Viewport

    @property
    def room(self) -> tuple[int, int]:
        """Width and height of a pane in device pixels."""
        width, height = (
            round(side * self.ratio) for side in (self.whole.width(), self.whole.height())
        )
        if self.count == 2:
            width = (width - _GAP) // 2
        return max(1, width), max(1, height)

    @property
    def step(self) -> int:
        """Device pixels from the left edge of a pane to that of the next."""
        return self.room[0] + _GAP

    def pane_at(self, point: QPointF) -> int:
        """Return the number of the pane at a position of the widget."""
        return int(self.count == 2 and point.x() * self.ratio >= self.step)

    def inside(self, point: QPointF, pane: int) -> tuple[float, float]:
        """Return a position in a pane, in device pixels; it may lie outside."""
        return point.x() * self.ratio - pane * self.step, point.y() * self.ratio

    def picture(self, pane: int = 0) -> QRectF:
        """Return the rectangle of a pane's whole image in the widget; parts may lie outside."""
        rect, ratio = self.viewport.rect, self.ratio
        left = rect.left + pane * self.step
        return QRectF(left / ratio, rect.top / ratio, rect.width / ratio, rect.height / ratio)

    def seen(self, number: int, divider: float | None) -> QRectF:
        """Return the visible rectangle of an image in the widget.

        Args:
            number: number of the image.
            divider: position of the wipe's divider; ``None`` where there is none.
        """
        room = self.whole
        if self.count == 2:
            left, width = number * self.step / self.ratio, self.room[0] / self.ratio
            room = QRectF(left, 0, width, room.height())
        room = room & self.picture(number if self.count == 2 else 0)
        if divider is not None and number == 0:
            room.setRight(divider)
        elif divider is not None:
            room.setLeft(divider)
        return room
