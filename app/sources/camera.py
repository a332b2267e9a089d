"""Cameras by index, through OpenCV's own back ends."""

from __future__ import annotations

import platform
import threading
import time

import cv2
import numpy as np
from cv2.utils import logging
from numpy.typing import NDArray

from app.errors import SourceError
from app.sources.base import Picture, Source, SourceInfo
from app.sources.source_spec import SourceSpec

OPENING = 8.0
"""Seconds after which a camera that does not open is given up: drivers may block for ever."""
_MISSES = 30
"""Reads that may fail in a row before the camera counts as gone."""
_STUCK = 3.0
"""Seconds of equal, or of black, pictures after which that is said."""
_MEASURED = 1.0
"""Seconds over which the rate is measured."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


def _backend() -> int:
    """The back end that opens cameras fast and reports failure on this system."""
    backends = {
        "Linux": cv2.CAP_V4L2,
        "Windows": cv2.CAP_DSHOW,
        "Darwin": cv2.CAP_AVFOUNDATION,
    }
    return backends.get(platform.system(), cv2.CAP_ANY)


def open_capture(index: int) -> cv2.VideoCapture:
    """OpenCV's device of an index, opened or not; may take for ever."""
    before = logging.getLogLevel()
    # OpenCV would print warnings of its own beside our sentence.
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(index, _backend())
    finally:
        logging.setLogLevel(before)


class CameraSource(Source):
    """A camera; its stamps are seconds since the first picture.

    Its mode is asked for, then measured; a camera that is gone is waited for, one that repeats its
    picture or is black is said to.

    Raises:
        SourceError: there is no such camera, it does not open in time, or it gives no picture.
    """

    live = True

    def __init__(self, spec: SourceSpec) -> None:
        super().__init__()
        self._spec, self._name = spec, spec.name
        first = self._open()
        height, width = first.shape[:2]
        self._first: NDArray[np.uint8] | None = first
        self._start = time.monotonic()
        self._count = 0
        self._measuring = True
        self._seen: NDArray[np.uint8] | None = None
        self._changed = self._lit = self._start
        self._black = False
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._stated = rate if 0 < rate < 1000 else None
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=self._stated,
            decoder=f"OpenCV {self._capture.getBackendName()}",
        )

    def read(self) -> Picture | None:
        while not self.stopping.is_set():
            bgr = self._next()
            if bgr is None:
                self._come_back()
                continue
            now = time.monotonic()
            self._measure(bgr, now)
            if self._is_stuck(bgr, now):
                self.missed["frozen"] += 1
                continue
            image = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            return Picture(image, now - self._start)
        return None

    def close(self) -> None:
        self._capture.release()

    def _open(self) -> NDArray[np.uint8]:
        """Open the device on a thread that may be left behind; its first picture."""
        opened: list[cv2.VideoCapture | BaseException] = []
        given_up = threading.Event()

        def open_device() -> None:
            try:
                capture = open_capture(int(self._spec.value))
                opened.append(capture)
                if given_up.is_set():
                    capture.release()
            except BaseException as error:
                opened.append(error)

        thread = threading.Thread(target=open_device, name="camera", daemon=True)
        thread.start()
        thread.join(OPENING)
        if not opened:
            given_up.set()
            raise SourceError(
                f"The {self._name} does not open within {OPENING:.0f} s:"
                " close other programs that use it, or plug it in again."
            )
        capture = opened[0]
        if isinstance(capture, BaseException) or not capture.isOpened():
            raise SourceError(
                f"There is no {self._name}, or another program uses it:"
                " check the cable or choose another index."
            )
        self._capture = capture
        # The order matters: the kind of data decides which sizes there are, and drivers forget
        # the size when the rate is set first.
        wanted: list[tuple[int, float | None]] = [(cv2.CAP_PROP_BUFFERSIZE, 1)]
        if self._spec.width is not None and self._spec.width > 640:
            # Uncompressed, large pictures do not fit through USB at a useful rate.
            code = cv2.VideoWriter.fourcc(*"MJPG")
            wanted.append((cv2.CAP_PROP_FOURCC, code))
        wanted += [
            (cv2.CAP_PROP_FRAME_WIDTH, self._spec.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, self._spec.height),
            (cv2.CAP_PROP_FPS, self._spec.rate),
        ]
        for property_id, value in wanted:
            if value is not None:
                capture.set(property_id, value)
        first = self._next()
        if first is None:
            capture.release()
            raise SourceError(
                f"The {self._name} opens but gives no picture:"
                " close other programs that use it, or plug it in again."
            )
        self._first = first
        return first

    _first: NDArray[np.uint8] | None = None

    def _next(self) -> NDArray[np.uint8] | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        for _ in range(_MISSES):
            try:
                ok, bgr = self._capture.read()
            except cv2.error:
                ok, bgr = False, None
            if ok and bgr is not None:
                return np.asarray(bgr, np.uint8)
            if self.stopping.wait(0.01):
                break
        return None

    def _measure(self, bgr: NDArray[np.uint8], now: float) -> None:
        """After a second, say which mode the camera really runs in."""
        if not self._measuring:
            return
        self._count += 1
        seconds = now - self._start
        if seconds < _MEASURED:
            return
        self._measuring = False
        rate = (self._count - 1) / seconds
        height, width = bgr.shape[:2]
        asked = self._spec
        other_size = (asked.width or width, asked.height or height) != (width, height)
        wanted = asked.rate or self._stated
        slow = wanted is not None and rate < 0.8 * wanted
        if other_size or slow:
            size = f"{asked.width or width}×{asked.height or height}"
            at = f" at {wanted:.4g} fps" if wanted is not None else ""
            self.tell(
                f"The {self._name} gives {width}×{height} at {rate:.0f} fps,"
                f" though {size}{at} was asked for or promised."
            )

    def _is_stuck(self, bgr: NDArray[np.uint8], now: float) -> bool:
        """Return whether the camera repeats itself; also notices that it is black."""
        sample = bgr[::7, ::7]
        # Even a picture of a wall has noise in it: pictures that are equal are one picture.
        if self._seen is None or not np.array_equal(sample, self._seen):
            self._seen, self._changed = sample.copy(), now
            if self.offline_since is not None:
                self.tell(f"The {self._name} is back.")
                self.offline_since = None
        elif now - self._changed > _STUCK and self.offline_since is None:
            self.offline_since = self._changed
            self.tell(f"The {self._name} repeats one picture: plug it in again.")
        if sample.max() > 24:
            self._lit, self._black = now, False
        elif now - self._lit > _STUCK and not self._black:
            self._black = True
            self.tell(f"The {self._name} is black: look at its cover and at the light.")
        return self.offline_since is not None

    def _come_back(self) -> None:
        """Open the camera again, however long that takes.

        Raises:
            SourceError: it took longer than the user wants to wait.
        """
        self._capture.release()
        if self.offline_since is None:
            self.offline_since = time.monotonic()
            self.tell(f"The {self._name} gives no more pictures: check its cable.")
        pause = _FIRST_PAUSE
        while not self.stopping.wait(pause):
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                self._first = self._open()
                self._seen = None
                return
            except SourceError as error:
                away = time.monotonic() - self.offline_since
                if self._spec.patience is not None and away > self._spec.patience:
                    raise SourceError(
                        f"The {self._name} did not come back within {away:.0f} s."
                    ) from error
