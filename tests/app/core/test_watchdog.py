"""A stage that hangs is named to the user; each test really blocks one."""

import os
import threading
from dataclasses import replace

import pytest

from app.core.watchdog import LIMITS
from app.pipeline import capture
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from tests.support.media import ScriptedSource
from tests.support.pipeline_driver import TINY
from tests.support.waiting import wait_until

ANY = SourceSpec("file", "scripted")


@pytest.fixture
def impatient(monkeypatch):
    """Half a second is long here, except for what is long on a busy machine anyway."""
    for stage in LIMITS:
        monkeypatch.setitem(LIMITS, stage, 60.0)
    return lambda stage: monkeypatch.setitem(LIMITS, stage, 0.5)


@pytest.fixture
def make():
    made = []

    def start(settings=TINY, *, display=False):
        made.append(Pipeline(settings, display=display))
        made[-1].start()
        return made[-1]

    yield start
    for pipeline in made:
        pipeline.stop()


class Hanging(ScriptedSource):
    """A live source whose driver blocks in the middle."""

    def __init__(self, release):
        super().__init__(live=True)
        self._release, self._reads = release, 0

    def read(self):
        self._reads += 1
        if self._reads == 5:
            self._release.wait(60)
        return super().read()


def _said(pipeline, words):
    texts = []

    def found():
        while not pipeline.events.empty():
            texts.append(pipeline.events.get().text)
        return any(words in text for text in texts)

    wait_until(found)
    return next(text for text in texts if words in text)


def test_a_source_that_hangs_is_named_and_so_is_its_return(impatient, make, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(capture, "open_source", lambda spec: Hanging(release))
    impatient("capture")
    pipeline = make()
    pipeline.open(ANY)
    _said(pipeline, "The source has given no picture for")
    assert pipeline.status().stuck.keys() == {"capture"}
    release.set()
    _said(pipeline, "The source goes on after")
    assert pipeline.status().stuck == {}


def test_a_source_that_hangs_and_was_left_is_not_complained_about(impatient, make, monkeypatch):
    release = threading.Event()
    sources = {"hangs": Hanging(release), "plays": ScriptedSource(live=True)}
    monkeypatch.setattr(capture, "open_source", lambda spec: sources[spec.value])
    impatient("capture")
    pipeline = make()
    pipeline.open(SourceSpec("file", "hangs"))
    _said(pipeline, "The source has given no picture for")
    pipeline.open(SourceSpec("file", "plays"))
    wait_until(lambda: not pipeline.status().stuck)
    release.set()


def test_a_source_that_does_not_open_is_named(impatient, make, monkeypatch):
    release = threading.Event()

    def opened(spec):
        release.wait(60)
        return ScriptedSource(3)

    monkeypatch.setattr(capture, "open_source", opened)
    impatient("opening")
    pipeline = make()
    pipeline.open(ANY)
    _said(pipeline, "The source has not opened for")
    release.set()
    _said(pipeline, "The source has answered after")


@pytest.mark.parametrize(
    ("spec", "words", "not_words"),
    [
        (SourceSpec("demo"), "the computer may be busy", "network"),
        (SourceSpec("file", "scripted"), "the disk", "network"),
        (SourceSpec("images", "scripted"), "the disk", "program"),
        (SourceSpec("camera", "7"), "another program", "disk"),
        (SourceSpec("stream", "rtsp://127.0.0.1/x"), "network", "program"),
    ],
)
@pytest.mark.parametrize("stage", ["opening", "capture"])
def test_the_cause_that_is_named_is_one_that_the_source_can_have(
    impatient, make, monkeypatch, spec, words, not_words, stage
):
    release = threading.Event()

    def opened(spec):
        if stage == "opening":
            release.wait(60)
        return Hanging(release)

    monkeypatch.setattr(capture, "open_source", opened)
    impatient(stage)
    pipeline = make()
    pipeline.open(spec)
    said = _said(pipeline, " s: ")
    release.set()
    assert words in said
    assert not_words not in said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_recorder_that_hangs_on_its_file_is_named(impatient, make, monkeypatch, tmp_path):
    monkeypatch.setattr(capture, "open_source", lambda spec: ScriptedSource(live=True))
    impatient("recorder")
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)  # opening it blocks until somebody reads, as a disk that is gone does
    pipeline = make(display=True)
    pipeline.open(ANY)
    pipeline.start_recording(pipe, overwrite=True)
    _said(pipeline, "The recorder has been writing one frame for")
    before = pipeline.stats.counters().processed
    wait_until(lambda: pipeline.stats.counters().processed > before + 5)  # the view goes on
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))


def test_a_network_that_is_at_one_frame_for_long_is_named(impatient, make, monkeypatch):
    monkeypatch.setattr(capture, "open_source", lambda spec: ScriptedSource(live=True))
    monkeypatch.setitem(LIMITS, "network", 0.0)
    pipeline = make(replace(TINY, network=replace(TINY.network, input_size=(1024, 2048))))
    pipeline.open(ANY)
    _said(pipeline, "The network has worked on one frame for")


def test_a_window_that_does_not_answer_is_named(impatient, make, monkeypatch):
    impatient("display")
    pipeline = make(display=True)
    pipeline.status()  # as the window does ten times a second
    _said(pipeline, "The window has not answered for")
    pipeline.status()
    _said(pipeline, "The window goes on after")


def test_what_works_is_not_complained_about(impatient, make, monkeypatch, tmp_path):
    monkeypatch.setattr(capture, "open_source", lambda spec: ScriptedSource(rate=100))
    for stage in LIMITS:
        monkeypatch.setitem(LIMITS, stage, 10.0)
    pipeline = make()
    pipeline.open(ANY)
    pipeline.start_recording(tmp_path / "o.mp4")
    wait_until(lambda: pipeline.stats.counters().recorded > 60)
    assert pipeline.status().stuck == {}
