"""Cameras. No camera is needed: a scripted device stands in for OpenCV's."""

import threading
import time

import cv2
import numpy as np
import pytest

from app.errors import SourceError
from app.sources import camera, open_source
from app.sources.camera_discovery import list_cameras
from app.sources.source_spec import SourceSpec
from tests.support.waiting import PATIENCE, wait_until


class Device:
    """What OpenCV's device does, as the test says."""

    def __init__(self, rate=100.0, size=(64, 48), stated=30.0):
        self.rate, self.size, self.stated = rate, size, stated
        self.asked = []
        self.unplugged = self.frozen = self.dark = False
        self.released = 0
        self._noise = np.random.default_rng(0)
        self._last = None

    def isOpened(self):
        return not self.unplugged

    def set(self, key, value):
        self.asked.append(key)
        return True  # drivers say so, whatever they do

    def get(self, key):
        return self.stated

    def getBackendName(self):
        return "SCRIPT"

    def read(self):
        if self.unplugged:
            return False, None
        time.sleep(1 / self.rate)
        if self._last is None or not self.frozen:
            top = 4 if self.dark else 200
            shape = (self.size[1], self.size[0], 3)
            self._last = self._noise.integers(0, top, shape, dtype=np.uint8)
        return True, self._last.copy()

    def release(self):
        self.released += 1


@pytest.fixture
def device(monkeypatch):
    made = Device()
    monkeypatch.setattr(camera, "open_capture", lambda index: made)
    monkeypatch.setattr(camera, "_STUCK", 0.4)
    monkeypatch.setattr(camera, "_MEASURED", 0.4)
    monkeypatch.setattr(camera, "_FIRST_PAUSE", 0.05)
    return made


def _watch(source, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        source.read()


def _watch_until(source, words):
    """Read until the source tells something with these words in it."""
    wait_until(lambda: source.read() and any(words in text for text in source.news), words)


def test_size_is_asked_for_before_rate_and_the_kind_of_data_first(device):
    open_source(SourceSpec("camera", "0", 1280, 720, 30)).close()
    order = [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
    ]
    assert [key for key in device.asked if key in order] == order
    assert device.released == 1


def test_a_mode_that_is_not_the_one_asked_for_is_measured_and_said(device):
    device.rate = 20
    source = open_source(SourceSpec("camera", "0", 1280, 720, 60))
    _watch_until(source, "gives 64×48 at")
    assert "1280×720 at 60 fps was asked for" in source.news[0]


def test_a_mode_that_is_kept_is_not_mentioned(device):
    device.rate = device.stated = 50
    source = open_source(SourceSpec("camera", "0", 64, 48, 5))
    _watch(source, 0.8)
    assert source.news == []


def test_a_camera_that_repeats_its_picture_is_offline_and_its_pictures_are_not_passed_on(device):
    device.stated = 1.0
    source = open_source(SourceSpec("camera", "0"))
    before = source.read()
    device.frozen = True

    def thaw():
        wait_until(lambda: any("repeats one picture" in text for text in source.news))
        wait_until(lambda: source.missed["frozen"] > 60)
        device.frozen = False

    thread = threading.Thread(target=thaw)
    thread.start()
    while not any("is back" in text for text in source.news):
        after = source.read()
        before = after if not any("repeats" in text for text in source.news) else before
    thread.join(PATIENCE)
    assert after.time - before.time > 0.5  # none of those that it repeated
    assert source.offline_since is None


def test_a_black_camera_is_said_to_be(device):
    device.stated = 1.0
    device.dark = True
    source = open_source(SourceSpec("camera", "0"))
    _watch_until(source, "is black")
    assert [text for text in source.news if "is black" in text] == [
        "The camera 0 is black: look at its cover and at the light."
    ]


def test_a_camera_that_is_unplugged_is_waited_for(device):
    device.stated = 1.0
    source = open_source(SourceSpec("camera", "0"))
    source.read()
    device.unplugged = True
    started = time.monotonic()
    threading.Timer(1.0, lambda: setattr(device, "unplugged", False)).start()
    assert source.read() is not None
    assert time.monotonic() - started > 0.5
    assert any("gives no more pictures" in text for text in source.news)
    source.read()
    assert source.offline_since is None


def test_waiting_for_a_camera_ends_with_the_users_patience_or_the_program(device):
    source = open_source(SourceSpec("camera", "0", patience=0.3))
    source.read()
    device.unplugged = True
    with pytest.raises(SourceError, match="did not come back"):
        source.read()
    device.unplugged = False
    source = open_source(SourceSpec("camera", "0"))
    source.read()
    device.unplugged = True
    threading.Timer(0.3, source.stopping.set).start()
    assert source.read() is None


def test_a_camera_whose_driver_blocks_is_given_up(monkeypatch):
    forever = threading.Event()
    monkeypatch.setattr(camera, "open_capture", lambda index: forever.wait(PATIENCE))
    monkeypatch.setattr(camera, "OPENING", 0.3)
    with pytest.raises(SourceError, match="does not open within"):
        open_source(SourceSpec("camera", "0"))
    forever.set()


def test_cameras_are_listed_with_their_names(tmp_path):
    for number, name, index in ((10, "Rear", 0), (2, "Front cam", 0), (3, "Front cam", 1)):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "index").write_text(f"{index}\n")
    assert list_cameras(tmp_path) == [(2, "Front cam"), (10, "Rear")]
    (tmp_path / "none").mkdir()
    assert list_cameras(tmp_path / "none") == []
