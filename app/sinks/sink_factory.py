"""Sink factory: sinks that the settings ask for. A new kind of sink is a line here."""

from __future__ import annotations

from app.config.settings import Settings
from app.core.events import EventBus
from app.sinks.base import Sink
from app.sinks.data.data_sink import DataSink
from app.sinks.image_folder import ImageFolderSink


def sinks_from(settings: Settings, events: EventBus) -> list[Sink]:
    """Create the sinks of a run besides its display and its recordings."""
    overwrite = settings.recording.overwrite
    return [
        *(ImageFolderSink(options, events, overwrite=overwrite) for options in settings.images),
        *(DataSink(path, events, overwrite=overwrite) for path in settings.data),
    ]
