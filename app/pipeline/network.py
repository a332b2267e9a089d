"""Loading the network that the user chose."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import UsageError, WeightsError
from app.pipeline.channels import Closed
from app.settings import Settings

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter

_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Download:
    """Weights on their way here: bytes so far, and in all where that is known."""

    done: int
    total: int | None


class Loader:
    """Makes segmenters with the device, precision and input size of ``settings``.

    Args:
        settings: what the user chose.
        say: told what the user should know of a download.
        watch: told how far a download is; ``None`` when there is none any more.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        say: Callable[[str], None],
        watch: Callable[[Download | None], None],
    ) -> None:
        self._settings, self._say, self._watch = settings, say, watch
        self._stop_asked = threading.Event()

    def ask_to_stop(self) -> None:
        """End what is downloading; it can be gone on with another time."""
        self._stop_asked.set()

    def load(self, weights: str | Path | None) -> Segmenter:
        """A segmenter with the weights of a zoo name, a path or an address; ``None``: the shipped.

        Takes seconds, or a download, so never on the thread of the window.

        Raises:
            WeightsError: the weights cannot be had or loaded.
            UsageError: the device or precision is not to be had.
            Closed: stopped while downloading.
        """
        path = self._fetch(weights) if weights is not None else None
        # torch is imported here, on the calling thread: the window opens without waiting for it
        from fastscnn.checkpoint import CheckpointError
        from fastscnn.segmenter import DeviceError, Segmenter

        settings = self._settings
        try:
            return Segmenter.from_checkpoint(
                path,
                device=settings.device,
                precision=settings.precision,
                input_size=settings.input_size,
            )
        except CheckpointError as error:
            raise WeightsError(str(error)) from error
        except DeviceError as error:
            raise UsageError(str(error)) from error

    def _fetch(self, weights: str | Path) -> Path:
        from fastscnn.zoo import ZooError, resolve

        found: list[Path] = []
        errors: list[BaseException] = []

        def progress(done: int, total: int | None) -> None:
            if self._stop_asked.is_set():
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
        self._watch(None)
        if not errors:
            return found[0]
        if isinstance(errors[0], ZooError):
            raise WeightsError(str(errors[0])) from errors[0]
        raise errors[0]
