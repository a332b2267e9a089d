"""Thumbnails of awkward files for the seek bar."""

import numpy as np
import pytest

from app.gui.playback.thumbnails import Thumbnails
from app.sources import parse_source
from tests.support.media import picture, still, write_stills
from tests.support.stream_servers import web_folder
from tests.support.window_driver import application, wait_until


@pytest.fixture
def thumbnails():
    application()
    made = Thumbnails()
    yield made
    made.stop()


def _at(thumbnails, path, seconds):
    """The thumbnail of a time."""
    came = []
    thumbnails.ready.connect(lambda _, image: came.append(image))
    thumbnails.use(parse_source(str(path)))
    thumbnails.ask(seconds)
    wait_until(lambda: bool(came), f"the thumbnail at {seconds} s")
    image = came[0]
    pixels = image.constBits().asarray(image.sizeInBytes())
    rows = np.frombuffer(pixels, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3)


def test_a_frame_with_exif_data_has_a_thumbnail_that_is_turned_and_mirrored(thumbnails, tmp_path):
    dark = np.zeros((96, 160, 3), np.uint8)
    dark[:48, :80] = 255  # one quarter is bright
    clip = write_stills(tmp_path / "e.avi", "mjpeg", [still(dark, orientation=5)] * 4)
    shown = _at(thumbnails, clip, 0.1)
    assert shown.shape[0] > shown.shape[1]
    clip = write_stills(tmp_path / "m.avi", "mjpeg", [still(dark, orientation=2)] * 4)
    shown = _at(thumbnails, clip, 0.1)
    height, width = shown.shape[:2]
    assert shown[: height // 3, -width // 3 :].mean() > 200
    assert shown[: height // 3, : width // 3].mean() < 50


def test_a_damaged_key_frame_gives_way_to_the_next_one(thumbnails, tmp_path):
    stills = [still(picture(n)) for n in range(20)]
    stills[10] = bytes(len(stills[10]))
    clip = write_stills(tmp_path / "d.avi", "mjpeg", stills)
    assert _at(thumbnails, clip, 1.0).mean() > 20


def test_a_file_at_an_address_has_thumbnails_too(thumbnails, tmp_path):
    write_stills(tmp_path / "a.avi", "mjpeg", [still(picture(n)) for n in range(20)])
    with web_folder(tmp_path) as base:
        assert _at(thumbnails, f"{base}/a.avi", 1.0).mean() > 20
