"""What is missing for a window is said in one sentence, before Qt can abort the process."""

import ctypes
import os
import subprocess
import sys

import pytest

from app import preflight
from app.errors import UsageError
from tests.support.cli_process import Started
from tests.support.media import ROOT, read_clip
from tests.support.waiting import PATIENCE

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about X11 on Linux")


def without_display():
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def start(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env=without_display() | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


MAIN = "import sys; from app.cli.launcher import main; sys.exit(main([]))"
NO_PYQT = "import sys; sys.modules['PyQt6'] = None\n" + MAIN


@linux
@pytest.mark.parametrize(
    ("code", "environment", "words"),
    [
        (MAIN, {}, "There is no display"),
        (MAIN, {"QT_QPA_PLATFORM": "xcb"}, "There is no display"),
        (MAIN, {"DISPLAY": ":987"}, "The display :987 cannot be reached"),
        (NO_PYQT, {"QT_QPA_PLATFORM": "offscreen"}, "pip install pyqt6"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(code, environment, words):
    done = start(code, **environment)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert words in done.stderr
    assert "--headless" in done.stderr
    assert done.stderr.count("\n") == 1


@linux
def test_without_a_display_the_demo_street_becomes_a_video_in_the_current_folder(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    wanted = ("--demo", "--max-frames", "3", "--input-size", "64x96")
    with Started(*wanted, environment=without_display()) as program:
        done = program.finish()
    assert done.returncode == 0, done.stderr
    (video,) = tmp_path.glob("*.mp4")
    assert video.name in done.stderr
    assert len(read_clip(video)[0]) == 3


def without(monkeypatch, *missing):
    real = ctypes.CDLL

    def load(name, *rest):
        for library in missing:
            if library in name or ("libqxcb" in name and "xcb" in library):
                raise OSError(f"{library}: cannot open shared object file")
        return real(None) if name.startswith("lib") else real(name, *rest)

    monkeypatch.setattr(ctypes, "CDLL", load)


def test_missing_libraries_of_the_x11_plugin_are_named_by_their_packages(monkeypatch, tmp_path):
    without(monkeypatch, "libxcb-cursor.so.0", "libxcb-shape.so.0")
    plugin = tmp_path / "platforms" / "libqxcb.so"
    plugin.parent.mkdir()
    plugin.touch()
    from PyQt6.QtCore import QLibraryInfo

    monkeypatch.setattr(QLibraryInfo, "path", lambda which: str(tmp_path))
    with pytest.raises(UsageError) as caught:
        preflight._check_x11_plugin()
    assert str(caught.value) == (
        "The window cannot start because the system library libxcb-cursor.so.0 is missing:"
        " install it (on Debian or Ubuntu: sudo apt install libxcb-cursor0 libxcb-shape0),"
        " or use --headless."
    )


def test_a_library_that_pyqt6_cannot_load_is_named_by_its_package(monkeypatch):
    without(monkeypatch, "libEGL.so.1")

    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("PyQt6"):
                raise ImportError("libEGL.so.1: cannot open shared object file: No such file")

    for name in [name for name in sys.modules if name.startswith("PyQt6")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(UsageError, match=r"libEGL\.so\.1 is missing.* apt install libegl1\)"):
        preflight._check_pyqt()


@pytest.mark.parametrize(
    ("environment", "checked"),
    [
        ({"QT_QPA_PLATFORM": "offscreen"}, False),
        ({"QT_QPA_PLATFORM": "wayland"}, False),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, False),
        ({"DISPLAY": ":0"}, True),
        ({"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, True),
    ],
)
def test_only_what_qt_will_use_is_checked(monkeypatch, environment, checked):
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert preflight._uses_x11() is checked


def test_the_paths_that_opencv_sets_are_dropped_and_those_of_the_user_kept(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/x/site-packages/cv2/qt/plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/usr/share/fonts")
    preflight.drop_opencv_paths()
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_QPA_FONTDIR"] == "/usr/share/fonts"
