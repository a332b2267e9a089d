"""Several sources beside each other, with one network."""

import json
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.errors import SourceError
from app.pipeline import capture
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from fastscnn import Segmenter
from tests.support.media import ScriptedSource, count_by_opencv
from tests.support.pipeline_driver import TINY
from tests.support.waiting import PATIENCE, wait_until


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


def test_one_of_several_leaves_with_its_recording_whole(beside, tmp_path):
    """A file that is being recorded; what is on its way is still written, and the others go on."""
    staying, leaving = beside(ScriptedSource(live=True, rate=200), ScriptedSource(2000, rate=500))
    leaving.start_recording(tmp_path / "left.mp4")
    wait_until(lambda: leaving.stats.counters().recorded >= 10)
    leaving.leave()
    wait_until(lambda: leaving.left)
    counts = leaving.stats.counters()
    assert settled(counts, display=False)
    assert counts.recorded == counts.offered == counts.processed
    assert counts.recorded == count_by_opencv(tmp_path / "left.mp4")
    assert [event.kind for event in drain(leaving)][-1] == "recorded"
    assert leaving.worker.turns.feeds == [staying.worker.turns.first]
    before = staying.stats.counters().processed
    wait_until(lambda: staying.stats.counters().processed > before + 5)
    leaving.stop()  # ends nothing of the others'
    assert staying.worker.is_alive()


def test_the_first_leaves_and_the_network_and_the_files_of_all_stay(monkeypatch, tmp_path):
    rows = tmp_path / "rows.jsonl"
    settings = replace(TINY, data=(rows,))
    monkeypatch.setattr(capture, "open_source", lambda spec: ScriptedSource(live=True, rate=100))
    first = Pipeline(settings, display=True)
    second = Pipeline(settings, display=True, beside=first)
    added = None
    try:
        for pipeline, name in ((first, "a"), (second, "b")):
            pipeline.start()
            pipeline.open(SourceSpec("file", name))
        wait_until(lambda: all(p.stats.counters().processed > 3 for p in (first, second)))
        first.leave()
        wait_until(lambda: first.left)
        assert settled(first.stats.counters(), display=True)
        done = second.stats.counters().processed
        added = Pipeline(settings, display=True, beside=first)
        added.start()
        added.open(SourceSpec("file", "c"))
        wait_until(lambda: second.stats.counters().processed > done + 3)
        wait_until(lambda: added.stats.counters().processed > 3)
    finally:
        first.stop(second, *filter(None, [added]))
    written = [json.loads(line) for line in rows.read_text().splitlines()]
    named = Counter(Path(row["source"]).name for row in written)
    all_three = zip("abc", (first, second, added), strict=True)
    wanted = {name: pipeline.stats.counters().processed for name, pipeline in all_three}
    assert all(0 < named[name] <= wanted[name] for name in "abc"), (named, wanted)
    assert all(row["dropped"] >= 0 for row in written)
    (saved,) = [event for event in drain(first) if event.kind == "recorded"]
    assert saved.common  # it is about none of them


@pytest.mark.parametrize("state", ["opening", "paused", "ended", "failed"])
def test_whatever_it_is_at_a_source_can_leave(beside, state):
    error = SourceError("The cable was pulled: plug it in.") if state == "failed" else None
    count = None if state == "opening" else 3
    staying, leaving = beside(ScriptedSource(live=True), ScriptedSource(count, error=error))
    if state == "paused":
        leaving.session.pause()
    if state in {"ended", "failed"}:
        wait_until(lambda: leaving.session.state == state)
    leaving.leave()
    wait_until(lambda: leaving.left)
    assert settled(leaving.stats.counters(), display=False)
    assert staying.worker.is_alive()


def test_a_source_can_leave_while_all_end(beside):
    staying, leaving = beside(ScriptedSource(live=True), ScriptedSource(live=True))
    wait_until(lambda: leaving.stats.counters().processed)
    leaving.leave()
    staying.stop()
    leaving.stop()
    assert settled(leaving.stats.counters(), display=False)
