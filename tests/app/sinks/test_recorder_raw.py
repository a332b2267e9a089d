"""The picture as it came, beside the recording of what is shown."""

from dataclasses import replace

import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.config.settings import EncoderChoice
from app.errors import OutputError, UsageError
from app.rendering.view_options import ViewOptions
from tests.support.cli_process import run_main
from tests.support.media import picture, read_clip, write_clip
from tests.support.recordings import record, recorder_for, reopened, result

STAMPS = [0.0, 0.04, 0.11, 0.2]


def _drawn(index, stamp, size=(96, 64)):
    """A result that shows something else than the frame that it is of."""
    seen = result(picture(index, *size), stamp, index=index)
    return replace(seen, sides=(np.zeros((size[1], size[0], 3), np.uint8),))


@pytest.mark.parametrize("codec", ["h264", "av1"])
def test_both_pictures_are_recorded_with_the_same_stamps(tmp_path, codec):
    shown = [_drawn(i, stamp) for i, stamp in enumerate(STAMPS)]
    path, raw = tmp_path / "o.mp4", tmp_path / "o.raw.mp4"
    recorder = record(path, shown, raw=raw, choice=EncoderChoice(codec))
    assert recorder.error is None
    times, images = reopened(path)
    raw_times, raw_images = reopened(raw)
    assert times == raw_times == pytest.approx(STAMPS, abs=1e-3)
    assert max(image.max() for image in images) < 20
    for index, image in enumerate(raw_images):
        difference = np.abs(image.astype(int) - picture(index, 96, 64)).mean()
        assert difference < 12


def test_two_pictures_next_to_each_other_leave_the_raw_one_as_wide_as_it_came(tmp_path):
    shown = [
        replace(seen, sides=seen.sides * 2, view=ViewOptions("side"))
        for seen in (_drawn(i, stamp) for i, stamp in enumerate(STAMPS))
    ]
    record(tmp_path / "o.mp4", shown, raw=tmp_path / "o.raw.mp4")
    assert read_clip(tmp_path / "o.mp4")[1][0].shape == (64, 192, 3)
    assert read_clip(tmp_path / "o.raw.mp4")[1][0].shape == (64, 96, 3)


def test_a_raw_file_that_is_there_is_not_replaced(tmp_path):
    there = tmp_path / "o.raw.mp4"
    there.write_bytes(b"precious")
    with pytest.raises(OutputError, match=r"o\.raw\.mp4 exists"):
        recorder_for(tmp_path / "o.mp4", raw=there)
    assert there.read_bytes() == b"precious"
    assert not (tmp_path / "o.mp4").exists()


def test_without_a_window_raw_and_labels_lie_beside_the_recording(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", 5)
    arguments = ["--headless", "--record-raw", "--record-labels", "--input-size", "64x96"]
    assert run_main(str(clip), *arguments, "-o", str(tmp_path / "o.mp4")).returncode == 0
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"c.mp4", "o.mp4", "o.raw.mp4", "o.labels.mkv"}
    assert len(read_clip(tmp_path / "o.raw.mp4")[0]) == 5


@pytest.mark.parametrize("flag", ["--record-raw", "--record-labels"])
def test_beside_no_recording_nothing_can_lie(flag):
    with pytest.raises(UsageError, match="add -o FILE"):
        settings_from(build_parser().parse_args(["demo", "--headless", flag]))
