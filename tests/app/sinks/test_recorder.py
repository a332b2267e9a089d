import os
import struct
import subprocess
import sys

import av
import numpy as np
import pytest

from app.config.value_parsers import check_pattern
from app.errors import OutputError, UsageError
from app.sinks.recording.file_naming import recording_path
from app.sources.source_spec import SourceSpec
from tests.support.media import ROOT, picture
from tests.support.recordings import record, recorder_for, reopened, result, results
from tests.support.waiting import PATIENCE


def _top_level_boxes(content):
    kinds, at = [], 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, at + 8)
        kinds.append(kind.decode())
        at += size or len(content)
    return kinds


def test_stamps_are_those_of_the_source_even_when_uneven(tmp_path):
    stamps = [0.0, 0.011, 0.12, 0.13, 0.5, 0.5334, 1.75]
    path = tmp_path / "v.mp4"
    recorder = record(path, results(stamps))
    times, _ = reopened(path)
    assert times == pytest.approx(stamps, abs=1e-3)
    assert recorder.frames == len(stamps)


def test_stamps_that_stand_still_or_go_back_do_not_end_the_recording(tmp_path):
    path = tmp_path / "b.mp4"
    recorder = record(path, results([0.0, 0.1, 0.1, 0.05, 0.2, 0.3]))
    assert recorder.error is None
    times, _ = reopened(path)
    assert len(times) == 6
    # The source catches up: nothing is shifted for good.
    assert times[-2:] == pytest.approx([0.2, 0.3], abs=1e-3)


def test_a_recording_begun_in_the_middle_begins_at_zero(tmp_path):
    path = tmp_path / "m.mp4"
    middle = [result(picture(i), 12.3 + i / 30, index=100 + i) for i in range(4)]
    record(path, middle)
    assert reopened(path)[0] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30], abs=1e-3)


def test_a_file_recorded_from_its_start_keeps_the_time_of_its_first_frame(tmp_path):
    path = tmp_path / "l.mp4"
    record(path, results([0.4, 0.5, 0.6]))
    assert reopened(path)[0] == pytest.approx([0.4, 0.5, 0.6], abs=1e-3)


@pytest.mark.parametrize("there", [0.0, 300.0, 1.02])
def test_a_jump_of_the_source_leaves_no_gap_in_the_recording(tmp_path, there):
    path = tmp_path / "j.mp4"
    before = [result(picture(i), 1 + i / 25, index=i) for i in range(5)]
    after = [result(picture(i), there + i / 25, index=5 + i, segment=(1, 1)) for i in range(5)]
    record(path, before + after, rate=25)
    times, _ = reopened(path)
    assert np.diff(times) == pytest.approx([1 / 25] * 9, abs=1e-3)


def test_a_loop_without_a_mark_and_damaged_stamps_leave_no_gap_either(tmp_path):
    path = tmp_path / "w.mp4"
    stamps = [0.0, 0.1, 5.0, 0.0, 0.1, 90000.0, 90000.1, float("nan"), 90000.3]
    record(path, results(stamps), rate=10)
    steps = np.diff(reopened(path)[0])
    assert steps == pytest.approx([0.1, 4.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], abs=1e-3)


@pytest.mark.parametrize("size", [(161, 96), (160, 97), (467, 333), (1, 1), (33, 2)])
def test_odd_sizes_are_recorded_whole(tmp_path, size):
    path = tmp_path / "odd.mp4"
    recorder = record(path, results([i / 30 for i in range(5)], size))
    assert recorder.error is None, recorder.error
    _, images = reopened(path)
    assert len(images) == 5
    height, width = images[0].shape[:2]
    assert (width - size[0], height - size[1]) == (size[0] % 2, size[1] % 2)


def test_colours_survive(tmp_path):
    flat = [np.full((96, 160, 3), color, np.uint8) for color in ((128, 64, 128), (70, 130, 180))]
    path = tmp_path / "c.mp4"
    record(path, [result(image, i / 10) for i, image in enumerate(flat)])
    _, images = reopened(path)
    for given, got in zip(flat, images, strict=True):
        assert np.abs(got.astype(int) - given).max() <= 6


def test_the_colour_matrix_is_named_in_the_file(tmp_path):
    record(tmp_path / "c.mp4", results([0.0]))
    with av.open(str(tmp_path / "c.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (1, 1)


def test_a_finished_recording_is_an_ordinary_mp4(tmp_path):
    path = tmp_path / "o.mp4"
    record(path, results([i / 30 for i in range(70)]))
    kinds = _top_level_boxes(path.read_bytes())
    assert kinds.count("moov") == 1
    assert "moof" not in kinds


def test_pictures_of_another_size_are_fitted_in_between_bars_and_this_is_said(tmp_path):
    path, said = tmp_path / "s.mp4", []
    white = np.full((200, 80, 3), 255, np.uint8)
    pictures = [picture(0), white, white, picture(3)]
    recorder = record(
        path, [result(image, i / 10) for i, image in enumerate(pictures)], say=said.append
    )
    assert recorder.error is None
    _, images = reopened(path)
    assert [image.shape for image in images] == [(96, 160, 3)] * 4
    assert images[1][:, :55].max() < 12
    assert images[1][:, 66:94].min() > 240
    assert np.abs(images[3].astype(int) - pictures[3]).mean() < 8
    assert "80×200" in said[0]
    assert len(said) == 2  # there and back


KILLED = """
import sys
from pathlib import Path
from tests.support.media import picture
from tests.support.recordings import recorder_for, result
recorder = recorder_for(Path(sys.argv[1]))
recorder.start()
index = 0
while True:
    recorder.put(result(picture(index, 320, 192), index / 30), wait=True)
    index += 1
    print(recorder.frames, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is for POSIX systems")
@pytest.mark.parametrize("frames", [75, 161])
def test_a_kill_loses_at_most_about_the_last_second(tmp_path, frames):
    path = tmp_path / "k.mp4"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        encoded = 0
        while encoded < frames:
            encoded = int(process.stdout.readline())
        process.kill()
    times, _ = reopened(path)
    # A second is one group of 30; a few frames more may be on their way through the encoder.
    assert len(times) >= encoded - 30 - 6
    assert times == pytest.approx([i / 30 for i in range(len(times))], abs=1e-3)


def test_nothing_recorded_leaves_no_file(tmp_path):
    recorder = record(tmp_path / "n.mp4", [])
    assert recorder.frames == 0
    assert not (tmp_path / "n.mp4").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing/x.mp4", "no folder"),
        ("old.mp4", "exists"),
        ("folder.mp4", "is a folder"),
    ],
)
def test_a_place_that_cannot_be_recorded_to_is_refused_before_any_work(tmp_path, name, sentence):
    (tmp_path / "old.mp4").write_bytes(b"precious")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match=sentence):
        recorder_for(tmp_path / name)
    assert (tmp_path / "old.mp4").read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["x.txt", "x", "x.mkv"])
def test_a_name_that_says_no_recording_is_wrong_use(tmp_path, name):
    with pytest.raises(UsageError, match=r"must end in \.mp4"):
        recorder_for(tmp_path / name)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_disk_that_is_full_is_said_in_a_sentence(tmp_path):
    path = tmp_path / "full.mp4"
    path.symlink_to("/dev/full")
    recorder = record(path, results([i / 30 for i in range(100)]), overwrite=True)
    assert recorder.error is not None
    assert "No space left" in str(recorder.error)
    assert "make room" in str(recorder.error)


def test_a_file_that_appears_in_the_meantime_is_not_overwritten(tmp_path):
    path = tmp_path / "late.mp4"
    recorder = recorder_for(path)
    path.write_bytes(b"precious")
    recorder.start()
    recorder.put(result(picture(0), 0.0), wait=True)
    recorder.finish()
    recorder.join(PATIENCE)
    assert "exists by now" in str(recorder.error)
    assert path.read_bytes() == b"precious"


def test_names_of_recordings_never_meet(tmp_path):
    first = recording_path(tmp_path)
    first.touch()
    assert not recording_path(tmp_path).exists()
    assert first.suffix == ".mp4"


@pytest.mark.parametrize(
    ("source", "start"),
    [
        (
            SourceSpec("file", "/videos/Ünter den Linden 100%.final.mkv"),
            "Ünter-den-Linden-100-.final-",
        ),
        (SourceSpec("camera", "0"), "camera-0-"),
        (SourceSpec("demo"), "demo-street-"),
        (SourceSpec("file", "/videos/" + "x" * 250 + ".mp4"), "x" * 80 + "-"),
    ],
)
def test_a_name_tells_the_source_and_the_time(tmp_path, source, start):
    path = recording_path(tmp_path, source)
    assert path.name.startswith(start)
    assert path.name.endswith(".mp4")
    path.touch()


@pytest.mark.parametrize(
    "pattern", ["{user}.mp4", "{date.year}.mp4", "{date:%Y}.mp4", "{date", "a/{date}.mp4", "{date}"]
)
def test_a_pattern_that_names_nothing_is_refused(pattern):
    with pytest.raises(UsageError):
        check_pattern(pattern)
