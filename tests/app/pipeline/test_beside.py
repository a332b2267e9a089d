"""Several sources beside each other, with one network."""

import threading
import time
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.config.settings import NetworkOptions, Settings
from app.errors import SourceError
from app.pipeline import capture
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from fastscnn import Segmenter
from tests.support.media import ScriptedSource, count_by_opencv
from tests.support.waiting import PATIENCE, wait_until

TINY = Settings(network=NetworkOptions(device="cpu", input_size=(64, 96)))


@pytest.fixture
def beside(monkeypatch):
    """Pipelines of scripted sources, by their numbers, that share a network."""
    made = []

    def make(*sources, display=False):
        monkeypatch.setattr(capture, "open_source", lambda spec: sources[int(spec.value)])
        for _ in sources:
            made.append(Pipeline(TINY, display=display, beside=made[0] if made else None))
        for number, pipeline in enumerate(made):
            pipeline.start()
            pipeline.open(SourceSpec("file", str(number)))
        return made

    yield make
    if made:
        made[0].stop(*made[1:])


def ended(pipeline):
    return pipeline.session.state in {"ended", "failed"}


def settled(counters, *, display):
    done = counters.shown if display else counters.processed
    return counters.captured == done + counters.dropped_total


def test_every_source_has_its_own_frames_counts_and_recording(beside, tmp_path):
    """Three of different rates and sizes; one breaks off in the middle."""
    broken = SourceError("The cable was pulled: plug it in.")
    pipelines = beside(
        ScriptedSource(30, rate=30),
        ScriptedSource(20, rate=10, size=(96, 64)),
        ScriptedSource(7, rate=60, error=broken),
    )
    files = [tmp_path / f"{number}.mp4" for number in range(3)]
    for pipeline, file in zip(pipelines, files, strict=True):
        pipeline.start_recording(file)
    wait_until(lambda: all(map(ended, pipelines)))
    pipelines[0].stop(*pipelines[1:])
    counts = [pipeline.stats.counters() for pipeline in pipelines]
    frames = [count_by_opencv(file) for file in files]
    for each, recorded in zip(counts, frames, strict=True):
        assert settled(each, display=False)
        assert each.offered == each.recorded + each.not_recorded_total
        assert each.recorded == recorded
    assert [each.captured for each in counts] == [30, 20, 7]
    assert frames[2] <= 7
    assert [each.session.state for each in pipelines] == ["ended", "ended", "failed"]
    told = [[each.text for each in drain(p) if each.kind == "error"] for p in pipelines]
    assert told == [[], [], [str(broken)]]


def drain(pipeline):
    return [pipeline.events.get() for _ in range(pipeline.events.qsize())]


def test_there_is_one_network_for_all(beside):
    first, second = beside(ScriptedSource(5), ScriptedSource(5))
    wait_until(lambda: ended(first) and ended(second))
    assert first.networks.segmenter is second.networks.segmenter is not None
    workers = [each for each in threading.enumerate() if each.name == "worker"]
    assert workers == [first.worker]


@pytest.mark.parametrize("rates", [(200, 200, 200, 200), (400, 50, 100, 200)])
def test_under_overload_no_source_starves(beside, monkeypatch, rates):
    plain = Segmenter.logits_of

    def slow(self, pixels, skips, *, beside=1):
        time.sleep(0.02)  # four sources bring far more than that allows
        return plain(self, pixels, skips, beside=beside)

    monkeypatch.setattr(Segmenter, "logits_of", slow)
    order, enough = [], threading.Event()
    pipelines = beside(*(ScriptedSource(live=True, rate=rate) for rate in rates))
    for number, feed in enumerate(pipelines[0].worker.turns.feeds):

        def note(result, number=number):
            order.append(number)
            if len(order) >= 120:
                enough.set()

        ignore = {"end_of_source": lambda end: None, "interrupted": lambda: None}
        feed.handlers = (*feed.handlers, SimpleNamespace(deliver=note, **ignore))
    assert enough.wait(PATIENCE)
    served = Counter(order[40:120])
    assert max(served.values()) <= 1.5 * min(served[number] for number in range(4)), served


def test_options_of_one_source_are_not_those_of_another(beside):
    first, second = beside(ScriptedSource(live=True), ScriptedSource(live=True), display=True)
    second.live.skip = False

    def shows(pipeline, skip):
        result = pipeline.take()
        return result is not None and result.predictions and result.skip is skip

    wait_until(lambda: shows(second, False))
    wait_until(lambda: shows(first, True))


def test_with_a_display_what_is_not_shown_is_accounted_for_by_source(beside):
    pipelines = beside(ScriptedSource(40, rate=100), ScriptedSource(40, rate=40), display=True)

    def look():
        for pipeline in pipelines:
            pipeline.take()
        return all(pipeline.session.state == "ended" for pipeline in pipelines)

    wait_until(look)
    pipelines[0].stop(*pipelines[1:])
    for pipeline in pipelines:
        assert pipeline.stats.counters().captured == 40
        assert settled(pipeline.stats.counters(), display=True)


def test_a_paused_source_answers_at_once_while_others_keep_the_network_busy(beside):
    still, _ = beside(ScriptedSource(3), ScriptedSource(live=True, rate=1000), display=True)

    def shows(skip):
        result = still.take()
        return result is not None and result.predictions and result.skip is skip

    wait_until(lambda: still.session.state == "ended")
    still.live.skip = False
    wait_until(lambda: shows(False))
    still.view = replace(still.view, alpha=0.9)
    wait_until(lambda: (result := still.take()) is not None and result.view.alpha == 0.9)
