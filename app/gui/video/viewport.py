"""Viewport: placement of an image in a pane, with fit, zoom and pan; no Qt in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

LARGEST = 32.0
"""Largest zoom, in device pixels per pixel of the image."""

CRISP = 2.0
"""Zoom from which pixels are shown as squares."""


@dataclass(frozen=True, slots=True)
class Rect:
    """Rectangle in device pixels: whole ones, so that no edge is blurred."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column after it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Viewport:
    """Placement of an image.

    Attributes:
        room: width and height in device pixels.
        picture: width and height of the image in its own pixels.
        scale: device pixels per pixel of the image; ``None`` fits the whole image in.
        middle: the point of the image in the middle of the room, 0–1 of its width and height;
            only of weight while the picture is larger than the room.
    """

    room: tuple[int, int] = (1, 1)
    picture: tuple[int, int] = (1, 1)
    scale: float | None = None
    middle: tuple[float, float] = (0.5, 0.5)

    @property
    def fitting(self) -> float:
        """Largest scale at which the whole image is visible."""
        return min(self.room[0] / self.picture[0], self.room[1] / self.picture[1])

    @property
    def zoom(self) -> float:
        """Current scale."""
        return self.fitting if self.scale is None else self.scale

    @property
    def crisp(self) -> bool:
        """True while pixels are shown as squares."""
        return self.zoom >= CRISP

    @property
    def pans(self) -> bool:
        """True while the image is larger than the pane."""
        rect = self.rect
        return rect.width > self.room[0] or rect.height > self.room[1]

    @property
    def rect(self) -> Rect:
        """Rectangle of the whole image; parts of it may lie outside the pane."""
        zoom = self.zoom
        size = [max(1, round(side * zoom)) for side in self.picture]
        start = []
        for length, room, middle in zip(size, self.room, self.middle, strict=True):
            if length <= room:
                start.append((room - length) // 2)
            else:
                start.append(min(0, max(room - length, round(room / 2 - middle * length))))
        return Rect(start[0], start[1], size[0], size[1])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the image, in its pixels, at a position; it may lie outside."""
        rect = self.rect
        return (
            (x - rect.left) * self.picture[0] / rect.width,
            (y - rect.top) * self.picture[1] / rect.height,
        )

    def pixel_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return column and row of the pixel at a position; ``None`` outside the image."""
        column, row = self.at(x, y)
        if 0 <= column < self.picture[0] and 0 <= row < self.picture[1]:
            return int(column), int(row)
        return None

    def zoomed(self, factor: float, x: float, y: float) -> Viewport:
        """Return the viewport zoomed by a factor; what is at a position of the pane stays there."""
        largest = max(LARGEST, self.fitting)
        scale = min(self.zoom * factor, largest)
        if scale <= self.fitting:
            # Smaller than fits it only is where it was so before, at its actual size.
            saved = scale if self.zoom < scale else None
            return replace(self, scale=saved, middle=(0.5, 0.5))
        column, row = self.at(x, y)
        return replace(
            self,
            scale=scale,
            middle=(
                (column + (self.room[0] / 2 - x) / scale) / self.picture[0],
                (row + (self.room[1] / 2 - y) / scale) / self.picture[1],
            ),
        )._bounded()

    def at_scale(self, scale: float | None, x: float, y: float) -> Viewport:
        """Return the viewport at a scale, even below fit; what is at a position stays there."""
        if scale is None:
            return replace(self, scale=None, middle=(0.5, 0.5))
        if scale < self.fitting:
            return replace(self, scale=scale, middle=(0.5, 0.5))
        return self.zoomed(scale / self.zoom, x, y)

    def panned(self, dx: float, dy: float) -> Viewport:
        """Return the viewport moved by device pixels, as far as the image reaches."""
        rect = self.rect
        x, y = self.middle
        return replace(self, middle=(x - dx / rect.width, y - dy / rect.height))._bounded()

    def with_at(self, point: tuple[float, float], x: float, y: float) -> Viewport:
        """Return the viewport with a point of the image at a position, if it reaches."""
        column, row = self.at(x, y)
        zoom = self.zoom
        return self.panned((column - point[0]) * zoom, (row - point[1]) * zoom)

    def fitted_to(self, room: tuple[int, int], picture: tuple[int, int]) -> Viewport:
        """Return the viewport for another pane, or for an image of another size, then fitted."""
        if picture != self.picture:
            return Viewport(room, picture)
        return replace(self, room=room)._bounded()

    def _bounded(self) -> Viewport:
        """Return the viewport with a middle that keeps the image's edges at the pane's."""
        rect = self.rect
        middle = []
        for length, room, value in zip(
            (rect.width, rect.height), self.room, self.middle, strict=True
        ):
            half = min(0.5, room / 2 / length)
            middle.append(min(1 - half, max(half, value)))
        return replace(self, middle=(middle[0], middle[1]))
