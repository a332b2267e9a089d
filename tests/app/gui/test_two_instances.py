"""Two programs at a time with one profile: what each was told is kept."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from app.config.settings import Settings
from app.gui.window.saved_state import SavedState
from tests.support.media import ROOT, write_clip
from tests.support.waiting import PATIENCE, wait_until

_CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
from PyQt6.QtCore import QCoreApplication
from app.config.settings import Settings
from app.gui.window.saved_state import SavedState
from app.sources.source_spec import SourceSpec

app = QCoreApplication([])
saved = SavedState(Path(sys.argv[1]))
began = now = saved.apply(Settings())
print("ready", flush=True)
for line in sys.stdin:
    what, _, value = line.strip().partition(" ")
    if what == "open":
        saved.keep_recent(SourceSpec("file", value))
    elif what == "view":
        now = replace(now, view=replace(now.view, **eval(value)))
    elif what == "network":
        now = replace(now, network=replace(now.network, **eval(value)))
    elif what == "page":
        saved.page = value
    elif what == "recent":
        print(*(Path(spec.value).name for spec in saved.recent))
    elif what == "close":
        saved.keep(now, began)
        saved.page = value
        saved.sync()
    print("done", flush=True)
"""


class _Program:
    """A process that has read the profile and does what it is told."""

    def __init__(self, profile: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(profile)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout.readline() == "ready\n"

    def tell(self, line: str) -> str:
        self.begin(line)
        return self.end()

    def begin(self, line: str) -> None:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def end(self) -> str:
        said = ""
        while (line := self._process.stdout.readline()) != "done\n":
            assert line, "the process has ended"
            said += line
        return said.strip()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


@pytest.fixture
def profile(tmp_path):
    return tmp_path / "settings.ini"


def _recent(profile):
    return [Path(spec.value).name for spec in SavedState(profile).recent]


def test_files_opened_in_both_are_remembered_newest_first(profile):
    with _Program(profile) as first, _Program(profile) as second:
        first.tell("open a.mp4")
        second.tell("open b.mp4")
        first.tell("open c.mp4")
        assert second.tell("recent") == "c.mp4 b.mp4 a.mp4"
        for program in (first, second):
            program.tell("close")
    assert _recent(profile) == ["c.mp4", "b.mp4", "a.mp4"]


def test_files_opened_at_the_same_moment_are_all_remembered(profile):
    with ExitStack() as stack:
        programs = [stack.enter_context(_Program(profile)) for _ in range(2)]
        for turn in range(5):
            for number, program in enumerate(programs):
                program.begin(f"open {number}-{turn}.mp4")
            for program in programs:
                program.end()
    assert sorted(_recent(profile)) == sorted(f"{n}-{t}.mp4" for n in range(2) for t in range(5))


def test_what_one_changed_survives_that_the_other_closes_later(profile):
    before = SavedState(profile)
    before.page = "log"
    before.sync()
    with _Program(profile) as first, _Program(profile) as second:
        first.tell("view {'alpha': 0.3}")
        first.tell("network {'input_size': 'quarter'}")
        first.tell("close performance")
        second.tell("view {'contours': True}")
        second.tell("close log")
    saved = SavedState(profile)
    settings = saved.apply(Settings())
    assert (settings.view.alpha, settings.view.contours) == (0.3, True)
    assert settings.network.input_size == "quarter"
    assert saved.page == "performance"


def test_where_both_changed_the_same_the_last_one_counts(profile):
    with _Program(profile) as first, _Program(profile) as second:
        first.tell("view {'alpha': 0.3}")
        first.tell("close log")
        second.tell("view {'alpha': 0.6}")
        second.tell("close performance")
    saved = SavedState(profile)
    assert saved.apply(Settings()) == replace(Settings(), view=replace(Settings().view, alpha=0.6))
    assert saved.page == "performance"


@pytest.mark.slow
def test_two_windows_remember_the_files_of_both(tmp_path):
    environment = {**os.environ, "FASTSCNN_CONFIG": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    clips = [write_clip(tmp_path / f"{name}.mp4", 30) for name in "ab"]
    profile = tmp_path / "settings.ini"
    programs = [
        subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), str(clip), "--input-size", "64x96"],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        for clip in clips
    ]
    try:
        wait_until(lambda: set(_recent(profile)) == {"a.mp4", "b.mp4"}, "both files")
    finally:
        for program in programs:
            program.send_signal(signal.SIGTERM)
        for program in programs:
            program.wait(PATIENCE)
    assert set(_recent(profile)) == {"a.mp4", "b.mp4"}
