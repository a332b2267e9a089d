"""Cameras by index, through OpenCV's own back ends."""

from __future__ import annotations

import platform
import time

import cv2
import numpy as np
from cv2.utils import logging

from app.errors import SourceError
from app.sources.base import Picture, Source, SourceInfo
from app.sources.spec import SourceSpec


def _backend() -> int:
    """The back end that opens cameras fast and reports failure on this system."""
    backends = {
        "Linux": cv2.CAP_V4L2,
        "Windows": cv2.CAP_DSHOW,
        "Darwin": cv2.CAP_AVFOUNDATION,
    }
    return backends.get(platform.system(), cv2.CAP_ANY)


class CameraSource(Source):
    """A camera; its stamps are seconds since the first picture.

    Raises:
        SourceError: there is no such camera, or it gives no picture.
    """

    live = True
    _MISSES = 30
    """Reads that may fail in a row before the camera counts as gone."""

    def __init__(self, spec: SourceSpec) -> None:
        self._name = spec.name
        before = logging.getLogLevel()
        # OpenCV would print warnings of its own beside our sentence.
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
        try:
            self._capture = cv2.VideoCapture(int(spec.value), _backend())
        except (cv2.error, OverflowError) as error:
            raise SourceError(self._missing()) from error
        finally:
            logging.setLogLevel(before)
        if not self._capture.isOpened():
            raise SourceError(self._missing())
        # Drivers forget the size when the rate is set first, so the order matters.
        for property_id, value in (
            (cv2.CAP_PROP_BUFFERSIZE, 1),
            (cv2.CAP_PROP_FRAME_WIDTH, spec.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, spec.height),
            (cv2.CAP_PROP_FPS, spec.rate),
        ):
            if value is not None:
                self._capture.set(property_id, value)
        ok, first = self._capture.read()
        if not ok:
            self._capture.release()
            raise SourceError(
                f"Camera {spec.value} opens but gives no picture:"
                " close other programs that use it, or plug it in again."
            )
        self._start = time.monotonic()
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        height, width = first.shape[:2]
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=rate if 0 < rate < 1000 else None,
            decoder=f"OpenCV {self._capture.getBackendName()}",
        )

    def read(self) -> Picture:
        for _ in range(self._MISSES):
            ok, bgr = self._capture.read()
            if ok:
                stamp = time.monotonic() - self._start
                return Picture(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), stamp)
            time.sleep(0.01)
        raise SourceError(f"The {self._name} gives no more pictures: check its cable.")

    def close(self) -> None:
        self._capture.release()

    def _missing(self) -> str:
        return (
            f"There is no {self._name}, or another program uses it:"
            " check the cable or choose another index."
        )
