"""Network streams, through PyAV (FFmpeg): RTSP, MJPEG over HTTP, HLS, TCP, UDP and their like.

The newest picture wins, the delay stays what it is, and a stream that breaks off is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av
from av.codec.context import Flags

from app.errors import SourceError
from app.sources.base import Damage, Picture, Source, SourceInfo
from app.sources.color_conversion import check_size, shown_size, to_rgb
from app.sources.hardware_decoding import decoder_name, open_container
from app.sources.source_spec import SourceSpec
from app.sources.urls import scheme_of
from app.sources.video_file import VideoFileSource, pixel_aspect, videos

if TYPE_CHECKING:
    from av.container import InputContainer

OPENING, SILENCE = 5.0, 3.0
"""Seconds after which an address that does not answer, or a stream that falls silent, is given up:
short, because a read that blocks cannot be interrupted."""
_SILENCE_HLS = 20.0
"""A playlist is silent between its pieces."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two attempts to come back: doubled each time."""
_AT_THE_EDGE = 0.004
"""A read that has to wait so many seconds has taken the newest that there is."""
_BEHIND, _FAR_BEHIND = 0.5, 2.0
"""Seconds without ever waiting for data after which most pictures are not converted any more, and
after which they are not decoded either."""
_ERRORS = 20
"""Pieces in a row that cannot be read before a stream counts as broken off."""
_PLACES = 1000
"""Places of damage that are kept of a stream."""
_STAMPED = {"rtsp", "rtp", "mpegts", "hls", "flv", "sdp"}
"""Formats whose stamps tell the sender's time; others are guessed from a rate."""


def _options(address: str) -> dict[str, str]:
    """Options of FFmpeg for live images."""
    options = {
        "fflags": "nobuffer",
        "analyzeduration": "1500000",
        "probesize": "1000000",
        "rtsp_flags": "prefer_tcp",
        "max_delay": "300000",  # for packets out of order, in microseconds
    }
    if scheme_of(address) == "udp":
        options |= {"overrun_nonfatal": "1", "fifo_size": "50000"}
    return options


def _silence(address: str) -> float:
    playlist = PurePosixPath(urlsplit(address).path).suffix.lower() in {".m3u8", ".m3u"}
    return _SILENCE_HLS if playlist else SILENCE


def _reason(error: BaseException) -> str:
    """Why a connection failed. The error's own text names the address, which may be secret."""
    text = getattr(error, "strerror", None) or type(error).__name__
    return str(text).split("; last error log", maxsplit=1)[0].strip()


def _connect(spec: SourceSpec, *, live: bool) -> tuple[InputContainer, str, str]:
    """Open an address; the container, the device that decodes, and why it is not another one.

    Raises:
        SourceError: it does not open; nothing secret is in it, nor in what it is chained to.
    """
    started = time.monotonic()
    try:
        return open_container(
            spec.value,
            spec.hwaccel or "auto",
            timeout=(OPENING, _silence(spec.value)),
            options=_options(spec.value) if live else {},
        )
    except av.error.ProtocolNotFoundError as error:
        raise SourceError(
            f"{spec.name}: the FFmpeg that PyAV brings cannot read {scheme_of(spec.value)}://"
            " addresses: use rtsp://, udp:// or http://."
        ) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        # How FFmpeg says that the time is over depends on where it was.
        silent = time.monotonic() - started > 0.9 * OPENING
        reason = "it does not answer" if silent else _reason(error)
    raise SourceError(
        f"{spec.name} cannot be opened ({reason}): check the address and the network."
    )


def open_stream(spec: SourceSpec) -> Source:
    """A stream, or a file at an address, which has an end and is played at its own pace.

    Raises:
        SourceError: it cannot be opened.
    """
    container, device, reason = _connect(spec, live=True)
    # What has a length has an end; of a playlist the length says nothing.
    whole = container.size > 0 and "hls" not in container.format.name.split(",")
    if spec.may_be_remote_file and (container.duration or whole):
        container.close()
        return RemoteFile(spec)
    if spec.start > 0 or spec.end is not None or spec.video_stream is not None:
        container.close()
        raise SourceError(
            f"{spec.name} is live: --start, --end and --video-stream are for files, leave them out."
        )
    opened = container, device, reason
    return NetworkStreamSource(spec, opened, lambda spec: _connect(spec, live=True)[0])


class RemoteFile(VideoFileSource):
    """A file at an address."""

    def _find(self, spec: SourceSpec) -> None:
        self._name = spec.name

    def _address(self) -> str:
        return self._spec.value

    def _open(self) -> tuple[InputContainer, str, str]:
        return _connect(self._spec, live=False)

    def _look_for_joints(self, container: InputContainer) -> None:
        """Leave it: that would fetch the file twice."""


class NetworkStreamSource(Source):
    """A live stream; its stamps count from its first picture, through all interruptions.

    When it breaks off it is opened again and again, with growing pauses; ``offline_since`` says
    since when there is nothing.

    Raises:
        SourceError: there is no video in it, or it did not come back within the user's patience.
    """

    live = True

    def __init__(
        self,
        spec: SourceSpec,
        opened: tuple[InputContainer, str, str],
        connect: Callable[[SourceSpec], InputContainer],
    ) -> None:
        super().__init__()
        self._connect = connect
        self._spec = spec
        container, *device = opened
        self._started = self._heard = time.monotonic()
        self._last = -1.0
        self._container: InputContainer | None = None
        self._use(container)
        try:
            first = next(self._frames, None)
            if first is None:
                raise SourceError(f"{spec.name} gives no picture: check the address.")
        except BaseException:
            self.close()
            raise
        self._first: Picture | None = self._picture(first)
        width, height = shown_size(first, self._aspect)
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.info = SourceInfo(
            spec.name,
            width,
            height,
            rate=float(rate) if rate and rate <= 240 else None,
            decoder=decoder_name(self._stream.codec_context, *device),
        )

    def read(self) -> Picture | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        while not self.stopping.is_set():
            frame = next(self._frames, None)
            if frame is None:
                self._come_back()
                continue
            if self.offline_since is not None:
                away = time.monotonic() - self.offline_since
                self.offline_since = None
                self.tell(f"{self._spec.name} is back after {away:.0f} s.")
            return self._picture(frame)
        return None

    def close(self) -> None:
        container, self._container = self._container, None
        self._frames: Iterator[av.VideoFrame] = iter(())  # holds decoder and source
        if container is not None:
            container.close()

    def _use(self, container: InputContainer) -> None:
        self._container = container
        streams = videos(container)
        if not streams:
            self.close()
            raise SourceError(f"{self._spec.name} holds no video: check the address.")
        self._stream = stream = max(streams, key=lambda s: (s.width or 0) * (s.height or 0))
        check_size(self._spec.name, stream.width or 0, stream.height or 0)
        stream.thread_type = "SLICE"  # frame threads hold pictures back
        stream.codec_context.flags |= Flags.low_delay
        self._aspect = pixel_aspect(stream)
        self._anchor: tuple[float, float] | None = None
        self._frames = self._decode(container)

    def _decode(self, container: InputContainer) -> Iterator[av.VideoFrame]:
        """Frames that are worth converting; ends when the stream does."""
        # Who never has to wait for a packet is behind: packets pile up in the system's buffers.
        waited = delivered = time.monotonic()
        keys_only = begun = False
        errors = 0
        packets = container.demux(self._stream)
        while not self.stopping.is_set():
            asked = time.monotonic()
            try:
                packet = next(packets, None)
            except av.error.InvalidDataError:
                errors += 1
                if errors > _ERRORS:
                    return
                packets = container.demux(self._stream)
                continue
            except (av.error.FFmpegError, OSError):
                return
            if packet is None:
                return
            errors = 0
            now = time.monotonic()
            if now - asked > _AT_THE_EDGE:
                waited = now
            behind = now - waited
            # Where even decoding takes too long, only what can be decoded alone is, until the
            # newest packet is reached and such a one comes.
            keys_only = behind > _FAR_BEHIND or (
                keys_only and not (packet.is_keyframe and behind < _BEHIND)
            )
            if keys_only and not packet.is_keyframe:
                self.missed["late"] += packet.size > 0
                continue
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.missed["decode"] += 1
                if begun:  # who joins in the middle cannot decode what comes before a key frame
                    self._note_damage()
                continue
            begun = begun or bool(frames)
            for frame in frames:
                if behind > _BEHIND and now - delivered < _BEHIND:
                    self.missed["late"] += 1
                    continue
                delivered = now
                yield frame

    def _note_damage(self) -> None:
        """Note a picture that cannot be decoded, behind the last one that can; say the first."""
        place = round(self._last, 3)
        missing = 1
        if not self.damage:
            self.tell(
                f"{self._spec.name} sends damaged data (first at {place:.1f} s):"
                " what cannot be decoded is left out and counted."
            )
        elif self.damage[-1].start == place:
            missing += self.damage.pop().missing
        if len(self.damage) < _PLACES:
            self.damage.append(Damage(place, missing=missing))

    def _picture(self, frame: av.VideoFrame) -> Picture:
        check_size(self._spec.name, round(frame.width * self._aspect), frame.height)
        self._heard = time.monotonic()
        stamp = time.monotonic() - self._started
        names = set((self._container.format.name if self._container else "").split(","))
        if frame.time is not None and names & _STAMPED:
            if self._anchor is None:
                self._anchor = (frame.time, stamp)
            sent = self._anchor[1] + frame.time - self._anchor[0]
            # A sender whose clock jumps is not followed.
            if abs(sent - stamp) < 2.0:
                stamp = sent
            else:
                self._anchor = (frame.time, stamp)
        if self._last < 0:
            self._started += stamp
            self._anchor = (self._anchor[0], 0.0) if self._anchor else None
            stamp = 0.0
        self._last = stamp = max(stamp, self._last + 1e-3)
        return Picture(to_rgb(frame, self._aspect), stamp)

    def _come_back(self) -> None:
        """Open the stream again, however long that takes.

        Raises:
            SourceError: it took longer than the user wants to wait.
        """
        self.close()
        if self.offline_since is None:
            self.offline_since = self._heard
            self._pause = _FIRST_PAUSE
            self.tell(f"{self._spec.name} is offline: trying to come back.")
        while not self.stopping.wait(self._pause):
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            try:
                self._use(self._connect(self._spec))
                return
            except SourceError as error:
                away = time.monotonic() - self.offline_since
                if self._spec.patience is not None and away > self._spec.patience:
                    raise SourceError(
                        f"{self._spec.name} did not come back within {away:.0f} s."
                    ) from error
