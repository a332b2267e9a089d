"""Encoders of recordings: the user's choice, tried out before it is relied on."""

from __future__ import annotations

import ctypes
import logging
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import cast, get_args

import av
import numpy as np
from numpy.typing import NDArray

from app.config.arguments import OutputArguments
from app.config.encoder_rules import encoder_choice
from app.config.settings import Codec, EncoderChoice
from app.errors import OutputError
from app.sinks.recording.timestamps import TIME_BASE

_log = logging.getLogger(__name__)

# SVT-AV1 writes to standard error by itself; 1: errors only.
os.environ.setdefault("SVT_LOG", "1")

CODEC_WORDS: dict[str, str] = {"h264": "H.264", "hevc": "HEVC", "av1": "AV1"}
SOFTWARE: dict[str, str] = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}
_BT709 = 1
_MPEG_RANGE = 1
_CAPABILITIES, _SYS_NICE = 0x20080522, 1 << 23
"""Version of Linux' interface to a thread's rights, and the right to schedule it otherwise."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder with its settings, for pictures of one size.

    Attributes:
        name: FFmpeg's name.
        codec: the kind of video it makes.
        size: (width, height) of what it makes: that of the pictures, or one more where it takes
            even sizes only.
        options: its private options.
        bitrate: bits per second, where constant quality is not wanted.
    """

    name: str
    codec: Codec
    size: tuple[int, int]
    options: dict[str, str]
    bitrate: int | None

    @property
    def words(self) -> str:
        """Name for the window and the closing line."""
        where = "CPU" if self.name in SOFTWARE.values() else "GPU"
        return f"{CODEC_WORDS[self.codec]} ({self.name}, {where})"

    def prepare(self, context: av.VideoCodecContext, rate: Fraction) -> None:
        """Set up a context: size, clock, key frames a second apart, colours named as BT.709.

        Args:
            context: of this encoder, not open yet.
            rate: pictures per second.
        """
        context.width, context.height = self.size
        context.pix_fmt = "yuv420p"
        context.time_base = TIME_BASE
        context.framerate = rate
        context.gop_size = max(1, round(rate))
        context.options = self.options
        if self.bitrate is not None:
            context.bit_rate = self.bitrate
        if self.codec == "hevc":
            context.codec_tag = "hvc1"  # Apple's players know no other
        # The pixels are converted to BT.709 as well (encodable); this says so to the player.
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _MPEG_RANGE


def choose(choice: EncoderChoice, size: tuple[int, int], say: Callable[[str], None]) -> Encoder:
    """The first encoder of a choice that works for pictures of a size.

    Args:
        choice: what the user asks for.
        size: (width, height) of the pictures.
        say: told why the first choice does not work, and when pictures have to be padded.

    Raises:
        OutputError: none works.
    """
    names = [choice.encoder]
    if choice.encoder == "auto":
        nvenc = [f"{choice.codec}_nvenc"] if has_nvidia_driver() else []
        names = [*nvenc, SOFTWARE[choice.codec]]
    reason = ""
    for name in names:
        encoder = _set_up(name, choice, size)
        reason = why_not(encoder)
        if not reason:
            if encoder.size != size:
                say(
                    f"{size[0]}×{size[1]} is recorded as {encoder.size[0]}×{encoder.size[1]}:"
                    f" {CODEC_WORDS[encoder.codec]} takes even sizes only"
                    " (--codec av1 keeps odd ones)."
                )
            return encoder
        if name != names[-1]:
            say(f"{name} does not work here ({reason}): recording with {names[-1]}.")
    raise OutputError(
        f"{names[-1]} cannot record pictures of {size[0]}×{size[1]} with these settings ({reason}):"
        " choose another --encoder, --codec or --preset."
    )


@contextmanager
def ordinary_scheduling() -> Iterator[None]:
    """Keep an encoder that opens from changing how threads of this process are scheduled.

    Where it may, as root, SVT-AV1 makes its threads and the one that opens it real-time ones of the
    highest priority, and threads begun later inherit that: nothing else would get a turn. Here this
    thread, and those that it begins, may not.
    """
    header, rights = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None) if platform.system() == "Linux" else None
    if libc is None or libc.capget(header, rights) or not rights[0] & _SYS_NICE:
        yield
        return
    rights[0] &= ~_SYS_NICE
    libc.capset(header, rights)
    try:
        yield
    finally:
        rights[0] |= _SYS_NICE
        libc.capset(header, rights)


def why_not(encoder: Encoder) -> str:
    """Why an encoder does not work, tried out on a picture; empty when it does."""
    try:
        context = cast("av.VideoCodecContext", av.CodecContext.create(encoder.name, "w"))
        encoder.prepare(context, Fraction(30))
        frame = encodable(np.zeros((encoder.size[1], encoder.size[0], 3), np.uint8), 0)
        with ordinary_scheduling():
            packets = [*context.encode(frame), *context.encode(None)]
    except (av.error.FFmpegError, OSError, ValueError) as error:
        _log.info("%s does not work", encoder.name, exc_info=error)
        reason = getattr(error, "strerror", None) or str(error)
        return reason.strip().rstrip(".") or type(error).__name__
    return "" if packets else "it gives nothing"


def encodable(picture: NDArray[np.uint8], ticks: int) -> av.VideoFrame:
    """A picture in BT.709, as encoders take it.

    Args:
        picture: RGB uint8 H×W×3, of the encoder's size.
        ticks: its time in units of ``TIME_BASE``.
    """
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
        format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
    )
    frame.pts, frame.time_base = ticks, TIME_BASE
    return frame


@cache
def has_nvidia_driver() -> bool:
    """Return whether NVIDIA's driver knows a device; torch, which takes seconds, is not asked."""
    try:
        cuda = ctypes.CDLL("nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1")
        count = ctypes.c_int(0)
        answers = cuda.cuInit(0), cuda.cuDeviceGetCount(ctypes.byref(count))
        return answers == (0, 0) and count.value > 0
    except (OSError, AttributeError):
        return False


def usable_encoders() -> dict[str, str]:
    """All encoders of our codecs that FFmpeg lists, with why they do not work; empty: they do."""
    found = {}
    for name in encoders_of(*get_args(Codec)):
        choice = encoder_choice(OutputArguments(encoder=name))
        found[name] = why_not(_set_up(name, choice, (256, 256)))
    return found


def encoders_of(*codecs: Codec) -> Iterator[str]:
    """All encoders of some codecs that FFmpeg lists; some may not work here."""
    for name in sorted(av.codecs_available):
        try:
            codec = av.Codec(name, "w")
        except av.codec.codec.UnknownCodecError:
            continue
        if codec.canonical_name in codecs and codec.name == name and name != "libx264rgb":
            yield name


def _set_up(name: str, choice: EncoderChoice, size: tuple[int, int]) -> Encoder:
    width, height = size
    if name != "libsvtav1":  # the one that was seen to keep odd sizes
        width, height = width + width % 2, height + height % 2
    # No B-frames: they shift the stamps of fragments. A short look-ahead: what an encoder has not
    # given away yet is lost in a kill.
    options = {"bf": "0"}
    crf = choice.crf
    if name == "libx264":
        options |= {"preset": "superfast", "rc-lookahead": "10"}
        options["crf"] = str(20 if crf is None else crf)
    elif name == "libx265":
        options |= {
            "preset": "ultrafast",
            "x265-params": "log-level=error:bframes=0:rc-lookahead=10",
            "crf": str(23 if crf is None else crf),
        }
    elif name == "libsvtav1":
        way = "pred-struct=1" if choice.bitrate is None else "pred-struct=1:rc=2"
        options = {"preset": "10", "svtav1-params": way, "crf": str(32 if crf is None else crf)}
    elif name.endswith("_nvenc"):
        quality = (30 if choice.codec == "av1" else 23) if crf is None else crf
        options |= {"preset": "p4", "rc": "vbr", "cq": str(quality), "b": "0", "delay": "0"}
    if choice.bitrate is not None:
        for key in ("crf", "cq", "b"):
            options.pop(key, None)
    if choice.preset is not None:
        options["preset"] = choice.preset
    return Encoder(name, choice.codec, (width, height), options, choice.bitrate)
