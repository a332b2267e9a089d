import os
import struct
import subprocess
import sys
import threading

import av
import numpy as np
import pytest

from app.errors import OutputError
from app.pipeline.recorder import Recorder, recording_path
from app.pipeline.stats import Stats
from tests.media import ROOT, count_by_opencv, picture, read_clip


def _record(path, stamps, *, size=(160, 96), rate=30.0, pictures=None):
    closed = threading.Event()
    recorder = Recorder(path, rate=lambda: rate, stats=Stats(), closed=lambda _: closed.set())
    recorder.start()
    for index, stamp in enumerate(stamps):
        image = pictures[index] if pictures else picture(index, *size)
        assert recorder.put(image, stamp, wait=True)
    recorder.finish()
    recorder.join(20)
    assert closed.is_set()
    return recorder


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
    recorder = _record(path, stamps)
    times, _ = read_clip(path)
    assert times == pytest.approx(stamps, abs=1e-3)
    assert recorder.frames == len(stamps) == count_by_opencv(path)


def test_stamps_that_stand_still_or_go_back_do_not_end_the_recording(tmp_path):
    path = tmp_path / "b.mp4"
    recorder = _record(path, [0.0, 0.1, 0.1, 0.05, 0.2])
    assert recorder.error is None
    times, _ = read_clip(path)
    assert len(times) == 5
    assert times == sorted(times)


@pytest.mark.parametrize("size", [(161, 96), (160, 97), (467, 333), (1, 1), (33, 2)])
def test_odd_sizes_are_recorded_whole(tmp_path, size):
    path = tmp_path / "odd.mp4"
    recorder = _record(path, [i / 30 for i in range(5)], size=size)
    assert recorder.error is None, recorder.error
    _, images = read_clip(path)
    assert len(images) == 5 == count_by_opencv(path)
    height, width = images[0].shape[:2]
    assert (width - size[0], height - size[1]) == (size[0] % 2, size[1] % 2)


def test_colours_survive(tmp_path):
    flat = [np.full((96, 160, 3), color, np.uint8) for color in ((128, 64, 128), (70, 130, 180))]
    path = tmp_path / "c.mp4"
    _record(path, [0, 0.1], pictures=flat)
    _, images = read_clip(path)
    for given, got in zip(flat, images, strict=True):
        assert np.abs(got.astype(int) - given).max() <= 6


def test_the_colour_matrix_is_named_in_the_file(tmp_path):
    _record(tmp_path / "c.mp4", [0.0])
    with av.open(str(tmp_path / "c.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (1, 1)


def test_a_finished_recording_is_an_ordinary_mp4(tmp_path):
    path = tmp_path / "o.mp4"
    _record(path, [i / 30 for i in range(70)])
    kinds = _top_level_boxes(path.read_bytes())
    assert kinds.count("moov") == 1
    assert "moof" not in kinds


def test_a_picture_of_another_size_on_the_way_does_not_end_the_recording(tmp_path):
    pictures = [picture(0), picture(1), picture(2, 80, 200)]
    recorder = _record(tmp_path / "s.mp4", [0, 0.1, 0.2], pictures=pictures)
    assert recorder.error is None
    assert count_by_opencv(tmp_path / "s.mp4") == 3


KILLED = """
import sys
from pathlib import Path
from app.pipeline.recorder import Recorder
from app.pipeline.stats import Stats
from tests.media import picture
recorder = Recorder(Path(sys.argv[1]), rate=lambda: 30, stats=Stats(), closed=print)
recorder.start()
index = 0
while True:
    recorder.put(picture(index, 320, 192), index / 30, wait=True)
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
    times, _ = read_clip(path)
    # A second is one group of 30; a few frames more may be on their way through the encoder.
    assert len(times) >= encoded - 30 - 6
    assert count_by_opencv(path) == len(times)
    assert times == pytest.approx([i / 30 for i in range(len(times))], abs=1e-3)


def test_nothing_recorded_leaves_no_file(tmp_path):
    recorder = _record(tmp_path / "n.mp4", [])
    assert recorder.frames == 0
    assert not (tmp_path / "n.mp4").exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x.txt", r"must end in \.mp4"),
        ("missing/x.mp4", "no folder"),
        ("old.mp4", "exists"),
        ("folder.mp4", "is a folder"),
    ],
)
def test_a_place_that_cannot_be_recorded_to_is_refused_before_any_work(tmp_path, name, sentence):
    (tmp_path / "old.mp4").write_bytes(b"precious")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match=sentence):
        Recorder(tmp_path / name, rate=lambda: 30, stats=Stats(), closed=lambda _: None)
    assert (tmp_path / "old.mp4").read_bytes() == b"precious"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_disk_that_is_full_is_said_in_a_sentence(tmp_path):
    ended = threading.Event()
    path = tmp_path / "full.mp4"
    path.symlink_to("/dev/full")
    recorder = Recorder(
        path, rate=lambda: 30, stats=Stats(), closed=lambda _: ended.set(), overwrite=True
    )
    recorder.start()
    for index in range(100):
        if not recorder.put(picture(index), index / 30, wait=True):
            break
    recorder.finish()
    recorder.join(20)
    assert ended.is_set()
    assert recorder.error is not None
    assert "No space left" in str(recorder.error)


def test_names_of_recordings_never_meet(tmp_path):
    first = recording_path(tmp_path)
    first.touch()
    assert not recording_path(tmp_path).exists()
    assert first.suffix == ".mp4"
