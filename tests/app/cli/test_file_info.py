"""``--info``: a file tells how it was made."""

import json
import struct
import zlib

import cv2
import numpy as np
import pytest

from app.cli.launcher import main
from fastscnn.checkpoints.model_zoo import default_checkpoint
from fastscnn.provenance import weights_file
from tests.support.cli_process import run_main
from tests.support.media import write_clip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with one of all that a run writes."""
    folder = tmp_path_factory.mktemp("made")
    clip = write_clip(folder / "drive.mp4", 3)
    small = ["--headless", "--input-size", "64x96", "--no-skip", "--view", "labels"]
    outputs = ["-o", folder / "o.mp4", "--record-raw", "--save-labels", folder / "l.mkv"]
    pictures = ["-o", f"{folder}/jpg/", "--picture-format", "jpg", "--save-labels", folder / "png"]
    tables = ["--data", folder / "d.parquet", "--objects", folder / "c.json"]
    tables += ["--objects", folder / "g.geojson", "--data", folder / "d.csv"]
    for extra in ([*outputs, "--stats-json", folder / "s.json"], [*pictures, *tables]):
        assert run_main(str(clip), *small, *map(str, extra)).returncode == 0
    return folder


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("o.mp4", "labels"),
        ("l.mkv", "labels"),
        ("jpg/000001.jpg", "labels"),
        ("png/000002.png", "labels"),
        ("s.json", "report"),
        ("d.parquet", "data"),
        ("c.json", "objects"),
        ("g.geojson", "objects"),
    ],
)
def test_all_that_a_run_writes_tells_how_it_was_made(made, name, content, capsys):
    assert main(["--info", str(made / name)]) == 0
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert told["program"].startswith("Fast-SCNN Live 0.")
    assert (told["content"], told["source"]) == (content, "drive.mp4")
    assert (told["weights"], told["sha256"]) == (
        "fastscnn.pth",
        weights_file(default_checkpoint()).sha256,
    )
    assert told["input"] == "size 64x96"
    assert told["skip"] == "off"


def test_the_raw_picture_names_no_network(made, capsys):
    assert main(["--info", str(made / "o.raw.mp4")]) == 0
    told = capsys.readouterr().out
    assert "raw" in told
    assert "sha256" not in told


def test_what_has_no_place_for_it_is_named(made, capsys):
    assert main(["--info", str(made / "d.csv")]) == 3
    assert "lines of JSON and CSV have no place for it" in capsys.readouterr().err


def test_objects_of_any_size_tell_it_by_their_first_line(made, monkeypatch, capsys):
    size = (made / "c.json").stat().st_size
    monkeypatch.setattr("app.cli.file_info._MOST_BYTES", size - 1)
    assert main(["--info", str(made / "c.json")]) == 0
    assert "objects" in capsys.readouterr().out


def _png(text):
    plain = cv2.imencode(".png", np.zeros((2, 2), np.uint8))[1].tobytes()
    chunk = b"tEXtComment\0" + text
    return (
        plain[:33]
        + struct.pack(">I", len(chunk) - 4)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + plain[33:]
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.png", _png(b"holiday")),
        ("list.png", _png(b"[1, 2]")),
        ("deep.png", _png(b"[" * 50_000)),
        ("cut.png", _png(b"{}")[:40]),
        ("report.json", json.dumps({"frames": 3}).encode()),
        ("broken.json", b'{"provenance": '),
        ("latin.json", b'{"\xff": 1}'),
        ("text.txt", b"hello"),
        ("empty.mp4", b""),
        ("no.jpg", b"\xff\xd8\xff\xe0\0"),
        ("no.parquet", b"PAR1" + bytes(40) + b"PAR1"),
        ("cut.parquet", b"PAR1"),
        ("coco.json", b'{"info": {"provenance": 3},\n"images": []}'),
        ("info.json", b'{"info": "x"}'),
    ],
)
def test_a_file_that_says_nothing_is_named(tmp_path, name, data, capsys):
    (tmp_path / name).write_bytes(data)
    assert main(["--info", str(tmp_path / name)]) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"Error: {tmp_path / name} does not say how it was made")


def test_a_file_that_is_not_there_and_a_folder_are_named(tmp_path, capsys):
    assert main(["--info", str(tmp_path / "no.mp4")]) == 3
    assert "There is no file" in capsys.readouterr().err
    assert main(["--info", str(tmp_path)]) == 3
    assert "cannot be read" in capsys.readouterr().err


def test_what_a_stranger_wrote_is_shown_as_one_plain_line_each(tmp_path, capsys):
    said = {"program": "x\x1b[2J\ny", "networks": [3, {"weights": ["w"], "skip": "perhaps"}]}
    (tmp_path / "s.json").write_text(json.dumps({"provenance": said}))
    assert main(["--info", str(tmp_path / "s.json")]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 8
