"""Stream sink: the annotated video, live, to an address on the network."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from app.core.events import Event, EventBus
from app.core.formatting import frames
from app.core.frame import Result
from app.core.stats import LossCause, Stats
from app.errors import OutputError
from app.sinks.queued_sink import QueuedSink
from app.sinks.recording.timestamps import TIME_BASE
from app.sinks.stream_sockets import RtspSocket, UdpSocket
from app.sources.urls import redact

_log = logging.getLogger(__name__)

_PACKET = 1316
"""Bytes of a packet: seven of MPEG-TS, which fit into one of Ethernet."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0
"""Seconds between two tries to connect: twice as long each time."""
_PATIENCE = 3.0
"""Seconds that the end waits for a connection that takes nothing."""
_KEY = 1.0
"""Seconds between two pictures that a receiver can begin with."""


def check_stream(address: str) -> None:
    """Find out before any work whether a video can be sent to addresses of this kind.

    Raises:
        OutputError: FFmpeg was built without what it takes, as that of PyAV's wheels is for SRT.
    """
    scheme = urlsplit(address).scheme.lower()
    if scheme in {"rtsp", "udp"}:
        return  # by sockets of our own
    try:
        av.open(f"{scheme}://", format="mpegts").close()
    except av.error.ProtocolNotFoundError as error:
        raise OutputError(
            f"{redact(address)}: the FFmpeg that PyAV brings cannot send {scheme}:// streams: use"
            " udp:// or rtsp://."
        ) from error
    except (av.error.FFmpegError, OSError):
        return  # it knows the scheme, and misses the rest of the address


class StreamSink(QueuedSink):
    """Video that is sent as it is made; the network is never waited for.

    Stamps are the times of capture, so that what was left out shows as a pause. Where the address
    does not answer, or the connection breaks off, frames are counted as ``offline`` until it is
    there again.

    Args:
        address: ``rtsp://…`` (a server that takes streams), ``udp://…`` or ``srt://…``.
        stats: where frames are counted.
        events: where it is said how the connection stands.
        bitrate: bits per second; ``None`` is constant quality.
        now: clock in seconds.
    """

    paced = True
    lossless = False

    def __init__(
        self,
        address: str,
        stats: Stats,
        events: EventBus,
        *,
        bitrate: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__("stream", events)
        self.daemon = True  # a connection that takes nothing is left behind
        self.sent = 0
        self._address, self._shown = address, redact(address)
        self._stats, self._bitrate, self._now = stats, bitrate, now
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._socket: UdpSocket | RtspSocket | None = None
        self._shape: tuple[int, ...] = ()
        self._begun = 0.0
        self._last = -1
        self._again, self._wait = 0.0, _FIRST_WAIT
        self._why = ""
        """Why nothing is sent now; empty where it is."""

    def put(self, result: Result, *, wait: bool) -> bool:
        return super().put(result, wait=False)

    def join(self, timeout: float | None = None) -> None:
        super().join(_PATIENCE if timeout is None else timeout)
        for _ in self._queue.drain():
            self._refused(failed=False, full=False)

    def _open(self, first: Result) -> None:
        """Connect with the first frame that is written: later ones may have to, too."""

    def _write(self, result: Result) -> None:
        picture = result.picture
        if self._container is not None and picture.shape != self._shape:
            self._disconnect()  # a stream has one size
        try:
            if not self._is_connected(result, picture.shape):
                self._stats.not_recorded("offline")
                return
            self._send(result, picture)
        except (av.error.FFmpegError, OSError) as error:
            self._stats.not_recorded("offline")
            self._lose(error)

    def _is_connected(self, result: Result, shape: tuple[int, ...]) -> bool:
        """Connect if that is due; return whether there is a connection."""
        if self._container is not None:
            return True
        if self._now() < self._again:
            return False
        self._connect(shape)
        self._begun = result.frame.captured
        self._last = -1
        return True

    def _connect(self, shape: tuple[int, ...]) -> None:
        scheme = urlsplit(self._address).scheme.lower()
        if scheme == "rtsp":
            self._socket = RtspSocket(self._address, _PATIENCE)
            container = av.open(self._socket, "w", format="rtp", buffer_size=_PACKET)
        elif scheme == "udp":
            self._socket = UdpSocket(self._address, _PATIENCE)
            container = av.open(self._socket, "w", format="mpegts", buffer_size=_PACKET)
        else:
            container = av.open(self._address, "w", format="mpegts")
        stream = container.add_stream("libx264", rate=30)
        stream.height, stream.width = (length + length % 2 for length in shape[:2])
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", TIME_BASE
        stream.codec_context.gop_size = 100_000  # key frames are asked for by time
        stream.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "x264-params": "repeat-headers=1",
        }
        if self._bitrate is not None:
            stream.bit_rate = self._bitrate
            rate = str(self._bitrate)
            stream.options = {**stream.options, "maxrate": rate, "bufsize": rate}
        self._container, self._stream, self._shape = container, stream, shape
        self._key_at = 0.0

    def _send(self, result: Result, picture: NDArray[np.uint8]) -> None:
        assert self._container is not None
        assert self._stream is not None
        started = time.monotonic()
        height, width = picture.shape[:2]
        if (width % 2, height % 2) != (0, 0):
            edge = cv2.BORDER_REPLICATE
            padded = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, edge)
            picture = np.asarray(padded, np.uint8)
        seconds = max(0.0, result.frame.captured - self._begun)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        self._last = max(self._last + 1, round(seconds / TIME_BASE))
        frame.pts, frame.time_base = self._last, TIME_BASE
        if seconds >= self._key_at:
            frame.pict_type = av.video.frame.PictureType.I
            self._key_at = seconds + _KEY
        self._container.mux(self._stream.encode(frame))
        self._stats.spent({"encode": time.monotonic() - started})
        self._stats.count("recorded")
        self.sent += 1
        if self._why or self.sent == 1:
            again = " again" if self._why else ""
            self._events.notice(f"Streaming{again} to {self._shown} as H.264 (libx264, CPU).")
            self._why, self._wait = "", _FIRST_WAIT

    def _lose(self, error: BaseException) -> None:
        """Let go of a connection that failed, and try again after a while."""
        _log.info("the stream to %s", self._shown, exc_info=error)
        self._disconnect()
        reason = getattr(error, "strerror", None) or str(error)
        if not self._why:
            self._events.notice(
                f"The stream to {self._shown} does not get through ({reason}): trying again."
            )
        self._why = reason
        self._again = self._now() + self._wait
        self._wait = min(2 * self._wait, _LONGEST_WAIT)

    def _disconnect(self) -> None:
        container, self._container, self._stream = self._container, None, None
        try:
            if container is not None:
                container.close()
        except (av.error.FFmpegError, OSError) as error:
            _log.info("closing the stream", exc_info=error)
        finally:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _close(self) -> None:
        self._disconnect()
        if not self.sent:
            raise OutputError(
                f"Nothing could be sent to {self._shown} ({self._why}): check the address, and that"
                " something takes streams there."
            )

    def _abandon(self) -> None:
        self._disconnect()

    def _report(self) -> None:
        if self.sent:
            self._events.put(Event("recorded", f"Sent {frames(self.sent)} to {self._shown}"))

    def _offered(self, result: Result) -> None:
        self._stats.count("offered")

    def _refused(self, *, failed: bool, full: bool) -> None:
        cause: LossCause = "failed" if failed else "stopped"
        if full and not failed:
            cause = "encoder" if self._container is not None else "offline"
        self._stats.not_recorded(cause)

    def _in_words(self, error: Exception) -> OutputError:
        _log.info("unexpected error", exc_info=error)
        words = OutputError(
            f"The stream to {self._shown} failed ({type(error).__name__}: {error})."
        )
        words.__cause__ = error
        return words
