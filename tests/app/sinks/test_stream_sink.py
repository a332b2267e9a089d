"""The annotated video, sent to real receivers on loopback."""

import contextlib
import socket
import threading
import time
from dataclasses import replace

import av
import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.core.events import EventBus
from app.core.stats import Stats
from app.errors import UsageError
from app.headless import run_headless
from app.sinks import stream_sink
from app.sinks.stream_sink import StreamSink, check_stream
from tests.support.cli_process import run_main
from tests.support.media import write_clip
from tests.support.recordings import results
from tests.support.stream_servers import free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class Receiver(threading.Thread):
    """Reads a stream as a player would; keeps what it decoded."""

    def __init__(self, scheme, port=None):
        super().__init__(daemon=True)
        self.port = port or free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}" + ("/live" if scheme == "rtsp" else "")
        self.images, self.stamps = [], []
        self.over = threading.Event()
        self._options = {"rtsp_flags": "listen", "listen_timeout": "60"} if scheme == "rtsp" else {}
        self.start()

    def run(self):
        with contextlib.suppress(av.error.FFmpegError, OSError):
            quick = {"probesize": "32000", "analyzeduration": "100000"}
            with av.open(self.url, options={**self._options, **quick}) as container:
                for frame in container.decode(video=0):
                    self.images.append(frame.to_ndarray(format="rgb24"))
                    self.stamps.append(frame.time)
                    if self.over.is_set():
                        return


def feed(sink, until, *, size=(160, 96), shown=()):
    """Give results at their own pace until something is true."""
    shown = list(shown or results([0.0] * 8, size=size))
    count = 0

    def give(pause):
        nonlocal count
        result = shown[count % len(shown)]
        frame = replace(result.frame, captured=time.monotonic())
        sink.put(replace(result, frame=frame), wait=True)
        count += 1
        time.sleep(0.03)

    wait_until(until, "what is sent to arrive", pause=give)
    return count


def texts(events):
    return [events.get().text for _ in range(events.qsize())]


def ended(sink):
    sink.finish()
    sink.join()


@pytest.mark.parametrize("scheme", ["udp", "rtsp"])
@pytest.mark.parametrize("size", [(160, 96), (161, 97)])
def test_what_is_sent_can_be_watched(scheme, size):
    stats, events = Stats(), EventBus()
    receiver = Receiver(scheme)
    sink = StreamSink(receiver.url, stats, events)
    sink.start()
    offered = feed(sink, lambda: len(receiver.images) > 8, size=size)
    receiver.over.set()
    ended(sink)
    counters = stats.counters()
    assert counters.offered == offered
    assert counters.offered == counters.recorded + counters.not_recorded_total
    assert receiver.images[0].shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    assert np.abs(receiver.images[-1][:, :, 1].mean() - 80) < 25
    stamps = [stamp for stamp in receiver.stamps if stamp is not None]  # RTSP begins without
    assert stamps == sorted(stamps)
    assert any("Streaming to" in text for text in texts(events))


@pytest.mark.parametrize("scheme", ["udp", "rtsp"])
def test_large_pictures_go_in_many_packets(scheme):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    (shown,) = results([0.0], size=(320, 240))
    shown = replace(shown, sides=(noise,))
    receiver = Receiver(scheme)
    sink = StreamSink(receiver.url, Stats(), EventBus())
    sink.start()
    feed(sink, lambda: len(receiver.images) > 5, shown=[shown])
    receiver.over.set()
    ended(sink)
    assert np.abs(receiver.images[-1].astype(int) - noise).mean() < 60  # noise, but that noise


def test_a_receiver_that_goes_and_comes_back_is_found_again():
    stats, events = Stats(), EventBus()
    first = Receiver("rtsp")
    sink = StreamSink(first.url, stats, events)
    sink.start()
    feed(sink, lambda: len(first.images) > 3)
    first.over.set()
    feed(sink, lambda: stats.counters().not_recorded.get("offline", 0) > 2)
    second = Receiver("rtsp", first.port)
    feed(sink, lambda: len(second.images) > 3)
    second.over.set()
    ended(sink)
    said = texts(events)
    assert sum("trying again" in text for text in said) == 1
    assert any("Streaming again to" in text for text in said)
    counters = stats.counters()
    assert counters.offered == counters.recorded + counters.not_recorded_total


def test_receivers_of_datagrams_come_and_go_unnoticed():
    stats, events = Stats(), EventBus()
    first = Receiver("udp")
    sink = StreamSink(first.url, stats, events)
    sink.start()
    feed(sink, lambda: len(first.images) > 3)
    first.over.set()
    feed(sink, lambda: not first.is_alive())
    sent = sink.sent
    feed(sink, lambda: sink.sent > sent + 5)  # to nobody
    second = Receiver("udp", first.port)
    feed(sink, lambda: len(second.images) > 3)
    second.over.set()
    ended(sink)
    counters = stats.counters()
    assert counters.offered == counters.recorded + counters.not_recorded_total
    assert not counters.not_recorded.get("offline")
    assert not any("trying again" in text for text in texts(events))


def test_who_is_not_there_holds_nobody_up_and_is_named_without_secrets():
    stats, events = Stats(), EventBus()
    sink = StreamSink(f"rtsp://me:hush@127.0.0.1:{free_port()}/live", stats, events)
    sink.start()
    feed(sink, lambda: stats.counters().not_recorded.get("offline", 0) > 5)
    ended(sink)
    counters = stats.counters()
    assert counters.recorded == 0
    assert counters.offered == counters.not_recorded_total
    told = [events.get() for _ in range(events.qsize())]
    assert told[-1].kind == "error"
    assert told[-1].exit_code == 5
    assert "Nothing could be sent to rtsp://127.0.0.1" in told[-1].text
    assert not any("hush" in each.text for each in told)


def test_who_takes_nothing_is_left_behind(monkeypatch):
    """A server that accepts and says nothing."""
    monkeypatch.setattr(stream_sink, "_PATIENCE", 0.2)
    stats = Stats()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sink = StreamSink(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live", stats, EventBus())
        sink.start()
        feed(sink, lambda: stats.counters().not_recorded.get("offline", 0) > 3)
        ended(sink)
    counters = stats.counters()
    assert 0 <= counters.offered - counters.not_recorded_total <= 1  # one may be in hand


def test_another_size_begins_another_stream():
    stats, events = Stats(), EventBus()
    first = Receiver("rtsp")
    sink = StreamSink(first.url, stats, events)
    sink.start()
    feed(sink, lambda: len(first.images) > 3)
    feed(sink, lambda: stats.counters().not_recorded.get("offline", 0) > 0, size=(96, 64))
    second = Receiver("rtsp", first.port)
    feed(sink, lambda: len(second.images) > 3, size=(96, 64))
    second.over.set()
    ended(sink)
    assert second.images[0].shape == (64, 96, 3)


def test_a_run_without_a_window_sends_a_file_at_its_own_pace(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 20, rate=20)
    receiver = Receiver("udp")
    line = [str(clip), "--headless", "--input-size", "64x96", "-o", receiver.url]
    settings = settings_from(build_parser().parse_args(line))
    started = time.monotonic()
    assert run_headless(settings) == 0
    assert time.monotonic() - started > 0.9  # as long as it lasts, at least
    wait_until(lambda: len(receiver.images) > 8, "the pictures")
    receiver.over.set()


@pytest.mark.parametrize("address", ["ftp://host/x", "http://host/x"])
def test_addresses_that_nothing_is_sent_to_are_refused(address):
    with pytest.raises(UsageError, match="a video can be sent to rtsp://HOST:PORT"):
        settings_from(build_parser().parse_args(["demo", "-o", address]))


@pytest.mark.parametrize(
    "address",
    [
        *("rtsp://", "udp://", "udp:///x", "udp://127.0.0.1", "udp://127.0.0.1:99999"),
        *("srt://host", "srt://host:x", "rtsp://host:70000/a", "rtsp://host:0/a", "udp://[::1"),
    ],
)
def test_an_address_without_a_host_or_a_port_that_can_be_is_refused(address):
    with pytest.raises(UsageError, match="with a port from 1 to 65535"):
        settings_from(build_parser().parse_args(["demo", "-o", address]))


def test_what_ffmpeg_cannot_send_is_said_before_any_work_with_what_works():
    try:
        av.open("srt://", format="mpegts").close()
    except av.error.ProtocolNotFoundError:
        done = run_main("demo", "--headless", "-o", "srt://me:hush@host:5000")
        assert done.returncode == 5
        assert len(done.stderr.splitlines()) == 1
        assert "use udp:// or rtsp://" in done.stderr
        assert "hush" not in done.stderr
    except (av.error.FFmpegError, OSError):
        check_stream("srt://host:5000")  # this build has it
    check_stream("udp://host:5000")


@pytest.mark.parametrize("address", ["rtsp://host/a", "RTSP://host/a", "udp://[::1]:5000"])
def test_the_usual_port_need_not_be_said(address):
    assert settings_from(build_parser().parse_args(["demo", "-o", address])).streams == (address,)
