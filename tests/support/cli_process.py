"""Runs the program as a user does, in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.media import ROOT

_LOADED = [
    "app.headless",
    "av",
    "cv2",
    "torch",
    "fastscnn.segmenter",
    "fastscnn.inference.onnx_graph",
]
"""What a run needs; importing it starts no thread that a fork would lose."""


def run_program(*arguments: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    """``python main.py``, from the first import on."""
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_main(*arguments: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    """The same, forked from a process that has the libraries loaded, which takes seconds less.

    Where processes do not fork it is ``run_program``.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return run_program(*arguments, timeout=timeout)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder, "stdout"), Path(folder, "stderr")
        environment = dict(os.environ)
        process = context.Process(
            target=_run, args=(arguments, environment, os.getcwd(), *map(str, said))
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, timeout)
        out, error = (path.read_text("utf-8") if path.exists() else "" for path in said)
        return subprocess.CompletedProcess(arguments, process.exitcode, out, error)


def _run(
    arguments: tuple[str, ...], environment: dict[str, str], folder: str, out: str, error: str
) -> None:
    for number, path in ((1, out), (2, error)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["main.py", *arguments]
    from app.cli.launcher import run

    run()
