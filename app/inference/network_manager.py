"""The networks of a run: what the user chose, what is being loaded, what is in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.config.settings import NetworkOptions, Settings
from app.core.channel import Closed
from app.inference.network_loader import Download, NetworkLoader

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter

Weights = str | Path | None
"""A name of the zoo, a path or an address; ``None`` is the shipped checkpoint."""


class NetworkManager:
    """Has the networks loaded that the user chooses; the worker is handed them when they are there.

    All methods may be called from any thread and return at once, except ``load_first``.

    Args:
        settings: what the user chose to begin with.
        use: given a loaded network to go on with; returns one that waited and now never will be.
        compare: given a loaded second network, for the views that show two.
        say: told what the user should know.
        failed: told why a network cannot be had.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        use: Callable[[Segmenter], Segmenter | None],
        compare: Callable[[Segmenter], None],
        say: Callable[[str], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self.broken = False
        """The network ended with an error; no picture comes until another one is loaded."""
        self.download: Download | None = None
        """The weights that are being downloaded."""
        self.segmenter: Segmenter | None = None
        """The network in use; ``None`` until it is loaded."""
        self._settings = settings
        self._use, self._compare, self._say, self._failed = use, compare, say, failed
        self._lock = threading.Lock()
        self._loader = NetworkLoader(settings, say=say, watch=self._downloading)
        self._weights: Weights = settings.weights
        self._options = self._loader.options
        self._wanted: Weights = settings.weights
        self._second: Weights = settings.weights_b
        self._second_in_use: Weights = None
        self._compares = False
        # What was loaded and is not in use yet, with what it was made of.
        self._arriving: dict[Segmenter, tuple[Weights, NetworkOptions]] = {}
        self._loading: list[Weights] = []

    # What the user does

    def use_weights(self, weights: Weights) -> None:
        """Go on with other weights once they are loaded.

        Frames are served with the old ones meanwhile, and further if the new ones cannot be had.
        """
        with self._lock:
            self._wanted = weights
        # Not a daemon: torch must not be cut off in the middle at exit.
        threading.Thread(target=self._load, args=(weights,), name="loader").start()

    def use_options(self, options: NetworkOptions) -> None:
        """Go on with another device, precision or input size once a network is made for them.

        As with weights, what is shown goes on meanwhile, and further if it cannot be.
        """
        with self._lock:
            self._loader.options, weights = options, self._wanted
            second, compares = self._second, self._compares
        self.use_weights(weights)
        if compares:
            self.compare_with(second)

    def compare_with(self, weights: Weights) -> None:
        """Have a second checkpoint for the views that show one, once it is loaded.

        There is never more than one besides the first.
        """
        with self._lock:
            self._second = weights
        threading.Thread(target=self._load_second, args=(weights,), name="loader").start()

    def cancel_download(self) -> None:
        """Give up the weights that are being downloaded."""
        self._loader.cancel()

    def ask_to_stop(self) -> None:
        """End what is downloading."""
        self._loader.ask_to_stop()

    # How it stands

    @property
    def weights(self) -> Weights:
        """The weights in use, as ``use_weights`` takes them."""
        with self._lock:
            return self._weights

    @property
    def options(self) -> NetworkOptions:
        """The device, precision and input size that the user chose last."""
        return self._loader.options

    @property
    def has_second(self) -> bool:
        """Whether there is a second checkpoint to compare with."""
        with self._lock:
            return self._compares

    @property
    def names(self) -> tuple[str, str]:
        """What the checkpoint in use and the second one are called."""
        with self._lock:
            second = _name(self._second) if self._compares else "checkpoint B"
            return _name(self._weights), second

    @property
    def loading(self) -> str:
        """What is being loaded, in words; empty where nothing is."""
        if self.segmenter is None and not self.broken:
            return "the network"
        return "".join(_name(each) for each in self._loading[-1:])

    def info(self) -> NetworkInfo | None:
        """What runs the network; ``None`` until it is loaded."""
        with self._lock:
            segmenter, weights, options = self.segmenter, self._weights, self._options
        if segmenter is None:
            return None
        return NetworkInfo(
            str(segmenter.device),
            segmenter.precision,
            _name(weights),
            segmenter.origin,
            options,
            segmenter.runtime,
        )

    # For the worker

    def load_first(self, *, both: bool) -> tuple[Segmenter, Segmenter | None]:
        """What the worker begins with; takes seconds, or a download.

        Args:
            both: the second checkpoint too, where the user named one: no frame passes before.

        Raises:
            WeightsError: the weights cannot be had or loaded.
            UsageError: the device or precision is not to be had.
            Closed: stopped while downloading.
        """
        first, second = self._loader.load(self._settings.weights), None
        if both and self._settings.weights_b is not None:
            second = self._loader.load(self._settings.weights_b)
            self._compares = True
        return first, second

    def ready(self, segmenter: Segmenter) -> None:
        """A network that was handed over is in use now."""
        with self._lock:
            self.segmenter = segmenter
            in_use = self._weights, self._options
            self._weights, self._options = self._arriving.pop(segmenter, in_use)
            self.broken = False
        if segmenter.origin:
            self._say(
                f"These weights come from {segmenter.origin} and run as they were trained there."
            )

    def shrunk(self, segmenter: Segmenter) -> None:
        """The network in use goes on at a smaller input size."""
        self.segmenter = segmenter
        self._say(
            f"The memory of {segmenter.device} did not suffice: the network goes on at"
            f" {segmenter.input_size} input size."
        )

    # On threads of its own

    def _downloading(self, download: Download | None) -> None:
        self.download = download

    def _load(self, weights: Weights) -> None:
        options = self._loader.options
        self._loading.append(weights)
        try:
            segmenter = self._loader.load(weights)
        except Closed:
            return
        except Exception as error:
            with self._lock:
                if self._wanted == weights:
                    self._wanted = self._weights
                if self._loader.options == options:
                    self._loader.options = self._options
            self._failed(error)
            return
        finally:
            self._loading.remove(weights)
        with self._lock:
            if weights != self._wanted or options != self._loader.options:
                return  # the user has chosen again meanwhile
            self._arriving[segmenter] = weights, options
        passed_over = self._use(segmenter)
        with self._lock:
            if passed_over is not None:
                self._arriving.pop(passed_over, None)  # or it would be kept in memory

    def _load_second(self, weights: Weights) -> None:
        try:
            segmenter = self._loader.load(weights)
        except Closed:
            return
        except Exception as error:
            with self._lock:
                if self._second == weights:
                    self._second = self._second_in_use
            self._failed(error)
            return
        with self._lock:
            if weights != self._second:
                return  # the user has chosen again meanwhile
            self._second_in_use, self._compares = weights, True
        self._compare(segmenter)


def _name(weights: Weights) -> str:
    """What weights are called in words."""
    return Path(weights).name if weights else "Default model"


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """What runs the network: shown so that nothing falls back silently."""

    device: str
    precision: str
    weights: str
    origin: str = ""
    """The implementation that the weights come from, empty for our own."""
    options: NetworkOptions = field(default_factory=NetworkOptions)
    """What the user asked for, where device and precision may be ``auto``."""
    runtime: str = ""
    """The library that runs it, with its version."""
