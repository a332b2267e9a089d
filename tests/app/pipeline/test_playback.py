"""Playing files: seek, step, speed, loops and parts, on real clips through the whole pipeline."""

import random
import time
from itertools import count, pairwise

import av
import numpy as np
import pytest

from app.pipeline.pipeline import Pipeline
from app.sources import open_source
from app.sources.source_spec import SourceSpec
from tests.support.cli_process import run_main
from tests.support.media import SHARED, needs_clips, read_clip, write_clip
from tests.support.pipeline_driver import TINY
from tests.support.waiting import wait_until

RATE = 25
COUNT = 60


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    # x264's defaults: frames that refer to later ones, key frames far apart.
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", COUNT, rate=RATE)


@pytest.fixture
def player(clip):
    """A pipeline that plays the clip for a display, with the network loaded."""
    pipeline = Pipeline(TINY, display=True)
    pipeline.start()
    wait_until(lambda: pipeline.status().network is not None)
    pipeline.open(SourceSpec("file", str(clip)))
    yield pipeline
    pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total


def take(pipeline):
    """The next result that is not a repetition."""
    got = []
    wait_until(
        lambda: (r := pipeline.take()) is not None and not r.repeated and (got.append(r) or True)
    )
    return got[0]


def number(result):
    """Which frame of the clip a result shows."""
    return round(result.frame.time * RATE)


def play_out(pipeline):
    """Look on until the end."""

    def ended():
        pipeline.take()
        return pipeline.status().state == "ended"

    wait_until(ended)
    while pipeline.take() is not None:
        pass


def paused(pipeline):
    """Pause where the pipeline is, and look at what comes last."""
    take(pipeline)
    pipeline.session.pause()
    time.sleep(0.2)
    while pipeline.take() is not None:
        pass


# The source


def test_a_seek_gives_exactly_the_frame_shown_at_that_time(clip):
    source = open_source(SourceSpec("file", str(clip)))
    assert source.info.seekable
    inorder = list(iter(source.read, None))
    for index in random.Random(1).sample(range(COUNT), 25):
        source.seek((index + 0.4) / RATE)
        got = source.read()
        assert got.time == inorder[index].time
        assert np.array_equal(got.image, inorder[index].image)
        following = source.read()
        assert (following.time if following else None) == (
            inorder[index + 1].time if index + 1 < COUNT else None
        )
    source.close()


def test_a_seek_to_a_stamp_means_its_own_frame_and_outside_the_first_and_last(clip):
    source = open_source(SourceSpec("file", str(clip)))
    for seconds, frame in [(7 / RATE, 7), (-3, 0), (0, 0), (1e6, COUNT - 1), (2.36, 59)]:
        source.seek(seconds)
        assert round(source.read().time * RATE) == frame
    source.close()


@pytest.mark.parametrize("before", [1, 5, 30, 1000])
def test_a_seek_can_go_back_by_frames(clip, before):
    source = open_source(SourceSpec("file", str(clip)))
    source.seek(40 / RATE, before=before)
    expected = max(0, 40 - before)
    assert [round(source.read().time * RATE) for _ in range(3)] == [expected + i for i in range(3)]
    source.close()


def test_seeking_works_in_a_file_without_stamps(tmp_path):
    with av.open(str(tmp_path / "raw.h264"), "w", format="h264") as out:
        write_clip(tmp_path / "a.mp4", 40, rate=RATE)
        with av.open(str(tmp_path / "a.mp4")) as given:
            stream = out.add_stream_from_template(given.streams.video[0])
            for packet in given.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    source = open_source(SourceSpec("file", str(tmp_path / "raw.h264")))
    inorder = list(iter(source.read, None))
    assert len(inorder) == 40
    for index in (20, 3, 39):
        source.seek(inorder[index].time)
        assert np.array_equal(source.read().image, inorder[index].image)
    source.close()


@needs_clips
@pytest.mark.parametrize(
    "name",
    [
        "udacity_solidWhiteRight.mp4",
        "odd/moviepy_no_duration.webm",
        "odd/derived_vfr_h264.mp4",
        "odd/derived_mjpeg.avi",
        "odd/derived_truncated_60pct.mkv",
        "odd/decord_corrupted.mp4",
        "odd/torchcodec_nasa_13013.mp4",
        "odd/decord_video_90.mov",
    ],
)
def test_seeking_is_exact_in_real_files(name):
    source = open_source(SourceSpec("file", str(SHARED / "clips" / name)))
    inorder = [p for p, _ in zip(iter(source.read, None), range(90), strict=False)]
    for index in random.Random(2).sample(range(len(inorder)), min(6, len(inorder))):
        source.seek(inorder[index].time)
        got = source.read()
        assert got.time == inorder[index].time
        assert np.array_equal(got.image, inorder[index].image)
    source.close()


# The pipeline


@pytest.mark.parametrize("state", ["playing", "paused", "ended"])
def test_after_a_seek_the_first_picture_is_the_one_sought(player, state):
    if state == "ended":
        player.session.seek(2.2)
        play_out(player)
    else:
        take(player)
        if state == "paused":
            paused(player)
    player.session.seek(1.0)
    assert player.status().position == 1.0
    assert number(take(player)) == 25
    if state == "playing":
        assert number(take(player)) > 25
        assert player.status().state == "playing"
    else:
        assert player.status().state == "paused"
        time.sleep(0.2)
        assert player.take() is None


def test_seeks_in_quick_succession_end_at_the_last_one(player):
    paused(player)
    for i in range(40):
        player.session.seek((i % 50) / RATE)
        time.sleep(0.002)
    player.session.seek(55 / RATE)
    wait_until(lambda: (r := player.take()) is not None and number(r) == 55)
    time.sleep(0.2)
    assert player.take() is None
    assert player.status().position == pytest.approx(55 / RATE, abs=1e-3)


def test_while_a_timeline_is_dragged_pictures_are_shown_on_the_way(player):
    paused(player)
    places, seen = count(1), []

    def drag():
        player.session.seek((next(places) % COUNT) / RATE)
        result = player.take()
        if result is not None:
            seen.append(number(result))
        return len(seen) > 3

    wait_until(drag, "pictures on the way")


def test_a_step_pauses_and_moves_by_frames_from_the_picture_seen(player):
    shown = number(take(player))
    player.session.step(1)
    got = []
    # Frames on their way when the step was asked for do not come any more.
    wait_until(lambda: (r := player.take()) is not None and (got.append(number(r)) or True))
    assert got[0] in {shown + 1, shown + 2}  # one more may have been finished meanwhile
    assert player.status().state == "paused"
    at = got[0]
    for step in (1, 1, -1, -2, 5, -3):
        player.session.step(step)
        at = max(0, at + step)
        assert number(take(player)) == at
    time.sleep(0.1)
    assert player.take() is None


def test_steps_stay_within_the_file(player):
    take(player)
    player.session.seek(0)
    player.session.step(-4)
    wait_until(lambda: player.status().state == "paused" and not player.session.playback.moving)
    assert player.status().position == 0
    player.session.seek(100)
    wait_until(lambda: player.status().position == pytest.approx(59 / RATE, abs=1e-3))
    player.session.step(3)
    time.sleep(0.3)
    while player.take() is not None:
        pass
    assert player.status().position == pytest.approx(59 / RATE, abs=1e-3)
    player.session.step(-1)
    assert number(take(player)) == 58


def test_a_file_that_has_ended_plays_again_and_steps_back_from_its_end(player):
    player.session.seek(2.2)
    play_out(player)
    player.session.step(-1)
    assert number(take(player)) == 58
    player.session.seek(2.2)
    player.play()
    play_out(player)
    player.play()
    assert number(take(player)) <= 5
    assert player.status().state == "playing"


@pytest.mark.parametrize(
    ("speed", "low", "high"), [(4.0, 0.4, 1.6), pytest.param(0.5, 3.5, 9.0, marks=pytest.mark.slow)]
)
def test_speed_changes_how_long_a_file_lasts(player, speed, low, high):
    take(player)
    player.session.set_speed(speed)
    assert player.status().speed == speed
    player.session.seek(0.4)
    started = time.monotonic()
    play_out(player)
    assert low < time.monotonic() - started < high  # two seconds of the clip


def test_a_part_is_played_over_and_over(player):
    take(player)
    player.session.set_loop((1.0, 1.4))
    assert player.status().loop == (1.0, 1.4)
    seen = []
    wait_until(
        lambda: (r := player.take()) is not None and (seen.append(number(r)) or len(seen) > 22)
    )
    inside = seen[next(i for i, n in enumerate(seen) if n >= 25) :]
    assert set(inside) <= set(range(25, 35))
    assert sum(b < a for a, b in pairwise(inside)) >= 1
    player.session.set_loop(None)
    wait_until(lambda: (r := player.take()) is not None and number(r) > 36)


def test_the_whole_file_is_played_over_and_over_without_an_end(player):
    player.session.set_loop("whole")
    player.session.seek(2.2)
    wait_until(lambda: (r := player.take()) is not None and number(r) < 10)
    assert player.status().state == "playing"
    kinds = set()
    while not player.events.empty():
        kinds.add(player.events.get().kind)
    assert "ended" not in kinds


def test_moves_keep_the_recording_under_way(player, tmp_path):
    take(player)
    player.start_recording(tmp_path / "o.mp4")
    wait_until(lambda: player.take() or player.stats.counters().recorded >= 2)
    player.session.seek(0.5)
    take(player)
    player.session.step(-3)
    take(player)
    player.play()
    wait_until(lambda: player.take() or player.stats.counters().recorded > 12)
    assert player.status().recording is not None
    player.stop_recording()
    wait_until(lambda: player.status().recording is None)
    player.stop()
    counters = player.stats.counters()
    times, _ = read_clip(tmp_path / "o.mp4")
    assert len(times) == counters.recorded
    assert all(b > a for a, b in pairwise(times))


def test_what_a_seek_throws_away_is_counted_under_its_own_cause(player):
    pauses = random.Random(5)

    def thrown_away():
        player.session.seek(pauses.choice((0.0, 0.7, 1.4)))
        time.sleep(pauses.uniform(0, 0.03))  # now and then a frame is under way at the next one
        return player.stats.counters().dropped.get("seek", 0) > 0

    wait_until(thrown_away)
    assert "switched" not in player.stats.counters().dropped


def test_nothing_is_missed_while_the_network_is_loaded(clip):
    pipeline = Pipeline(TINY, display=True)
    pipeline.open(SourceSpec("file", str(clip)))
    time.sleep(0.8)  # a third of the clip
    waited = pipeline.stats.counters().captured
    pipeline.start()
    first = number(take(pipeline))
    pipeline.stop()
    assert waited == 1  # the one that is shown until then
    assert first < 0.4 * RATE  # it went on from there, however late this thread looked


def test_a_recording_begun_at_a_standing_picture_begins_with_it(player, tmp_path):
    take(player)
    player.session.pause()
    player.session.seek(1.0)
    wait_until(lambda: not player.session.playback.moving and player.status().position > 0.99)
    player.start_recording(tmp_path / "o.mp4")
    wait_until(lambda: player.stats.counters().recorded == 1)
    player.play()
    play_out(player)
    player.stop()
    times, _ = read_clip(tmp_path / "o.mp4")
    assert len(times) == COUNT - RATE
    assert times == pytest.approx([i / RATE for i in range(len(times))], abs=2e-3)


def test_what_is_recorded_alone_at_a_standing_picture_is_that_picture(player, tmp_path):
    take(player)
    player.session.pause()
    wait_until(lambda: not player.session.playback.moving)
    player.start_recording(tmp_path / "o.mp4")
    wait_until(lambda: player.stats.counters().recorded == 1)
    player.stop_recording()
    player.stop()
    assert len(read_clip(tmp_path / "o.mp4")[0]) == 1


def test_a_part_marked_while_the_picture_stands_is_gone_to_when_it_plays(player):
    take(player)
    player.session.seek(1.6)
    player.session.pause()
    wait_until(lambda: not player.session.playback.moving and player.status().position > 1.59)
    player.session.set_loop((0.4, 1.6))
    time.sleep(0.3)
    assert player.status().position == pytest.approx(1.6, abs=0.03)
    player.play()
    wait_until(lambda: player.take() is not None and player.status().position < 1.59)
    assert 0.39 <= player.status().position < 1.0


def test_a_seek_before_the_file_is_open_is_carried_out_then(clip):
    pipeline = Pipeline(TINY, display=True)
    pipeline.open(SourceSpec("file", str(clip)))
    pipeline.session.seek(1.0)
    pipeline.start()
    assert number(take(pipeline)) >= 25
    pipeline.stop()


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(player, seconds):
    with pytest.raises(ValueError, match="seek"):
        player.session.seek(seconds)


@pytest.mark.parametrize("part", [(1.0, 1.0), (2.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_a_part_that_is_empty_is_refused(player, part):
    with pytest.raises(ValueError, match="repeat"):
        player.session.set_loop(part)


# The command line


def test_a_part_of_a_file_is_recorded_without_a_window(clip, tmp_path):
    out = tmp_path / "o.mp4"
    fast = ("--headless", "--input-size", "64x96")
    done = run_main(str(clip), *fast, "--start", "0:00.4", "--end", "1", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert "15 frames in" in done.stdout
    assert len(read_clip(out)[0]) == 15


def test_a_loop_without_a_window_ends_after_max_frames(clip, tmp_path):
    out = tmp_path / "o.mp4"
    fast = ("--headless", "--input-size", "64x96", "--loop")
    done = run_main(
        str(clip), *fast, "--start", "1", "--end", "1.2", "--max-frames", "13", "-o", str(out)
    )
    assert done.returncode == 0, done.stderr
    times, _ = read_clip(out)
    assert len(times) == 13
    assert all(b > a for a, b in pairwise(times))


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--headless", "--loop"),
        ("demo", "--start", "2", "--end", "1"),
        ("0", "--start", "2"),
        ("demo", "--start", "soon"),
        ("demo", "--end", "-1"),
    ],
)
def test_parts_and_loops_that_make_no_sense_are_refused(arguments):
    done = run_main(*arguments, "--headless")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_beginning_behind_the_end_is_said(clip):
    done = run_main(str(clip), "--headless", "--input-size", "64x96", "--start", "1:00")
    assert done.returncode == 3
    assert "lasts 2.4 s: there is nothing at 60 s" in done.stderr


@pytest.mark.parametrize("length", [0.8, 6.0])
def test_the_last_picture_stands_for_as_long_as_its_file_says(tmp_path, length):
    # Six seconds are more than a gap of which a file says nothing would be waited for.
    path = tmp_path / "last.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuvj420p"
        packets = []
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), 90, np.uint8), format="rgb24")
            packets += stream.encode(frame.reformat(format="yuvj420p"))
        for packet in packets + stream.encode(None):
            packet.duration = round(length / packet.time_base) if packet.pts else 1
            container.mux(packet)
    pipeline = Pipeline(TINY, display=True)
    pipeline.session.set_speed(4)
    pipeline.start()
    wait_until(lambda: pipeline.status().network is not None)
    pipeline.open(SourceSpec("file", str(path)))
    try:
        while take(pipeline).frame.time < 0.19:
            pass
        seen = time.monotonic()
        wait_until(lambda: pipeline.status().state == "ended")
        assert time.monotonic() - seen > length / 4 - 0.15
    finally:
        pipeline.stop()
