"""Application: the run with a window, its signals and its exit code."""

from __future__ import annotations

import logging
import signal
import sys
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from PyQt6 import sip
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from app import __version__
from app.config.persistence import profile_path
from app.config.settings import Settings
from app.config.shortcuts import load_keys
from app.core.events import Event
from app.errors import INTERRUPTED, OutputError, unforeseen
from app.gui.grid.run_windows import RunWindows
from app.gui.widgets import theme
from app.gui.widgets.icons import app_icon
from app.gui.window.main_window import TITLE, MainWindow
from app.gui.window.saved_state import SavedState
from app.preflight import drop_opencv_paths
from app.run_report import check_report, reports, write_report
from app.sinks.output_collisions import check_collisions
from app.sinks.recording.file_naming import make_folder

if TYPE_CHECKING:
    from app.serve.server import WebServer

_log = logging.getLogger(__name__)


def run_window(settings: Settings) -> int:
    """Show the window until it is closed; returns the exit code.

    Raises:
        UsageError: the file of keys or the name of the profile makes no sense.
    """
    keys = load_keys(settings.window.keys)
    saved = SavedState(profile_path(settings.window.profile))
    if settings.window.reset_settings:
        saved.forget()
    settings = saved.apply(settings)
    check_collisions(settings)  # once more, with the weights that were kept
    if settings.run.stats_json is not None:
        check_report(settings.run.stats_json, overwrite=settings.recording.overwrite)
    if settings.recording.each and settings.recording.record_dir is not None:
        make_folder(settings.recording.record_dir)
    server = _server(settings)
    drop_opencv_paths()  # once more: OpenCV sets them whenever it is first imported
    app = make_application()
    theme.choose(next((c for c in theme.CHOICES if c == saved.theme), "system"))

    def made(window: MainWindow) -> None:
        window.told.connect(_print)
        if server is not None:
            server.show(window.pipeline, window.recording.record_or_stop)

    def removed(window: MainWindow) -> None:
        if server is not None:
            server.hide(window.pipeline)

    run = RunWindows(settings, keys=keys, saved=saved, made=made, removed=removed)
    _catch_slot_errors(run.first)
    interrupted = _close_on_signals(run)
    if server is not None:
        _serve(server, run.first)
    run.begin()
    app.exec()
    run.close()  # does the work where the application ended in another way
    if server is not None:
        server.stop()
    pipelines = run.pipelines
    # Before the application goes: what Python destroyed after it would now and then crash.
    sip.delete(run.top)
    for pipeline in pipelines:
        while not pipeline.events.empty():
            _print(pipeline.events.get())
    exit_code = INTERRUPTED if interrupted else 0
    if settings.run.stats_json is not None:
        ready = pipelines[0].networks.ready_at
        seconds = time.monotonic() - ready if ready is not None else 0.0
        try:
            content = reports(pipelines, seconds, [exit_code] * len(pipelines))
            write_report(settings.run.stats_json, content, overwrite=settings.recording.overwrite)
        except OutputError as error:
            print(f"Error: {error}", file=sys.stderr)
            return exit_code or error.exit_code
    return exit_code


def _server(settings: Settings) -> WebServer | None:
    if settings.serve.serve is None:
        return None
    from app.serve.server import WebServer

    return WebServer(settings.serve)


def _serve(server: WebServer, window: MainWindow) -> None:
    """Answer browsers, and carry out what they ask for."""
    timer = QTimer(window)
    timer.timeout.connect(server.run_commands)
    timer.start(50)
    server.start()


def _print(event: Event) -> None:
    """Report errors and what was written in the terminal too, at once: the user may look there."""
    if event.kind in {"error", "recorded"}:
        word = "Error: " if event.kind == "error" else ""
        print(f"{word}{event.text}", file=sys.stderr, flush=True)


def make_application() -> QApplication:
    """Create the QApplication, with our name, icon and style."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName(TITLE)
    app.setApplicationDisplayName(TITLE)
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("fastscnn-live")
    app.setWindowIcon(app_icon())
    theme.apply(app)
    return app


def _catch_slot_errors(window: MainWindow) -> None:
    """Show and log exceptions of slots, for which Qt would otherwise end the process."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _log.error("unexpected error", exc_info=(kind, error, trace))
        text = f"{unforeseen(error)}."
        # Not at once: this may be in the middle of a painting.
        QTimer.singleShot(0, lambda: window.notify("error", text))

    sys.excepthook = hook


def _close_on_signals(run: RunWindows) -> list[int]:
    """Close the window on Ctrl+C and on a termination signal; returns those that came.

    Python runs signal handlers between two of its own instructions: the window's timer sees to it
    that there are some.
    """
    came: list[int] = []

    def close(signum: int, frame: FrameType | None) -> None:
        came.append(signum)
        QTimer.singleShot(0, run.close)

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, close)
    return came
