"""Messages of the window: banners, the log, and ways to try again what failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject, QUrl, pyqtSignal
from PyQt6.QtGui import QDesktopServices

from app.config.shortcuts import Keys
from app.core.events import Event, EventKind
from app.errors import SourceError, WeightsError
from app.gui.controllers.network_controller import NetworkController
from app.gui.controllers.playback_controller import PlaybackController
from app.gui.controllers.recording_controller import RecordingController
from app.gui.feedback.notifications import Action, Notifications
from app.gui.panels.log_panel import LogPanel
from app.gui.window.saved_state import SavedState
from app.gui.window.welcome_page import essential_keys
from app.inference.truth import LABELS
from app.sources.source_spec import SourceSpec

_AGAIN = "Try again"
_GREETING = "greeting"


class Messages(QObject):
    """Messages of a window, and what their buttons do.

    Args:
        notifications: the banners.
        log: page with all messages so far.
        playback, recording, network_commands: commands that may be tried again.
        keys: keys of all commands, for the greeting.
        saved: remembers whether the user was greeted; ``None`` greets nobody.
        parent: owner.
    """

    told = pyqtSignal(Event)
    """Message that the user was told."""
    labels_wanted = pyqtSignal()
    """Emitted when the user wants to choose other true labels."""

    def __init__(
        self,
        notifications: Notifications,
        log: LogPanel,
        *,
        playback: PlaybackController,
        recording: RecordingController,
        network_commands: NetworkController,
        keys: Keys,
        saved: SavedState | None,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._notifications, self._log = notifications, log
        self._playback, self._recording = playback, recording
        self._network_commands = network_commands
        self._keys, self._saved = keys, saved

    def notify(
        self, kind: EventKind, text: str, *, topic: str = "", actions: Sequence[Action] = ()
    ) -> None:
        """Show a message, and add it to the log.

        Args:
            kind, text, topic: as of ``app.core.events.Event``.
            actions: buttons beside it.
        """
        self._show(Event(kind, text, topic=topic), actions)

    def tell(self, event: Event) -> None:
        """Show the text of an event, with buttons for what may be wanted next."""
        actions = self._saved_file(event.path) if event.path is not None else self._again(event)
        self._show(event, actions)

    def _show(self, event: Event, actions: Sequence[Action]) -> None:
        self._notifications.retract(_GREETING)
        is_error = event.kind == "error"
        self._notifications.notify(event.text, error=is_error, topic=event.topic, actions=actions)
        self._log.add(event.kind, event.text)
        self.told.emit(event)

    def greet(self) -> None:
        """Tell a new user of the keys, where there is nothing else to say, nor comes to be."""
        saved = self._saved
        if saved is not None and not saved.greeted and not self._notifications.shown:
            saved.greeted = True
            self._notifications.notify(essential_keys(self._keys), topic=_GREETING)

    def refused(self, spec: SourceSpec, text: str) -> None:
        """Say that a file does not open; what is shown stays."""
        self.notify("error", text, actions=((_AGAIN, lambda: self._playback.reopen(spec)),))

    def offer_weights(self, path: Path) -> None:
        """Offer to use a checkpoint that was given as if it were a video."""
        text = f"{path.name} is a checkpoint, no video."
        action = "Use as weights", lambda: self._network_commands.use_weights(path)
        self.notify("notice", text, actions=(action,))

    def _saved_file(self, path: Path) -> tuple[Action, ...]:
        folder = QUrl.fromLocalFile(str(path.absolute().parent))
        play = SourceSpec("file", str(path))
        return (
            ("Play", lambda: self._playback.open((play,))),
            ("Show in folder", lambda: QDesktopServices.openUrl(folder)),
        )

    def _again(self, event: Event) -> tuple[Action, ...]:
        if event.kind != "error":
            return ()
        if event.topic == LABELS:
            return (("Other labels…", self.labels_wanted.emit),)
        if event.topic == "recorder":
            return ((_AGAIN, self._recording.record),)
        if event.exit_code == WeightsError.exit_code:
            return ((_AGAIN, self._network_commands.again),)
        spec = self._playback.playlist.current
        if event.exit_code == SourceError.exit_code and spec is not None:
            return ((_AGAIN, lambda: self._playback.reopen(spec)),)
        return ()
