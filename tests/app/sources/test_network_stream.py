"""Network streams, with real servers on loopback."""

import contextlib
import logging
import socket
import threading
import time
from itertools import pairwise

import av
import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.config.settings import (
    RecordingOptions,
    RunOptions,
    Settings,
    SourceOptions,
)
from app.errors import SourceError
from app.headless import run_headless
from app.pipeline.pipeline import Pipeline
from app.sources import network_stream as stream
from app.sources import open_source, parse_source
from tests.support.awkward_clips import NO_B, cut_off, make_clip, spoil
from tests.support.cli_process import run_main
from tests.support.http_server import content, serving
from tests.support.media import count_by_opencv, write_clip
from tests.support.pipeline_driver import TINY
from tests.support.stream_servers import (
    MjpegServer,
    TsServer,
    UdpSender,
    free_port,
    rtsp_server,
    silent_server,
    web_folder,
)
from tests.support.waiting import PATIENCE, wait_until

SECRET = "s3cr3t"


@pytest.fixture
def camera():
    server = MjpegServer()
    yield server
    server.close()


@pytest.fixture
def impatient(monkeypatch):
    """Silence is noticed sooner than users would want it."""
    monkeypatch.setattr(stream, "SILENCE", 0.6)
    monkeypatch.setattr(stream, "_FIRST_PAUSE", 0.1)


@pytest.fixture
def pipeline():
    made = Pipeline(TINY, display=True)
    made.start()
    wait_until(lambda: made.status().network is not None)
    yield made
    made.stop()
    counters = made.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total


def texts(pipeline):
    said = []
    while not pipeline.events.empty():
        said.append(pipeline.events.get().text)
    return said


# Addresses


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("rtsp://10.0.0.7/live", "stream"),
        ("HTTP://cam/video.mjpg", "stream"),
        ("udp://@:5000", "stream"),
        ("tcp://127.0.0.1:99", "stream"),
        ("clips/a:b.mp4", "file"),
        ("C:\\clips\\a.mp4", "file"),
    ],
)
def test_addresses_are_told_from_paths(text, kind):
    assert parse_source(text).kind == kind


def test_a_file_address_is_a_path(tmp_path):
    path = write_clip(tmp_path / "ein Film.mp4", 2)
    spec = parse_source(path.as_uri())
    assert (spec.kind, spec.name) == ("file", "ein Film.mp4")
    open_source(spec).close()


def test_an_address_of_an_unknown_kind_is_refused():
    with pytest.raises(SourceError, match="gopher://host/x cannot be read"):
        parse_source(f"gopher://me:{SECRET}@host/x")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"rtsp://me:{SECRET}@cam:554/live", "rtsp://cam:554/live"),
        (f"http://cam/video?token={SECRET}&x=1", "http://cam/video?…"),
        (f"rtsp://cam/user=me&password={SECRET}&channel=1", "rtsp://cam/user=me&password=…"),
        (f"rtsp://me:p@ss{SECRET}@cam/live", "rtsp://cam/live"),
        (f"rtsp://me:{SECRET}@[::1/live", "rtsp address"),
    ],
)
def test_what_is_secret_in_an_address_is_not_shown(address, shown):
    spec = parse_source(address)
    assert spec.name.startswith(shown)
    for text in (spec.name, str(spec), repr(spec), repr(Settings(sources=(spec,)))):
        assert SECRET not in text


def test_passwords_reach_the_camera_and_nothing_else(camera, caplog, pipeline):
    caplog.set_level(logging.DEBUG)
    camera.password = True
    address = camera.url.replace("http://", f"http://me:{SECRET}@")
    pipeline.open(parse_source(address))
    wait_until(lambda: pipeline.take() is not None)
    assert camera.authorization[0].startswith("Basic ")
    shown = repr(pipeline.status())
    pipeline.open(parse_source(f"rtsp://me:{SECRET}@127.0.0.1:{free_port()}/x?pw={SECRET}"))
    said = []
    wait_until(lambda: said.extend(texts(pipeline)) or any("cannot be opened" in t for t in said))
    assert SECRET not in shown + "".join(said) + caplog.text + repr(pipeline.status())


def test_a_dead_address_is_one_sentence_without_its_password():
    address = f"rtsp://me:{SECRET}@127.0.0.1:{free_port()}/live"
    done = run_main(address, "--headless", "--input-size", "64x96", "--log-level", "debug")
    assert done.returncode == 3
    assert "Traceback (most recent call last):\n  File" not in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert "cannot be opened (Connection refused)" in done.stderr


# What can be read


def _rtsp():
    server = rtsp_server()
    if server is None:
        pytest.skip("the small RTSP server (../shared/tools) is not here")
    return server(size=(160, 96))


@pytest.mark.parametrize("make", [MjpegServer, TsServer, UdpSender, _rtsp])
def test_a_live_stream_is_read_at_its_own_pace(make):
    server = make()
    try:
        source = open_source(parse_source(server.url))
        started = time.monotonic()
        pictures = [source.read() for _ in range(20)]
        took = time.monotonic() - started
        source.close()
    finally:
        server.close()
    assert source.live
    assert not source.info.seekable
    assert pictures[0].image.shape == (96, 160, 3)
    times = [p.time for p in pictures]
    assert times[0] == 0
    assert all(b > a for a, b in pairwise(times))
    assert took > 0.3  # nothing is repeated, and nothing races
    assert 0.3 < times[-1] < took + 2  # a decoder may have had some before the first was asked for


def test_a_cameras_pictures_with_exif_data_are_read_and_turned(camera):
    camera.orientation = 6
    source = open_source(parse_source(camera.url))
    try:
        assert [source.read().image.shape for _ in range(5)] == [(160, 96, 3)] * 5
    finally:
        source.close()


def test_damaged_pictures_of_a_camera_are_left_out_counted_and_said_once(camera):
    camera.spoiled = 5
    source = open_source(parse_source(camera.url))
    try:
        pictures = [source.read() for _ in range(20)]
    finally:
        source.close()
    assert all(b.time > a.time for a, b in pairwise(pictures))
    assert source.missed["decode"] >= 3
    assert sum(place.missing for place in source.damage) == source.missed["decode"]
    assert all(place.start in {round(p.time, 3) for p in pictures} for place in source.damage[:-1])
    assert len(camera.attempts) <= 2  # the connection is kept
    assert [text for text in source.news if "sends damaged data" in text] == source.news[:1]
    assert len(source.news) == 1


def test_joining_a_stream_in_the_middle_of_its_pictures_is_no_damage(tmp_path):
    clip = make_clip(tmp_path / "m.ts", count=300, gop=30, options=NO_B, format="mpegts")
    data = clip.read_bytes()[len(clip.read_bytes()) // 40 // 188 * 188 :]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def send():
            client, _ = listener.accept()
            with client, contextlib.suppress(OSError):
                for begin in range(0, len(data), 1880):
                    client.sendall(data[begin : begin + 1880])
                    time.sleep(0.04)

        threading.Thread(target=send, daemon=True).start()
        source = open_source(parse_source(f"tcp://127.0.0.1:{listener.getsockname()[1]}"))
        for _ in range(5):
            source.read()
        source.close()
    assert source.damage == []
    assert source.news == []


def test_live_hls_is_read(tmp_path):
    stop = threading.Event()

    def send():
        options = {"hls_time": "0.4", "hls_list_size": "4", "hls_flags": "delete_segments"}
        with av.open(str(tmp_path / "live.m3u8"), "w", format="hls", options=options) as out:
            codec = {"preset": "ultrafast", "tune": "zerolatency"}
            encoder = out.add_stream("libx264", rate=25, options=codec)
            encoder.width, encoder.height, encoder.pix_fmt = 160, 96, "yuv420p"
            encoder.codec_context.gop_size = 10
            index = 0
            while not stop.is_set():
                image = np.full((96, 160, 3), index % 200, np.uint8)
                out.mux(encoder.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
                index += 1
                time.sleep(0.04)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    wait_until(lambda: (tmp_path / "live.m3u8").exists())
    try:
        with web_folder(tmp_path) as base:
            source = open_source(parse_source(f"{base}/live.m3u8"))
            times = [source.read().time for _ in range(15)]
            source.close()
    finally:
        stop.set()
        thread.join()
    assert source.live
    assert all(b > a for a, b in pairwise(times))


def test_a_file_at_an_address_is_played_as_a_file(tmp_path):
    write_clip(tmp_path / "clip.mp4", 30)
    with web_folder(tmp_path) as base:
        source = open_source(parse_source(f"{base}/clip.mp4"))
        assert not source.live
        assert source.info.seekable
        assert source.info.duration == pytest.approx(1.0, abs=0.1)
        pictures = list(iter(source.read, None))
        source.seek(0.5)
        assert source.read().time == pytest.approx(0.5, abs=1e-3)
        source.close()
    assert len(pictures) == 30


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("name", ["f.avi", "f.mkv", "f.mp4"])
def test_a_file_at_an_address_is_recorded_as_it_is_from_the_disk(tmp_path, name, ranges):
    make_clip(tmp_path / name, options=NO_B, sound="aac")
    out, part = tmp_path / "out.mp4", tmp_path / "part.mp4"
    with serving() as web:
        web.pages[f"/{name}"] = content((tmp_path / name).read_bytes(), ranges=ranges)
        address = f"{web.url}/{name}"
        assert _run(address, "-o", str(out)) == 0
        assert _run(address, "-o", str(part), "--start", "1", "--end", "2") == 0
    assert _seen_and_heard(out) == (60, pytest.approx(3.0, abs=0.1))
    assert _seen_and_heard(part) == (20, pytest.approx(1.0, abs=0.1))


def test_damage_of_a_file_at_an_address_is_said(tmp_path):
    spoil(make_clip(tmp_path / "d.avi", "mjpeg"), 12)
    cut_off(make_clip(tmp_path / "t.mkv", options=NO_B), 0.6)
    with web_folder(tmp_path) as base:
        for name, words in (
            ("d.avi", "1 of 60 frames could not be read"),
            ("t.mkv", "ended early"),
        ):
            source = open_source(parse_source(f"{base}/{name}"))
            assert len(list(iter(source.read, None))) >= 30
            source.close()
            assert words in source.notice


def test_a_part_of_what_turns_out_to_be_live_is_refused(camera, capsys):
    assert _run(camera.url, "--start", "1", "--max-frames", "2") == 3
    assert "is live: --start, --end and --video-stream are for files" in capsys.readouterr().err


def _run(address, *arguments):
    words = [address, "--headless", "--device", "cpu", "--input-size", "64x96", *arguments]
    return run_headless(settings_from(build_parser().parse_args(words)))


def _seen_and_heard(path):
    """How many frames, and how many seconds of sound."""
    with av.open(str(path)) as container:
        seen, heard = 0, 0.0
        for packet in container.demux():
            seen += packet.stream.type == "video" and packet.size > 0
            if packet.stream.type == "audio" and packet.size:
                heard = float((packet.pts + packet.duration) * packet.time_base)
    return seen, heard


def test_what_is_no_video_at_an_address_is_refused(tmp_path):
    (tmp_path / "page.html").write_text("<p>no video</p>" * 50)
    with web_folder(tmp_path) as base:
        for name in ("page.html", "nothing.mp4"):
            with pytest.raises(SourceError, match=name):
                open_source(parse_source(f"{base}/{name}"))


# Delay


def test_the_delay_does_not_grow_when_the_reader_is_slow():
    server = MjpegServer(rate=40)
    source = open_source(parse_source(server.url))
    try:
        ages = []
        end = time.monotonic() + 3.5
        while time.monotonic() < end:
            image = source.read().image
            left = int(image.astype(int).sum(axis=2).mean(axis=0).argmax())
            # The bar of picture i begins at (7 i) mod 152: 7 · 87 = 609 = 1 (mod 152).
            shown = min(((left - shift) * 87 % 152 for shift in range(8)), key=_age(server))
            ages.append(_age(server)(shown) / 40)
            time.sleep(0.15)
    finally:
        source.close()
        server.close()
    assert source.missed["late"] > 20
    assert np.median(ages[-5:]) < 1.5  # reading all, it would be nearly three seconds behind


def _age(server):
    return lambda shown: (server.sent - shown) % 152


# Interruptions


@pytest.mark.parametrize("fault", ["silent", "cut"])
def test_an_interruption_is_shown_as_such_and_ends(camera, pipeline, impatient, fault):
    pipeline.open(parse_source(camera.url))
    wait_until(lambda: pipeline.take() is not None)
    assert pipeline.status().offline is None
    if fault == "silent":
        camera.silent.set()
    else:
        camera.refusing.set()
        camera.cut()
    wait_until(lambda: pipeline.status().offline is not None)
    captured = pipeline.stats.counters().captured
    time.sleep(0.3)
    # No picture is repeated in its place.
    assert pipeline.stats.counters().captured == captured
    assert pipeline.status().offline > 0.2
    assert any("is offline" in text for text in texts(pipeline))
    while pipeline.take() is not None:
        pass
    camera.silent.clear()
    camera.refusing.clear()
    wait_until(lambda: pipeline.take() is not None)
    assert pipeline.status().offline is None
    assert pipeline.status().state == "playing"
    wait_until(lambda: any("is back after" in text for text in texts(pipeline)))


def test_the_pauses_between_attempts_grow(camera, pipeline, impatient):
    pipeline.open(parse_source(camera.url))
    wait_until(lambda: pipeline.take() is not None)
    camera.refusing.set()
    first = len(camera.attempts)
    camera.cut()
    time.sleep(3.5)
    gaps = [b - a for a, b in pairwise(camera.attempts[first:])]
    assert 2 <= len(gaps) <= 6
    assert gaps[-1] > 1.5 * gaps[0]


@pytest.mark.slow
def test_a_stream_that_returns_many_times_keeps_its_time_and_its_recording(
    pipeline, impatient, tmp_path
):
    server = TsServer()
    pipeline.open(parse_source(server.url))
    wait_until(lambda: pipeline.take() is not None)
    pipeline.start_recording(tmp_path / "o.mp4")
    stamps = []
    for _ in range(3):
        for _ in range(4):
            got = []
            wait_until(lambda got=got: (r := pipeline.take()) is not None and not got.append(r))
            stamps.append(got[0].frame.time)
        server.cut()
        wait_until(lambda: pipeline.status().offline is not None)
    pipeline.stop_recording()
    pipeline.open(parse_source("demo"))
    server.close()
    wait_until(lambda: pipeline.status().recording is None)
    assert all(b > a for a, b in pairwise(stamps))
    wait_until(lambda: any("Saved" in text for text in texts(pipeline)))
    assert count_by_opencv(tmp_path / "o.mp4") >= 5


def test_without_a_window_a_stream_that_stays_away_ends_the_run(camera, tmp_path, capfd, impatient):
    settings = Settings(
        sources=(parse_source(camera.url),),
        recording=RecordingOptions(file=tmp_path / "o.mp4"),
        run=RunOptions(headless=True),
        network=TINY.network,
        source=SourceOptions(patience=0.5),
    )

    def vanish():
        wait_until(lambda: (tmp_path / "o.mp4").exists())
        time.sleep(0.5)
        camera.refusing.set()
        camera.cut()

    thread = threading.Thread(target=vanish)
    thread.start()
    assert run_headless(settings) == 3
    thread.join()
    assert "did not come back" in capfd.readouterr().err
    assert count_by_opencv(tmp_path / "o.mp4") > 0


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_the_program_stops_while_a_stream_is_being_opened(scheme, monkeypatch):
    monkeypatch.setattr(stream, "OPENING", PATIENCE)
    pipeline = Pipeline(TINY, display=True)
    pipeline.start()
    wait_until(lambda: pipeline.status().network is not None)
    with silent_server() as port:
        pipeline.open(parse_source(f"{scheme}://127.0.0.1:{port}/x"))
        time.sleep(0.2)
        started = time.monotonic()
        pipeline.stop()
        assert time.monotonic() - started < 20


def test_the_program_stops_while_a_stream_is_being_waited_for(camera, pipeline, impatient):
    pipeline.open(parse_source(camera.url))
    wait_until(lambda: pipeline.take() is not None)
    camera.refusing.set()
    camera.cut()
    wait_until(lambda: pipeline.status().offline is not None)
    pipeline.stop()
    assert not any(t.name == "capture" for t in threading.enumerate())


def test_an_address_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(stream, "OPENING", 0.7)
    with silent_server() as port, pytest.raises(SourceError, match="does not answer"):
        open_source(parse_source(f"rtsp://127.0.0.1:{port}/x"))


def test_the_window_does_not_pass_off_an_old_picture_as_new(camera, impatient):
    from tests.support.window_driver import application, play, screenshot, window
    from tests.support.window_driver import wait_until as gui_wait

    application()
    with window() as w:
        play(w, parse_source(camera.url))
        gui_wait(lambda: screenshot(w.view)[..., :3].max() > 150, "a bright picture")
        camera.silent.set()
        gui_wait(lambda: "Offline for" in w.view.accessibleDescription(), "the word")
        assert w.seek_bar.duration.text() == "Offline"
        # Darkened, but for the white letters.
        assert np.percentile(screenshot(w.view)[..., :3], 90) < 100
        camera.silent.clear()
        gui_wait(lambda: "Offline" not in w.view.accessibleDescription(), "the end of it")


def test_what_ffmpeg_cannot_read_is_named_with_what_works():
    with pytest.raises(SourceError) as refused:
        open_source(parse_source("srt://me:hush@127.0.0.1:9"))
    assert "hush" not in str(refused.value)
    with contextlib.suppress(av.error.FFmpegError, OSError):
        try:
            av.open("srt://", format="mpegts").close()
        except av.error.ProtocolNotFoundError:
            assert "cannot read srt:// addresses: use rtsp://" in str(refused.value)
