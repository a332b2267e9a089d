"""Virtual camera: what is shown, as a camera that meetings and other programs can open."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.events import Event, EventBus
from app.core.formatting import frames
from app.core.frame import Result
from app.errors import AppError, OutputError, UsageError
from app.sinks.queued_sink import QueuedSink


class VirtualCameraSink(QueuedSink):
    """Camera of the system's that gives the annotated pictures, in the size of the first one.

    A file that is shown keeps its pace; without a window it is played at the rate of the camera.
    """

    lossless = False

    def __init__(self, events: EventBus) -> None:
        super().__init__("virtual camera", events, capacity=2)
        self._camera: Any = None
        self._size = 0, 0
        self.frames = 0

    def _open(self, first: Result) -> None:
        import pyvirtualcam

        session = first.frame.session
        rate = (session.source.rate if session is not None else None) or 30.0
        height, width = first.picture.shape[:2]
        self._size = max(2, width // 2 * 2), max(2, height // 2 * 2)  # colours of two by two
        self._camera = pyvirtualcam.Camera(*self._size, min(rate, 240.0))
        self._events.notice(f"The picture is in the virtual camera {self._camera.device}.")

    def _write(self, result: Result) -> None:
        self._camera.send(fitted(result.picture, self._size))
        if result.frame.lossless:
            self._camera.sleep_until_next_frame()
        self.frames += 1

    def _close(self) -> None:
        if self._camera is not None:
            self._camera.close()

    _abandon = _close

    def _report(self) -> None:
        if self.frames:
            self._events.put(Event("recorded", f"The virtual camera gave {frames(self.frames)}."))

    def _in_words(self, error: Exception) -> AppError:
        if not isinstance(error, RuntimeError):
            return super()._in_words(error)
        return _no_camera(error)


def fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture in another size (width, height), whole, with black beside it."""
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    if scale < 1 and width - size[0] in {0, 1} and height - size[1] in {0, 1}:
        return np.ascontiguousarray(image[: size[1], : size[0]])
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    out = np.zeros((size[1], size[0], 3), np.uint8)
    top, left = (size[1] - inner[1]) // 2, (size[0] - inner[0]) // 2
    out[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return out


def check_virtual_camera() -> None:
    """Find out before any work whether there is a virtual camera.

    Raises:
        UsageError: the package for it is not installed.
        OutputError: the system has none that is free.
    """
    if find_spec("pyvirtualcam") is None:
        raise UsageError(
            "--virtual-camera needs pyvirtualcam, which is not installed: pip install pyvirtualcam."
        )
    import pyvirtualcam

    try:
        pyvirtualcam.Camera(320, 240, 30).close()
    except RuntimeError as error:
        raise _no_camera(error) from error


def _no_camera(error: RuntimeError) -> OutputError:
    reason = str(error).strip().splitlines()[0].rstrip(".")
    words = OutputError(
        f"There is no virtual camera ({reason}): on Linux load v4l2loopback, elsewhere install OBS"
        " Studio."
    )
    words.__cause__ = error
    return words
