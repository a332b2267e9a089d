"""Files and folders that may not be read or written: said at once, by what is in the way."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.support.media import write_clip

MAIN, BATCH = ("main.py",), ("-m", "app.batch")


def run(*words, folder):
    """Run a command without the right to pass over permissions."""
    command = [sys.executable, *words]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may read and write everywhere, and there is no setpriv to give it up")
        less = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={less}", f"--inh-caps={less}", *command]
    root = os.path.abspath(os.path.join(__file__, "../../../.."))
    if words[0] == MAIN[0]:
        command[command.index(MAIN[0])] = os.path.join(root, MAIN[0])
    told = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return told.returncode, told.stderr


@pytest.fixture
def place(tmp_path):
    """A folder with a clip, one in a closed folder, and a folder that takes no files."""
    if sys.platform == "win32":
        pytest.skip("permissions are others there")
    write_clip(tmp_path / "a.mp4", 3)
    (tmp_path / "closed").mkdir()
    write_clip(tmp_path / "closed" / "b.mp4", 3)
    (tmp_path / "ro").mkdir(mode=0o555)
    (tmp_path / "closed").chmod(0)
    yield tmp_path
    (tmp_path / "closed").chmod(0o755)


@pytest.mark.parametrize(
    "words",
    [
        (*MAIN, "closed/b.mp4", "--headless"),
        (*MAIN, "closed", "--headless"),
        (*MAIN, "closed/*.png", "--headless"),
        (*MAIN, "--info", "closed/b.mp4"),
        (*BATCH, "closed/b.mp4", "-o", "out"),
    ],
)
def test_what_lies_in_a_closed_folder_is_not_called_missing(place, words):
    code, told = run(*words, folder=place)
    assert code == 3
    assert "There is no" not in told
    assert "closed" in told
    assert "may not be read: check" in told
    assert told.count("\n") == 1
    assert not (place / "out").exists()


@pytest.mark.parametrize("name", ["ro/x", "closed/x", "closed/deep/x"])
@pytest.mark.parametrize("words", [("-o", ".mp4"), ("--save-labels", ".mkv"), ("--data", ".csv")])
def test_a_folder_that_takes_no_files_is_told_before_any_work(place, name, words):
    flag, suffix = words
    name += suffix
    code, told = run(*MAIN, "a.mp4", "--headless", flag, name, folder=place)
    assert code == 5
    assert told == f"Error: {name} cannot be written: name a folder in which you may write.\n"


def test_a_folder_of_recordings_that_takes_no_files_is_told_before_any_work(place):
    code, told = run(*MAIN, "a.mp4", "--headless", "--record-dir", "ro", folder=place)
    assert code == 5
    assert told.startswith("Error: ro/")
    assert told.endswith(" cannot be written: name a folder in which you may write.\n")


def test_a_batch_names_the_folders_that_it_may_not_read(place):
    (place / "drives").mkdir()
    (place / "a.mp4").rename(place / "drives" / "a.mp4")
    (place / "closed").rename(place / "drives" / "closed")
    words = "drives", "-o", "out", "--input-size", "32x64", "--workers", "1"
    code, told = run(*BATCH, *words, folder=place)
    (place / "drives" / "closed").rename(place / "closed")
    assert code == 3
    assert "drives/closed may not be read: check its permissions." in told
    assert (place / "out" / "a" / "annotated.mp4").is_file()


def test_pictures_in_a_folder_that_may_not_be_read_are_told_as_left_out(place):
    cv2 = pytest.importorskip("cv2")
    import numpy as np

    (place / "drive" / "one").mkdir(parents=True)
    cv2.imwrite(str(place / "drive" / "one" / "1.png"), np.zeros((64, 96, 3), np.uint8))
    (place / "closed").rename(place / "drive" / "closed")
    words = "drive", "--headless", "--input-size", "32x64"
    code, told = run(*MAIN, *words, folder=place)
    (place / "drive" / "closed").rename(place / "closed")
    assert code == 0
    assert "drive/closed may not be read: check its permissions." in told


def test_data_in_a_closed_folder_are_named_with_what_is_in_the_way(place):
    code, told = run("-m", "fastscnn.evaluate", "closed", folder=place)
    assert code == 2
    assert told.endswith(f"may not be used: check the permissions of {place / 'closed'}.\n")


def test_a_link_to_nothing_is_told_with_where_it_leads(tmp_path):
    (tmp_path / "link.mp4").symlink_to("away/drive.mp4")
    code, told = run(*MAIN, "link.mp4", "--headless", folder=tmp_path)
    assert code == 3
    assert told == (
        "Error: link.mp4 is a link to away/drive.mp4, which is not there: check where it leads.\n"
    )
