"""The statistics over the picture: painted anew by themselves, ten times a second."""

from itertools import permutations

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QObject, QRectF
from PyQt6.QtGui import QImage, QPainter

from app.gui.video.stats_overlay import OverlayStats, paint_stats, rates_room
from app.gui.video.video_view import VideoView
from tests.support.media import picture
from tests.support.recordings import result
from tests.support.window_driver import application, wait_until


class _Painted(QObject):
    """The rectangles that a widget is asked to paint."""

    def __init__(self, widget):
        super().__init__(widget)
        self.rects = []
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            self.rects.append(event.rect())
        return False


@pytest.fixture
def waiting():
    """Results that the view has not taken yet."""
    return [result(picture(0, 320, 192), 0.0)]


@pytest.fixture
def view(waiting):
    application()
    made = VideoView(lambda: waiting.pop() if waiting else None, lambda seconds: None)
    made.resize(800, 480)
    made.show()
    wait_until(lambda: made.result is not None, "the first picture")
    yield made
    made.close()


def test_new_figures_paint_their_corner_and_take_no_picture(view, waiting):
    first, painted = view.result, _Painted(view)
    waiting.append(result(picture(9, 320, 192), 0.1))
    view.set_stats(OverlayStats(25.0, 0.05))
    wait_until(lambda: painted.rects, "the first figures")
    assert view.result is not first  # from no rate to one all moves
    waiting.append(first)
    shown = view.result
    painted.rects.clear()
    view.set_stats(OverlayStats(26.0, 0.06))
    wait_until(lambda: painted.rects, "other figures")
    assert all(rect.height() < 80 and rect.width() < 400 for rect in painted.rects)
    assert view.result is shown
    view.update()
    wait_until(lambda: view.result is first, "the picture that waited")
    assert painted.rects[-1] == view.rect()


def test_a_badge_paints_all(view):
    painted = _Painted(view)
    view.set_stats(OverlayStats(0.0, 0.0, ("paused",)))
    wait_until(lambda: painted.rects, "the badge")
    assert painted.rects[-1] == view.rect()


FIGURES = [(0.0, 0.0), (9.9, 0.004), (25.0, 0.05), (144.0, 0.9), (1000.0, 12.345)]


@pytest.mark.parametrize("room", [QRectF(0, 0, 640, 360), QRectF(33.4, 20.7, 500, 300)])
def test_figures_keep_to_their_corner(room):
    application()
    seen = []
    for figures in FIGURES:
        image = QImage(640, 360, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        paint_stats(painter, room, OverlayStats(*figures))
        painter.end()
        bits = image.constBits()
        bits.setsize(image.sizeInBytes())
        seen.append(np.frombuffer(bits, np.uint8).reshape(360, 640, 4).copy())
    corner = rates_room(room)
    for one, other in permutations(seen, 2):
        rows, columns = np.nonzero((one != other).any(axis=2))
        assert len(rows)
        assert corner.contains(int(columns.min()), int(rows.min()))
        assert corner.contains(int(columns.max()), int(rows.max()))


@pytest.mark.parametrize(
    ("stats", "paints"),
    [
        (OverlayStats(), False),
        (OverlayStats(0.0, 0.05), False),
        (OverlayStats(0.4, 0.05), True),
        (OverlayStats(badges=("paused",)), True),
    ],
)
def test_the_corner_is_left_free_while_nothing_is_known(stats, paints):
    application()
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(0)
    before = image.copy()
    painter = QPainter(image)
    paint_stats(painter, QRectF(image.rect()), stats)
    painter.end()
    assert (image != before) is paints
