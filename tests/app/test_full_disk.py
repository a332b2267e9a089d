"""A disk that is full: what is left is whole, and what is missing is said."""

import json
import os

import cv2
import pytest

from app.config.settings import ImageFolderOptions
from app.core.events import EventBus
from app.sinks.image_folder import ImageFolderSink
from tests.support.cli_process import run_main, run_script
from tests.support.media import picture, write_clip
from tests.support.recordings import result

FAST = ("--headless", "--input-size", "64x96")


def _fill(disk, left):
    """Leave so many bytes."""
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(file.tell() - left)


def test_a_report_that_does_not_fit_is_not_there_and_its_run_ends_with_an_output_error(
    small_disk, tmp_path_factory
):
    clip = write_clip(tmp_path_factory.mktemp("clip") / "c.mp4", 4)
    _fill(small_disk, 0)
    path = small_disk / "r.json"
    done = run_main(str(clip), *FAST, "--stats-json", str(path))
    assert done.returncode == 5
    assert f"Error: {path} cannot be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr
    assert [file.name for file in small_disk.iterdir()] == ["filler"]


def test_a_report_that_does_not_fit_leaves_the_one_before(small_disk, tmp_path_factory):
    clip = write_clip(tmp_path_factory.mktemp("clip") / "c.mp4", 4)
    path = small_disk / "r.json"
    path.write_text('{"an": "old one"}')
    _fill(small_disk, 0)
    done = run_main(str(clip), *FAST, "--stats-json", str(path), "--overwrite")
    assert done.returncode == 5
    assert json.loads(path.read_text()) == {"an": "old one"}


def test_pictures_are_whole_as_far_as_they_fit(small_disk, tmp_path_factory):
    clip = write_clip(tmp_path_factory.mktemp("clip") / "c.mp4", 20, size=(320, 192))
    folder = small_disk / "pictures"
    folder.mkdir()
    _fill(small_disk, 100_000)
    done = run_main(str(clip), *FAST, "-o", f"{folder}/", "--save-labels", str(small_disk / "l"))
    assert done.returncode == 5
    assert "No space left on device" in done.stderr
    left = [path for path in small_disk.rglob("*") if path.is_file() and path.name != "filler"]
    assert left
    assert {path.suffix for path in left} == {".png"}
    assert all(cv2.imread(str(path)) is not None for path in left)


LIMITED = """
import os, resource, sys, threading
from pathlib import Path
from tests.support.recordings import result
from tests.app.sinks.test_recorder_failures import _noise
from app.config.settings import ImageFolderOptions
from app.core.events import EventBus
from app.gui.controllers.screenshot import save_pictures
from app.run_report import write_report
from app.errors import OutputError
from app.sinks.image_folder import ImageFolderSink
resource.setrlimit(resource.RLIMIT_FSIZE, (900, resource.RLIM_INFINITY))
folder = Path(sys.argv[1])
sink = ImageFolderSink(ImageFolderOptions(folder / "pictures"), EventBus())
sink.start()
sink.put(result(_noise(0), 0.0), wait=True)
sink.finish()
sink.join()
print(sink.error)
one = result(_noise(0), 0.0)
for parts in (False, True):
    save_pictures(one, one.picture, folder / "shots", "a", parts=parts,
                  done=lambda made, error: print(made, error)).join()
try:
    write_report(folder / "r.json", {"a": "b" * 2000}, overwrite=False)
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="limits on file sizes are for POSIX systems")
def test_nothing_half_is_left_of_pictures_screenshots_and_reports(tmp_path):
    done = run_script(LIMITED, tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all("File too large" in line for line in lines)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_pictures_of_two_runs_in_one_folder_replace_none(tmp_path):
    sinks = [ImageFolderSink(ImageFolderOptions(tmp_path / "p"), EventBus()) for _ in range(2)]
    for sink in sinks:
        sink.start()
    for number, sink in enumerate(sinks):
        sink.put(result(picture(number * 10), 0.0), wait=True)
        sink.finish()
        sink.join()
    assert sinks[0].error is None
    assert "exists by now" in str(sinks[1].error)
    assert sinks[1].error.exit_code == 5
    [path] = (tmp_path / "p").iterdir()
    assert (cv2.imread(str(path))[..., ::-1] == picture(0)).all()
