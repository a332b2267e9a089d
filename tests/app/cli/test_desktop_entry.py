"""``--install-desktop``: an entry that desktops take, and that starts this very program."""

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import desktop_entry
from app.cli.launcher import main


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return tmp_path / "share"


def _entry(data):
    parser = configparser.RawConfigParser(delimiters="=")
    parser.optionxform = str
    parser.read(data / "applications/fastscnn-live.desktop", "utf-8")
    return dict(parser["Desktop Entry"])


def _words(entry):
    """The command as a desktop reads it: the escapes of the value, then quotes, as in a shell."""
    value = entry["Exec"].replace("\\\\", "\\")
    words = subprocess.check_output(["sh", "-c", f"printf '%s\n' {value}"], text=True).splitlines()
    assert words.pop() == "%U"
    return [word.replace("%%", "%") for word in words]


def test_the_entry_its_icons_and_what_is_said(data, capsys):
    assert main(["--install-desktop"]) == 0
    assert str(data) in capsys.readouterr().out
    entry = _entry(data)
    assert entry["Type"] == "Application"
    assert entry["Icon"] == entry["StartupWMClass"] == "fastscnn-live"
    icons = data / "icons/hicolor"
    assert (icons / "256x256/apps/fastscnn-live.png").read_bytes()[1:4] == b"PNG"
    assert b"<svg" in (icons / "scalable/apps/fastscnn-live.svg").read_bytes()
    assert main(["--install-desktop"]) == 0  # once more: the same again


@pytest.mark.parametrize(
    "folder", ["plain", "with space", 'quo"te', "100%", "dollar$HOME", "back\\slash", "Straße"]
)
def test_its_command_starts_this_program_wherever_that_lies(data, tmp_path, monkeypatch, folder):
    command = tmp_path / folder / "fastscnn-live"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\necho started\n")
    command.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(command)])
    desktop_entry.install_desktop()
    words = _words(_entry(data))
    assert words == [str(command)]
    assert subprocess.check_output(words, text=True) == "started\n"


def test_from_a_checkout_python_starts_it(data, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[3])
    monkeypatch.setattr(sys, "argv", ["main.py"])
    desktop_entry.install_desktop()
    assert _words(_entry(data)) == [sys.executable, str(Path("main.py").absolute())]


def test_a_place_that_takes_no_files_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    assert main(["--install-desktop"]) == 5
    assert "cannot be written" in capsys.readouterr().err


def test_elsewhere_than_on_linux_it_is_refused(data, monkeypatch, capsys):
    monkeypatch.setattr(desktop_entry.sys, "platform", "win32")
    assert main(["--install-desktop"]) == 2
    assert "is for Linux" in capsys.readouterr().err
    assert not data.exists()
