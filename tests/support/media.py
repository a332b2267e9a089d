"""Real video files and sources for the tests."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.sources.base import Picture, Source, SourceInfo

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"

needs_clips = pytest.mark.skipif(
    not (SHARED / "clips").is_dir(), reason="the real clips (../shared/clips) are not here"
)


def picture(index: int, width: int = 160, height: int = 96) -> NDArray[np.uint8]:
    """A picture that tells its index: a bright bar wanders over a gradient."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 1] = np.linspace(40, 120, width, dtype=np.uint8)
    left = (index * 7) % max(1, width - 8)
    image[:, left : left + 8] = (240, 200, 40)
    return image


def write_clip(
    path: Path,
    stamps: list[float] | int = 30,
    *,
    size: tuple[int, int] = (160, 96),
    rate: int = 30,
    rotation: int = 0,
    codec: str = "libx264",
    pictures: Sequence[NDArray[np.uint8]] = (),
    key_every: int | None = None,
) -> Path:
    """Write a small real video; ``stamps`` are its times in seconds, or a count at ``rate``.

    It shows ``pictures`` over and over, or ``picture`` where there are none.
    """
    times = [i / rate for i in range(stamps)] if isinstance(stamps, int) else stamps
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90000)
        if key_every is not None:
            stream.codec_context.gop_size = key_every
        if rotation:
            stream.set_display_rotation(rotation)
        for index, stamp in enumerate(times):
            shown = pictures[index % len(pictures)] if pictures else picture(index, *size)
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            frame.pts, frame.time_base = round(stamp * 90000), Fraction(1, 90000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_stills(path: Path, codec: str, stills: Sequence[bytes], *, rate: int = 10) -> Path:
    """Write a video whose packets are pictures that are compressed already: JPEG or PNG."""
    size = cv2.imdecode(np.frombuffer(stills[0], np.uint8), cv2.IMREAD_IGNORE_ORIENTATION).shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = size[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
        stream.codec_context.open()
        for index, still in enumerate(stills):
            packet = av.Packet(still)
            packet.stream, packet.pts, packet.dts = stream, index, index
            packet.time_base, packet.is_keyframe = Fraction(1, rate), True
            container.mux(packet)
    return path


def still(image: NDArray[np.uint8], kind: str = "JPEG", *, orientation: int | None = None) -> bytes:
    """A compressed picture; with EXIF data, as cameras write them, where it has an orientation."""
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0110], exif[0x0112] = "TESTCAM", orientation
    data = io.BytesIO()
    Image.fromarray(image).save(data, kind, exif=exif.tobytes(), quality=90)
    return data.getvalue()


def read_clip(path: Path) -> tuple[list[float], list[NDArray[np.uint8]]]:
    """Times in seconds and pictures of a video, by PyAV."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [f.time for f in frames], [f.to_ndarray(format="rgb24") for f in frames]


def count_by_opencv(path: Path) -> int:
    """How many frames OpenCV reads from a video."""
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    capture.release()
    return count


class ScriptedSource(Source):
    """A source whose pictures, pace and end the test decides."""

    def __init__(
        self,
        count: int | None = None,
        *,
        live: bool = False,
        rate: float = 100.0,
        size: tuple[int, int] = (160, 96),
        error: Exception | None = None,
    ) -> None:
        super().__init__()
        self.live = live
        self.closed = False
        self._count, self._rate, self._size, self._error = count, rate, size, error
        self._index = 0
        self.info = SourceInfo("scripted", *size, rate=rate, decoder="script")

    def read(self) -> Picture | None:
        if self._index == self._count:
            if self._error is not None:
                raise self._error
            return None
        if self.live:
            time.sleep(1 / self._rate)
        self._index += 1
        return Picture(picture(self._index, *self._size), (self._index - 1) / self._rate)

    def close(self) -> None:
        self.closed = True
