"""The self-check passes on a processor, and reports in a table and in JSON."""

import json

import pytest

from app.selfcheck import command
from app.selfcheck.part_list import PARTS


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_this_machine_passes(tmp_path, capsys):
    file = tmp_path / "report.json"
    code = command.main(["--device", "cpu", "--quick", "--json", str(file)])
    out = capsys.readouterr().out
    report = json.loads(file.read_text())
    parts = {part["part"]: part for part in report["parts"]}
    assert list(parts) == [part.name for part in PARTS]
    assert all(name in out for name in parts)
    failed = {name: part["faults"] for name, part in parts.items() if part["status"] == "failed"}
    assert (code, failed) == (0, {})
    for part in PARTS:
        if part.needs_card:
            assert parts[part.name]["facts"] == ["needs an NVIDIA card"]
    assert parts["labels"]["status"] == "passed"
    assert report["diagnostics"]


@pytest.mark.parametrize("arguments", [["--device", "abacus"], ["--json", "nosuch/folder/x.json"]])
def test_wrong_use_is_a_sentence(arguments, capsys):
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
