"""Loading the network that the user chose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import UsageError, WeightsError
from app.settings import Settings

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter


def load_segmenter(settings: Settings, weights: Path | None) -> Segmenter:
    """A segmenter with the device, precision and input size of ``settings``.

    Takes seconds, so never on the thread of the window.

    Raises:
        WeightsError: the weights cannot be loaded.
        UsageError: the device or precision is not to be had.
    """
    # torch is imported here, on the calling thread: the window opens without waiting for it
    from fastscnn.checkpoint import CheckpointError
    from fastscnn.segmenter import DeviceError, Segmenter

    try:
        return Segmenter.from_checkpoint(
            weights,
            device=settings.device,
            precision=settings.precision,
            input_size=settings.input_size,
        )
    except CheckpointError as error:
        raise WeightsError(str(error)) from error
    except DeviceError as error:
        raise UsageError(str(error)) from error
