"""Loading the network that the user chose."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from app.config.settings import NetworkOptions
from app.core.channel import Closed
from app.errors import UsageError, WeightsError
from fastscnn.suggestions import did_you_mean_file

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter

_POLL = 0.05

KeptNetworks: TypeAlias = "dict[NetworkOptions, Segmenter]"


@dataclass(frozen=True, slots=True)
class Download:
    """Weights on their way here: bytes so far, and in all where that is known."""

    done: int
    total: int | None


class NetworkLoader:
    """Makes segmenters.

    Args:
        say: told what the user should know of a download.
        watch: told how far a download is; ``None`` when there is none any more.
        kept: networks that stay loaded from one run to the next, by their options.
    """

    def __init__(
        self,
        *,
        say: Callable[[str], None],
        watch: Callable[[Download | None], None],
        kept: KeptNetworks | None = None,
    ) -> None:
        self._say, self._watch, self._kept = say, watch, kept
        self._stop_asked = threading.Event()
        self._cancels = 0

    def ask_to_stop(self) -> None:
        """End what is downloading; it can be gone on with another time."""
        self._stop_asked.set()

    def cancel(self) -> None:
        """Give up what is being downloaded; ``load`` then fails in words."""
        self._cancels += 1

    def load(self, options: NetworkOptions) -> Segmenter:
        """Create a segmenter with the weights, the device and the size that the options name.

        Takes seconds, or a download, so never on the thread of the window.

        Raises:
            WeightsError: the weights cannot be had or loaded.
            UsageError: the device or precision is not to be had.
            Closed: stopped while downloading.
        """
        if self._kept is None:
            return self._made(options)
        if options not in self._kept:
            self._kept[options] = self._made(options)
        return self._kept[options]

    def _made(self, options: NetworkOptions) -> Segmenter:
        path = self._fetch(options.weights) if options.weights is not None else None
        # torch is imported here, on the calling thread: the window opens without waiting for it
        from fastscnn.checkpoints.checkpoint import CheckpointError
        from fastscnn.segmenter import DeviceError, Segmenter

        try:
            return Segmenter.from_checkpoint(
                path,
                device=options.device,
                precision=options.precision,
                input_size="half" if options.input_size == "auto" else options.input_size,
                runtime=options.runtime,
            )
        except CheckpointError as error:
            raise WeightsError(str(error)) from error
        except DeviceError as error:
            raise UsageError(str(error)) from error

    def _fetch(self, weights: str | Path) -> Path:
        from fastscnn.checkpoints.model_zoo import resolve
        from fastscnn.checkpoints.zoo_catalog import ZooError

        found: list[Path] = []
        errors: list[BaseException] = []
        before = self._cancels
        cancelled = WeightsError(
            f"The download of {weights} was cancelled: what is here of it is kept for another time."
        )

        def progress(done: int, total: int | None) -> None:
            if self._stop_asked.is_set() or self._cancels != before:
                raise Closed
            self._watch(Download(done, total))

        def run() -> None:
            try:
                found.append(resolve(weights, progress, say=self._say))
            except BaseException as error:  # raised again by the thread that waits for it
                errors.append(error)

        # A server that does not answer must not hold up the end: the thread is then left behind,
        # and what it has downloaded stays to be gone on with.
        thread = threading.Thread(target=run, name="download", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_POLL)
            if self._stop_asked.is_set():
                raise Closed
            if self._cancels != before:
                self._watch(None)
                raise cancelled
        self._watch(None)
        if not errors:
            if not os.path.exists(found[0]):  # said here, before anybody waits for torch
                raise WeightsError(
                    f"There is no checkpoint {found[0]}: check the path."
                    f"{did_you_mean_file(found[0])}"
                )
            return found[0]
        if isinstance(errors[0], ZooError):
            raise WeightsError(str(errors[0])) from errors[0]
        raise errors[0]
