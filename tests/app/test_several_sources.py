"""Several sources beside each other without a window: what each writes, and what all do."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter

import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.headless import run_headless
from tests.support.cli_process import run_main
from tests.support.media import ROOT, count_by_opencv, write_clip
from tests.support.waiting import wait_until

FAST = ("--headless", "--input-size", "64x96")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 20)


@pytest.fixture
def run(capsys):
    """The command line in this process: its exit code, and what it prints."""

    def run(*line):
        code = run_headless(settings_from(build_parser().parse_args([*map(str, line), *FAST])))
        return code, capsys.readouterr()

    return run


def test_several_sources_run_beside_each_other_into_a_folder(clip, tmp_path):
    """One fails, the others do not; the exit code is the worst, each has a video and rows."""
    longer = write_clip(tmp_path / "longer.mp4", 30, size=(96, 64))
    wrong = tmp_path / "wrong.mp4"
    wrong.write_bytes(b"no video" * 99)
    out, rows = tmp_path / "out", tmp_path / "rows.jsonl"
    line = (str(clip), str(wrong), str(longer), "--grid", *FAST, "-o", f"{out}/")
    done = run_main(*line, "--data", str(rows), "--stats-json", str(tmp_path / "stats.json"))
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "Error: wrong.mp4 cannot be read" in done.stderr
    assert {each.name: count_by_opencv(each) for each in out.iterdir()} == {
        "clip.mp4": 20,
        "longer.mp4": 30,
    }
    assert [each.partition(":")[0] for each in done.stdout.splitlines()] == [
        "clip.mp4",
        "longer.mp4",
    ]
    found = [json.loads(each) for each in rows.read_text().splitlines()]
    assert Counter(each["source"] for each in found) == {"clip.mp4": 20, "longer.mp4": 30}
    assert not any(each["dropped"] for each in found)
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert stats["exit_code"] == 3
    assert [each["exit_code"] for each in stats["sources"]] == [0, 3, 0]


def test_two_of_one_name_get_a_file_each(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_clip(tmp_path / folder / "same.mp4", 5)
    clips = (str(tmp_path / "a" / "same.mp4"), str(tmp_path / "b" / "same.mp4"))
    done = run_main(*clips, "--grid", *FAST, "-o", f"{tmp_path}/out/")
    assert done.returncode == 0, done.stderr
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"same.mp4", "same-2.mp4"}


def test_one_source_alone_gets_a_video_in_the_folder_too(clip, tmp_path, run):
    code, said = run(clip, "--grid", "-o", f"{tmp_path}/out/")
    assert code == 0, said.err
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["clip.mp4"]


def test_an_error_names_its_source_once(clip, tmp_path, run):
    code, said = run(clip, tmp_path / "none.mp4", "--grid")
    assert code == 3
    (error,) = [line for line in said.err.splitlines() if line.startswith("Error")]
    assert error == f"Error: There is no file {tmp_path}/none.mp4: check the path."


def test_each_source_gets_its_own_folder_of_labels_and_file_of_objects(clip, tmp_path, run):
    (tmp_path / "b").mkdir()
    same = write_clip(tmp_path / "b" / "clip.mp4", 3)
    labels, objects = tmp_path / "labels", tmp_path / "objects.geojson"
    outputs = ("--save-labels", labels, "--objects", objects, "--classes", "sky,road")
    code, said = run(clip, "--grid", same, *outputs)  # names may stand apart
    assert code == 0, said.err
    assert {each.name: len(list(each.iterdir())) for each in labels.iterdir()} == {
        "clip": 20,
        "clip-2": 3,
    }
    for name, frames in (("clip", 20), ("clip-2", 3)):
        found = json.loads((tmp_path / f"objects-{name}.geojson").read_text())["features"]
        assert {each["properties"]["frame"] for each in found} <= set(range(frames))
    assert not objects.exists()


def test_what_would_be_replaced_of_any_source_is_said_before_any_work(clip, tmp_path):
    other = write_clip(tmp_path / "other.mp4", 3)
    (tmp_path / "objects-other.geojson").touch()
    line = (str(clip), str(other), "--grid", *FAST)
    done = run_main(*line, "--objects", str(tmp_path / "objects.geojson"))
    assert (done.returncode, done.stderr.count("objects-other.geojson")) == (5, 1)
    (tmp_path / "labels" / "other").mkdir(parents=True)
    (tmp_path / "labels" / "other" / "mine.png").touch()
    done = run_main(*line, "--save-labels", str(tmp_path / "labels"))
    assert (done.returncode, done.stderr.count("not empty")) == (5, 1)


def test_alerts_watch_all_sources_and_say_which(clip, tmp_path, run):
    other = write_clip(tmp_path / "other.mp4", 5)
    events, rows = tmp_path / "events.jsonl", tmp_path / "rows.csv"
    watched = ("--alert", "flat,construction,nature,sky,object,human,vehicle > 1%")
    code, said = run(clip, other, "--grid", *watched, "--events", events, "--data", rows)
    assert code == 0, said.err
    found = [json.loads(line) for line in events.read_text().splitlines()]
    assert Counter(each["source"] for each in found if each["event"] == "alert") == {
        "clip.mp4": 1,
        "other.mp4": 1,
    }
    assert len(re.findall(r"^other.mp4: Alert: .* of other.mp4", said.err, re.MULTILINE)) == 1
    # The files are of all sources, and named after none.
    assert len(re.findall("^Saved data of 25 frames: ", said.err, re.MULTILINE)) == 1
    assert len(re.findall("^Saved events of 2 alerts: ", said.err, re.MULTILINE)) == 1


def test_a_file_of_all_that_fails_ends_the_run(clip, tmp_path, run):
    other = write_clip(tmp_path / "other.mp4", 2000)
    code, said = run(clip, other, "--grid", "--data", tmp_path / "none" / "rows.csv")
    assert code == 5
    assert re.search("^Error: .*rows.csv", said.err, re.MULTILINE)
    assert "1980 of" not in said.err


def test_a_served_loop_goes_on_until_it_is_interrupted(clip):
    line = [sys.executable, str(ROOT / "main.py"), str(clip), *FAST, "--loop", "--serve", "0"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, **pipes) as program:
        url = program.stderr.readline().split()[-1]

        def processed():
            with urllib.request.urlopen(f"{url}stats.json", timeout=60) as answer:
                return json.load(answer)["sources"][0]["counters"]["processed"]

        wait_until(lambda: processed() > 50, "the third turn")
        program.send_signal(signal.SIGINT)
        said = program.communicate(timeout=120)
    assert program.returncode == 130
    assert "Traceback" not in said[1]
