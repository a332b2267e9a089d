"""Entry point: what a Python says in which the program was never installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[2] / "main.py"


@pytest.mark.parametrize(
    "arguments", [[], ["--demo", "--headless"], ["batch", "drives", "-o", "x"]]
)
def test_python_without_the_libraries_says_what_to_run(arguments: list[str]) -> None:
    # -S leaves out the installed packages, as a system's Python has none.
    done = subprocess.run(
        [sys.executable, "-S", str(MAIN), *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "is not installed in this Python" in done.stderr
    assert "pip install" in done.stderr
    assert len(done.stderr.splitlines()) == 1
