"""Drives the real window: what a user does with it, and what they then see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QWidget

from app.config.settings import Settings
from app.config.shortcuts import USUAL, Keys
from app.gui.application import make_application
from app.gui.window.main_window import MainWindow
from app.gui.window.saved_state import SavedState
from app.sources.demo import DemoSource
from app.sources.source_spec import SourceSpec
from tests.support import waiting
from tests.support.media import write_clip
from tests.support.pipeline_driver import TINY

SMALL = replace(TINY, network=replace(TINY.network, input_size=(64, 128)))
"""Fast on any machine."""
DEMO = SourceSpec("demo")

_applications: list[QApplication] = []
_folder = TemporaryDirectory(prefix="fastscnn-live-")


def application() -> QApplication:
    """The one QApplication of the process."""
    if not _applications:
        _applications.append(make_application())
    return _applications[0]


@contextmanager
def window(
    settings: Settings = SMALL,
    *,
    recordings: Path | None = None,
    keys: Keys = USUAL,
    saved: SavedState | None = None,
) -> Iterator[MainWindow]:
    """The window as the program shows it; closed at the end."""
    application()
    made = MainWindow(settings, recordings=recordings, keys=keys, saved=saved)
    made.show()
    made.begin()
    made.activateWindow()
    QTest.qWaitForWindowActive(made, 2000)
    try:
        yield made
    finally:
        made.close()
        made.deleteLater()


def wait_until(condition: Callable[[], object], what: str = "it") -> None:
    """Let the window live until something is true."""
    waiting.wait_until(condition, what, pause=lambda seconds: QTest.qWait(round(1000 * seconds)))


@cache
def street() -> SourceSpec:
    """A small clip of the demo street that lasts longer than any test."""
    scene = DemoSource(SourceSpec("demo", width=256, height=128))
    pictures = [scene.read().image for _ in range(20)]
    path = Path(_folder.name, "street.mp4")
    write_clip(path, 400, size=(256, 128), pictures=pictures)
    return SourceSpec("file", str(path))


def play(made: MainWindow, spec: SourceSpec | None = None) -> None:
    """Open a source and wait for its first labels on the screen."""
    spec = spec or street()
    made.open(spec)
    wait_until(lambda: shows(made, spec), f"a picture of {spec.name}")


@contextmanager
def holding(width: int, height: int, settings: Settings = SMALL) -> Iterator[MainWindow]:
    """A window of that size that holds one picture."""
    with window(settings) as made:
        made.resize(width, height)
        play(made)
        hold(made)
        yield made


def shows(made: MainWindow, spec: SourceSpec) -> bool:
    """Whether labels of this source are on the screen."""
    source, result = made.pipeline.status().source, made.view.result
    return (
        source is not None
        and source.name == spec.name
        and result is not None
        and result.predictions
        and result.frame.token is made.pipeline.session.token
        and made.view.isVisible()
    )


def hold(made: MainWindow) -> None:
    """Pause, and wait until the picture stands."""
    press(made, Qt.Key.Key_Space)
    wait_until(lambda: made.pipeline.status().state == "paused", "the pause")

    def stands() -> bool:
        before = made.pipeline.stats.counters()
        QTest.qWait(150)
        after = made.pipeline.stats.counters()
        return before == after and after.captured == after.shown + after.dropped_total

    wait_until(stands, "the standing picture")


def press(made: QWidget, key: Qt.Key, *, control: bool = False) -> None:
    """Press a key."""
    modifier = Qt.KeyboardModifier
    QTest.keyClick(made, key, modifier.ControlModifier if control else modifier.NoModifier)


def click(widget: QWidget) -> None:
    """Click into the middle of a widget."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def draw_polygon(
    made: MainWindow,
    corners: Sequence[tuple[float, float]],
    *,
    key: Qt.Key | None = Qt.Key.Key_Return,
) -> None:
    """Click corners, in shares of the picture's size, with the tool that draws; then a key."""
    place = made.view.picture_rect()
    for x, y in corners:
        point = place.topLeft() + QPoint(round(x * place.width()), round(y * place.height()))
        QTest.mouseClick(made.drawn.tool, Qt.MouseButton.LeftButton, pos=point)
    if key is not None:
        QTest.keyClick(made.drawn.tool, key)


def drag(made: MainWindow, *urls: QUrl | Path, at: QPoint | None = None) -> None:
    """Drag something from outside over the window."""
    _send(made, urls, at, release=False)


def drop(made: QWidget, *urls: QUrl | Path, at: QPoint | None = None, shift: bool = False) -> None:
    """Drag something from outside over the window and let it go."""
    _send(made, urls, at, release=True, shift=shift)


def drop_text(made: MainWindow, text: str) -> None:
    """Drop mere text, as some browsers do with an address."""
    data = QMimeData()
    data.setText(text)
    _send_data(made, data, None, release=True)


def _send(
    made: QWidget,
    urls: Sequence[QUrl | Path],
    at: QPoint | None,
    *,
    release: bool,
    shift: bool = False,
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(u)) if isinstance(u, Path) else u for u in urls])
    _send_data(made, data, at, release=release, shift=shift)


def _send_data(
    made: QWidget, data: QMimeData, at: QPoint | None, *, release: bool, shift: bool = False
) -> None:
    place = at or made.rect().center()
    target = made.childAt(place)
    assert target is not None
    inside = target.mapFrom(made, place)
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier
    none = keys.ShiftModifier if shift else keys.NoModifier
    # Qt delivers a drop only where a drag has entered and moved before.
    QApplication.sendEvent(target, QDragEnterEvent(inside, action, data, button, none))
    QApplication.sendEvent(target, QDragMoveEvent(inside, action, data, button, none))
    if release:
        drop_event = QDropEvent(QPointF(inside), action, data, button, none)
        QApplication.sendEvent(target, drop_event)


def messages(made: MainWindow) -> list[str]:
    """What the banners say."""
    return [notification.text for notification in made.notifications.shown]


def screenshot(widget: QWidget) -> NDArray[np.uint8]:
    """What a widget looks like: H×W×4."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    assert bits is not None
    data = np.frombuffer(bits.asstring(image.sizeInBytes()), np.uint8)
    return data.reshape(image.height(), image.width(), 4).copy()
