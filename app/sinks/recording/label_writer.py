"""Labels as a video without loss: a grey FFV1 track whose pixels are numbers of classes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray

from app.sinks.recording.crash_safe_file import matroska_skipped
from app.sinks.recording.fragmented_muxer import FragmentedMuxer
from app.sinks.recording.timestamps import TIME_BASE, MappedTime
from fastscnn.labels import CITYSCAPES, ClassTable

_UNKNOWN = 255
_FULL_RANGE = 2


class LabelWriter:
    """A Matroska file of labels under way; used on one thread.

    Every picture stands for itself, so that any of them can be read alone and a file that breaks
    off is readable up to there.

    Args:
        path: the file.
        size: (width, height) of the first labels; others are fitted in between unknown ones.
        rate: pictures per second.
        classes: what the labels' numbers stand for, which the file's title tells.
        comment: how they were made, for the file to carry.

    Raises:
        OSError, av.error.FFmpegError: the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        size: tuple[int, int],
        rate: Fraction,
        classes: ClassTable,
        comment: str = "",
    ) -> None:
        self.path = path
        self._size = size
        # A cluster reaches the disk when it is whole; unasked, that is after five seconds.
        options = {"cluster_time_limit": "1000"}
        self._container = FragmentedMuxer(path, "matroska", matroska_skipped, options)
        muxer = self._container.muxer
        legend = "Cityscapes train ids"
        if classes.names != CITYSCAPES.names:
            legend = ", ".join(f"{number} {name}" for number, name in enumerate(classes.names))
        muxer.metadata["title"] = f"{legend}, 255 is unknown"
        muxer.metadata["comment"] = comment
        self._video = muxer.add_stream("ffv1", rate=rate)
        self._video.width, self._video.height = size
        self._video.pix_fmt = "gray"
        context = self._video.codec_context
        context.time_base = TIME_BASE
        context.flags |= Flags.frame_duration
        context.gop_size = 1
        context.color_range = _FULL_RANGE

    def write(self, labels: NDArray[np.uint8], place: MappedTime) -> None:
        """Add labels.

        Args:
            labels: H×W uint8 numbers of classes.
            place: where they stand, later than those before.

        Raises:
            OSError, av.error.FFmpegError: they cannot be written.
        """
        self._container.look()
        frame = av.VideoFrame.from_ndarray(self._fitted(labels), format="gray")
        frame.pts, frame.time_base = place.ticks, TIME_BASE
        frame.duration = round(place.length / TIME_BASE)
        self._container.mux(self._video.encode(frame))

    def close(self) -> None:
        """Write the index and close the file.

        Raises:
            OSError, av.error.FFmpegError: not all could be written; the file is closed and
                readable up to there.
        """
        failure = self._container.close(lambda: self._container.mux(self._video.encode(None)))
        if failure is not None:
            raise failure

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
