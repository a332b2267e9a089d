"""Clips of any codec and container, whole, damaged and cut off."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.support.media import picture

NO_B = {"bf": "0", "crf": "28"}


def make_clip(
    path: Path,
    codec: str = "libx264",
    count: int = 60,
    *,
    rate: int | Fraction = 20,
    gop: int = 20,
    size: tuple[int, int] = (160, 96),
    options: dict[str, str] | None = None,
    format: str | None = None,
    muxer: dict[str, str] | None = None,
    sound: str | None = None,
    seconds: float | None = None,
    back: float = 0.0,
) -> Path:
    """Write a clip of ``count`` frames, each different.

    Args:
        path: the file.
        codec: encoder of the frames.
        count: number of frames.
        rate: frames per second.
        gop: distance of key frames.
        size: width and height.
        options: of the encoder.
        format: of the container, where the file's name does not tell it.
        muxer: options of the container.
        sound: encoder of a tone, where there is to be one.
        seconds: length of the tone; ``None`` is that of the frames.
        back: seconds by which the stamps begin before zero.
    """
    with av.open(str(path), "w", format=format, options=muxer or {}) as container:
        video: Any = container.add_stream(codec, rate=rate)
        video.width, video.height = size
        mjpeg = {"mjpeg": "yuvj420p", "png": "rgb24"}
        video.pix_fmt = mjpeg.get(codec, "yuv420p")
        video.codec_context.gop_size = gop
        video.codec_context.options = options if options is not None else {}
        heard: Any = container.add_stream(sound, rate=48000) if sound is not None else None
        packets = []
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(picture(index, *size), format="rgb24")
            frame = frame.reformat(format=video.pix_fmt)
            frame.pts, frame.time_base = index, 1 / Fraction(rate)
            packets += video.encode(frame)
        packets += video.encode(None)
        for packet in packets:
            shift = round(back / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        if heard is not None:
            packets += _tone(heard, seconds if seconds is not None else float(count / rate))
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            container.mux(packet)
    return path


def _tone(stream: Any, seconds: float) -> list[Any]:
    stream.layout = "mono"
    stream.codec_context.open()
    step = stream.codec_context.frame_size or 1152
    packets = []
    for begin in range(0, round(seconds * 48000), step):
        wave: NDArray[np.float32] = np.sin(
            2 * np.pi * 500 * np.arange(begin, begin + step) / 48000
        ).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None] / 4, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, begin, Fraction(1, 48000)
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout="mono")
        for piece in resampler.resample(frame):
            packets += stream.encode(piece)
    return packets + list(stream.encode(None))


def spoil(path: Path, *numbers: int, begin: int = 0) -> Path:
    """Put ones in place of packets of the video, from a byte of them on."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        at = data.index(packets[number])
        data[at + begin : at + len(packets[number])] = b"\xff" * (len(packets[number]) - begin)
    path.write_bytes(data)
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep the first part of a file only."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path
