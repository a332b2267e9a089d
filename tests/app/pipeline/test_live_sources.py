"""A live picture never grows old, and no frame is lost where memory runs out."""

import threading
import time
from types import SimpleNamespace

import pytest
import torch

from app.cli.launcher import main
from app.config.settings import Settings
from app.pipeline import capture
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from fastscnn import Segmenter
from tests.support.media import ScriptedSource, count_by_opencv, write_clip
from tests.support.pipeline_driver import TINY
from tests.support.waiting import PATIENCE

INTERVAL = 0.03
SLOWER = 3
"""How many camera intervals the network takes."""


@pytest.mark.parametrize("display", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_live_frame_is_shown_before_the_camera_is_far_ahead(monkeypatch, display):
    source = ScriptedSource(live=True, rate=1 / INTERVAL)
    monkeypatch.setattr(capture, "open_source", lambda spec: source)
    plain = Segmenter.logits_of

    def slow(self, pixels, skips, *, beside=1):
        time.sleep(SLOWER * INTERVAL)
        return plain(self, pixels, skips, beside=beside)

    monkeypatch.setattr(Segmenter, "logits_of", slow)
    pipeline = Pipeline(
        Settings(
            sources=(SourceSpec("camera", "0"),),
            network=TINY.network,
        ),
        display=display,
    )
    behind, enough = [], threading.Event()
    (feed,) = pipeline.worker.turns.feeds

    def count(result):
        # How many frames the camera has delivered since this one.
        behind.append(pipeline.stats.counters().captured - 1 - result.frame.index)
        if display:
            pipeline.take()
        if len(behind) == 40:
            enough.set()

    watching = SimpleNamespace(
        deliver=count, end_of_source=lambda end: None, interrupted=lambda: None
    )
    feed.handlers = (*feed.handlers, watching)
    pipeline.start()
    try:
        pipeline.open(SourceSpec("camera", "0"))
        assert enough.wait(PATIENCE)
    finally:
        pipeline.stop()
    # Its own time in the network, the interval in which it was taken, and what the rest of a busy
    # machine may add; a second frame waiting in line would add three more, a queue ever more.
    late = sorted(behind[10:])
    assert late[len(late) // 2] <= SLOWER + 2
    first, last = behind[10:20], behind[30:40]
    assert sum(last) <= sum(first) + 10 * 2
    counters = pipeline.stats.counters()
    assert counters.dropped["busy"] > counters.processed  # the others were let go, and counted


def test_a_run_that_memory_does_not_suffice_for_goes_on_smaller_and_says_so(
    monkeypatch, tmp_path, capsys
):
    plain = Segmenter.logits_of

    def tight(self, pixels, skips, *, beside=1):
        if pixels.shape[0] > 256:
            raise torch.OutOfMemoryError("out of memory")
        return plain(self, pixels, skips, beside=beside)

    monkeypatch.setattr(Segmenter, "logits_of", tight)
    clip, out = write_clip(tmp_path / "clip.mp4", 6), tmp_path / "out.mp4"
    arguments = [str(clip), "--headless", "--device", "cpu", "-o", str(out)]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "did not suffice: the network goes on at quarter input size" in told.err
    assert "6 frames" in told.out
    assert count_by_opencv(out) == 6
