import json

import pytest

from app.benchmark import baseline_loop as plain
from app.benchmark import throughput as benchmark
from app.sources.source_spec import parse_source
from tests.support.awkward_clips import make_clip, spoil
from tests.support.media import count_by_opencv, read_clip, write_clip


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "clip.mp4", 12)


def test_the_plain_loop_annotates_every_frame(clip, tmp_path, capsys):
    out = tmp_path / "plain.mp4"
    assert plain.main([str(clip), str(out), "--input-size", "64x96"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["frames"] == 11  # the first is not counted
    assert count_by_opencv(out) == 12
    before, after = read_clip(clip)[1][5], read_clip(out)[1][5]
    assert abs(before.astype(int) - after).mean() > 5


def test_the_report_holds_every_stage_the_run_and_the_plain_loop(clip, tmp_path, capsys):
    file = tmp_path / "report.json"
    arguments = [str(clip), "--input-size", "64x96", "--frames", "8", "--rounds", "1"]
    assert benchmark.main([*arguments, "--json", str(file)]) == 0
    report = json.loads(file.read_text())
    assert list(report["alone"]) == ["decode", "network", "overlay", "encode"]
    assert {"network", "labels", "overlay", "encode"} <= report["stages"].keys()
    assert report["ratio"] == pytest.approx(report["together"] / report["plain"])
    slowest = min(report["alone"].values())
    assert report["of_slowest"] == pytest.approx(report["together"] / slowest)
    assert report["cpu"] > 0
    out = capsys.readouterr().out
    assert "plain loop" in out
    assert "of processor time per frame" in out
    assert str(tmp_path) not in file.read_text()


def test_decoding_keeps_the_last_frames_only(tmp_path):
    clip = write_clip(tmp_path / "long.mp4", 60)
    held = benchmark.decode(parse_source(str(clip)), 50)
    assert [frame.index for frame in held] == list(range(18, 50))


@pytest.mark.parametrize(("name", "codec"), [("one.mp4", "libx264"), ("one.mkv", "ffv1")])
def test_a_clip_of_one_frame_is_refused_as_too_short(tmp_path, capsys, name, codec):
    clip = write_clip(tmp_path / name, 1, codec=codec)
    assert benchmark.main([str(clip), "--input-size", "64x96"]) == 3
    assert "has only one frame: choose a clip of two or more" in capsys.readouterr().err
    assert plain.main([str(clip), str(tmp_path / "x.mp4"), "--input-size", "64x96"]) == 3
    assert "has only one frame" in capsys.readouterr().err


def test_a_clip_shorter_than_asked_is_measured_on_its_own_frames(tmp_path, capsys):
    clip = write_clip(tmp_path / "two.mp4", 2)
    file = tmp_path / "report.json"
    arguments = [str(clip), "--input-size", "64x96", "--rounds", "1", "--json", str(file)]
    assert benchmark.main(arguments) == 0
    assert json.loads(file.read_text())["frames"] == 2
    assert "; 2 frames" in capsys.readouterr().out


def test_a_clip_that_is_not_there_is_told_in_a_sentence(capsys):
    assert benchmark.main(["nosuch.mp4", "--frames", "4", "--rounds", "1"]) == 3
    assert "nosuch.mp4" in capsys.readouterr().err
    assert plain.main(["nosuch.mp4", "x.mp4"]) == 3
    assert "nosuch.mp4 cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["demo", "0", "http://127.0.0.1:9/clip.mp4"])
def test_what_is_no_file_is_refused_before_any_work(source, capsys):
    assert benchmark.main([source]) == 2
    assert f"{source} is no video file" in capsys.readouterr().err


def test_a_damaged_clip_is_measured_on_what_can_be_read(tmp_path):
    clip = spoil(make_clip(tmp_path / "d.avi", "mjpeg", 20), 4)
    held = benchmark.decode(parse_source(str(clip)), 20)
    assert len(held) == 19
