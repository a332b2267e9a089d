"""Runs the program, and other commands, as a user does: in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from tests.support.media import ROOT
from tests.support.waiting import PATIENCE

_LOADED = [
    "app.headless",
    "av",
    "cv2",
    "torch",
    "fastscnn.segmenter",
    "fastscnn.inference.onnx_graph",
]
"""What a run needs; importing it starts no thread that a fork would lose."""


def run_script(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python code in a new process, with the project at hand; what it came to."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def run_main(*arguments: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    """``python main.py``, forked from a process that has the libraries loaded: see ``Started``."""
    with Started(*arguments) as process:
        return process.finish(timeout)


class Started:
    """The program, or another command, while it runs.

    It is forked from a process that has the libraries loaded, which takes seconds less; where
    processes do not fork it is begun anew.

    Args:
        arguments: of the command.
        module: run in place of the program, as ``python -m`` does.
        environment: in place of this process's.
    """

    def __init__(
        self,
        *arguments: str,
        module: str | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        forks = "forkserver" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if forks else "spawn")
        if forks:
            context.set_forkserver_preload(_LOADED)
        self._folder = tempfile.TemporaryDirectory()
        self._said = Path(self._folder.name, "stdout"), Path(self._folder.name, "stderr")
        for path in self._said:
            path.touch()
        kept = dict(os.environ if environment is None else environment)
        self._arguments = arguments
        self._process = context.Process(
            target=_run, args=(module, arguments, kept, os.getcwd(), *map(str, self._said))
        )
        self._process.start()

    @property
    def errors(self) -> str:
        """What it has written to standard error so far."""
        return self._said[1].read_text("utf-8")

    def poll(self) -> int | None:
        """Return its exit code once it has ended."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self._process.pid, number)

    def finish(self, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Wait for its end; its exit code and what it said."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._arguments, timeout)
        out, error = (path.read_text("utf-8") for path in self._said)
        return subprocess.CompletedProcess(self._arguments, self._process.exitcode, out, error)

    def __enter__(self) -> Started:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.exitcode is None:
            self._process.kill()
        self._process.join()
        self._folder.cleanup()


def _run(
    module: str | None,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    folder: str,
    out: str,
    error: str,
) -> None:
    for number, path in ((1, out), (2, error)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [module or "main.py", *arguments]
    if module is not None:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        from app.cli.launcher import run

        run()
