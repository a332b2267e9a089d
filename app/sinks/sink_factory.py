"""Sink factory: sinks that the settings ask for. A new kind of sink is a line here."""

from __future__ import annotations

from pathlib import Path

from app.config.settings import Settings
from app.config.source_settings import settings_of_each
from app.core.events import EventBus
from app.core.stats import Stats
from app.core.watch import Watches
from app.sinks.alerts.alert_command import check_command
from app.sinks.alerts.alert_sink import AlertSink
from app.sinks.base import Sink
from app.sinks.data.object_writers import OBJECT_WRITERS, ObjectSink
from app.sinks.data.row_writers import ROW_WRITERS, DataSink
from app.sinks.data.writer_sink import check_output_file, files_of
from app.sinks.image_folder import ImageFolderSink, check_folder
from app.sinks.stream_sink import StreamSink, check_stream
from app.sinks.virtual_camera import VirtualCameraSink, check_virtual_camera


def shared_sinks(
    settings: Settings, events: EventBus, watches: Watches, *, shown: bool
) -> list[Sink]:
    """Create the sinks that take results of all sources that run beside each other.

    Args:
        settings: what the user chose.
        events: where the user is told.
        watches: zones and rules of alerts.
        shown: whether there is a window, in which more of them may be added.
    """
    overwrite, alerts = settings.recording.overwrite, settings.alerts
    return [
        *(DataSink(path, events, overwrite=overwrite) for path in settings.data),
        *(
            [AlertSink(alerts, events, watches, overwrite=overwrite)]
            if alerts.alert or shown
            else []
        ),
    ]


def own_sinks(settings: Settings, stats: Stats, events: EventBus) -> list[Sink]:
    """Create the other sinks of a source besides its display and its recordings."""
    overwrite, objects = settings.recording.overwrite, settings.objects
    return [
        *(ImageFolderSink(options, events, overwrite=overwrite) for options in settings.images),
        *(
            StreamSink(address, stats, events, bitrate=settings.recording.encoder.bitrate)
            for address in settings.streams
        ),
        *(ObjectSink(path, events, objects, overwrite=overwrite) for path in objects.objects),
        *([VirtualCameraSink(events)] if settings.run.virtual_camera else []),
    ]


def files_from(settings: Settings) -> list[Path]:
    """Return the files that those sinks write, folders aside, those too that go in the end."""
    return [
        *files_of(settings.data, ROW_WRITERS),
        *files_of(_object_files(settings), OBJECT_WRITERS),
        *([settings.alerts.events] if settings.alerts.events is not None else []),
    ]


def check_sinks(settings: Settings) -> None:
    """Find out before any work whether those sinks can write.

    Raises:
        AppError: one cannot.
    """
    overwrite = settings.recording.overwrite
    for each in settings_of_each(settings):
        for output in each.images:
            check_folder(output, overwrite=overwrite, source=each.first_source)
    for address in settings.streams:
        check_stream(address)
    for path in settings.data:
        check_output_file("--data", path, ROW_WRITERS, overwrite=overwrite)
    for path in _object_files(settings):
        check_output_file("--objects", path, OBJECT_WRITERS, overwrite=overwrite)
    alerts = settings.alerts
    if alerts.events is not None:
        lines = {".jsonl": ROW_WRITERS[".jsonl"]}
        check_output_file("--events", alerts.events, lines, overwrite=overwrite)
    if alerts.on_alert:
        check_command(alerts.on_alert)
    if settings.run.virtual_camera:
        check_virtual_camera()


def _object_files(settings: Settings) -> list[Path]:
    return [path for each in settings_of_each(settings) for path in each.objects.objects]
