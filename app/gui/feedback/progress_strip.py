"""Progress strip: opening, downloads and loading, with a button that cancels them."""

from __future__ import annotations

import time

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from app.gui.controllers.playback_controller import PlaybackController
from app.gui.widgets import theme
from app.pipeline.status import PipelineStatus
from fastscnn.checkpoints.http_download import megabytes

_PATIENCE = 0.7
"""Seconds before a wait is shown: most are over by then."""


class ProgressStrip(QFrame):
    """Strip that shows while a source is opened, or weights are downloaded or loaded."""

    cancelled = pyqtSignal(str)
    """Emitted when the user cancels: ``opening`` or ``download``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("progress_strip")
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(180)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(lambda: self.cancelled.emit(self._kind))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.PAD, 5, theme.PAD, 5)
        layout.setSpacing(12)
        layout.addWidget(self.text)
        layout.addWidget(self.progress)
        layout.addStretch()
        layout.addWidget(self.cancel)
        self._kind = ""
        self._since = 0.0
        self.hide()

    def refresh(self, status: PipelineStatus, playback: PlaybackController) -> None:
        """Show the work in progress.

        Args:
            status: the pipeline.
            playback: knows which source is being opened.
        """
        spec = playback.trial.current or playback.playlist.current
        opening = spec.name if spec is not None else ""
        kind = ""
        if status.download is not None:
            kind = "download"
        elif status.state == "opening" or playback.trial.current is not None:
            kind = "opening"
        elif status.loading:
            kind = "loading"
        now = time.monotonic()
        if kind != self._kind:
            self._kind, self._since = kind, now
        waited = now - self._since
        if not kind or waited < _PATIENCE:
            self.hide()
            return
        share: int | None = None
        if status.download is not None:
            done, total = status.download.done, status.download.total
            text = f"Downloading the weights, {megabytes(done)}"
            if total:
                share = 100 * done // total
                text += f" of {megabytes(total)} ({share} %)"
        elif kind == "opening":
            text = f"Opening {opening}… {waited:.0f} s"
        else:
            text = f"Loading {status.loading}…"
        self.text.setText(text)
        self.progress.setRange(0, 0 if share is None else 100)
        self.progress.setValue(share or 0)
        self.progress.setAccessibleName(text)
        what = "the download" if kind == "download" else "opening"
        self.cancel.setVisible(kind != "loading")
        self.cancel.setToolTip(f"Give up {what}")
        self.cancel.setAccessibleName(f"Cancel {what}")
        self.show()
