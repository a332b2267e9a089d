"""Overview: a quick look at key frames of a whole file, beside what plays and out of its way."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import av

from app.rendering.share_history import Moment, moment_of
from app.sources.decoding.key_frames import KeyFrame, KeyFrames
from app.sources.source_spec import SourceSpec

if TYPE_CHECKING:
    from fastscnn.segmenter import Segmenter

_log = logging.getLogger(__name__)

_WIDTH = 384
"""Width of the images, and of what the network sees of them."""
_MOST = 240
"""Looks at a file: more than that many curves can hardly show."""
_LEAST = 0.5
"""Seconds between two looks."""
_NICE = 10
_HELD = 2
"""Key frames that wait for the network."""


class Overview:
    """Shares of a file's classes at times all over it, coarse at first and then finer.

    Key frames are decoded on a thread of low priority. The worker runs the network on them, small,
    while no frame waits for it: what plays comes first, on whatever device.
    """

    def __init__(self) -> None:
        self._of: SourceSpec | None = None
        self._stop = threading.Event()
        self._images: queue.Queue[KeyFrame] = queue.Queue(_HELD)
        self._found: queue.SimpleQueue[Moment] = queue.SimpleQueue()
        self._failed = False

    # For the user's thread

    def look_at(self, spec: SourceSpec | None, duration: float = 0.0) -> None:
        """Begin with a file, or go on with it; ``None``, and what is no file, end what was begun.

        Args:
            spec: the file.
            duration: its length in seconds.
        """
        if spec is not None and spec.kind != "file":
            spec = None
        if spec == self._of:
            return
        self._of = spec
        self._stop.set()
        self._stop = threading.Event()
        self._images, self._found = queue.Queue(_HELD), queue.SimpleQueue()
        if spec is None:
            return
        # A daemon: a file system that does not answer must not keep the process.
        threading.Thread(
            target=_decode,
            args=(spec, duration, self._images, self._stop),
            name="overview",
            daemon=True,
        ).start()

    def take(self) -> Iterator[Moment]:
        """Return what was found since the last call."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._found.get_nowait()

    # For the worker

    @property
    def waiting(self) -> bool:
        """Return whether the network has something to look at."""
        return not self._images.empty()

    def step(self, segmenter: Segmenter, *, skip: bool) -> None:
        """Look at one key frame, with the network in use at a small size."""
        import torch

        images, found, stop = self._images, self._found, self._stop
        try:
            frame = images.get_nowait()
        except queue.Empty:
            return
        height, width = frame.image.shape[:2]
        small = segmenter.at((max(32, height // 32 * 32), max(32, width // 32 * 32)))
        try:
            pixels = torch.from_numpy(small.fit(frame.image)).to(small.device)
            logits = small.logits(pixels, skip)
            labels = small.labels(logits, (height, width)).cpu().numpy()
        except RuntimeError as error:  # no memory is left, or a runtime wants another size
            _log.info("no overview of %s", self._of, exc_info=error)
            stop.set()
            return
        scores = (logits[0] if small.gives_logits else logits[:0]).float().cpu().numpy()
        found.put(moment_of(frame.time, labels, scores, len(small.classes), rough=True))


def _decode(
    spec: SourceSpec, duration: float, images: queue.Queue[KeyFrame], stop: threading.Event
) -> None:
    """Decode key frames all over a file until asked to stop."""
    with contextlib.suppress(OSError, AttributeError):  # where threads have priorities of their own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    try:
        frames = KeyFrames(spec, _WIDTH)
    except (av.error.FFmpegError, OSError, ValueError):
        return  # the curves are filled as it plays
    seen: set[float] = set()
    try:
        for time in _spread(duration):
            frame = frames.before(time)
            if stop.is_set():
                return
            if frame is None or frame.time in seen:
                continue
            seen.add(frame.time)
            while not stop.is_set():
                with contextlib.suppress(queue.Full):
                    images.put(frame, timeout=0.1)
                    break
    finally:
        frames.close()


def _spread(duration: float) -> Iterator[float]:
    """Yield times all over a length, each as far as can be from those before."""
    count = max(1, min(_MOST, int(duration / _LEAST)))
    step = 1 << (count - 1).bit_length()
    asked: set[int] = set()
    while step:
        for place in range(0, count, step):
            if place not in asked:
                asked.add(place)
                yield duration * (place + 0.5) / count
        step //= 2
