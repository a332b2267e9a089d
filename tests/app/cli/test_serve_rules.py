"""Rules of --serve: what it needs, and what goes together."""

import subprocess
import sys

import pytest

from tests.support.media import ROOT


def without(*packages, line):
    """The program where some packages are not installed."""
    code = (
        f"import sys; sys.modules |= dict.fromkeys({packages!r});"
        f" from app.cli.launcher import main; sys.exit(main({line!r}))"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("packages", "more"),
    [(("starlette",), ["--headless"]), (("uvicorn",), ["--headless"]), (("starlette",), [])],
    ids=["starlette", "uvicorn", "in a window"],
)
def test_without_what_serving_needs_one_sentence_says_what_to_install(packages, more):
    done = without(*packages, line=["demo", "--serve", "0", *more])
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "Error: --serve needs starlette and uvicorn, which are not installed:"
        " pip install starlette uvicorn"
    ]


def test_whoever_serves_nothing_misses_nothing(tmp_path):
    line = ["demo", "--headless", "--max-frames", "1", "--input-size", "32x64"]
    done = without("starlette", "uvicorn", line=[*line, "--data", str(tmp_path / "rows.jsonl")])
    assert done.returncode == 0, done.stderr
