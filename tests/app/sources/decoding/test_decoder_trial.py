"""Videos are decoded where that is faster."""

import time
from contextlib import contextmanager

import av
import pytest

from app.errors import SourceError
from app.sources import hardware_decoding
from app.sources.decoding import decoder_trial
from app.sources.decoding.decoder_trial import processor_is_faster
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec
from tests.support.media import write_clip


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(decoder_trial, "_found", {})


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("trial") / "clip.mp4", 150)


def opener(path, delays, asked):
    """Opens a clip; each frame of the card and of the processor comes later by so much."""

    @contextmanager
    def opened(on_card):
        asked.append(on_card)

        def frames(container):
            for frame in container.decode(video=0):
                time.sleep(delays[on_card])
                yield frame

        with av.open(str(path)) as container:
            yield frames(container)

    return opened


@pytest.mark.parametrize(("slow", "processor"), [(True, True), (False, False)])
def test_the_faster_of_card_and_processor_decodes_and_is_tried_once(clip, slow, processor):
    asked = []
    opened = opener(clip, {slow: 0.02, not slow: 0.0}, asked)
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        for _ in range(2):
            assert processor_is_faster(video, None, opened) is processor
    assert asked == [True, False]


@pytest.mark.parametrize(("processor", "faster"), [(90, False), (110, False), (130, True)])
def test_where_both_are_about_as_fast_the_card_decodes_and_the_processor_is_free(
    clip, monkeypatch, processor, faster
):
    rates = iter((100.0, float(processor)))
    monkeypatch.setattr(decoder_trial, "frame_rate", lambda frames: next(rates))
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        assert processor_is_faster(video, 60.0, opener(clip, {}, [])) is faster


def test_a_short_video_does_not_wait_for_a_card(clip):
    asked = []
    with av.open(str(clip)) as container:
        assert processor_is_faster(container.streams.video[0], 2.0, opener(clip, {}, asked))
    assert asked == []


@pytest.fixture
def with_a_driver(monkeypatch):
    """A machine that seems to have a card, whose decoder then does not open."""
    monkeypatch.setattr(hardware_decoding, "_present", lambda: "cuda")


def test_what_decodes_and_why_is_shown(tmp_path, with_a_driver):
    source = open_source(SourceSpec("file", str(write_clip(tmp_path / "c.mp4", 6))))
    pictures = sum(1 for _ in iter(source.read, None))
    source.close()
    assert pictures == 6
    assert source.info.decoder == "h264 (FFmpeg, CPU, faster here than the graphics card)"


def test_no_reason_is_given_to_who_asked_for_the_processor(tmp_path, with_a_driver):
    clip = write_clip(tmp_path / "c.mp4", 6)
    source = open_source(SourceSpec("file", str(clip), hwaccel="none"))
    source.close()
    assert source.info.decoder == "h264 (FFmpeg, CPU)"


@pytest.mark.parametrize("content", [b"no video at all" * 99, b"\x00" * 4096])
def test_a_file_that_is_no_video_is_refused_as_without_a_card(tmp_path, with_a_driver, content):
    path = tmp_path / "c.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read as a video"):
        open_source(SourceSpec("file", str(path)))
