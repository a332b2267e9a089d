"""The networks of a run: what the user chose, what is being loaded, what is in use."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.config.settings import NetworkOptions
from app.core.channel import Closed
from app.core.events import EventBus
from app.errors import AppError, WeightsError
from app.inference.network_loader import Download, KeptNetworks, NetworkLoader
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet
from fastscnn.inference.input_size import InputSize
from fastscnn.labels import CLASS_NAMES, class_table
from fastscnn.provenance import WeightsFile

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter

Weights = str | Path | None
"""A name of the zoo, a path or an address; ``None`` is the shipped checkpoint."""


class NetworkManager:
    """Has the networks loaded that the user chooses; the worker is handed them when they are there.

    All methods may be called from any thread and return at once, except ``load_first``.

    Args:
        options: what the user chose to begin with.
        events: where it is reported what the user should know.
        load_both: whether the second checkpoint is loaded before the first frame passes.
        kept: see ``NetworkLoader``.
    """

    def __init__(
        self,
        options: NetworkOptions,
        events: EventBus,
        *,
        load_both: bool = False,
        kept: KeptNetworks | None = None,
    ) -> None:
        self.broken = False
        """The network ended with an error; no picture comes until another one is loaded."""
        self.download: Download | None = None
        """The weights that are being downloaded."""
        self.segmenter: Segmenter | None = None
        """The network in use; ``None`` until it is loaded."""
        self.second: Segmenter | None = None
        """The second network, for the views that show two."""
        self.ready_at: float | None = None
        """Monotonic time at which the first network was ready."""
        self.size_reason = ""
        """Why ``auto`` has chosen the input size in use, in a few words."""
        self._events, self._load_both = events, load_both
        self._next: Segmenter | None = None
        self._last: NetworkInfo | None = None
        self._lock = threading.Lock()
        self._loader = NetworkLoader(say=events.notice, watch=self._downloading, kept=kept)
        self._in_use = self._wanted = options
        self._second: Weights = options.weights_b
        self._second_in_use: Weights = None
        self._compares = self._ended = False
        self._told: set[str] = set()
        # What was loaded and is not in use yet, with what it was made of.
        self._arriving: dict[Segmenter, NetworkOptions] = {}
        self._loading: list[Weights] = []

    # What the user does

    def use_weights(self, weights: Weights) -> None:
        """Go on with other weights once they are loaded.

        Frames are served with the old ones meanwhile, and further if the new ones cannot be had.
        """
        with self._lock:
            self._wanted = wanted = replace(self._wanted, weights=_text(weights))
        # Not a daemon: torch must not be cut off in the middle at exit.
        threading.Thread(target=self._load, args=(wanted,), name="loader").start()

    def use_options(self, options: NetworkOptions) -> None:
        """Go on with another device, precision or input size once a network is made for them.

        As with weights, what is shown goes on meanwhile, and further if it cannot be. The weights
        are those chosen last, whatever the options name.
        """
        with self._lock:
            weights = self._wanted.weights
            self._wanted = replace(options, weights=weights)
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

    def release(self) -> None:
        """Let go of the networks, behind the end of the worker; ``info`` stays."""
        last = self.info()
        with self._lock:
            self._last, self._ended = last, True
            self.segmenter = self.second = self._next = None
            self._arriving.clear()

    # How it stands

    def classes_in_use(self) -> ClassSet:
        """Return the classes of the network in use; before there is one those of Cityscapes."""
        segmenter = self.segmenter
        return segmenter.class_set if segmenter is not None else CITYSCAPES_SET

    @property
    def weights(self) -> Weights:
        """The weights in use, as ``use_weights`` takes them."""
        return self.in_use.weights

    @property
    def in_use(self) -> NetworkOptions:
        """The options that the network in use was made of."""
        with self._lock:
            return self._in_use

    @property
    def options(self) -> NetworkOptions:
        """The device, precision and input size that the user chose last."""
        return self._wanted

    @property
    def has_second(self) -> bool:
        """Return whether there is a second checkpoint to compare with."""
        with self._lock:
            return self._compares

    @property
    def names(self) -> tuple[str, str]:
        """Names of the checkpoint in use and of the second one."""
        with self._lock:
            second = _name(self._second) if self._compares else "checkpoint B"
            return _name(self._in_use.weights), second

    @property
    def loading(self) -> str:
        """Name of the weights that are being loaded; empty where none are."""
        if self.segmenter is None and not self.broken:
            return "the network"
        return "".join(_name(each) for each in self._loading[-1:])

    def info(self) -> NetworkInfo | None:
        """Return facts of the network in use; ``None`` until it is loaded."""
        with self._lock:
            segmenter, options = self.segmenter, self._in_use
        if segmenter is None:
            return self._last
        return NetworkInfo(
            str(segmenter.device),
            segmenter.precision,
            _name(options.weights),
            segmenter.origin,
            options,
            segmenter.runtime,
            segmenter.classes,
            segmenter.weights,
            segmenter.has_skip,
            segmenter.input_size,
            self.size_reason if options.input_size == "auto" else "",
        )

    # For the worker

    @property
    def has_next(self) -> bool:
        """True while a loaded network waits to take the place of the one in use."""
        return self._next is not None

    def take_next(self) -> Segmenter | None:
        """Return the network that waits, if one does."""
        with self._lock:
            segmenter, self._next = self._next, None
        return segmenter

    @property
    def waiting(self) -> bool:
        """True while the first network is being loaded."""
        return self.ready_at is None and not self.broken

    def load_first(self) -> Segmenter:
        """Load the network that the worker begins with; takes seconds, or a download.

        Raises:
            WeightsError: the weights cannot be had or loaded.
            UsageError: the device or precision is not to be had.
            Closed: stopped while downloading.
        """
        options = self._in_use
        if self._load_both and options.weights_b is not None:
            self.second = self._loader.load(replace(options, weights=options.weights_b))
            self._compares = True
            self._tell_classes(self.second)
        return self._loader.load(options)

    def ready(self, segmenter: Segmenter) -> None:
        """A network that was handed over is in use now."""
        with self._lock:
            self.segmenter = segmenter
            self._in_use = self._arriving.pop(segmenter, self._in_use)
            self.broken = False
        if self.ready_at is None:
            self.ready_at = time.monotonic()
        if segmenter.origin:
            self._events.notice(
                f"These weights come from {segmenter.origin} and run as they were trained there."
            )
        self._tell_classes(segmenter)
        self.tell_once(segmenter.assumed)
        self.tell_once(segmenter.fallback)

    def tell_size(self, reason: str) -> None:
        """Note why ``auto`` has chosen the input size in use."""
        self.size_reason = reason

    def resized(self, segmenter: Segmenter) -> None:
        """The network in use goes on at another input size, as was to be expected."""
        self.segmenter = segmenter

    def shrunk(self, segmenter: Segmenter) -> None:
        """The network in use goes on at a smaller input size."""
        self.segmenter = segmenter
        self._events.notice(
            f"The memory of {segmenter.device} did not suffice: the network goes on at"
            f" {segmenter.input_size} input size."
        )

    def fail(self, error: BaseException) -> None:
        """The network in use ended with an error, which is reported."""
        self.broken = True
        if not isinstance(error, AppError):
            from fastscnn.checkpoints.checkpoint import CheckpointError  # imports torch

            error = WeightsError(str(error)) if isinstance(error, CheckpointError) else error
        self._events.failure(error)

    def _tell_classes(self, segmenter: Segmenter) -> None:
        """Say once that a network knows other classes than those of Cityscapes."""
        self.tell_once(class_table(segmenter.classes).in_words)

    def tell_once(self, words: str) -> None:
        """Tell the user something, unless it was told before or is empty."""
        if words and words not in self._told:
            self._told.add(words)
            self._events.notice(words)

    # On threads of its own

    def _downloading(self, download: Download | None) -> None:
        self.download = download

    def _load(self, options: NetworkOptions) -> None:
        self._loading.append(options.weights)
        try:
            segmenter = self._loader.load(options)
        except Closed:
            return
        except Exception as error:
            with self._lock:
                if self._wanted == options:
                    self._wanted = self._in_use
            self._events.failure(error)
            return
        finally:
            self._loading.remove(options.weights)
        with self._lock:
            if options != self._wanted or self._ended:
                return  # the user has chosen again meanwhile
            self._arriving[segmenter] = options
            passed_over, self._next = self._next, segmenter
            if passed_over is not None:
                self._arriving.pop(passed_over, None)  # or it would be kept in memory

    def _load_second(self, weights: Weights) -> None:
        try:
            segmenter = self._loader.load(replace(self._wanted, weights=_text(weights)))
        except Closed:
            return
        except Exception as error:
            with self._lock:
                if self._second == weights:
                    self._second = self._second_in_use
            self._events.failure(error)
            return
        with self._lock:
            if weights != self._second or self._ended:
                return  # the user has chosen again meanwhile
            self._second_in_use, self._compares = weights, True
            self.second = segmenter
        self._tell_classes(segmenter)


def _name(weights: Weights) -> str:
    """Return the name of weights for the user."""
    return Path(weights).name if weights else "Default model"


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """Facts of the network in use: shown so that nothing falls back silently."""

    device: str
    precision: str
    weights: str
    origin: str = ""
    """The implementation that the weights come from, empty for our own."""
    options: NetworkOptions = field(default_factory=NetworkOptions)
    """Options as the user gave them; device and precision may be ``auto``."""
    runtime: str = ""
    """The library that runs it, with its version."""
    classes: tuple[str, ...] = CLASS_NAMES
    """Names of its classes by their numbers in the labels."""
    file: WeightsFile = field(default_factory=WeightsFile)
    """The file that its weights were read from."""
    has_skip: bool = True
    """True where it has a skip connection to switch."""
    input_size: InputSize = "half"
    """The input size in use, also where ``auto`` chose it."""
    size_reason: str = ""
    """Why ``auto`` chose it, in a few words."""


def _text(weights: Weights) -> str | None:
    return None if weights is None else str(weights)
