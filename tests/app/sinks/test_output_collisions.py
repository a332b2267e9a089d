"""No output of the program replaces what it reads, or another of its outputs."""

import os
import signal

import cv2
import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.cli.launcher import main
from app.errors import OutputError
from app.gui.application import run_window
from app.gui.window.saved_state import SavedState
from app.sinks.output_collisions import check_collisions
from fastscnn.checkpoints.model_zoo import default_checkpoint
from tests.support.cli_process import Started
from tests.support.media import picture, write_clip


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A clip, pictures, a checkpoint and names for them all, in the current folder."""
    write_clip(tmp_path / "base.mp4", 3)
    write_clip(tmp_path / "next.mp4", 3)
    for name in ("pics/1.png", "pics/2.png", "tree/labels/1.png", "tree/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(tmp_path / name), np.ascontiguousarray(picture(1)))
    for name in ("w.pth", "b.pth", "w.mp4"):
        (tmp_path / name).write_bytes(default_checkpoint().read_bytes())
    for name in ("keys.json", "p.json", "net.json", "net.onnx", "base.mp4.bookmarks.json"):
        (tmp_path / name).write_text("{}")
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).write_text("not one")
    (tmp_path / "run.toml").write_text('source = ["base.mp4"]')
    for link, target in (("link.mp4", "base.mp4"), ("link.png", "pics/1.png")):
        (tmp_path / link).symlink_to(tmp_path / target)
    os.link(tmp_path / "base.mp4", tmp_path / "hard.mp4")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "000000.png").symlink_to(tmp_path / "base.mp4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


REFUSED = [
    "base.mp4 --save-labels l.mkv --stats-json l.mkv",
    "base.mp4 -o o.mp4 --stats-json o.mp4",
    "base.mp4 -o o.mp4 --stats-json ./out/../o.mp4",
    "base.mp4 --stats-json link.mp4 --overwrite",
    "base.mp4 --stats-json hard.mp4 --overwrite",
    "base.mp4 -o hard.mp4 --overwrite",
    "base.mp4 -o link.mp4 --overwrite",
    "base.mp4 -o out/ --overwrite",
    "base.mp4 --save-labels out --overwrite",
    "pics --stats-json pics/1.png --overwrite",
    "pics/*.png --stats-json pics/2.png --overwrite",
    "pics/1.png --stats-json link.png --overwrite",
    "pics --stats-json x/1.png -o x/",
    "tree/**/*.png -o y/ --save-labels y/labels --overwrite",
    "base.mp4 --weights w.pth --stats-json w.pth --overwrite",
    "base.mp4 --weights-b b.pth --stats-json b.pth --overwrite",
    "base.mp4 --weights w.mp4 -o w.mp4 --overwrite",
    "base.mp4 --keys keys.json --stats-json keys.json --overwrite",
    "demo --stats-json {shipped} --overwrite",
    "--config run.toml --stats-json run.toml --overwrite",
    "base.mp4 --palette p.json --stats-json p.json --overwrite",
    "base.mp4 --weights net.onnx --stats-json net.json --overwrite",
    "base.mp4 --stats-json base.mp4.bookmarks.json --overwrite",
    "demo --serve 0 --serve-cert c.pem --serve-key k.pem --stats-json k.pem --overwrite",
]


@pytest.mark.parametrize("line", REFUSED)
def test_what_would_replace_something_is_refused_before_any_work(place, line, capsys):
    (place / "x").mkdir()
    (place / "y" / "labels").mkdir(parents=True)
    before = contents(place)
    words = line.format(shipped=default_checkpoint()).split()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert main([*words, "--headless", "--max-frames", "1"]) in {2, 5}
    finally:
        signal.signal(signal.SIGTERM, handler)
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert contents(place) == before


@pytest.mark.parametrize(
    "line",
    [
        "base.mp4 next.mp4 -o next.mp4 --overwrite",
        "base.mp4 pics --stats-json pics/2.png --overwrite",
        ". -o base.mp4 --overwrite",
    ],
)
def test_every_entry_of_a_playlist_is_an_input(place, line):
    with pytest.raises(OutputError, match="is what is being read"):
        check_collisions(settings_from(build_parser().parse_args(line.split())))


@pytest.mark.parametrize(
    "line",
    [
        "base.mp4 -o new.mp4 --save-labels l.mkv --stats-json r.json",
        "pics -o new/ --save-labels new/labels --stats-json new/r.json",
        "gone.mp4 --stats-json base.mp4 --overwrite",
        "rtsp://host/x --stats-json w.pth --overwrite",
        "base.mp4 --stats-json /dev/null --overwrite",
        "base.mp4 --weights resnet --stats-json r.json",
    ],
)
def test_what_collides_with_nothing_is_let_through(place, line):
    check_collisions(settings_from(build_parser().parse_args(line.split())))


def test_the_window_counts_the_weights_that_it_kept(place, monkeypatch):
    monkeypatch.setenv("FASTSCNN_CONFIG", str(place / "config"))
    kept = SavedState(place / "config" / "settings.ini")
    kept._profile.set("network/weights", str(place / "w.pth"))
    kept.sync()
    words = ["base.mp4", "--stats-json", "w.pth", "--overwrite"]
    with pytest.raises(OutputError, match=r"w\.pth is what is being read"):
        run_window(settings_from(build_parser().parse_args(words)))


def test_the_benchmark_does_not_write_over_its_clip(place):
    with Started("base.mp4", "--json", "link.mp4", module="app.benchmark") as command:
        done = command.finish()
    assert (done.returncode, done.stdout) == (5, "")
    assert "is what is being read" in done.stderr
