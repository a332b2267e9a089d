"""Network menu: input size, device, precision and runtime."""

from __future__ import annotations

import sys
from dataclasses import replace

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QWidget

from app.config.settings import NetworkOptions
from app.gui.widgets.controls import MenuRow, add_choice
from app.pipeline.status import PipelineStatus
from fastscnn.option_fields import options_of

CHOICES = {each.name: about.choices for each, about in options_of(NetworkOptions)}


class NetworkMenu(MenuRow):
    """Menu of the network's options; its button names those in use."""

    chosen = pyqtSignal(NetworkOptions)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Inference", parent)
        self._options = NetworkOptions()
        self._loaded = False
        self._device = ""

    def fill(self, menu: QMenu) -> None:
        """Fill a menu with all choices, those in use ticked."""
        menu.clear()
        options = self._options
        for size, text in CHOICES["input_size"].items():
            self._add(menu, f"{size}: {text}", options, replace(options, input_size=size))
        if options.input_size not in CHOICES["input_size"]:
            self._add(menu, _size_word(options), options, options)
        menu.addSeparator()
        self._add_others(menu)

    def fill_others(self, menu: QMenu) -> None:
        """Fill a menu with all choices but the input size."""
        menu.clear()
        self._add_others(menu)

    def _add_others(self, menu: QMenu) -> None:
        options = self._options
        for device in devices(loaded=self._loaded):
            self._add(menu, f"device {device}", options, replace(options, device=device))
        menu.addSeparator()
        for precision, text in CHOICES["precision"].items():
            there = precision != "fp16" or self._device != "cpu"
            words = ": ".join(filter(None, (precision, text))) + ("" if there else ", not on a CPU")
            wanted = replace(options, precision=precision)
            self._add(menu, f"precision {words}", options, wanted).setEnabled(there)
        menu.addSeparator()
        for runtime in CHOICES["runtime"]:
            there = runtime == "auto" or _installed(runtime, loaded=self._loaded)
            text = f"runtime {runtime}" + ("" if there else ": not installed")
            action = self._add(menu, text, options, replace(options, runtime=runtime))
            action.setEnabled(there)

    def refresh(self, status: PipelineStatus) -> None:
        """Show the options in use."""
        network = status.network
        if network is None:
            self.button.setText("…")
            self.button.setAccessibleName("Input size, device and precision")
            self.button.setToolTip("The network is not loaded yet")
            return
        self._options, self._loaded = network.options, True
        self._device = network.device
        text = f"{_size_word(network.options)} · {network.device} · {network.precision}"
        self.button.setText(text)
        self.button.setAccessibleName(f"Input size, device and precision: {text}")
        self.button.setToolTip("Input size (keys 1 to 5), device and precision: click for others")

    def _add(self, menu: QMenu, text: str, now: NetworkOptions, wanted: NetworkOptions) -> QAction:
        return add_choice(menu, text, lambda: self.chosen.emit(wanted), ticked=now == wanted)


def _size_word(options: NetworkOptions) -> str:
    size = options.input_size
    return size if isinstance(size, str) else f"{size[0]}×{size[1]}"


def _installed(runtime: str, *, loaded: bool) -> bool:
    """Return whether a runtime can be used, as far as that is known: torch is not loaded for it."""
    if not loaded:
        return True
    from fastscnn.inference.runtimes import installed

    return installed(runtime)


def devices(*, loaded: bool) -> list[str]:
    """Return the devices of this machine; torch is asked only where it is loaded already."""
    torch = sys.modules.get("torch")
    found = ["auto", "cpu"]
    if loaded and torch is not None:
        found += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            found.append("mps")
    return found
