"""A run tells nobody anything and leaves nothing of others in the home folder."""

import os
import re
import shutil
import subprocess
import sys

from fastscnn.inference.runtimes import RUNTIMES, installed
from tests.support.media import ROOT, write_clip
from tests.support.waiting import PATIENCE

RUNS = """
import sys
from app.cli.launcher import main
folder, *runtimes = sys.argv[1:]
given = [f"{folder}/clip.mp4", "--headless", "--input-size", "64x96", "--precision", "fp32"]
for runtime in runtimes:
    out = f"{folder}/{runtime}"
    assert main([*given, "--runtime", runtime, "-o", f"{out}.mp4", "--save-labels", out]) == 0
"""
_TOLD = re.compile(
    r"connect\(.*AF_INET|sendto\(.*AF_INET|resolv\.conf|nsswitch\.conf|/etc/hosts|machine-id"
)
"""Calls by which a host is looked up or spoken to, or the machine is told from others."""


def _watched(command, tmp_path):
    """Run a command in a home of its own; its files there, and what it had to do with the net."""
    home, calls = tmp_path / "home", tmp_path / "calls"
    home.mkdir()
    calls.touch()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "ORT_"))}
    if shutil.which("strace"):
        watch = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,openat", "-o", str(calls)]
        may = subprocess.run([*watch, "true"], capture_output=True, check=False)
        command = [*watch, *command] if may.returncode == 0 else command
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = calls.read_text("utf-8", "replace").splitlines()
    return (
        [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()],
        [line for line in lines if _TOLD.search(line)],
    )


def test_a_run_without_a_window_is_silent_by_every_runtime(tmp_path):
    write_clip(tmp_path / "clip.mp4", 4)
    runtimes = [name for name in RUNTIMES if installed(name)]
    assert "torch" in runtimes
    assert _watched([sys.executable, "-c", RUNS, str(tmp_path), *runtimes], tmp_path) == ([], [])
    assert {path.stem for path in tmp_path.glob("*.mp4")} == {"clip", *runtimes}
