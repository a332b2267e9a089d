"""When the disk or the encoder fails: what is left plays, and the user is told at once."""

import itertools
import os
from io import FileIO
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import pytest

from tests.support.cli_process import run_script
from tests.support.media import picture
from tests.support.recordings import record, recorder_for, reopened, result
from tests.support.waiting import wait_until


def _noise(index):
    """A picture that takes much room."""
    return np.random.default_rng(index).integers(0, 255, (240, 320, 3), np.uint8)


def test_a_full_disk_leaves_all_but_the_last_second(small_disk):
    path = small_disk / "o.mp4"
    recorder = record(path, (result(_noise(i), i / 10, index=i) for i in range(300)), rate=10)
    assert "No space left on device" in str(recorder.error)
    assert "make room" in str(recorder.error)
    assert recorder.error.exit_code == 5
    times, _ = reopened(path)
    # What did not reach the disk: the group of 10 under way, and what the encoder still held.
    assert recorder.frames - 10 - 12 - 4 <= len(times) <= recorder.frames
    assert len(times) >= 10


class Cut(FileIO):
    """A file of which every state that a kill can leave is kept, half-done writes included."""

    states: ClassVar[list[bytes]] = []

    def write(self, data):
        # A few bytes are written at once or not at all.
        half = super().write(memoryview(data)[: len(data) // 2]) if len(data) > 16 else 0
        self._keep()
        rest = super().write(memoryview(data)[half:])
        self._keep()
        return half + rest

    def _keep(self):
        states, now = self.states, Path(self.name).read_bytes()
        if not states or states[-1] != now:
            states.append(now)


@pytest.mark.parametrize("name", ["k.mp4", "k.mkv"])
def test_a_kill_at_any_moment_leaves_whole_pictures_only(tmp_path, monkeypatch, name):
    monkeypatch.setattr("app.sinks.recording.crash_safe_file.FileIO", Cut)
    monkeypatch.setattr(Cut, "states", [])
    path = tmp_path / name
    labels = path if path.suffix == ".mkv" else None
    pictures = [picture(i, 320, 192) for i in range(45)]
    shown = (result(p, i / 10, index=i, labels=p[:, :, 0]) for i, p in enumerate(pictures))
    assert record(path, shown, rate=10, labels=labels).error is None
    counts = []
    for number, state in enumerate(Cut.states):
        cut = tmp_path / f"{number}{path.suffix}"
        cut.write_bytes(state)
        try:
            times, _ = reopened(cut)
        except (av.error.InvalidDataError, av.error.EOFError):
            assert not any(counts)  # nothing was whole yet
            continue
        counts.append(len(times))
    assert counts == sorted(counts)
    assert counts[-1] == 45
    steps = [later - sooner for sooner, later in itertools.pairwise([0, *counts])]
    assert max(steps) <= 11  # about a second


LIMITED = """
import resource, sys
from pathlib import Path
from tests.support.recordings import record, result
from tests.app.sinks.test_recorder_failures import _noise
for limit in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    path = Path(sys.argv[1], f"{limit}.mp4")
    recorder = record(path, (result(_noise(i), i / 10, index=i) for i in range(30)), rate=10)
    print(limit, recorder.frames, recorder.error)
"""


@pytest.mark.skipif(os.name == "nt", reason="limits on file sizes are for POSIX systems")
def test_whatever_byte_is_the_last_that_fits_the_file_plays(tmp_path):
    whole = tmp_path / "whole.mp4"
    record(whole, (result(_noise(i), i / 10, index=i) for i in range(30)), rate=10)
    size = whole.stat().st_size
    # In the middle, and where the index is written that makes it an ordinary MP4.
    limits = [size // 2, size * 4 // 5, *range(size - 1600, size, 400)]
    done = run_script(LIMITED, tmp_path, *map(str, limits))
    assert done.returncode == 0, done.stderr
    for limit, line in zip(limits, done.stdout.splitlines(), strict=True):
        assert "File too large" in line
        assert (tmp_path / f"{limit}.mp4").stat().st_size <= limit
        assert len(reopened(tmp_path / f"{limit}.mp4")[0]) >= (20 if limit > size * 0.9 else 10)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not move a file that is open")
@pytest.mark.parametrize("deleted", [False, True])
def test_a_folder_that_goes_away_is_noticed_and_a_moved_file_is_whole(tmp_path, deleted):
    folder = tmp_path / "stick"
    folder.mkdir()
    recorder = recorder_for(folder / "o.mp4")
    recorder.start()
    recorder.put(result(picture(0), 0.0), wait=True)
    wait_until(lambda: recorder.frames == 1)
    folder.rename(tmp_path / "elsewhere")
    if deleted:
        (tmp_path / "elsewhere" / "o.mp4").unlink()
    index = 0

    def feed():
        nonlocal index
        index += 1
        recorder.put(result(picture(index), index / 30, index=index), wait=False)
        return not recorder.is_alive()

    wait_until(feed)  # it ends by itself
    assert "was moved or deleted" in str(recorder.error)
    if not deleted:
        assert len(reopened(tmp_path / "elsewhere" / "o.mp4")[0]) == recorder.frames


def test_a_picture_that_cannot_be_encoded_ends_the_recording_and_leaves_those_before(tmp_path):
    path = tmp_path / "o.mp4"
    shown = [result(picture(i), i / 30, index=i) for i in range(20)]
    shown.append(result(np.zeros((96, 160, 7), np.uint8), 1.0, index=20))
    recorder = record(path, [*shown, *shown])
    assert recorder.error is not None
    assert recorder.error.exit_code == 5
    assert len(reopened(path)[0]) == 20 == recorder.frames


def test_a_folder_that_may_not_be_written_is_said_and_leaves_nothing(tmp_path):
    if os.name == "nt" or os.geteuid() == 0:
        pytest.skip("this user may write everywhere")
    (tmp_path / "closed").mkdir(mode=0o500)
    recorder = record(tmp_path / "closed" / "o.mp4", [result(picture(0), 0.0)])
    assert "record elsewhere" in str(recorder.error)
