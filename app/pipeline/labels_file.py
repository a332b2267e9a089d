"""Labels as a video without loss: a grey FFV1 track whose pixels are train ids."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app.pipeline.disk import LOOK, RecordingFile, matroska_skipped
from app.pipeline.timeline import TIME_BASE

if TYPE_CHECKING:
    from av.container import OutputContainer

_UNKNOWN = 255
_FULL_RANGE = 2


class LabelsFile:
    """A Matroska file of labels under way; used on one thread.

    Every picture stands for itself, so that any of them can be read alone and a file that breaks
    off is readable up to there.

    Args:
        path: the file.
        size: (width, height) of the first labels; others are fitted in between unknown ones.
        rate: pictures per second.
        overwrite: replace a file that is there.

    Raises:
        OSError, av.error.FFmpegError: the file cannot be made.
    """

    def __init__(
        self, path: Path, *, size: tuple[int, int], rate: Fraction, overwrite: bool
    ) -> None:
        self.path = path
        self._size = size
        self._looked = time.monotonic()
        self._file = RecordingFile(path, skipped=matroska_skipped, overwrite=overwrite)
        self._container: OutputContainer = av.open(
            self._file,
            "w",
            format="matroska",
            # A cluster reaches the disk when it is whole; unasked, that is after five seconds.
            options={"flush_packets": "1", "cluster_time_limit": "1000"},
        )
        self._container.metadata["title"] = "Cityscapes train ids, 255 is unknown"
        self._video = self._container.add_stream("ffv1", rate=rate)
        self._video.width, self._video.height = size
        self._video.pix_fmt = "gray"
        context = self._video.codec_context
        context.time_base = TIME_BASE
        context.gop_size = 1
        context.color_range = _FULL_RANGE

    def write(self, labels: NDArray[np.uint8], ticks: int) -> None:
        """Add labels.

        Args:
            labels: H×W uint8 train ids.
            ticks: their time in units of ``TIME_BASE``, later than those before.

        Raises:
            OSError, av.error.FFmpegError: they cannot be written.
        """
        if time.monotonic() - self._looked > LOOK:
            self._file.check_place()
            self._looked = time.monotonic()
        frame = av.VideoFrame.from_ndarray(self._fitted(labels), format="gray")
        frame.pts, frame.time_base = ticks, TIME_BASE
        self._mux(self._video.encode(frame))

    def close(self) -> None:
        """Write the index and close the file.

        Raises:
            OSError, av.error.FFmpegError: not all could be written; the file is closed and
                readable up to there.
        """
        first: Exception | None = None
        for step in (self._flush, self._container.close, self._file.check_place):
            try:
                step()
            except (av.error.FFmpegError, OSError) as error:
                first = first or error
        self._file.close()
        failure = self._file.error or first
        if failure is not None:
            raise failure

    def _flush(self) -> None:
        if self._file.error is None:
            self._mux(self._video.encode(None))

    def _mux(self, packets: list[av.Packet[av.VideoStream]]) -> None:
        for packet in packets:
            self._container.mux(packet)
            self._file.mark()

    def _fitted(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = labels.shape
        if (width, height) == self._size:
            return labels
        scale = min(self._size[0] / width, self._size[1] / height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (self._size[0] - inner[0]) // 2, (self._size[1] - inner[1]) // 2
        out = np.full((self._size[1], self._size[0]), _UNKNOWN, np.uint8)
        out[top : top + inner[1], left : left + inner[0]] = cv2.resize(
            labels, inner, interpolation=cv2.INTER_NEAREST
        )
        return out
