"""The encoder thread: annotated frames into an MP4 that survives a kill."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import AppError, OutputError
from app.pipeline.channels import Channel, Closed
from app.pipeline.stats import Stats
from app.sources.spec import SourceSpec

_log = logging.getLogger(__name__)

TIME_BASE = Fraction(1, 90000)
"""Fine enough that stamps of any usual rate are kept exactly."""


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """A recording under way: its file, and what is in it so far."""

    path: Path
    frames: int
    seconds: float
    encoder: str


def recording_path(folder: Path) -> Path:
    """A new name in a folder, from date and time, that no file has yet."""
    stem = f"fastscnn-{datetime.now():%Y%m%d-%H%M%S}"
    path = folder / f"{stem}.mp4"
    count = 2
    while path.exists():
        path = folder / f"{stem}-{count}.mp4"
        count += 1
    return path


def check_output(path: Path, *, overwrite: bool, source: SourceSpec | None = None) -> None:
    """Find out before any work whether a recording can go to ``path``.

    Args:
        path: where it is to go.
        overwrite: whether a file there may be replaced.
        source: what is recorded; its own file is never replaced, whatever it is called.

    Raises:
        OutputError: it cannot.
    """
    if source is not None and source.kind == "file":
        try:
            same = os.path.samefile(path, Path(source.value).expanduser())
        except OSError:  # one of them is not there
            same = False
        if same:
            raise OutputError(f"{path} is what is being read: record to another file.")
    if path.suffix.lower() not in {".mp4", ".m4v", ".mov"}:
        raise OutputError(f"{path} cannot be recorded: the name must end in .mp4.")
    if path.is_dir():
        raise OutputError(f"{path} is a folder: give the recording a file name.")
    if not path.parent.is_dir():
        raise OutputError(f"There is no folder {path.parent}: make it or record elsewhere.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists: give another name, or --overwrite to replace it.")


class Recorder(threading.Thread):
    """Encodes pictures to H.264 on a thread of its own.

    The file is written in fragments that reach the disk one by one, so that a kill loses about the
    last second; closed in order it becomes an ordinary MP4. Stamps are those of the source.
    The picture keeps its size; odd sizes are padded by one pixel, which yuv420p needs.

    Args:
        path: the file.
        rate: asked with the first picture for the pictures per second, which set the distance of
            key frames and how long the last frame lasts; stamps decide about all else.
        stats: where frames and encoding times are counted.
        closed: called at the end with the recorder, from its thread.
        overwrite: replace the file where it exists.
        source: what is recorded; its own file is never replaced.

    Raises:
        OutputError: the file cannot be written.
    """

    _WAITING = 4
    """Frames that may wait for the encoder: at 4096×2048 about 100 MB."""

    def __init__(
        self,
        path: Path,
        *,
        rate: Callable[[], float | None],
        stats: Stats,
        closed: Callable[[Recorder], None],
        overwrite: bool = False,
        source: SourceSpec | None = None,
    ) -> None:
        super().__init__(name="recorder")
        check_output(path, overwrite=overwrite, source=source)
        self.path = path
        self.error: AppError | None = None
        self.frames = 0
        self.encoder = "H.264 (libx264, CPU)"
        self._rate_of_source = rate
        self._stats = stats
        self._on_closed = closed
        self._inbox: Channel[tuple[NDArray[np.uint8], float]] = Channel(self._WAITING)
        self._first: float | None = None
        self._last = -1
        self._times = (0.0, 0.0)

    def put(self, picture: NDArray[np.uint8], stamp: float, *, wait: bool) -> bool:
        """Hand over RGB uint8 H×W×3 with its time in seconds; ``False`` when it was not taken.

        With ``wait`` the caller is held back until the encoder has room.
        """
        item = (picture, stamp)
        return self._inbox.put(item) if wait else self._inbox.offer(item)

    def finish(self) -> None:
        """Close the file once what waits is written; does not block."""
        self._inbox.close()

    def info(self) -> RecordingInfo:
        """The recording as it stands."""
        first, last = self._times
        return RecordingInfo(self.path, self.frames, last - first, self.encoder)

    def run(self) -> None:
        try:
            self._record()
        except AppError as error:
            self.error = error
        except (av.error.FFmpegError, OSError) as error:
            reason = error.strerror or str(error)
            advice = "make room" if error.errno == errno.ENOSPC else "record elsewhere"
            self.error = OutputError(
                f"The recording {self.path} had to end at frame {self.frames} ({reason}): {advice}."
            )
            self.error.__cause__ = error
        except Exception as error:
            _log.info("unexpected error", exc_info=error)
            self.error = OutputError(f"The recording {self.path} failed: {error}.")
        finally:
            self._inbox.close()
            for _ in self._inbox.drain():
                self._stats.count("not_recorded")
            self._on_closed(self)

    def _record(self) -> None:
        try:
            picture, stamp = self._take()
        except Closed:
            return  # nothing came: no empty file is left behind
        height, width = picture.shape[:2]
        size = (width + width % 2, height + height % 2)
        stated = self._rate_of_source()
        rate = Fraction(stated if stated and 1 <= stated <= 240 else 30).limit_denominator(1001)
        container = av.open(
            str(self.path.absolute()),
            "w",
            format="mp4",
            options={
                "movflags": "hybrid_fragmented+frag_keyframe",
                "flush_packets": "1",
            },
        )
        try:
            stream = container.add_stream(
                "libx264",
                rate=rate,
                options={"preset": "superfast", "crf": "20", "bf": "0"},
            )
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            context.time_base = TIME_BASE
            context.gop_size = max(1, round(rate))
            # The pixels are converted to BT.709 below; this says so to the player.
            context.colorspace = 1
            context.color_primaries = 1
            context.color_trc = 1
            context.color_range = 1
            while True:
                started = time.monotonic()
                for packet in stream.encode(self._frame(picture, stamp, size)):
                    container.mux(packet)
                self._stats.spent({"encode": time.monotonic() - started})
                self._stats.count("recorded")
                self.frames += 1
                try:
                    picture, stamp = self._take()
                except Closed:
                    break
            for packet in stream.encode(None):
                container.mux(packet)
        finally:
            container.close()

    def _take(self) -> tuple[NDArray[np.uint8], float]:
        item = self._inbox.get()
        assert item is not None  # without a time-out there is an item or Closed
        return item

    def _frame(
        self, picture: NDArray[np.uint8], stamp: float, size: tuple[int, int]
    ) -> av.VideoFrame:
        height, width = picture.shape[:2]
        right, below = size[0] - width, size[1] - height
        if (right, below) in {(0, 1), (1, 0), (1, 1)}:
            picture = np.asarray(
                cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        elif right or below:  # the source changed its size on the way
            picture = np.asarray(cv2.resize(picture, size), np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        if self._first is None:
            self._first = stamp
        # Before the file's start there is nothing, and encoders refuse stamps that do not rise.
        ticks = round((stamp - min(self._first, 0.0)) / TIME_BASE)
        self._last = max(ticks, self._last + 1)
        frame.pts, frame.time_base = self._last, TIME_BASE
        self._times = (self._first, stamp)
        return frame
