"""The program from its arguments to its exit code."""

import pytest

from app.cli.launcher import main

LONG = "x" * 400


@pytest.mark.parametrize(
    "arguments",
    [
        [LONG],
        [f"{LONG}.mp4"],
        ["demo", "-o", f"{LONG}.mp4"],
        ["demo", "-o", f"{LONG}/"],
        ["demo", "--save-labels", LONG],
        ["demo", "--stats-json", LONG],
        ["demo", "--record-dir", LONG],
        ["demo", "--weights", LONG],
        ["demo", "--weights", f"{LONG}.pth"],
    ],
)
def test_a_name_that_is_too_long_for_a_file_is_refused_in_a_sentence(
    arguments, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--headless", "--max-frames", "1"]) in {2, 3, 4, 5}
    said = capsys.readouterr().err
    assert [line.startswith("Error: ") for line in said.splitlines()] == [True]
    assert LONG in said
    assert "unforeseen" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_keys_that_is_not_there_is_said_without_a_window_too(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--headless", "--max-frames", "1", "--keys", "none.json"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert "none.json" in said
    assert list(tmp_path.iterdir()) == []
