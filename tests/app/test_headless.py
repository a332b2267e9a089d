"""The program as a user runs it without a window, in a process of its own."""

import os
import re
import signal
import subprocess
import sys

import av
import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.cli.launcher import main
from app.headless import run_headless
from tests.support.cli_process import Started, run_main
from tests.support.media import (
    ROOT,
    SHARED,
    count_by_opencv,
    needs_clips,
    read_clip,
    write_clip,
)
from tests.support.waiting import PATIENCE, wait_until

FAST = ("--headless", "--input-size", "64x96")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 20)


def _assert_one_sentence(done, exit_code):
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.strip()]) == 1, done.stderr
    assert done.stderr.startswith("Error: ")


def test_a_clip_becomes_an_annotated_mp4_with_its_own_stamps_and_qt_is_not_needed(clip, tmp_path):
    code = (
        "import runpy, sys; sys.modules['PyQt6'] = None;"
        f" runpy.run_path({str(ROOT / 'main.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(clip), *FAST, "-o", str(tmp_path / "out.mp4")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "20 frames in" in done.stdout
    assert "fps end to end" in done.stdout
    for stage in ("capture", "network", "labels", "overlay", "encode"):
        assert stage in done.stdout
    times, images = read_clip(tmp_path / "out.mp4")
    given, plain = read_clip(clip)
    assert times == pytest.approx(given, abs=1e-3)
    assert images[0].shape == plain[0].shape
    assert np.abs(images[5].astype(int) - plain[5]).mean() > 10  # something was drawn
    assert count_by_opencv(tmp_path / "out.mp4") == 20


def test_a_run_that_writes_nothing_says_so(clip, tmp_path):
    done = run_main(str(clip), *FAST)
    assert done.returncode == 0
    assert "20 frames in" in done.stdout
    assert "Nothing was written: -o FILE keeps a video" in done.stderr
    done = run_main(str(clip), *FAST, "--data", str(tmp_path / "d.csv"))
    assert "Nothing was written" not in done.stderr


def test_uneven_stamps_and_odd_sizes_are_kept(tmp_path):
    stamps = [0.0, 0.03, 0.031, 0.2, 0.9]
    write_clip(tmp_path / "v.mkv", stamps, size=(161, 97), codec="ffv1")
    done = run_main(str(tmp_path / "v.mkv"), *FAST, "-o", str(tmp_path / "o.mp4"))
    assert done.returncode == 0, done.stderr
    times, images = read_clip(tmp_path / "o.mp4")
    assert times == pytest.approx(stamps, abs=2e-3)  # Matroska counts in milliseconds
    assert images[0].shape == (98, 162, 3)


def test_without_the_skip_connection_the_picture_differs(clip, tmp_path):
    for name, extra in (("on", ()), ("off", ("--no-skip",))):
        assert (
            run_main(str(clip), *FAST, *extra, "-o", str(tmp_path / f"{name}.mp4")).returncode == 0
        )
    on, off = (read_clip(tmp_path / f"{name}.mp4")[1][3].astype(int) for name in ("on", "off"))
    assert np.abs(on - off).mean() > 0.1


def test_alpha_0_records_the_plain_picture(clip, tmp_path):
    run_main(str(clip), *FAST, "--alpha", "0", "-o", str(tmp_path / "o.mp4"))
    plain, out = read_clip(clip)[1][4], read_clip(tmp_path / "o.mp4")[1][4]
    assert np.abs(out.astype(int) - plain).mean() < 6


def test_the_demo_street_ends_after_max_frames(tmp_path):
    done = run_main("demo", *FAST, "--max-frames", "5", "-o", str(tmp_path / "d.mp4"))
    assert done.returncode == 0, done.stderr
    assert read_clip(tmp_path / "d.mp4")[0] == pytest.approx([i / 30 for i in range(5)], abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["nosuch.mp4"], 3),
        (["--camera", "97"], 3),
        (["demo", "--weights", "nosuch.pth"], 4),
        (["demo", "--device", "cuda:77"], 2),
        (["demo", "--width", "640"], 2),
        ([], 2),
        (["demo", "-o", "nosuchfolder/out.mp4"], 5),
        (["demo", "-o", "out.txt"], 2),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(arguments, exit_code):
    _assert_one_sentence(run_main(*arguments, "--headless"), exit_code)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--alpha", "2"],
        ["--alpha", "nan"],
        ["--input-size", "8x8"],
        ["--max-frames", "0"],
        ["--camera", "-1"],
        ["--camera", "0", "--demo"],
        ["--nonsense"],
        ["--start", "1:99", "a.mp4"],
        ["a.mp4", "b.mp4"],
    ],
)
def test_wrong_arguments_are_refused_with_exit_code_2(arguments):
    done = run_main("--headless", *arguments)
    _assert_one_sentence(done, 2)


def test_an_existing_file_is_not_overwritten_unasked(clip, tmp_path):
    out = tmp_path / "old.mp4"
    out.write_bytes(b"precious")
    _assert_one_sentence(run_main(str(clip), *FAST, "-o", str(out)), 5)
    assert out.read_bytes() == b"precious"
    assert run_main(str(clip), *FAST, "-o", str(out), "--overwrite").returncode == 0
    assert count_by_opencv(out) == 20


@pytest.mark.parametrize("link", [False, True])
def test_a_clip_is_never_recorded_over_itself(tmp_path, link):
    source = write_clip(tmp_path / "clip.mp4", 12)
    before = source.read_bytes()
    target = source
    if link:
        target = tmp_path / "link.mp4"
        target.symlink_to(source)
    _assert_one_sentence(run_main(str(source), *FAST, "-o", str(target), "--overwrite"), 5)
    assert source.read_bytes() == before


def test_the_last_frame_lasts_as_long_as_the_source_says(tmp_path):
    write_clip(tmp_path / "slow.mp4", 10, rate=5)
    run_main(str(tmp_path / "slow.mp4"), *FAST, "-o", str(tmp_path / "o.mp4"))
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert container.duration / av.time_base == pytest.approx(2.0, abs=0.02)


def test_help_begins_with_examples_and_shows_the_common_arguments_alone(capsys):
    short, whole = (_help(flag, capsys) for flag in ("--help", "--help-all"))
    assert short.splitlines()[0].startswith("usage: fastscnn-live [SOURCE ...]")
    assert short.index("examples:") < short.index("--input-size")
    assert "--help-all" in short
    assert "--on-switch" not in short
    assert "--on-switch" in whole
    assert 3 * len(short.splitlines()) < 2 * len(whole.splitlines())


def _help(flag, capsys):
    with pytest.raises(SystemExit):
        main([flag])
    return capsys.readouterr().out


@pytest.mark.parametrize(("flag", "said"), [("--help", "examples:"), ("--version", "Fast-SCNN")])
def test_help_and_version_do_not_wait_for_torch_or_qt(flag, said, capsys):
    code = (
        "import sys; sys.modules |= dict.fromkeys(('torch', 'PyQt6'));"
        f" from app.cli.launcher import main; main([{flag!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said in done.stdout


ENDLESS = ("--loop", "--max-frames", "99999")


@pytest.fixture
def endless(tmp_path):
    """A small clip whose frames take some room in a recording."""
    noise = np.random.default_rng(0).integers(0, 256, (5, 96, 160, 3)).astype(np.uint8)
    return write_clip(tmp_path / "noise.mp4", 60, pictures=list(noise))


def _wait_for_size(path, size, process):
    def grown():
        assert process.poll() is None, process.errors
        return path.exists() and path.stat().st_size >= size

    wait_until(grown, "the recording")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_leaves_a_finished_file(endless, tmp_path, name):
    out = tmp_path / "o.mp4"
    with Started(str(endless), *FAST, *ENDLESS, "-o", str(out)) as process:
        _wait_for_size(out, 30_000, process)
        process.send_signal(getattr(signal, name))
        done = process.finish()
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    times, _ = read_clip(out)
    assert len(times) == count_by_opencv(out) > 5
    assert f"Saved {len(times)} frames" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_run_leaves_a_playable_file_that_lacks_at_most_the_last_second(endless, tmp_path):
    out = tmp_path / "o.mp4"
    with Started(str(endless), *FAST, *ENDLESS, "-o", str(out)) as process:
        _wait_for_size(out, 600_000, process)
        process.send_signal(signal.SIGKILL)
    times, _ = read_clip(out)
    assert len(times) >= 30
    assert count_by_opencv(out) == len(times)


@needs_clips
def test_a_real_clip_keeps_all_221_stamps(tmp_path):
    clip = SHARED / "clips" / "udacity_solidWhiteRight.mp4"
    done = run_main(
        str(clip), "--headless", "--input-size", "quarter", "-o", str(tmp_path / "o.mp4")
    )
    assert done.returncode == 0, done.stderr
    with av.open(str(clip)) as container:
        given = [f.time for f in container.decode(video=0)]
    times, _ = read_clip(tmp_path / "o.mp4")
    assert len(times) == 221
    assert times == pytest.approx(given, abs=1e-3)


class _Clock:
    """A clock that goes on by some seconds whenever somebody looks."""

    def __init__(self, step):
        self.step, self.time = step, 0.0

    def __call__(self):
        self.time += self.step
        return self.time


def _lines(clip, capsys, step, *more):
    words = [str(clip), *FAST, "--device", "cpu", *more]
    assert run_headless(settings_from(build_parser().parse_args(words)), now=_Clock(step)) == 0
    said = capsys.readouterr().err
    return re.findall(r"^((?:\d+:)?\d+:\d\d): (.*)$", said, re.M)


@pytest.mark.parametrize("more", [(), ("--max-frames", "7")])
def test_a_log_gets_a_line_every_half_minute(clip, capsys, more):
    lines = _lines(clip, capsys, 10, *more)
    at = [60 * int(time[:-3]) + int(time[-2:]) for time, _ in lines]
    assert len(at) >= 1
    assert at == [30 * (i + 1) for i in range(len(at))]
    total = 7 if more else 20
    kinds = rf"loading the network|opening the source|\d+ of {total} frames, \d+\.\d per second"
    assert all(re.fullmatch(kinds, text) for _, text in lines)


def test_a_run_that_takes_less_than_half_a_minute_says_no_more_than_before(clip, capsys):
    assert _lines(clip, capsys, 0.0) == []


def test_on_a_terminal_there_is_a_bar_and_no_lines(clip, capsys, monkeypatch):
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True, raising=False)
    assert _lines(clip, capsys, 10) == []
