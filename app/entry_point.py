"""Entry point of the program: a window, a headless run, or by its first word a batch."""

from __future__ import annotations

import sys
from typing import NoReturn


def run() -> NoReturn:
    """Run the program as a process of its own, which ends with it."""
    if sys.argv[1:2] == ["batch"]:
        from app.batch.batch_command import main
        from fastscnn.console import run_command

        run_command(lambda: main(sys.argv[2:]))
    from app.cli import launcher

    launcher.run()
