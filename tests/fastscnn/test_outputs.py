"""Outputs are written whole or not at all, and never replace what a run reads, nor each other."""

import contextlib
import errno
import json
import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastscnn.benchmark import main as benchmark
from fastscnn.checkpoints.model_zoo import default_checkpoint
from fastscnn.evaluate import main as evaluate
from fastscnn.export import main as export
from fastscnn.outputs import (
    OutputError,
    check_apart,
    check_file,
    write_json,
    write_output,
    write_whole,
)
from fastscnn.pretrain import main as pretrain
from fastscnn.soup import main as soup
from fastscnn.train import main as train
from tests.support.labelled_data import labelled_folder

LINKS = {"itself": lambda a, b: b, "link": os.symlink, "hard link": os.link}


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(default_checkpoint().read_bytes())
    return path


@pytest.fixture
def data(tmp_path):
    return labelled_folder(tmp_path / "data", 2)


def named(file, kind, folder=None):
    """Another name of a file, or the file by a way round."""
    if kind == "itself":
        return file.parent / ".." / file.parent.name / file.name
    other = (folder or file.parent) / f"other{file.suffix}"
    LINKS[kind](file, other)
    return other


def state(*folders):
    return {
        path: path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nodir/d.csv", "There is no folder .*nodir: make it"),
        ("no/dir/d.json", "There is no folder .*dir: make it"),
        ("file/d.csv", "There is no folder .*file: make it"),
        ("folder", "is a folder: name a file"),
    ],
)
def test_where_no_file_can_be_it_is_said_why(tmp_path, name, words):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for overwrite in (True, False):
        with pytest.raises(OutputError, match=words):
            check_file(tmp_path / name, overwrite)


@pytest.mark.parametrize("kind", LINKS)
def test_an_input_is_known_by_all_its_names(tmp_path, kind):
    (tmp_path / "a.mp4").touch()
    with pytest.raises(OutputError, match="is what is being read"):
        check_apart([named(tmp_path / "a.mp4", kind)], [tmp_path / "a.mp4"])


def test_two_outputs_are_one_file_whether_it_is_there_or_not(tmp_path):
    (tmp_path / "folder").mkdir()
    there, missing = tmp_path / "there", tmp_path / "missing"
    there.touch()
    (tmp_path / "dangling").symlink_to(missing)
    os.link(there, tmp_path / "hard")
    for pair in (
        (there, there),
        (missing, tmp_path / "folder" / ".." / "missing"),
        (missing, tmp_path / "dangling"),
        (there, tmp_path / "hard"),
    ):
        with pytest.raises(OutputError, match="would go to one file"):
            check_apart(pair, [])
    check_apart([there, missing, tmp_path / "third"], [tmp_path / "gone"])


def test_devices_may_be_named_twice():
    check_apart([Path(os.devnull)] * 2, [])


def test_a_folder_of_images_holds_no_input(tmp_path):
    for name in ("in/a.png", "in/b.mp4", "out/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    read = [tmp_path / "in" / "a.png", tmp_path / "in" / "b.mp4"]
    check_apart([], read, [tmp_path / "out", tmp_path / "new"])
    with pytest.raises(OutputError, match="holds what is being read"):
        check_apart([], read, [tmp_path / "in"])
    (tmp_path / "out" / "000000.png").symlink_to(read[1])
    with pytest.raises(OutputError, match="holds what is being read"):
        check_apart([], read, [tmp_path / "out"])


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("option", ["--json", "--confusion"])
@pytest.mark.parametrize("victim", ["weights", "image", "labels", "table"])
def test_an_evaluation_replaces_nothing_that_it_reads(
    data, weights, tmp_path, capsys, kind, option, victim
):
    table = tmp_path / "t.json"
    table.write_text('{"0": ["road"], "5": ["car"]}')
    files = {"weights": weights, "image": data / "images" / "0.jpg", "table": table}
    files["labels"] = data / "groups" / "0.png"
    output = named(files[victim], kind, tmp_path)
    before = state(tmp_path)
    words = [f"{data}?sets={table}", "--weights", str(weights), "--overwrite", "--device", "cpu"]
    assert evaluate([*words, option, str(output)]) == 5
    assert "is what is being read" in capsys.readouterr().err
    assert state(tmp_path) == before


def test_an_evaluation_s_outputs_are_files_of_their_own(data, tmp_path, capsys):
    words = [str(data), "--device", "cpu", "--overwrite"]
    file, folder = str(tmp_path / "x.png"), tmp_path / "labels"
    folder.mkdir()
    assert evaluate([*words, "--json", file, "--confusion", file]) == 5
    assert evaluate([*words, "--labels", str(folder), "--confusion", str(folder / "1.png")]) == 5
    assert capsys.readouterr().err.count("would go to one file") == 2
    assert not (tmp_path / "x.png").exists()
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize("kind", LINKS)
def test_a_checkpoint_is_never_replaced_by_what_is_made_of_it(weights, tmp_path, capsys, kind):
    target, before = str(named(weights, kind)), state(tmp_path)
    more = ["--overwrite", "--format"]
    assert export([target, "--weights", str(weights), *more, "torchscript"]) == 5
    assert soup([str(weights), str(weights), "-o", target, "--overwrite"]) == 5
    assert benchmark(["--weights", str(weights), "--json", target, "--frames", "1"]) == 5
    assert capsys.readouterr().err.count("is what is being read") == 3
    assert state(tmp_path) == before


def test_the_second_file_of_an_export_counts_too(weights, tmp_path, capsys):
    weights = weights.rename(tmp_path / "w.bin")
    words = [str(tmp_path / "w.xml"), "--weights", str(weights)]
    assert export(words) == 5
    assert "w.bin is what is being read" in capsys.readouterr().err


def test_the_checkpoint_that_ships_is_an_input_where_none_is_named(tmp_path, capsys):
    shipped = default_checkpoint()
    before = shipped.read_bytes()
    (tmp_path / "x.json").symlink_to(shipped)
    words = ["street?frames=1", "--json", str(tmp_path / "x.json"), "--overwrite"]
    assert evaluate(words) == 5
    assert export([str(shipped), "--format", "mmseg", "--overwrite"]) == 5
    assert benchmark(["--json", str(tmp_path / "x.json"), "--frames", "1"]) == 5
    assert shipped.read_bytes() == before


def test_a_report_that_cannot_be_written_is_said_before_measuring(tmp_path, capsys):
    assert benchmark(["--json", str(tmp_path / "nosuch" / "x.json")]) == 5
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "victim"),
    [
        ("last.pth", "--start"),
        ("best.pth", "--start"),
        ("config.json", "--config"),
        ("log.csv", "table"),
        ("curve.png", "image"),
    ],
)
@pytest.mark.parametrize("kind", ["itself", "link", "hard link"])
def test_a_run_replaces_nothing_that_it_reads(data, weights, tmp_path, capsys, name, victim, kind):
    run = data / "images" if victim == "image" and kind == "itself" else tmp_path / "run"
    run.mkdir(exist_ok=True)
    spec = f"folder:{data}"
    words = ["--run", str(run), "--preset", "cpu", "--steps", "1", "--device", "cpu"]
    file = run / name if kind == "itself" else tmp_path / f"elsewhere{(run / name).suffix}"
    if victim == "--start":
        file.write_bytes(weights.read_bytes())
        words += [victim, str(file)]
    elif victim == "--config":
        file.write_text('{"preset": "cpu"}')
        words += [victim, str(file)]
    elif victim == "table":
        file.write_text('{"0": ["road"], "5": ["car"]}')
        spec += f"?sets={file}"
    else:
        file = run / name if kind == "itself" else data / "images" / name
        (data / "labels" / "1.png").rename(data / "labels" / f"{file.stem}.png")
        (data / "images" / "1.jpg").unlink()
        assert cv2.imwrite(str(file), np.zeros((72, 96, 3), np.uint8))
    if kind != "itself":
        LINKS[kind](file, run / name)
    before = state(tmp_path)
    assert train([*words, "--data", spec]) == 5
    assert "is what is being read" in capsys.readouterr().err
    assert state(tmp_path) == before


def test_a_pre_training_replaces_none_of_its_pictures(tmp_path, capsys):
    for kind in ("a", "b"):
        (tmp_path / "tree" / kind).mkdir(parents=True)
        image = np.zeros((70, 80, 3), np.uint8)
        assert cv2.imwrite(str(tmp_path / "tree" / kind / "curve.png"), image)
    before = state(tmp_path)
    words = ["--data", str(tmp_path / "tree"), "--run", str(tmp_path / "tree" / "a")]
    assert pretrain([*words, "--steps", "1", "--crop", "64x64", "--device", "cpu"]) == 5
    assert "is what is being read" in capsys.readouterr().err
    assert state(tmp_path) == before


def _fail(draft):
    draft.write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("new", [False, True])
def test_what_cannot_be_written_whole_is_not_there(tmp_path, new):
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "r.json", _fail, new=new)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match=r"r\.json cannot be written \(No space left on device\)"):
        write_output(tmp_path / "r.json", _fail, new=new)


def test_what_was_there_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "r.json"
    write_json(path, {"a": 1}, new=True)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, _fail)
    assert json.loads(path.read_text()) == {"a": 1}
    write_json(path, {"b": 2})
    assert json.loads(path.read_text()) == {"b": 2}
    with pytest.raises(OutputError, match="exists by now"):
        write_json(path, {"c": 3}, new=True)
    assert [file.name for file in tmp_path.iterdir()] == ["r.json"]
    assert json.loads(path.read_text()) == {"b": 2}


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "r.json").symlink_to(tmp_path / "reports" / "today.json")
    write_json(tmp_path / "r.json", 1)
    write_json(tmp_path / "r.json", 2)
    assert (tmp_path / "r.json").is_symlink()
    assert (tmp_path / "reports" / "today.json").read_text() == "2\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_device_is_written_as_it_is():
    with pytest.raises(OutputError, match="No space left on device"):
        write_json(Path("/dev/full"), 1)
    assert not Path("/dev/full").is_file()
    write_json(Path("/dev/null"), 1)


def test_of_many_that_want_one_name_one_has_it(tmp_path):
    won = []

    def want(number):
        for name in range(30):
            with contextlib.suppress(FileExistsError):
                write_whole(
                    tmp_path / str(name), lambda draft: draft.write_text(str(number)), new=True
                )
                won.append((str(name), str(number)))

    threads = [threading.Thread(target=want, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 30
    assert {(path.name, path.read_text()) for path in tmp_path.iterdir()} == set(won)
