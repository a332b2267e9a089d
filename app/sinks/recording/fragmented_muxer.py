"""A container of a recording under way: muxed so that any end leaves it readable."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from app.sinks.recording.crash_safe_file import LOOK, CrashSafeFile, Skipped

if TYPE_CHECKING:
    from av.container import OutputContainer


class FragmentedMuxer:
    """A muxer and the file it writes into; used on one thread.

    Args:
        path: the file.
        kind: FFmpeg's name of the format.
        skipped: an element of that format that means nothing, see ``CrashSafeFile``.
        options: of the muxer; every packet is flushed besides.

    Attributes:
        muxer: for adding streams.

    Raises:
        OSError, av.error.FFmpegError: the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        skipped: Skipped,
        options: dict[str, str],
    ) -> None:
        self._file = CrashSafeFile(path, skipped=skipped)
        self._looked = time.monotonic()
        options = {**options, "flush_packets": "1"}
        self.muxer: OutputContainer = av.open(self._file, "w", format=kind, options=options)

    @property
    def failed(self) -> bool:
        """Return whether the file itself can no longer be written."""
        return self._file.error is not None

    def look(self) -> None:
        """Find out, not more often than ``LOOK``, whether the file is still in its place.

        Raises:
            FileNotFoundError: it was moved or deleted.
        """
        if time.monotonic() - self._looked > LOOK:
            self._file.check_place()
            self._looked = time.monotonic()

    def mux(self, packets: Iterable[av.Packet[Any]]) -> None:
        """Write packets; each is whole then.

        Raises:
            OSError, av.error.FFmpegError: they cannot be written.
        """
        for packet in packets:
            self.muxer.mux(packet)
            self._file.mark()

    def close(self, flush: Callable[[], None]) -> Exception | None:
        """Write what the encoders still hold and the index, and close the file.

        Args:
            flush: muxes what they hold; not called where writing has failed already.

        Returns:
            Why not all could be written; the file is closed and readable up to there.
        """
        first: Exception | None = None
        steps = () if self.failed else (flush,)
        for step in (*steps, self.muxer.close, self._file.check_place):
            try:
                step()
            except (av.error.FFmpegError, OSError) as error:
                first = first or error
        self._file.close()
        return self._file.error or first
