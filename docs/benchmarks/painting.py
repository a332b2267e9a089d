"""How long painting a frame keeps the window's thread busy: ``python docs/benchmarks/painting.py``.

Measures the program's own picture, and beside it the ways of painting that were not chosen, all on
the display that is there: from the request to paint until the window has it. The shortest time is
what painting costs where nothing else runs; processor time does not count what others do meanwhile.
The figures are in ``painting.md``.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from PyQt6.QtOpenGLWidgets import QOpenGLWidget
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel, QWidget

from app.core.frame import Frame, Prediction, Result
from app.gui.application import make_application
from app.gui.video.video_view import VideoView
from app.rendering.overlay import draw
from app.rendering.view_options import InferencePass, Side, ViewOptions

_FRAME = (1080, 1920)
_ROUNDS = 60


def _results(options: ViewOptions) -> list[Result]:
    """Two frames' results, as the worker makes them."""
    noise = np.random.default_rng(0)
    made = []
    for index in range(2):
        small = noise.integers(0, 256, (27, 48, 3), np.uint8)
        image = np.asarray(cv2.resize(small, _FRAME[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
        blocks = noise.integers(0, 19, (18, 32), np.uint8)
        labels = np.asarray(
            cv2.resize(blocks, _FRAME[::-1], interpolation=cv2.INTER_NEAREST), np.uint8
        )
        seen = Prediction(
            InferencePass(), labels, np.zeros((19, 64, 112), np.float32), confidence=labels * 13
        )
        sides = tuple(
            draw(image, side.content, options, labels, seen.confidence) for side in options.sides
        )
        frame = Frame(image, index, index / 30, time.monotonic())
        made.append(Result(frame, (seen,), sides, options.captions(True), options, True))
    return made


class _View(VideoView):
    """The program's picture with a new result for every painting."""

    def __init__(self, results: list[Result]) -> None:
        self._count = 0
        self._results = results
        super().__init__(self._next, lambda seconds: None)

    def _next(self) -> Result:
        self._count += 1
        return self._results[self._count % 2]


def _paint(widget: QWidget | QOpenGLWidget, picture: np.ndarray, format: QImage.Format) -> None:
    height, width, depth = picture.shape
    image = QImage(picture.data, width, height, width * depth, format)
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(widget.rect(), image)
    painter.end()


def _plain(base: type[QWidget], pictures: list[np.ndarray]) -> QWidget:
    """A widget of another kind that shows the same pictures."""

    class Plain(base):  # type: ignore[misc, valid-type]
        count = 0

        def paintEvent(self, event: QPaintEvent | None) -> None:
            self.paint()

        def paintGL(self) -> None:
            self.paint()

        def paint(self) -> None:
            self.count += 1
            pixels = np.asarray(cv2.cvtColor(pictures[self.count % 2], cv2.COLOR_RGB2BGRA))
            _paint(self, pixels, QImage.Format.Format_RGB32)

    if base is QOpenGLWidget:
        del Plain.paintEvent
    return Plain()


class _Label(QLabel):
    """A label with a pixmap made anew for each frame."""

    def __init__(self, pictures: list[np.ndarray]) -> None:
        super().__init__()
        self._pictures, self._count = pictures, 0
        self.setScaledContents(True)

    def repaint(self) -> None:  # type: ignore[override]
        self._count += 1
        picture = self._pictures[self._count % 2]
        height, width = picture.shape[:2]
        image = QImage(picture.data, width, height, width * 3, QImage.Format.Format_RGB888)
        self.setPixmap(QPixmap.fromImage(image))
        super().repaint()


def _busy(work: Callable[[], object]) -> str:
    """Shortest and middle time of something, and the processor time of this thread and of all."""
    rows = []
    for _ in range(_ROUNDS):
        before = time.perf_counter(), time.thread_time(), time.process_time()
        work()
        after = time.perf_counter(), time.thread_time(), time.process_time()
        rows.append([1000 * (b - a) for a, b in zip(before, after, strict=True)])
        QTest.qWait(3)
    wall, mine, everyone = zip(*rows, strict=True)
    return (
        f"{min(wall):6.1f} {statistics.median(wall):6.1f}"
        f" {statistics.median(mine):6.1f} {statistics.median(everyone):6.1f}"
    )


def _measure(widget: QWidget, size: tuple[int, int]) -> str:
    widget.resize(*size)
    widget.show()
    QTest.qWait(300)
    text = _busy(widget.repaint)
    widget.close()
    return text


def _drag(results: list[Result], size: tuple[int, int]) -> str:
    """From the mouse's move to the divider's new place on the screen."""
    view = _View(results)
    view.resize(*size)
    view.show()
    QTest.qWait(300)
    view._take = lambda: None
    start = QPoint(view.rect().center().x(), 300)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    steps = iter(range(10_000))

    def move() -> None:
        QTest.mouseMove(view, start + QPoint(6 * (next(steps) % 60) - 180, 0))
        view.repaint()

    text = _busy(move)
    view.close()
    return text


def main() -> None:
    """Print one line per way of painting."""
    app = make_application()
    print(f"{app.platformName()}, {platform.processor() or platform.machine()}")
    screen = app.primaryScreen()
    assert screen is not None
    room = screen.size()
    whole = QRect(0, 0, min(1920, room.width()), min(1080, room.height())).size()
    single, wipe = ViewOptions(), ViewOptions(view="wipe")
    contents = ViewOptions(view="wipe", left=Side("labels"), right=Side("confidence"))
    for size in ((1280, 720), (whole.width(), whole.height())):
        print(f"1920×1080 shown at {size[0]}×{size[1]}, ms:")
        print("  shortest, middle; processor time of this thread, of all")
        pictures = [result.sides[0] for result in _results(single)]
        for name, options in (("one", single), ("wipe", wipe), ("wipe of two", contents)):
            print(f"  VideoView, {name:12}{_measure(_View(_results(options)), size)}")
        zoomed = _View(_results(single))
        zoomed.resize(*size)
        zoomed.show()
        QTest.qWait(100)
        zoomed.zoom_in(7)
        print(f"  VideoView, zoomed      {_measure(zoomed, size)}")
        print(f"  VideoView, divider     {_drag(_results(wipe), size)}")
        for base in (QWidget, QOpenGLWidget):
            print(f"  {base.__name__:23}{_measure(_plain(base, pictures), size)}")
        print(f"  QLabel with a QPixmap  {_measure(_Label(pictures), size)}")


if __name__ == "__main__":
    main()
