"""What a run tells programs and bug reports."""

import json
import os
import re
from pathlib import Path

import pytest

from app.diagnostics import diagnostics
from tests.support.awkward_clips import make_clip, spoil
from tests.support.cli_process import run_main
from tests.support.media import SHARED, count_by_opencv, needs_clips, write_clip

FAST = ("--headless", "--input-size", "64x96")


def test_the_report_tells_what_became_of_every_frame(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", 12)
    out, report = tmp_path / "o.mp4", tmp_path / "s.json"
    done = run_main(str(clip), *FAST, "-o", str(out), "--stats-json", str(report))
    assert done.returncode == 0, done.stderr
    content = json.loads(report.read_text("utf-8"))
    counters = content["counters"]
    assert counters["captured"] == counters["processed"] == counters["recorded"] == 12
    assert counters["offered"] == counters["recorded"] + counters["not_recorded_total"]
    assert content["exit_code"] == 0
    assert content["source"]["name"] == "c.mp4"
    assert content["recordings"][0]["frames"] == 12 == count_by_opencv(out)
    assert "libx264" in content["recordings"][0]["encoder"]
    assert content["recordings"][0]["error"] == ""


@pytest.mark.parametrize("name", ["missing/s.json", "old.json"])
def test_a_report_that_cannot_be_written_is_said_before_any_work(tmp_path, name):
    (tmp_path / "old.json").write_text("precious")
    done = run_main("demo", *FAST, "--max-frames", "2", "--stats-json", str(tmp_path / name))
    assert done.returncode == 5
    assert done.stderr.startswith("Error: ")
    assert (tmp_path / "old.json").read_text() == "precious"


def test_a_damaged_file_ends_with_0_and_its_damage_said_once_and_reported(tmp_path):
    clip = spoil(make_clip(tmp_path / "d.avi", "mjpeg"), 12, 13, 40)
    out, report = tmp_path / "o.mp4", tmp_path / "s.json"
    done = run_main(str(clip), *FAST, "-o", str(out), "--stats-json", str(report))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("is damaged") == 1
    assert "d.avi is damaged: 3 of 60 frames could not be read (at 0.6, 2 s)." in done.stderr
    content = json.loads(report.read_text("utf-8"))
    assert content["counters"]["recorded"] == 57 == count_by_opencv(out)
    assert content["counters"]["unreadable"] == 3
    assert content["damage"] == [
        {"source": "d.avi", "start": 0.6, "end": 0.7, "missing": 2, "incomplete": 0},
        {"source": "d.avi", "start": 2.0, "end": 2.05, "missing": 1, "incomplete": 0},
    ]


def test_what_is_damaged_is_said_where_only_a_part_is_processed(tmp_path):
    clip = spoil(make_clip(tmp_path / "d.avi", "mjpeg"), 12)
    done = run_main(str(clip), *FAST, "--max-frames", "20")
    assert done.returncode == 0, done.stderr
    assert "d.avi is damaged: 1 frame could not be read (at 0.6 s)." in done.stderr


@needs_clips
def test_a_damaged_file_ends_with_0_a_notice_and_its_missing_frames_counted(tmp_path):
    clip = SHARED / "clips" / "odd" / "decord_corrupted.mp4"
    report = tmp_path / "s.json"
    done = run_main(str(clip), *FAST, "--stats-json", str(report))
    assert done.returncode == 0
    assert "is damaged" in done.stderr
    counters = json.loads(report.read_text("utf-8"))["counters"]
    assert counters["captured"] + counters["unreadable"] == 50
    assert f"{counters['unreadable']} could not be read" in done.stdout


def test_diagnostics_tell_versions_and_encoders_and_no_secrets(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("PYTHONPATH", os.path.join(str(Path.home()), "code"))
    text = diagnostics()
    for word in ("Python", "torch", "av", "FFmpeg libraries", "encoder libx264: works"):
        assert word in text
    for package in ("pillow", "onnx", "onnxruntime", "openvino"):
        assert re.search(rf"^  {package} (\d[\d.]*|is not installed)", text, re.MULTILINE)
    assert "hunter2" not in text
    assert str(Path.home()) not in text


def test_diagnostics_survive_what_is_broken(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    text = diagnostics()
    assert "not to be found out: " in text
    assert "encoder libx264: works" in text
