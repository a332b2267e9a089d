"""Trial of a card and of the processor at decoding a video: which gives more frames a second.

A card decodes one frame after the other, and each is copied to the host before the next; a
processor with many cores decodes several at a time. On one machine with 16 cores and an H200 the
processor gave three times as many frames of 1080p as the card.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_SETTLING = 0.05
"""Seconds after the first frame, in which threads give what they had ready."""
_MEASURED = 0.15
"""Seconds that frames are counted for."""
_BETTER = 1.2
"""Rate, as a multiple of the card's, at which the processor is worth being kept busy."""
_SHORT = 4.0
"""Seconds of a video that are over before a card is ready."""

Kind = tuple[str, int, int, str]
_found: dict[Kind, bool] = {}
_lock = threading.Lock()


def processor_is_faster(
    video: VideoStream,
    seconds: float | None,
    opened: Callable[[bool], AbstractContextManager[Iterator[VideoFrame]]],
) -> bool:
    """Return whether the processor should decode a video although there is a card.

    It is tried once for each codec, size and pixel format.

    Args:
        video: what is to be decoded.
        seconds: how long it lasts; ``None`` where that is not known.
        opened: opens the video anew, for the card or not, and gives its frames.

    Raises:
        FFmpegError, OSError, ValueError: it cannot be opened or read.
    """
    if seconds is not None and seconds < _SHORT:
        return True
    context = video.codec_context
    kind = context.codec.name, video.width or 0, video.height or 0, context.pix_fmt or ""
    with _lock:
        if kind not in _found:
            rates = {}
            for on_card in (True, False):
                with opened(on_card) as frames:
                    rates[on_card] = frame_rate(frames)
            _found[kind] = rates[False] > _BETTER * rates[True]
        return _found[kind]


def frame_rate(frames: Iterator[VideoFrame]) -> float:
    """Return how many frames a second come and are converted, by a look at the first of them."""
    if next(frames, None) is None:
        return 0.0
    number, now = 0, time.perf_counter()
    since, before = now, 0
    settled = False
    for number, frame in enumerate(frames, 1):
        frame.reformat(format="rgb24")
        now = time.perf_counter()
        if not settled and now - since > _SETTLING:
            settled, since, before = True, now, number
        elif settled and now - since > _MEASURED:
            break
    return (number - before) / max(now - since, 1e-6)
