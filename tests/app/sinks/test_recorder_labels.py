"""Labels recorded without loss: read back, they are the very same, at the very same times."""

import av
import cv2
import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.core.events import EventBus
from app.errors import UsageError
from fastscnn.segmenter import Segmenter
from tests.support.cli_process import run_main
from tests.support.media import count_by_opencv, picture, read_clip, write_clip
from tests.support.recordings import record, recorder_for, reopened, result
from tests.support.waiting import PATIENCE, wait_until

STAMPS = [0.0, 0.011, 0.12, 0.1334, 1.75]


def _labels(index, size):
    rng = np.random.default_rng(index)
    return rng.integers(0, 256, size[::-1], dtype=np.uint8)


def _read(path):
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert {frame.format.name for frame in frames} == {"gray"}
    return [frame.time for frame in frames], [frame.to_ndarray() for frame in frames]


@pytest.mark.parametrize("size", [(160, 96), (161, 97), (1, 1), (33, 2)])
def test_labels_come_back_exactly_by_pyav_and_by_opencv(tmp_path, size):
    given = [_labels(i, size) for i in range(5)]
    shown = [
        result(picture(i, *size), stamp, index=i, labels=given[i]) for i, stamp in enumerate(STAMPS)
    ]
    path = tmp_path / "o.labels.mkv"
    events = EventBus()
    recorder = record(tmp_path / "o.mp4", shown, labels=path, events=events)
    assert recorder.error is None
    told = [events.get() for _ in range(events.qsize())]
    assert str(path) in told[-1].text
    times, labels = _read(path)
    assert times == pytest.approx(STAMPS, abs=1e-3)
    assert times == pytest.approx(reopened(tmp_path / "o.mp4")[0], abs=1e-3)
    assert all(np.array_equal(a, b) for a, b in zip(labels, given, strict=True))
    capture = cv2.VideoCapture(str(path))
    for expected in given:
        ok, image = capture.read()
        assert ok
        assert np.array_equal(image[..., 0], expected)


def test_labels_alone_can_be_recorded(tmp_path):
    path = tmp_path / "l.mkv"
    given = [_labels(i, (64, 48)) for i in range(3)]
    shown = [result(picture(i, 64, 48), i / 30, index=i, labels=given[i]) for i in range(3)]
    recorder = record(path, shown, labels=path)
    assert recorder.error is None
    assert all(np.array_equal(a, b) for a, b in zip(_read(path)[1], given, strict=True))
    assert [file.name for file in tmp_path.iterdir()] == ["l.mkv"]


def test_labels_of_another_size_are_fitted_in_between_unknown_ones(tmp_path):
    path = tmp_path / "l.mkv"
    wide, narrow = np.full((48, 64), 3, np.uint8), np.full((64, 32), 5, np.uint8)
    shown = [
        result(np.zeros((*labels.shape, 3), np.uint8), i / 30, index=i, labels=labels)
        for i, labels in enumerate((wide, narrow))
    ]
    record(path, shown, labels=path)
    _, (first, second) = _read(path)
    assert np.array_equal(first, wide)
    assert set(np.unique(second)) == {5, 255}
    assert (second[:, 20:44] == 5).all()


def test_a_kill_leaves_the_labels_before(tmp_path):
    path = tmp_path / "l.mkv"
    recorder = recorder_for(path, labels=path)
    recorder.start()
    for index in range(90):
        labels = _labels(index, (64, 48))
        recorder.put(
            result(picture(index, 64, 48), index / 30, index=index, labels=labels), wait=True
        )
    wait_until(lambda: recorder.frames == 90)
    (tmp_path / "killed.mkv").write_bytes(path.read_bytes())
    recorder.finish()
    recorder.join(PATIENCE)
    assert len(_read(tmp_path / "killed.mkv")[0]) >= 60


def test_one_of_two_files_that_cannot_be_made_leaves_no_other(tmp_path):
    recorder = recorder_for(tmp_path / "o.mp4", labels=tmp_path / "l.mkv")
    (tmp_path / "o.mp4").write_bytes(b"precious")
    recorder.start()
    recorder.put(result(picture(0), 0.0), wait=True)
    recorder.finish()
    recorder.join(PATIENCE)
    assert "exists by now" in str(recorder.error)
    assert [file.name for file in tmp_path.iterdir()] == ["o.mp4"]


def test_a_name_that_is_no_matroska_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.mkv"):
        recorder_for(tmp_path / "o.mp4", labels=tmp_path / "l.mp4")


@pytest.mark.parametrize("name", ["l.mp4", "l.PNG"])
def test_a_name_of_another_kind_is_not_taken_for_a_folder(tmp_path, name):
    arguments = build_parser().parse_args(["demo", "--save-labels", str(tmp_path / name)])
    with pytest.raises(UsageError, match=r"name a \.mkv"):
        settings_from(arguments)


def test_the_program_saves_the_labels_that_the_network_gives(tmp_path):
    clip = write_clip(tmp_path / "c.mkv", 4, codec="ffv1")
    path = tmp_path / "l.mkv"
    done = run_main(
        str(clip), "--headless", "--device", "cpu", "--input-size", "64x96",
        "--save-labels", str(path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, labels = _read(path)
    assert count_by_opencv(path) == 4
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size=(64, 96))
    for image, saved in zip(read_clip(clip)[1], labels, strict=True):
        assert np.array_equal(segmenter(image), saved)
