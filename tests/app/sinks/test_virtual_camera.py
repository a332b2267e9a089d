"""The annotated picture as a camera of the system's."""

import numpy as np
import pytest
import pyvirtualcam

from app.core.events import EventBus
from app.sinks import virtual_camera
from app.sinks.virtual_camera import VirtualCameraSink, fitted
from tests.support.cli_process import run_main
from tests.support.media import picture
from tests.support.recordings import result
from tests.support.waiting import PATIENCE


class _Device:
    """A back end of pyvirtualcam that keeps what it is sent."""

    sent: list[np.ndarray]

    def __init__(self, width, height, fps, fourcc, device, **more):
        type(self).sent = []
        self.size = width, height

    def close(self):
        self.size = None

    def device(self):
        return "kept"

    def native_fourcc(self):
        return 0

    def send(self, frame):
        self.sent.append(np.array(frame).reshape(self.size[1], self.size[0], 3))


@pytest.fixture
def device(monkeypatch):
    from pyvirtualcam import camera

    monkeypatch.setattr(camera, "BACKENDS", {"kept": _Device})
    return _Device


def given(images):
    events = EventBus()
    sink = VirtualCameraSink(events)
    sink.start()
    for index, image in enumerate(images):
        sink.put(result(image, index / 30, index=index), wait=True)
    sink.finish()
    sink.join(PATIENCE)
    return sink, [events.get() for _ in range(events.qsize())]


def test_every_picture_is_given_and_another_size_is_fitted_whole(device):
    sink, told = given([picture(0), picture(1), picture(2, 96, 96), picture(3, 161, 97)])
    assert sink.error is None
    assert [image.shape for image in device.sent] == [(96, 160, 3)] * 4
    assert (device.sent[1] == picture(1)).all()
    assert (device.sent[2][:, 32:128] == picture(2, 96, 96)).all()
    assert not device.sent[2][:, :32].any()
    assert [event.text for event in told] == [
        "The picture is in the virtual camera kept.",
        "The virtual camera gave 4 frames.",
    ]


def test_odd_sizes_lose_a_line_and_nothing_else():
    image = picture(3, 161, 97)
    assert (fitted(image, (160, 96)) == image[:96, :160]).all()


def test_a_system_without_such_a_device_is_told_in_a_sentence():
    try:
        pyvirtualcam.Camera(64, 64, 30).close()
    except RuntimeError:
        pass
    else:
        pytest.skip("there is a virtual camera here")
    done = run_main(
        "demo", "--headless", "--max-frames", "9", "--input-size", "64x96", "--virtual-camera"
    )
    assert done.returncode == 5
    assert done.stdout == ""  # before any work
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: There is no virtual camera (")
    assert "load v4l2loopback" in line
    assert "Traceback" not in done.stderr


def test_without_the_package_it_is_refused_before_any_work(monkeypatch, capsys):
    from app.cli.launcher import main

    monkeypatch.setattr(virtual_camera, "find_spec", lambda name: None)
    assert main(["demo", "--headless", "--virtual-camera"]) == 2
    assert "pip install pyvirtualcam" in capsys.readouterr().err
