"""An overview of a file: curves of the whole of it, although little was played."""

import threading

import pytest

from app.inference.overview import Overview
from app.sources.decoding.key_frames import KeyFrames
from app.sources.source_spec import SourceSpec
from fastscnn.segmenter import Segmenter
from tests.support.labelled_data import street_frames
from tests.support.media import write_clip
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter.from_checkpoint(device="cpu", input_size=(64, 128))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """24 seconds with a key frame at least at each of them."""
    path = tmp_path_factory.mktemp("clip") / "drive.mp4"
    pictures = [image for image, _ in street_frames(6, (128, 64))]
    write_clip(path, 240, rate=10, size=(128, 64), pictures=pictures, key_every=10)
    return SourceSpec("file", str(path))


def looks(overview, segmenter, enough):
    """What is found until there is enough."""
    found = []

    def step():
        overview.step(segmenter, skip=True)
        found.extend(overview.take())
        return enough(found)

    wait_until(step, "moments")
    return found


def running():
    return [each for each in threading.enumerate() if each.name == "overview"]


def test_it_sees_key_frames_all_over_the_file(clip, segmenter):
    overview = Overview()
    overview.look_at(clip, 24.0)
    found = looks(overview, segmenter, lambda found: not running() and not overview.waiting)
    times = sorted(each.time for each in found)
    frames = KeyFrames(clip, 64)
    keys = sorted({frames.before(t / 4).time for t in range(96)})
    frames.close()
    assert len(keys) > 10
    assert times == pytest.approx(keys)
    assert all(each.rough and sum(each.shares) == pytest.approx(1) for each in found)
    assert all(0 < each.confidence <= 1 for each in found)
    # coarse at first: the first few are from all quarters of the file
    assert {int(each.time / 6) for each in found[:6]} == {0, 1, 2, 3}


@pytest.mark.parametrize("other", [None, SourceSpec("demo"), SourceSpec("file", "none.mp4")])
def test_another_source_ends_it(clip, segmenter, other):
    overview = Overview()
    overview.look_at(clip, 24.0)
    looks(overview, segmenter, len)
    overview.look_at(other, 24.0)
    wait_until(lambda: not running(), "the end of the thread")
    assert not overview.waiting
    overview.step(segmenter, skip=True)
    assert list(overview.take()) == []


def test_the_same_file_is_looked_at_once(clip, segmenter):
    overview = Overview()
    overview.look_at(clip, 24.0)
    overview.look_at(clip, 24.0)
    assert len(running()) == 1
    found = looks(overview, segmenter, lambda found: not running() and not overview.waiting)
    overview.look_at(clip, 24.0)
    assert not running()
    assert len({each.time for each in found}) == len(found)
