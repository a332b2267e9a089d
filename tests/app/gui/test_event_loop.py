"""Whatever is opened, the thread of the window keeps beating."""

import os
import time

import pytest

from app.config.settings import NetworkOptions, Settings
from app.sources import parse_source
from app.sources.source_spec import SourceSpec
from tests.support.event_loop_monitor import Heart
from tests.support.media import write_clip
from tests.support.stream_servers import silent_server
from tests.support.window_driver import application, messages, shows, wait_until, window

LIMIT = 0.5
"""Seconds without those in line for a processor. The aim is 0.05; tests run on busy machines, and
print what they measured. A decoder, driver or connection on the wrong thread takes longer."""


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    path = tmp_path_factory.mktemp("4k") / "4k.mp4"
    return write_clip(path, 12, size=(3840, 2160))


@pytest.fixture
def ready():
    """A window with its network loaded, and its heart."""
    application()
    with window(Settings(network=NetworkOptions(device="cpu", input_size=(64, 128)))) as w:
        wait_until(lambda: w.pipeline.status().network is not None, "the network")
        yield w, Heart()


def _report(what, heart):
    longest = max(heart.pauses, key=lambda pause: pause.own)
    heart.start()
    end = time.monotonic() + 0.7
    wait_until(lambda: time.monotonic() > end, "a moment")
    idle = max(pause.wall for pause in heart.pauses)
    print(f"{what}: longest pause {longest}; {1000 * idle:.0f} ms with nothing to do")
    # Others hold the interpreter for longer where they wait for a processor themselves.
    busy = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 1.0
    assert longest.own < LIMIT * max(1.0, busy)


def test_a_dead_stream_does_not_stop_the_window(ready):
    w, heart = ready
    with silent_server() as port:
        heart.start()
        w.open(parse_source(f"rtsp://127.0.0.1:{port}/live"))
        wait_until(lambda: any("cannot be opened" in m for m in messages(w)), "the sentence")
    _report("silent RTSP", heart)


def test_a_missing_camera_does_not_stop_the_window(ready):
    w, heart = ready
    heart.start()
    w.open(SourceSpec("camera", "97"))
    wait_until(lambda: any("There is no camera 97" in m for m in messages(w)), "the sentence")
    _report("missing camera", heart)


def test_a_4k_file_does_not_stop_the_window(ready, big):
    w, heart = ready
    spec = SourceSpec("file", str(big))
    heart.start()
    w.open(spec)
    wait_until(lambda: shows(w, spec), "a picture")
    wait_until(lambda: w.pipeline.status().state == "ended", "the end")
    for place in (0.1, 0.3, 0.0):
        w.pipeline.session.seek(place)
        time_up = time.monotonic() + 0.4
        wait_until(lambda end=time_up: time.monotonic() > end, "a moment")
    _report("4K file", heart)
