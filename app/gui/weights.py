"""Choosing the weights."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from app.pipeline.pipeline import Snapshot
from fastscnn.zoo import listing

_FILES = "Checkpoints (*.pth *.pt *.pdparams)"


class WeightsChooser(QWidget):
    """Shows which weights are in use and offers the shipped ones, the zoo's, and files."""

    chosen = pyqtSignal(object)
    """What ``Pipeline.use_weights`` takes: a name, a path, or ``None`` for the shipped ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton()
        self.button.setObjectName("chooser")
        self.menu = QMenu(self.button)
        self.menu.aboutToShow.connect(self.fill)
        self.button.setMenu(self.menu)
        self.dialog: QFileDialog | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Weights"))
        row.addStretch()
        row.addWidget(self.button)
        self._current: str | None = None

    def fill(self) -> None:
        """Make the menu anew: what the cache holds may have changed."""
        self.menu.clear()
        self._add("Shipped weights", None, "shipped weights")
        self.menu.addSeparator()
        for entry, path in listing():
            facts = [f"{entry.figure:g} mIoU"] if entry.figure is not None else []
            facts += ["download"] if path is None else []
            text = f"{entry.name} ({', '.join(facts)})" if facts else entry.name
            self._add(text, entry.name, entry.name)
        self.menu.addSeparator()
        file = self.menu.addAction("Open checkpoint…")
        assert file is not None
        file.triggered.connect(self.ask_for_file)

    def ask_for_file(self) -> None:
        """Show the file dialog; does not wait for it."""
        if self.dialog is None:
            dialog = QFileDialog(self, "Open a checkpoint")
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setNameFilters([_FILES, "All files (*)"])
            dialog.fileSelected.connect(lambda path: self.chosen.emit(path))
            self.dialog = dialog
        self.dialog.open()

    def refresh(self, snapshot: Snapshot) -> None:
        """Show what is in use, or how far a download is."""
        network, download = snapshot.network, snapshot.download
        name = network.weights if network is not None else "none" if snapshot.broken else "…"
        text = name
        if download is not None:
            share = f" {100 * download.done // download.total} %" if download.total else ""
            text = f"Downloading{share}"
        self._current = name
        self.button.setText(text if len(text) <= 18 else f"{text[:17]}…")
        self.button.setAccessibleName(f"Weights: {text}")
        origin = f" ({network.origin})" if network is not None and network.origin else ""
        self.button.setToolTip(f"Weights in use: {name}{origin}. Click to choose others.")

    def _add(self, text: str, weights: str | None, name: str) -> None:
        action = self.menu.addAction(text)
        assert action is not None
        action.setCheckable(True)
        action.setChecked(name == self._current)
        action.triggered.connect(lambda: self.chosen.emit(weights))
