"""Playback commands: play, seek, loops, speed and playlist."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QObject, pyqtSignal

from app.gui.controllers.bookmarks import Bookmarks
from app.gui.controllers.source_trial import SourceTrial
from app.pipeline.pipeline import Pipeline
from app.sources.playlist import Playlist
from app.sources.source_spec import SourceSpec

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)

Marks = tuple[float | None, float | None]
"""Start and end of a loop, as far as they are set."""


class PlaybackController(QObject):
    """Commands for the pipeline that need to know what came before them."""

    opened = pyqtSignal(SourceSpec)
    """The user opened a source, or the playlist went on to one."""
    notified = pyqtSignal(str)
    """Message for the user."""

    def __init__(self, pipeline: Pipeline, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.playlist = Playlist()
        self.marks: Marks = (None, None)
        self.bookmarks = Bookmarks(pipeline, self.notified.emit)
        self._pipeline = pipeline
        self.trial = SourceTrial(lambda spec: pipeline.settings.complete(spec, display=True), self)
        self.trial.opened.connect(self._replace)

    # Playlist

    def open(self, entries: Sequence[SourceSpec]) -> None:
        """Play these, one after the other.

        Where something is shown, files take its place once one of them is known to open.
        """
        self.trial.cancel()
        shown = self._pipeline.status().state in {"playing", "paused", "ended"}
        if shown and all(spec.kind in {"file", "images"} for spec in entries):
            self.trial.start(entries)
        else:
            self._replace(entries, 0)

    def reopen(self, spec: SourceSpec) -> None:
        """Try an entry of the playlist again, or what was one."""
        if spec in self.playlist.entries:
            self.go(self.playlist.entries.index(spec))
        else:
            self.open([spec])

    def go(self, index: int) -> None:
        """Play an entry of the playlist."""
        self._open(self.playlist.go(index))

    def next(self, by: int = 1) -> bool:
        """Play the next entry (1) or the previous one (-1); return whether there is one."""
        spec = self.playlist.move(by)
        self._open(spec)
        if spec is None:
            self.notified.emit(
                "There is no other one in the playlist: drop several files, or a folder."
                if len(self.playlist.entries) < 2
                else "That was the last one of the playlist."
                if by > 0
                else "That was the first one of the playlist."
            )
        return spec is not None

    def play_next(self) -> bool:
        """Play the next entry at the end of a source; return whether there is one."""
        spec = self.playlist.move(1)
        self._open(spec)
        return spec is not None

    def refused(self) -> bool:
        """Return whether the entry that should play does not: it failed, or another goes on."""
        status, current = self._pipeline.status(), self.playlist.current
        other = (
            status.source is not None
            and current is not None
            and status.state != "opening"
            and status.source.name != current.name
        )
        return status.state == "failed" or other

    def give_up(self) -> None:
        """Cancel what is being opened; files that are only tried leave what is shown."""
        if self.trial.current is not None:
            self.trial.cancel()
        else:
            self.close()

    def close(self) -> None:
        """Close the source."""
        self.trial.cancel()
        self.playlist.put(())
        self.marks = (None, None)
        self._pipeline.close()

    def _replace(self, entries: Sequence[SourceSpec], index: int) -> None:
        self.playlist.put(entries)
        self._open(self.playlist.go(index))

    def _open(self, spec: SourceSpec | None) -> None:
        if spec is not None:
            self.trial.cancel()
            self.marks = (None, None)
            self.bookmarks.use(spec)
            self._pipeline.open(spec)
            self.opened.emit(spec)

    # Playback

    def play_or_pause(self) -> None:
        """Pause, resume, or start again at the end."""
        if self._pipeline.status().state == "playing":
            self._pipeline.session.pause()
        else:
            self._pipeline.play()

    def seek(self, seconds: float) -> None:
        """Go to a time of the file."""
        self._pipeline.session.seek(seconds)

    def seek_by(self, seconds: float) -> None:
        """Seek forward, or back where negative."""
        self._pipeline.session.seek(max(0.0, self._pipeline.status().position + seconds))

    def to_end(self) -> None:
        """Seek to the last frame, where the duration is known."""
        source = self._pipeline.status().source
        if source is not None and source.duration is not None:
            self._pipeline.session.seek(source.duration)

    def change_speed(self, by: int) -> None:
        """Play at the next speed, or the previous one where negative."""
        now = self._pipeline.status().speed
        nearest = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - now))
        self._pipeline.session.set_speed(SPEEDS[min(max(nearest + by, 0), len(SPEEDS) - 1)])

    # Loops

    def mark(self, *, begin: bool) -> None:
        """Start or end the loop at the current frame; it runs once both are set."""
        status = self._pipeline.status()
        if not status.seekable:
            return
        here, (first, last) = status.position, self.marks
        if begin:
            first, last = here, last if last is not None and last > here else None
        else:
            first, last = first if first is not None and first < here else 0.0, here
        self.marks = first, last
        if first is not None and last is not None and last > first:
            self._pipeline.session.set_loop((first, last))
        else:
            self._pipeline.session.set_loop(None)

    def toggle_loop(self) -> None:
        """Loop the marked part, or all of it; or stop looping and discard the marks."""
        if self._pipeline.status().loop is not None:
            self.marks = (None, None)
            self._pipeline.session.set_loop(None)
        else:
            self._pipeline.session.set_loop("whole")
