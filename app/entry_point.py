"""Entry point of the program: a window, a headless run, or by its first word a batch."""

from __future__ import annotations

import sys
from typing import NoReturn

_OURS = {"app", "assets", "fastscnn", "weights"}


def run() -> NoReturn:
    """Run the program as a process of its own, which ends with it."""
    try:
        _run()
    except KeyboardInterrupt:  # while it is being loaded, which takes a second or more
        sys.exit(130)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library in _OURS:
            raise
        # The error of app.errors would itself need what is not there.
        print(
            f"Error: {library} is not installed in this Python: run"
            " \"pip install -e '.[fast]'\" in the program's folder first.",
            file=sys.stderr,
        )
        sys.exit(2)


def _run() -> NoReturn:
    if sys.argv[1:2] == ["batch"]:
        from app.batch.batch_command import main
        from fastscnn.console import run_command

        run_command(lambda: main(sys.argv[2:]))
    from app.cli import launcher

    launcher.run()
