"""Paths of the server, asked for over real sockets."""

import io
import json
import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from app.core.events import CommonEvents, Event
from app.pipeline.pipeline import Pipeline
from app.rendering.view_options import ViewOptions
from app.serve import encoding
from app.sinks.data.frame_row import RowMaker
from fastscnn.labels import CITYSCAPES
from tests.support.recordings import result, results
from tests.support.web_client import serving


@pytest.fixture
def served():
    with serving(serve_control=True) as one:
        yield one


def show(served, **more):
    for each in results([0.0], **more):
        served.pipeline.sinks.deliver(each)


def image_of(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)


def test_before_the_first_picture_there_is_none(served):
    assert served.ask("/frame.jpg").status == served.ask("/labels.png").status == 404
    assert served.ask("/stats.json").json["sources"][0]["age"] is None


def test_the_picture_is_the_newest_at_its_own_size_in_its_colours(served):
    first, second = (np.full((96, 160, 3), color, np.uint8) for color in [(0, 0, 255), (200, 0, 0)])
    served.pipeline.sinks.deliver(result(first, 0.0))
    served.pipeline.sinks.deliver(result(second, 0.1))
    answer = served.ask("/frame.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-picture"] == "2"
    seen = image_of(answer.body)
    assert seen.shape == (96, 160, 3)
    assert np.abs(seen.mean((0, 1)) - (200, 0, 0)).max() < 6


@pytest.mark.parametrize(("asked", "got"), [(100, 320), (320, 320), (700, 960), (5000, 1000)])
def test_a_picture_is_scaled_to_one_of_few_widths(served, asked, got):
    show(served, size=(1000, 200))
    seen = image_of(served.ask(f"/frame.jpg?width={asked}").body)
    assert seen.shape[:2] == (round(200 * got / 1000), got)


def test_who_has_a_picture_waits_for_the_next(served):
    show(served)
    number = served.ask("/frame.jpg").headers["x-picture"]
    got = []
    asking = threading.Thread(target=lambda: got.append(served.ask(f"/frame.jpg?after={number}")))
    asking.start()
    show(served)
    asking.join(60)
    assert got[0].status == 200
    assert int(got[0].headers["x-picture"]) == int(number) + 1


def test_labels_are_numbers_to_programs_and_colours_to_the_eye(served):
    labels = np.zeros((96, 160), np.uint8)
    labels[:, 80:], labels[:10] = 13, 255
    served.pipeline.sinks.deliver(result(np.zeros((96, 160, 3), np.uint8), 0.0, labels=labels))
    image = Image.open(io.BytesIO(served.ask("/labels.png").body))
    assert np.array_equal(np.array(image), labels)
    assert image.convert("RGB").getpixel((150, 90)) == tuple(CITYSCAPES.palette[13])


def test_a_stream_gives_picture_after_picture_and_ends_with_the_server():
    with serving() as served, served.connect() as connection:
        connection.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        file = connection.makefile("rb")
        numbers = []
        for count in range(3):
            show(served)
            while not (line := file.readline()).startswith(b"X-Picture"):
                assert line
            numbers.append(int(line.split()[1]))
            assert numbers[-1] == count + 1
        served.server.stop()
        assert file.read().endswith(b"0\r\n\r\n")


def rows(file, count):
    found = []
    while len(found) < count:
        line = file.readline()
        assert line
        if line.startswith(b"data: "):
            found.append(json.loads(line[6:]))
    return found


def test_events_are_a_row_for_every_frame_and_what_the_user_is_told():
    labels = np.zeros((96, 160), np.uint8)
    labels[:48] = 10
    picture = result(np.zeros((96, 160, 3), np.uint8), 1.5, index=7, labels=labels)
    with serving() as served, served.connect() as connection:
        served.pipeline.events.put(Event("notice", "The sound is silent."))
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        file = connection.makefile("rb")
        (said,) = rows(file, 1)
        assert said == {"number": 0, "kind": "notice", "text": "The sound is silent."}
        served.pipeline.sinks.deliver(picture)
        (row,) = rows(file, 1)
        assert row == {"number": 0, **RowMaker().row(picture).as_json(), "dropped": row["dropped"]}
        assert (row["index"], row["time"], row["share_sky"]) == (7, 1.5, 0.5)
        # Drawn anew for another option it is no frame of its own.
        served.pipeline.sinks.deliver(replace(picture, repeated=True))
        served.pipeline.events.notice("on")
        assert rows(file, 1)[0]["text"] == "on"


def test_what_serves_all_sources_is_told_of_none():
    with serving() as served, served.connect() as connection:
        CommonEvents(served.pipeline.events).notice("The network is small.")
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        (said,) = rows(connection.makefile("rb"), 1)
        assert said == {"number": None, "kind": "notice", "text": "The network is small."}


def test_a_source_that_leaves_is_shown_no_more_and_the_others_keep_their_numbers(served):
    others = [Pipeline(served.pipeline.settings, display=True) for _ in range(2)]
    for other in others:
        served.server.show(other, lambda: None)
    show(served)
    for each in results([0.0]):
        others[1].sinks.deliver(each)
    with served.connect() as connection, served.connect() as waiting:
        connection.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        waiting.sendall(b"GET /frame.jpg?after=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = connection.makefile("rb")
        while not stream.readline().startswith(b"X-Picture"):
            pass
        served.server.hide(served.pipeline)
        assert stream.read().endswith(b"0\r\n\r\n")  # it ends
        assert b" 204 " in waiting.makefile("rb").readline()  # and so does waiting for it
    served.server.hide(others[0])
    assert [each["source"] for each in served.ask("/stats.json").json["sources"]] == [2]
    assert served.ask("/frame.jpg?source=0").status == 404
    assert served.ask("/frame.jpg?source=2").status == 200
    assert served.ask("/frame.jpg").status == 200  # the first that there is
    assert b'source="0"' not in served.ask("/metrics").body
    assert served.control(source=0, skip=False).status == 400
    assert served.control(source="all", skip=False).status == 204
    assert others[1].live.skip is False
    assert served.pipeline.live.skip is True


def test_what_nobody_listened_to_was_not_dropped():
    blank = np.zeros((96, 160, 3), np.uint8)
    with serving() as served, served.connect() as connection:
        for index in range(40):
            served.pipeline.sinks.deliver(result(blank, index / 30, index=index))
        connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        file = connection.makefile("rb")
        (row,) = rows(file, 1)
        assert (row["index"], row["dropped"]) == (39, 0)
        served.pipeline.sinks.deliver(result(blank, 1.5, index=43))
        (row,) = rows(file, 1)
        assert (row["index"], row["dropped"]) == (43, 3)


def test_a_picture_is_encoded_once_for_all_clients(served, monkeypatch):
    made = []
    encode = encoding.jpeg_of
    monkeypatch.setattr("app.serve.endpoints.jpeg_of", lambda *a: made.append(a) or encode(*a))
    show(served)
    asking = [threading.Thread(target=served.ask, args=("/frame.jpg?width=320",)) for _ in range(8)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(60)
    assert len(made) == 1


def test_figures_are_those_of_the_pipeline(served):
    served.pipeline.stats.count("captured", 5)
    served.pipeline.stats.drop("late", 2)
    served.pipeline.stats.spent({"network": 0.25})
    show(served)
    (source,) = served.ask("/stats.json").json["sources"]
    assert source["counters"]["captured"] == 5
    assert source["counters"]["dropped"] == {"late": 2}
    assert source["classes"][0] == {"name": "road", "color": "#804080", "share": 1.0}
    text = served.ask("/metrics").body.decode()
    assert 'fastscnn_frames_total{source="0",fate="dropped_late"} 2' in text
    assert 'fastscnn_stage_seconds_total{source="0",stage="network"} 0.250000' in text
    assert 'fastscnn_age_seconds{source="0"} ' in text
    assert all(line.startswith(("#", "fastscnn_")) for line in text.splitlines())


def test_controls_do_what_they_say(served):
    answer = served.control(skip=False, view="labels", alpha=0.25, hidden=["sky", "car"])
    assert answer.status == 204
    pipeline = served.pipeline
    assert pipeline.live.skip is False
    assert pipeline.view == ViewOptions(view="labels", alpha=0.25, hidden=frozenset({10, 13}))


@pytest.mark.parametrize(
    "commands",
    [
        {"skip": 1},
        {"view": "upside-down"},
        {"view": ["overlay"]},
        {"view": "truth"},
        {"view": "errors"},
        {"alpha": 1.5},
        {"alpha": True},
        {"alpha": float("nan")},
        {"hidden": "sky"},
        {"hidden": [3]},
        {"hidden": ["unicorn"]},
        {"hidden": ["sky", ""]},
        {"input_size": "9x9"},
        {"playing": None},
        {"source": 7},
        {"source": -1},
        {"source": True},
        {"source": [0]},
        {"quit": True},
    ],
)
def test_a_control_that_makes_no_sense_changes_nothing(served, commands):
    before = served.pipeline.view, served.pipeline.live.skip
    answer = served.control(**{"skip": False, **commands})
    assert answer.status == 400
    assert answer.body.decode().endswith(".")
    assert (served.pipeline.view, served.pipeline.live.skip) == before


def test_without_leave_the_page_only_shows():
    with serving() as served:
        assert served.control(skip=False).status == 403
        assert served.pipeline.live.skip is True


def test_more_is_not_taken_than_the_run_can_carry_out(served):
    body = b'{"skip": false}'
    answers = [
        served.ask("/control", body, Content_Type="application/json").status for _ in range(70)
    ]
    assert answers[0] == 204
    assert answers[-1] == 429


def test_only_so_many_streams_are_open_at_once():
    with serving(serve_clients=2) as served, served.connect() as one, served.connect() as two:
        for connection in (one, two):
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(64).startswith(b"HTTP/1.1 200")
        assert served.ask("/stats.json").json["clients"] == 2
        assert served.ask("/stream.mjpg").status == served.ask("/events").status == 429
