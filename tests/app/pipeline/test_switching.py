"""Switching between sources: what fails, what goes on, and 500 random commands."""

import time

import pytest

from app.pipeline.pipeline import Pipeline
from app.sources import parse_source
from app.sources.source_spec import SourceSpec
from tests.support.media import write_clip
from tests.support.pipeline_driver import TINY, drive
from tests.support.stream_servers import MjpegServer, free_port, silent_server
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", 200, rate=25)


@pytest.fixture
def player(clip):
    pipeline = Pipeline(TINY, display=True)
    pipeline.start()
    wait_until(lambda: pipeline.status().network is not None)
    pipeline.open(SourceSpec("file", str(clip)))
    wait_until(lambda: (r := pipeline.take()) is not None and r.frame.time > 0.3)
    yield pipeline
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total


def errors(pipeline):
    found = []
    while not pipeline.events.empty():
        event = pipeline.events.get()
        if event.kind == "error":
            found.append(event.text)
    return found


@pytest.mark.parametrize("address", ["nosuch.mp4", "rtsp"])
def test_what_played_goes_on_where_another_source_does_not_open(player, address):
    before = player.status().position
    if address == "rtsp":
        address = f"rtsp://127.0.0.1:{free_port()}/x"
    player.open(parse_source(address))
    said = []
    wait_until(lambda: said.extend(errors(player)) or said)
    assert len(said) == 1
    result = []
    wait_until(lambda: (r := player.take()) is not None and not result.append(r))
    assert result[0].frame.time >= before - 0.2
    assert result[0].frame.time < before + 3
    status = player.status()
    assert (status.state, status.source.name) == ("playing", "clip.mp4")


def test_what_was_paused_stays_so_and_answers(player):
    player.session.pause()
    time.sleep(0.2)
    while player.take() is not None:
        pass
    place = player.status().position
    player.open(SourceSpec("file", "nosuch.mp4"))
    got = []
    wait_until(lambda: (r := player.take()) is not None and not got.append(r))
    assert got[0].frame.time == pytest.approx(place, abs=1e-3)
    assert player.status().state == "paused"
    player.live.skip = False
    wait_until(lambda: (r := player.take()) is not None and r.repeated)


def test_two_sources_that_do_not_open_leave_the_first_at_play(player):
    with silent_server() as port:
        player.open(parse_source(f"http://127.0.0.1:{port}/x"))
        player.open(SourceSpec("file", "nosuch.mp4"))
        wait_until(lambda: player.take() is not None)
    assert player.status().source.name == "clip.mp4"


def test_without_a_source_before_a_failure_is_a_failure():
    pipeline = Pipeline(TINY, display=True)
    pipeline.start()
    pipeline.open(SourceSpec("file", "nosuch.mp4"))
    wait_until(lambda: pipeline.status().state == "failed")
    pipeline.stop()


def test_random_commands_leave_the_counters_even_and_nothing_behind(clip, tmp_path):
    server = MjpegServer()
    sources = [
        SourceSpec("file", str(clip)),
        SourceSpec("demo", width=160, height=96),
        parse_source(server.url),
        SourceSpec("file", "nosuch.mp4"),
    ]
    try:
        done = drive(TINY, sources, tmp_path, steps=120, seed=5, pause=0.02)
    finally:
        server.close()
    assert done.counters.captured == done.counters.shown + done.counters.dropped_total
    assert done.counters.shown > 0
    assert done.threads_left == []
    assert done.unforeseen == []
    assert sum(done.commands.values()) == 120
