"""A batch as a user runs it: every drive once, whatever happens on the way."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch

from app.batch.batch_command import main
from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.data.class_sets import ClassSet
from fastscnn.model.fast_scnn import FastSCNN
from fastscnn.model.model_config import FastSCNNConfig
from tests.support.media import ROOT, read_clip, write_clip
from tests.support.waiting import PATIENCE, wait_until

FAST = ("--input-size", "64x96")
LONG = 400
"""Frames of a drive that is not done before a test has interfered with it."""


@pytest.fixture
def drives(tmp_path):
    folder = tmp_path / "drives"
    (folder / "monday").mkdir(parents=True)
    return folder


def begin(*arguments, **more):
    """The batch in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "app.batch", *map(str, arguments), *FAST],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def write_first(path):
    """A short drive of many bytes: it is done before others."""
    noise = np.random.default_rng(0).integers(0, 255, (270, 480, 3), np.uint8)
    write_clip(path, 5, size=(480, 270), pictures=[noise, 255 - noise])


def wait_for(process, condition):
    """Wait for what a batch under way must come to."""
    wait_until(lambda: condition() or process.poll() is not None, "the drive")
    assert process.poll() is None, process.communicate()


def rows(out, columns="name, state, attempts, error", file="manifest.sqlite"):
    """Rows of the manifest, by the name of the drive."""
    base = sqlite3.connect(out / file)
    try:
        found = base.execute(f"SELECT {columns} FROM unit").fetchall()
    finally:
        base.close()
    return {row[0]: row[1:] for row in found}


def drafts(out):
    return list((out / ".drafts").glob("*/annotated.mp4"))


def files(out):
    """Files of the results, without the names of those of the batch itself."""
    return sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and path.name not in {".lock", "drive.json", "thumbnail.jpg"}
        if path.parent != out
    )


def test_a_broken_drive_costs_one_row_with_its_sentence(drives, tmp_path, capsys):
    write_clip(drives / "a.mp4", 6)
    write_clip(drives / "monday" / "a.mp4", 8)
    (drives / "noise.mp4").write_bytes(os.urandom(5000))
    out = tmp_path / "out"
    command = [str(drives), "-o", str(out), *FAST, "--workers", "1"]
    outputs = ("--save-labels", "labels.mkv", "--data", "rows.csv", "--data", "rows.jsonl")
    assert main([*command, *outputs]) == 3
    said = capsys.readouterr()
    assert "2 of 3 drives done; 14 frames" in said.out
    assert "1 failed" in said.out
    sentence = "noise.mp4 cannot be read as a video: it is damaged or of another kind."
    assert f"noise: {sentence}\n" in said.err
    assert rows(out) == {
        "a": ("done", 1, ""),
        "monday/a": ("done", 1, ""),
        "noise": ("failed", 1, sentence),
    }
    made = ["annotated.mp4", "labels.mkv", "rows.csv", "rows.jsonl"]
    assert files(out) == [f"{name}/{file}" for name in ("a", "monday/a") for file in made]
    assert len(read_clip(out / "monday" / "a" / "annotated.mp4")[0]) == 8
    page = (out / "report.html").read_text()
    assert all(text in page for text in ("monday/a", sentence, "data:image/jpeg"))
    table = pandas.read_parquet(out / "summary.parquet").set_index("name")
    assert table["state"].to_dict() == {"a": "done", "monday/a": "done", "noise": "failed"}
    assert table.loc["a"].filter(like="share_").sum() == pytest.approx(1, abs=0.01)

    # The same again has nothing to do: no worker is begun.
    assert main([*command, *outputs]) == 3
    assert "2 done already, 1 failed before (--retry-failed)" in capsys.readouterr().err
    assert rows(out)["a"] == ("done", 1, "")

    # What is mended, new and changed is done, and other options make other results.
    write_clip(drives / "noise.mp4", 5)
    write_clip(drives / "b.mp4", 4)
    assert main([*command, "--no-skip"]) == 0
    said = capsys.readouterr()
    assert "4 drives: 2 with other options, 1 new, 1 changed." in said.err
    assert "4 of 4 drives done; 23 frames" in said.out
    names = ("a", "b", "monday/a", "noise")
    assert files(out) == [f"{name}/annotated.mp4" for name in names]


def test_what_is_noted_of_a_drive_is_said_with_its_name(drives, tmp_path, capfd):
    for name in ("monday/a.mkv", "b.mkv"):
        write_clip(drives / name, 2, size=(97, 65), codec="ffv1")
    assert main([str(drives), "-o", str(tmp_path / "out"), *FAST, "--workers", "1"]) == 0
    said = [line for line in capfd.readouterr().err.splitlines() if "97×65" in line]
    assert sorted(line.partition(": 97×65 is recorded as 98×66")[0] for line in said) == [
        "b",
        "monday/a",
    ]


def test_a_driver_that_is_killed_goes_on_where_it_was(drives, tmp_path):
    write_clip(drives / "a.mp4", LONG)
    write_clip(drives / "b.mp4", 5)
    write_first(drives / "c.mp4")
    out = tmp_path / "out"
    command = (drives, "-o", out, "--workers", "1")
    process = begin(*command)
    wait_for(process, lambda: (out / "c").exists() and drafts(out))
    process.kill()
    process.communicate()
    before = rows(out)
    assert before["c"][0] == "done"
    assert not (out / "a").exists()

    process = begin(*command)
    _said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert "3 drives: 1 done already" in errors.replace("2 cut off, 1 done", "1 done")
    after = rows(out)
    assert {row[0] for row in after.values()} == {"done"}
    assert after["c"] == before["c"] == ("done", 1, "")
    assert after["b"] == ("done", 1, "")
    assert after["a"][1] == 2
    assert not (out / ".drafts").exists()
    assert files(out) == [f"{name}/annotated.mp4" for name in "abc"]
    for name, frames in (("a", LONG), ("b", 5), ("c", 5)):
        assert len(read_clip(out / name / "annotated.mp4")[0]) == frames
    assert not list(out.glob("*.sqlite-*"))


def _workers(pid):
    """Processes of the workers that a batch has begun."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            command = path.with_name("cmdline").read_bytes()
            if parent == pid and b"spawn_main" in command:
                found.append(int(path.parent.name))
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("deaths", "state"), [(1, "done"), pytest.param(2, "failed", marks=pytest.mark.slow)]
)
def test_a_worker_that_is_killed_costs_one_retry_of_its_unit(drives, tmp_path, deaths, state):
    write_clip(drives / "a.mp4", LONG)
    write_clip(drives / "b.mp4", 5)
    out = tmp_path / "out"
    process = begin(drives, "-o", out, "--workers", "1")
    for _ in range(deaths):
        known = set(drafts(out))
        wait_for(process, lambda known=known: set(drafts(out)) - known)
        [worker] = _workers(process.pid)
        os.kill(worker, signal.SIGKILL)
    said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == (0 if state == "done" else 3), errors
    assert f"{deaths} workers died" in said.replace("1 worker died", "1 workers died")
    found = rows(out, "name, state, attempts, lost")
    assert found == {"a": (state, 2, deaths), "b": ("done", 1, 0)}
    assert (out / "a").exists() == (state == "done")
    assert "its worker died; it is tried once more" in errors
    assert "Traceback" not in errors


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The temporary folder of the batch and its workers."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_ctrl_c_ends_at_the_next_frame_and_keeps_whole_drives(drives, tmp_path, temporary, capsys):
    write_clip(drives / "a.mp4", LONG)
    write_first(drives / "b.mp4")
    out = tmp_path / "out"
    process = begin(drives, "-o", out, "--workers", "1", start_new_session=True)
    wait_for(process, lambda: (out / "b").exists() and drafts(out))
    # Meanwhile no other batch works in the same folder.
    assert main([str(drives), "-o", str(out), *FAST]) == 5
    assert "Another batch works in" in capsys.readouterr().err
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers too
    said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "worker died" not in errors
    assert "1 of 2 drives done" in said
    assert rows(out) == {"a": ("waiting", 0, ""), "b": ("done", 1, "")}
    assert files(out) == ["b/annotated.mp4"]
    assert not list(temporary.glob("fastscnn-batch-*"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    "ends", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_workers_that_are_only_beginning_end_without_a_word(drives, tmp_path, temporary, ends):
    write_clip(drives / "a.mp4", 5)
    out = tmp_path / "out"
    process = begin(drives, "-o", out, "--workers", "2", start_new_session=True)
    wait_for(process, lambda: _workers(process.pid))
    os.killpg(process.pid, ends)
    _said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert rows(out) == {"a": ("waiting", 0, "")}
    assert not list(temporary.glob("fastscnn-batch-*"))


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
def test_a_worker_that_hangs_is_left_at_the_second_interrupt(drives, tmp_path):
    write_clip(drives / "a.mp4", LONG)
    out = tmp_path / "out"
    process = begin(drives, "-o", out, "--workers", "1", start_new_session=True)
    wait_for(process, lambda: drafts(out))
    [worker] = _workers(process.pid)
    os.kill(worker, signal.SIGSTOP)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGTERM)
    _said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not Path(f"/proc/{worker}").exists()
    assert rows(out) == {"a": ("waiting", 0, "")}
    assert not (out / ".drafts").exists()


@pytest.mark.slow
def test_a_full_disk_ends_the_batch_in_words_and_keeps_what_is_done(small_disk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drives")
    write_clip(folder / "large.mp4", 60, size=(320, 192))
    write_clip(folder / "small.mp4", 2)
    out = small_disk / "out"
    process = begin(folder / "small.mp4", "-o", out, "--workers", "1")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    with (small_disk / "filler").open("wb") as file:
        file.write(bytes(700_000))
    command = (folder, "-o", out, "--workers", "1", "--save-labels", "labels/")
    process = begin(*command, "--video", "pictures/")
    _said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 5, errors
    assert "is full: make room and run the same again" in errors
    assert "Traceback" not in errors
    assert (out / "small" / "annotated.mp4").exists()
    assert not (out / "large").exists()
    assert not (out / ".drafts").exists()


TWICE = ("--data", "x/a.csv", "--data", "x/a.csv")
LABELS = ("--save-labels", "annotated.mp4")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["-o", "out"], 2, "needs drives"),
        (["."], 2, "add -o OUT"),
        (["nosuch.mp4", "-o", "out"], 3, "There is no nosuch.mp4"),
        (["empty", "-o", "out"], 3, "There is no video in what was named"),
        (["clip.mp4", "-o", "out", "--save-labels", "/labels.mkv"], 2, "outside of the drives'"),
        (["clip.mp4", "-o", "out", "--save-labels", "../labels.mkv"], 2, "outside of the drives'"),
        (["clip.mp4", "-o", "out", "--data", "a.csv", "--data", "/b.csv"], 2, "outside of"),
        (["clip.mp4", "-o", "out", "--video", "rtsp://host/a"], 2, "outside of"),
        (["clip.mp4", "-o", "out", "--stats-json", "drive.json"], 2, "of the batch itself"),
        (["clip.mp4", "-o", "out", "--video", "a.txt"], 2, "cannot be recorded"),
        (["clip.mp4", "-o", "out", "--weights", "nosuch.pth"], 4, "nosuch.pth"),
        (["clip.mp4", "-o", "clip.mp4"], 5, "clip.mp4 is a file, and a folder is needed"),
        (["clip.mp4", "-o", "clip.mp4/out"], 5, "clip.mp4 is a file, and a folder is needed"),
        (["none.txt", "-o", "out"], 3, "There is no video in what was named"),
        ([".", "-o", "."], 2, "Results cannot go into ., "),
        (["clip.mp4", "-o", "out", "--no-video"], 2, "Nothing would be written: add --save"),
        (["clip.mp4", "-o", "out", "--no-video", "--blur", "car"], 2, "Nothing would be written"),
        (["clip.mp4", "-o", "out", "--data", "rows.txt"], 2, "Error: --data rows.txt must end in"),
        (["clip.mp4", "-o", "out", *TWICE], 5, "go to one file, x/a.csv: name two"),
        (["clip.mp4", "-o", "out", "--video", "x.mkv"], 2, "Error: x.mkv cannot be recorded"),
        (["clip.mp4", "-o", "out", *LABELS], 2, "Error: --save-labels annotated.mp4 would be"),
        (["clip.mp4", "-o", "out", "--data", f"{'x' * 300}.csv"], 5, "Error: x"),
        (["nosuch://bucket/a.mp4", "-o", "out"], 2, "cannot be used"),
        (["clip.mp4", "-o", "out", "--config", "no.toml"], 2, "There is no run file no.toml"),
        (["clip.mp4", "-o", "out", "--config", "demo.toml"], 2, "demo.toml: virtual-camera makes"),
        (["-o", "out", "--config", "camera.toml"], 2, "camera.toml: camera makes no sense"),
        (["clip.mp4", "-o", "out", "--config", "far.toml"], 2, "/rows.csv lies outside of the"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    arguments, exit_code, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "none.txt").write_text("# nothing so far\n")
    (tmp_path / "demo.toml").write_text("virtual-camera = true\n")
    (tmp_path / "camera.toml").write_text("camera = 0\n")
    (tmp_path / "far.toml").write_text('data = ["/rows.csv"]\n')
    write_clip(tmp_path / "clip.mp4", 2)
    before = set(tmp_path.rglob("*"))
    assert main(arguments) == exit_code
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert words in said
    assert said.count("\n") == 1
    assert tempfile.gettempdir() not in said
    assert set(tmp_path.rglob("*")) == before


def test_classes_are_hidden_or_chosen_and_not_both(capsys):
    with pytest.raises(SystemExit):
        main(["clip.mp4", "-o", "out", "--hide", "sky", "--only", "road"])
    assert "not allowed with" in capsys.readouterr().err


def test_a_run_file_of_the_program_does_for_a_batch_too(drives, tmp_path, capsys):
    write_clip(drives / "a.mp4", 4)
    run = tmp_path / "run.toml"
    run.write_text(
        f'source = ["{drives}"]\ninput-size = "64x96"\ndata = ["rows.csv"]\noutput = "seen.mp4"\n'
        'skip = false\nloop = true\nwidth = 640\nrecord-dir = "elsewhere"\nserve = ""\n'
    )
    command = ["-o", str(tmp_path / "out"), "--workers", "1"]
    assert main([*command, "--config", str(run)]) == 0
    said = capsys.readouterr().err
    assert "run.toml: left out, since a batch has none: loop, width, record-dir.\n" in said
    assert files(tmp_path / "out") == ["a/rows.csv", "a/seen.mp4"]
    # The same on the command line is the same, to which what is as always makes no difference.
    run.write_text(run.read_text() + 'hide = ""\nalpha = 0.5\n')
    given = ["--input-size", "64x96", "--data", "rows.csv", "--video", "seen.mp4", "--no-skip"]
    for arguments in (given, ["--config", str(run)]):
        assert main([str(drives), *command, *arguments]) == 0
        assert "1 done already" in capsys.readouterr().err
    # What is given wins over what the file says.
    more = ["--config", str(run), "--video", "other.mp4", "--split", "10min"]
    assert main([str(drives), *command, *more]) == 0
    assert "1 with other options" in capsys.readouterr().err
    assert files(tmp_path / "out") == ["a/other.mp4", "a/rows.csv"]


@pytest.mark.parametrize("arguments", [["--split", "abc"], ["--workers", "0"], ["--nosuch"]])
def test_wrong_use_is_said_in_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["clip.mp4", "-o", "out", *arguments])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert arguments[0] in said
    assert said.endswith(" (--help shows all arguments).\n")
    assert said.count("\n") == 1


def test_each_drive_that_is_not_there_is_said_with_its_reason(tmp_path, capsys):
    (tmp_path / "all.txt").write_text("nosuch.mp4\ndeep/other.mkv\nodd://host/far.mp4\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    sources = (str(tmp_path / "all.txt"), str(tmp_path / "folder"))
    assert main([*sources, "-o", str(tmp_path / "out"), *FAST]) == 3
    said = capsys.readouterr()
    assert "4 drives: 4 that cannot be read." in said.err
    for name in ("nosuch", "other"):
        assert f"\n{name}: There is no {tmp_path}" in said.err
    assert "\nfar: odd://host/far.mp4 cannot be used" in said.err
    assert "\ngone: gone.mp4 cannot be read (No such file or directory)" in said.err
    assert "0 of 4 drives done; 4 failed" in said.out


def test_help_can_be_shown(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(flag in said for flag in ("--split", "--ray", "--retry-failed", "--data", "3 some"))


def test_own_classes_are_those_of_rows_and_what_is_said_leaves_nothing_behind(drives, tmp_path):
    torch.manual_seed(1)
    network = FastSCNN(FastSCNNConfig(num_classes=3)).eval()
    save(Checkpoint(network, classes=ClassSet(("floor", "crack", "tool"))), tmp_path / "own.pth")
    write_clip(drives / "a.mp4", 2)
    out = tmp_path / "out"
    batch = begin(drives, "-o", out, "--weights", tmp_path / "own.pth", "--data", "rows.csv")
    _, said = batch.communicate()
    assert batch.returncode == 0, said
    assert "know 3 classes of their own" in said
    assert "leaked" not in said
    columns = (out / "a" / "rows.csv").read_text("utf-8").splitlines()[0].split(",")
    assert columns[-3:] == ["share_floor", "share_crack", "share_tool"]
