"""Network commands: weights, input size, device, precision, and comparisons of two networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from app.config.settings import NetworkOptions
from app.gui.controllers.view_controller import ViewController
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import PAIRS


class NetworkController(QObject):
    """Commands that choose the network; frames are shown on while another one is loaded.

    Args:
        pipeline: the pipeline whose network is chosen.
        view_commands: commands of the view, for comparisons.
        parent: owner.
    """

    changed = pyqtSignal()
    """A command was carried out."""
    second_needed = pyqtSignal()
    """The comparison that the user chose needs a second checkpoint."""

    def __init__(
        self, pipeline: Pipeline, view_commands: ViewController, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._pipeline, self._view_commands = pipeline, view_commands
        first = pipeline.settings.network.weights
        self._latest: Callable[[], None] = lambda: self.use_weights(first)

    def use_weights(self, weights: str | Path | None) -> None:
        """Change to other weights."""
        self._latest = lambda: self.use_weights(weights)
        self._pipeline.networks.use_weights(weights)
        self.changed.emit()

    def use_options(self, options: NetworkOptions) -> None:
        """Change to another input size, device, precision or runtime."""
        self._pipeline.networks.use_options(options)
        self.changed.emit()

    def compare_with(self, weights: str | Path | None) -> None:
        """Compare with a second checkpoint."""
        self._latest = lambda: self.compare_with(weights)
        self._pipeline.networks.compare_with(weights)
        self._view_commands.compare("checkpoint A | checkpoint B")
        self.changed.emit()

    def again(self) -> None:
        """Try once more to have the weights that were chosen last."""
        self._latest()

    def compare(self, pair: str) -> None:
        """Compare two sides by the name that they have in menus."""
        needs_second = any(side.weights == "b" for side in PAIRS[pair])
        if needs_second and not self._pipeline.networks.has_second:
            self.second_needed.emit()
            return
        self._view_commands.compare(pair)
        self.changed.emit()
