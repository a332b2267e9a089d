"""Promises of every sink; a new one gets a row here."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.config.alert_rules import parse_rule
from app.config.data_options import AlertOptions, ObjectOptions
from app.config.settings import ImageFolderOptions
from app.core.events import EventBus
from app.core.stats import Stats
from app.core.watch import Watch, Watches
from app.serve.bell import Bell
from app.serve.browser_sink import BrowserSink
from app.sinks.alerts.alert_sink import AlertSink
from app.sinks.callback_sink import CallbackSink
from app.sinks.data.object_writers import ObjectSink
from app.sinks.data.row_writers import DataSink
from app.sinks.display import DisplaySink
from app.sinks.image_folder import ImageFolderSink
from app.sinks.queued_sink import QueuedSink
from app.sinks.recording.recorder import Recorder
from tests.support.recordings import results
from tests.support.waiting import PATIENCE

SINKS = {
    "display": lambda folder, events: DisplaySink(Stats()),
    "browser": lambda folder, events: BrowserSink(Bell(), ThreadPoolExecutor(1)),
    "recorder": lambda folder, events: Recorder(folder / "o.mp4", Stats(), events),
    "image folder": lambda folder, events: ImageFolderSink(
        ImageFolderOptions(folder / "images"), events
    ),
    "data": lambda folder, events: DataSink(folder / "rows.csv", events),
    "objects": lambda folder, events: ObjectSink(folder / "o.json", events, ObjectOptions()),
    "alerts": lambda folder, events: AlertSink(
        AlertOptions(events=folder / "e.jsonl"),
        events,
        Watches(Watch((), (parse_rule("car > 99%"),))),
    ),
    "callback": lambda folder, events: CallbackSink(
        lambda result: (folder / "last").write_bytes(result.labels.tobytes()), events
    ),
}


@pytest.fixture(params=SINKS)
def make(request, tmp_path):
    return lambda events, folder=tmp_path: SINKS[request.param](folder, events)


def test_it_takes_results_until_it_is_finished_and_then_none(make):
    sink = make(EventBus())
    sink.start()
    assert not sink.closed
    first, *more = results([i / 10 for i in range(4)])
    assert sink.put(first, wait=True)
    for result in more:
        sink.put(result, wait=True)
    sink.finish()
    assert sink.closed
    sink.join(PATIENCE)
    if isinstance(sink, QueuedSink):
        assert not sink.is_alive()
        assert not sink.put(first, wait=True)


def test_finishing_returns_at_once_and_twice_is_as_good_as_once(make):
    sink = make(EventBus())
    sink.start()
    started = time.monotonic()
    sink.finish()
    sink.finish()
    assert time.monotonic() - started < 20
    sink.join(PATIENCE)


def test_what_was_written_is_reported_once(make):
    events = EventBus()
    sink = make(events)
    sink.start()
    for result in results([0.0, 0.1, 0.2]):
        sink.put(result, wait=True)
    sink.finish()
    sink.join(PATIENCE)
    kinds = [events.get().kind for _ in range(events.qsize())]
    silent = isinstance(sink, DisplaySink | CallbackSink | BrowserSink)
    assert kinds == ([] if silent else ["recorded"])


def test_an_output_that_cannot_be_written_is_one_error_and_no_exception(make, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    events = EventBus()
    sink = make(events, taken)
    taken.rmdir()
    taken.write_bytes(b"a file where the folder was")
    sink.start()
    for result in results([0.0, 0.1, 0.2]):
        sink.put(result, wait=True)
    sink.finish()
    sink.join(PATIENCE)
    told = [events.get() for _ in range(events.qsize())]
    errors = [event for event in told if event.kind == "error"]
    assert len(errors) == (1 if isinstance(sink, QueuedSink) else 0)
    assert all(event.exit_code == 5 for event in errors)
