"""Drag and drop: sources from dropped or chosen files, folders and URLs; overlay of a drag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QEvent, QMimeData, QObject, QRectF, Qt, QUrl, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QDragLeaveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QWidget

from app.errors import AppError
from app.gui.widgets import theme
from app.sources.playlist import sources_in
from app.sources.source_spec import PICTURES, Kind, SourceSpec, parse_source
from app.sources.urls import local_path

_CHECKPOINTS = frozenset(
    {".pth", ".pt", ".ckpt", ".pdparams", ".safetensors", ".onnx", ".h5", ".hdf5", ".keras"}
)
"""Suffixes of files that hold a network."""
_NAMED = 2
"""Number of unusable things that are named in a message."""


@dataclass(frozen=True, slots=True)
class DroppedSources:
    """Sources of a drop.

    Attributes:
        entries: sources to play, in order.
        text: message for the user; empty where there is none.
        weights: a checkpoint that was among them.
    """

    entries: tuple[SourceSpec, ...] = ()
    text: str = ""
    weights: Path | None = None


def parse_mime_data(data: QMimeData) -> DroppedSources:
    """Find the sources in what was dropped.

    Whether a file holds a video only opening can tell, so any file is let through.
    """
    urls = data.urls()
    if not urls and data.hasText():  # some programs drop an address as mere text
        words = data.text().split()
        urls = [QUrl(word) for word in words if "://" in word]
    if not urls:
        return DroppedSources(text="That was no file and no URL: drop a video.")
    entries: list[SourceSpec] = []
    left: list[str] = []
    weights: Path | None = None
    for url in urls:
        drop = parse_paths([_local_path(url)]) if url.isLocalFile() else _address(url)
        entries += drop.entries
        weights = drop.weights or weights
        if drop.text:
            left.append(drop.text)
    return DroppedSources(tuple(entries), _summary(left), weights)


def parse_paths(paths: Sequence[Path]) -> DroppedSources:
    """Find the sources in files and folders that were chosen."""
    entries: list[SourceSpec] = []
    left: list[str] = []
    weights: Path | None = None
    for path in paths:
        try:
            if path.is_dir():
                found = sources_in(path)
                if not found:
                    left.append(
                        f"The folder {path.name} holds no video and no picture: drop one that does."
                    )
                entries += found
            elif path.is_file() and path.suffix.lower() in _CHECKPOINTS:
                weights = path
            elif path.is_file():
                kind: Kind = "images" if path.suffix.lower() in PICTURES else "file"
                entries.append(SourceSpec(kind, str(path)))
            elif path.exists():
                left.append(f"{path.name} is no ordinary file: drop a video.")
            else:
                left.append(f"There is no file {path}: drop a video.")
        except OSError as error:
            left.append(f"{path.name} cannot be read ({error.strerror}): check its permissions.")
    return DroppedSources(tuple(entries), _summary(left), weights)


def _local_path(url: QUrl) -> Path:
    text = url.toLocalFile()
    if "\ufffd" in text:  # Qt's sign for bytes that are no Unicode
        text = local_path(url.path(QUrl.ComponentFormattingOption.FullyEncoded))
    return Path(text)


def _address(url: QUrl) -> DroppedSources:
    text = url.toString()
    try:
        spec = parse_source(text)
    except AppError as error:
        return DroppedSources(text=str(error))
    if spec.kind == "file":
        return DroppedSources(text=f"{text} is no URL of a video that can be opened: drop a file.")
    return DroppedSources((spec,))


def _summary(left: Sequence[str]) -> str:
    more = len(left) - _NAMED
    said = " ".join(left[:_NAMED])
    return f"{said} And {more} more could not be used." if more > 0 else said


class DropOverlay(QWidget):
    """Overlay that covers a window while a drag is over it; it takes the window's drops."""

    dropped = pyqtSignal(object)
    """A ``DroppedSources``."""
    beside_dropped = pyqtSignal(object)
    """The same, where Shift was held: to play beside what plays."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        # The event of a drop is one of a movement too, and so is that of a drag that enters.
        if isinstance(event, QDragLeaveEvent):
            self.hide()
            return True
        if isinstance(event, QDropEvent) and event.type() != QEvent.Type.DragMove:
            data = event.mimeData()
            if event.type() == QEvent.Type.Drop:
                self.hide()
                if data is not None:
                    event.acceptProposedAction()
                    beside = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                    told = self.beside_dropped if beside else self.dropped
                    told.emit(parse_mime_data(data))
            elif data is not None and (data.hasUrls() or data.hasText()):
                event.acceptProposedAction()
                self._appear()
            return True
        return False

    def _appear(self) -> None:
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.VEIL))
        painter.setPen(QPen(QColor(theme.ACCENT), 3))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(18, 18, -18, -18), 16, 16)
        painter.setPen(QColor(theme.TEXT))
        painter.setFont(theme.font(24, bold=True))
        painter.drawText(
            self.rect(), Qt.AlignmentFlag.AlignCenter, "Drop to play\nwith Shift: beside what plays"
        )
