"""The scripts beside the documents run."""

import importlib.util
import json
import runpy
import subprocess
import sys

import pytest

from tests.support.media import ROOT

RIVALS = [sys.executable, str(ROOT / "docs/benchmarks/rivals.py"), "--device", "cpu", "--quick"]


@pytest.mark.skipif(
    importlib.util.find_spec("pytorchcv") is None, reason="pytorchcv is not installed"
)
def test_rivals_are_measured_beside_the_paper_s_figures(tmp_path):
    file = tmp_path / "rivals.json"
    command = [*RIVALS, "--only", "ContextNet", "--only", "ours", "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    assert "41.9 136.2 299.5 fps" in done.stdout
    rows = json.loads(file.read_text())["rows"]
    assert [row["name"] for row in rows] == ["ContextNet", "ours"]
    assert all(row["milliseconds"] for row in rows)
    assert rows[0]["params"] == pytest.approx(0.85, abs=0.05)


@pytest.mark.parametrize("arguments", [["--device", "abacus"], ["--json", "nosuch/x.json"]])
def test_wrong_use_of_rivals_is_a_sentence(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [*RIVALS[1:], *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(RIVALS[1], run_name="__main__")
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.err.startswith("Error: ")
