"""Start and end of the program: arguments to a window or a headless run, to an exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from app.cli.argument_parser import build_parser, settings_from
from app.cli.desktop_entry import install_desktop
from app.cli.file_info import file_info
from app.config.run_file import with_run_file
from app.config.settings import Settings
from app.core.memory import share_heaps
from app.errors import AppError, UsageError
from app.preflight import check_opencv
from app.sinks.output_collisions import check_collisions
from app.sinks.sink_factory import check_sinks
from fastscnn.console import refusal, secure_streams

_log = logging.getLogger(__name__)

_DEMO_FRAMES = 150
"""Frames of the demo street that are recorded where there is no display to show it."""


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait_for_captures() -> None:
    """Let a source that is only slow come back: at exit, its C++ code would abort the process."""
    for thread in threading.enumerate():
        if thread.name in {"capture", "trial"}:
            thread.join(3.0)


def main(argv: list[str] | None = None) -> int:
    """Run the application; returns the exit code."""
    # torch's threads would otherwise spin while they wait for each other, against the decoder, the
    # encoder and the window: on a busy 2-core machine that was seen to cost a factor of ten.
    # It must be set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    share_heaps()
    parser = build_parser()
    args = parser.parse_args(argv)
    try:
        if "info" in args:
            print(file_info(args.info))
            return 0
        if "install_desktop" in args:
            print(install_desktop())
            return 0
        settings = settings_from(with_run_file(args))
        logging.basicConfig(
            level=settings.run.log_level.upper(),
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        check_opencv()
        check_collisions(settings)
        check_sinks(settings)
        if settings.run.headless:
            from app.headless import run_headless

            # A service manager ends a run as Ctrl+C does: with a finished file.
            signal.signal(signal.SIGTERM, _interrupt)
            return run_headless(settings)
        from app.preflight import NoDisplay, check_display

        try:
            check_display()
        except NoDisplay:
            source = settings.first_source
            if source is None or source.kind != "demo":
                raise
            return _record_demo(settings)
        from app.gui.application import run_window

        return run_window(settings)
    except AppError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        _log.info("unexpected error", exc_info=error)
        print(f"Error: {refusal(error)}", file=sys.stderr)
        return UsageError.exit_code
    finally:
        _wait_for_captures()


def _record_demo(settings: Settings) -> int:
    """Show the demo street to somebody without a display: as a video in the current folder."""
    from app.headless import run_headless

    frames = settings.source.max_frames or _DEMO_FRAMES
    print(
        f"There is no display: {frames} frames of the demo street go into a video here.",
        file=sys.stderr,
    )
    recording = settings.recording
    if recording.file is None and recording.record_dir is None:
        recording = replace(recording, record_dir=Path())
    return run_headless(
        replace(settings, recording=recording, source=replace(settings.source, max_frames=frames))
    )


def run() -> NoReturn:
    """Run the application as a process of its own, which ends with it."""
    secure_streams()
    code = main()
    if any(thread.name in {"worker", "loader", "diagnostics"} for thread in threading.enumerate()):
        # Still importing torch, reading weights or trying encoders, for nobody. All files are
        # closed by now; the interpreter would wait for these threads, for seconds.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
