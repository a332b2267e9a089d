"""A run tells nobody anything and leaves nothing of others in the home folder."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.media import ROOT, write_clip
from tests.support.waiting import PATIENCE

SEGMENT = """
import sys
import numpy as np
from fastscnn import Segmenter
segmenter = Segmenter.from_checkpoint(
    device="cpu", input_size=(64, 96), precision="fp32", runtime=sys.argv[1]
)
segmenter(np.zeros((64, 96, 3), np.uint8))
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


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_the_runtimes_are_silent(tmp_path, runtime):
    pytest.importorskip("onnx")
    pytest.importorskip(runtime)
    assert _watched([sys.executable, "-c", SEGMENT, runtime], tmp_path) == ([], [])


def test_a_run_without_a_window_is_silent(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 4)
    command = [sys.executable, "main.py", str(clip), "--headless", "--input-size", "64x96"]
    command += ["--save-labels", str(tmp_path / "labels"), "-o", str(tmp_path / "o.mp4")]
    assert _watched(command, tmp_path) == ([], [])
