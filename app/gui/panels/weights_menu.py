"""Weights menu: the default model, the model zoo, and files."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QMenu, QWidget

from app.gui.widgets.controls import MenuRow, add_choice, plain_tip
from app.pipeline.status import PipelineStatus
from fastscnn.checkpoints.model_zoo import listing

_FILES = "Checkpoints (*.pth *.pt *.pdparams *.ckpt *.h5 *.hdf5 *.keras *.onnx)"


class WeightsMenu(MenuRow):
    """Menu of weights; its button names those in use."""

    chosen = pyqtSignal(object)
    """Name, path, or ``None`` for the default model, as ``NetworkManager.use_weights`` takes it."""

    second_chosen = pyqtSignal(object)
    """Emitted likewise for a second checkpoint, to compare with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Weights", parent)
        self.dialog: QFileDialog | None = None
        self._current: str | None = None

    def fill(self, menu: QMenu, *, second: bool = False) -> None:
        """Fill a menu anew: the cache of downloads may have changed.

        Args:
            menu: the menu to fill.
            second: True for the checkpoint that the one in use is compared with.
        """
        menu.clear()
        self._add(menu, "Default model", None, "Default model", second=second)
        menu.addSeparator()
        for entry, path in listing():
            facts = [f"{entry.figure:g} mIoU"] if entry.figure is not None else []
            facts += ["download"] if path is None else []
            text = f"{entry.name} ({', '.join(facts)})" if facts else entry.name
            self._add(menu, text, entry.name, entry.name, second=second)
        menu.addSeparator()
        add_choice(menu, "Open checkpoint…", lambda: self.ask_for_file(second=second))

    def ask_for_file(self, *, second: bool = False) -> None:
        """Open the file dialog, without waiting for it.

        Args:
            second: True for the checkpoint that the one in use is compared with.
        """
        dialog = QFileDialog(self, "Open a second checkpoint" if second else "Open a checkpoint")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([_FILES, "All files (*)"])
        signal = self.second_chosen if second else self.chosen
        dialog.fileSelected.connect(lambda path: signal.emit(path))
        self.dialog = dialog
        dialog.open()

    def refresh(self, status: PipelineStatus) -> None:
        """Show the weights in use, or the progress of a download."""
        network, download = status.network, status.download
        name = network.weights if network is not None else "none" if status.broken else "…"
        text = name
        if download is not None:
            share = f" {100 * download.done // download.total} %" if download.total else ""
            text = f"Downloading{share}"
        self._current = name
        self.button.setText(text if len(text) <= 18 else f"{text[:17]}…")
        self.button.setAccessibleName(f"Weights: {text}")
        origin = f" ({network.origin})" if network is not None and network.origin else ""
        tip = f"Weights in use: {name}{origin}. Click to choose others."
        self.button.setToolTip(plain_tip(tip))

    def _add(self, menu: QMenu, text: str, weights: str | None, name: str, *, second: bool) -> None:
        signal = self.second_chosen if second else self.chosen
        ticked = None if second else name == self._current
        add_choice(menu, text, lambda: signal.emit(weights), ticked=ticked)
