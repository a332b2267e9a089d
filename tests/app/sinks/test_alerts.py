"""Alerts: rules, hysteresis, and what is done."""

import json
import shutil
import sys
import time
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.config.alert_rules import parse_rule, parse_zone
from app.config.data_options import AlertOptions
from app.core.events import EventBus
from app.core.frame import SessionInfo
from app.core.watch import Watch, Watches
from app.sinks.alerts.alert_command import AlertCommand
from app.sinks.alerts.alert_sink import AlertSink, share_in
from app.sinks.alerts.alert_state import AlertState
from app.sources.base import SourceInfo
from app.sources.source_spec import SourceSpec
from fastscnn import Segmenter
from tests.support.cli_process import run_main
from tests.support.media import SHARED, needs_clips, picture, read_clip, write_clip
from tests.support.recordings import result
from tests.support.sink_driver import refused_line, told_by
from tests.support.waiting import PATIENCE

CAR = 13


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("person > 2%", (("person",), "", True, 0.02, 0)),
        ("person in door > 2% for 1s", (("person",), "door", True, 0.02, 1)),
        (
            "  traffic light,rider in a-1<0.5 %  for 250 ms",
            (("traffic light", "rider"), "a-1", False, 0.005, 0.25),
        ),
        ("vehicle in in > 100% for 1.5min", (("vehicle",), "in", True, 1, 90)),
        ("inner > 3%", (("inner",), "", True, 0.03, 0)),
        ("lane 2,b4 > 3%", (("lane 2", "b4"), "", True, 0.03, 0)),
    ],
)
def test_rules_are_read(text, wanted):
    rule = parse_rule(text)
    found = (rule.classes, rule.zone, rule.above, rule.threshold, rule.seconds)
    assert found == wanted
    assert parse_rule(rule.text) == rule


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("", 1, "the name of a class"),
        ("> 2%", 1, "the name of a class"),
        ("person", 7, "> or <"),
        ("person 2%", 8, "> or <"),
        ("traffic light over 2%", 20, "> or <"),
        ("person = 2%", 8, "> or <"),
        ("2%", 1, "the name of a class"),
        ("person in > 2%", 11, "the name of a zone"),
        ("person in door, 2%", 15, "> or <"),
        ("person > two%", 10, "a number"),
        ("person > 120%", 10, "a number up to 100"),
        ("person > 2", 11, "%"),
        ("person > 2% for", 13, "'for' and a time"),
        ("person > 2% for 1", 18, "ms, s or min"),
        ("person > 2% for 1h", 18, "ms, s or min"),
        ("person > 2% and car > 1%", 13, "'for' and a time"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_with_its_column(text, column, what):
    with pytest.raises(ValueError, match=r"is no rule") as error:
        parse_rule(text)
    assert f"in column {column} belongs {what}" in str(error.value)


@pytest.mark.parametrize(
    "text", ["door", "=0,0,1,0,1,1", "a b=0,0,1,0,1,1", "a=0,0,1", "a=0,0,1,x,1,1"]
)
def test_what_is_no_zone_is_refused(text):
    with pytest.raises(ValueError, match="is no"):
        parse_zone(text)


def changes(rule, shares, rate=10):
    state, found = AlertState(parse_rule(rule)), []
    for index, share in enumerate(shares):
        change = state.look(index / rate, share)
        if change:
            found.append((change, index))
    return found


def test_an_alert_fires_when_it_has_held_for_as_long_as_it_says():
    assert changes("car > 2% for 0.3s", [0, 0.03, 0.03, 0.03, 0.03, 0.03]) == [("alert", 4)]
    assert changes("car > 2% for 0.3s", [0, 0.03, 0.03, 0, 0.03, 0.03, 0.03]) == []
    assert changes("car > 2%", [0, 0.03]) == [("alert", 1)]
    assert changes("car > 2%", [0, 0.02, 0.02]) == []
    assert changes("car < 2% for 0.2s", [0.5, 0.01, 0.01, 0.01]) == [("alert", 3)]


def test_flicker_about_the_threshold_does_not_fire_twice():
    flicker = [0.021, 0.019] * 30
    assert changes("car > 2%", flicker) == [("alert", 0)]
    assert changes("car < 2%", flicker) == [("alert", 1)]
    assert changes("car > 2% for 1s", flicker) == [("alert", 10)]
    gone_for_a_moment = [0.03, 0.03, 0, 0, 0.03, 0, 0, 0, 0.03]
    assert changes("car > 2%", gone_for_a_moment) == [("alert", 0)]


def test_an_alert_ends_once_it_is_clear_and_may_come_again():
    shares = [0.03] * 3 + [0.0] * 8 + [0.03] * 2
    assert changes("car > 2%", shares) == [("alert", 0), ("clear", 8), ("alert", 11)]


def labelled(labels, index, stamp, **more):
    return result(
        picture(0, labels.shape[1], labels.shape[0]), stamp, index=index, labels=labels, **more
    )


def alert_sink(options):
    events = EventBus()
    watches = Watches(Watch(options.zone, options.alert))
    return AlertSink(options, events, watches), events


def watched(results, tmp_path, **options):
    sink, events = alert_sink(AlertOptions(events=tmp_path / "e.jsonl", **options))
    told = told_by(sink, events, results)
    assert sink.error is None, sink.error
    lines = (tmp_path / "e.jsonl").read_text().splitlines()
    return list(map(json.loads, lines)), told


def test_a_zone_is_looked_at_alone_and_events_are_told_and_written(tmp_path):
    empty, left = np.zeros((40, 80), np.uint8), np.zeros((40, 80), np.uint8)
    left[10:20, 10:20] = CAR
    right = left[:, ::-1].copy()
    seen = [empty, right, right, left, left]
    results = [labelled(labels, i, i / 10) for i, labels in enumerate(seen)]
    rows, told = watched(
        results,
        tmp_path,
        alert=(parse_rule("car in gate > 5%"),),
        zone=(parse_zone("gate=0,0,0.5,0,0.5,1,0,1"),),
    )
    [row] = rows
    assert (row["event"], row["index"], row["time"], row["since"]) == ("alert", 3, 0.3, 0.3)
    assert row["share"] == pytest.approx(100 / 1600, rel=0.05)
    assert row["rule"] == "car in gate > 5%"
    assert told[0].startswith("Alert: car in gate > 5% (6.")
    assert told[-1].startswith("Saved events of 1 alert: ")


def test_nothing_goes_on_over_a_break_of_the_time_or_into_another_source(tmp_path):
    labels = np.full((40, 80), CAR, np.uint8)
    rule = (parse_rule("car > 2% for 0.5s"),)
    segments = [(1, 0)] * 4 + [(1, 1)] * 4 + [(2, 0)] * 6
    results = [labelled(labels, i, i / 10, segment=s) for i, s in enumerate(segments)]
    rows, _ = watched(results, tmp_path, alert=rule)
    assert [row["index"] for row in rows] == [13]


def reference(over, clear, stamps, seconds):
    """What must be told, by the words of docs/alerts.md: looking back from each frame anew."""
    told, on, begun = [], False, 0
    for index in range(len(stamps)):
        past = range(begun, index + 1)
        if not on and over[index]:
            was_clear = max((i for i in past if clear[i]), default=begun - 1)
            first = min(i for i in past if i > was_clear and over[i])
            if stamps[index] - stamps[first] >= seconds - 1e-6:
                on = True
                told.append(("alert", index))
        elif on:
            was_over = max((i for i in past if over[i]), default=begun)
            first = min((i for i in past if i > was_over and clear[i]), default=None)
            if first is not None and stamps[index] - stamps[first] >= max(seconds, 0.5) - 1e-6:
                on, begun = False, index + 1
                told.append(("clear", index))
    return told


def street_clip(folder, seed=0):
    from fastscnn.data.street import Street

    times = [i / 4 for i in range(24)]
    pictures = [Street(seed, 192, 96).render(12 + 2 * t)[0] for t in times]
    return write_clip(folder / "street.mp4", times, size=(192, 96), pictures=pictures)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_alerts_of_a_clip_fire_exactly_where_a_slow_reference_finds_them(tmp_path, seed):
    clip = street_clip(tmp_path, seed)
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size="exact", precision="fp32")
    stamps, frames = read_clip(clip)
    inside = np.zeros((96, 192), bool)
    inside[:, 48:144] = True
    shares = [(np.isin(segmenter(frame), [13, 14, 15])[inside]).mean() for frame in frames]
    threshold = round(100 * float(np.quantile(shares, 0.6)), 3)
    done = run_main(
        str(clip), "--headless", "--input-size", "exact", "--device", "cpu", "--precision", "fp32",
        "--zone", "mid=0.2525,0,0.7475,0,0.7475,1,0.2525,1", "--events", str(tmp_path / "e.jsonl"),
        "--alert", f"car,truck,bus in mid > {threshold}% for 0.5s",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    high = threshold / 100
    over, clear = [s > high for s in shares], [s <= 0.8 * high for s in shares]
    wanted = reference(over, clear, stamps, 0.5)
    rows = map(json.loads, (tmp_path / "e.jsonl").read_text().splitlines())
    assert [(row["event"], row["index"]) for row in rows] == wanted
    assert wanted


SHARED_CLIP = SHARED / "clips" / "udacity_solidWhiteRight.mp4"


@pytest.mark.parametrize("name", ["street", pytest.param("udacity", marks=needs_clips)])
def test_alerts_fire_exactly_where_the_label_pictures_of_the_run_say(tmp_path, name):
    clip = shutil.copy(SHARED_CLIP, tmp_path) if name == "udacity" else street_clip(tmp_path)
    labels, table = tmp_path / "labels", tmp_path / "d.jsonl"
    levels = (0.1, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 8, 12)
    rules = [
        (f"vehicle{where} {sign} {level}% for {seconds}s", where, sign, level / 100, seconds)
        for level in levels
        for where, sign, seconds in ((" in mid", ">", 0.2), ("", ">", 0), (" in mid", "<", 0.6))
    ]
    done = run_main(
        str(clip), "--headless", "--input-size", "96x192", "--max-frames", "120",
        "--save-labels", str(labels), "--data", str(table), "--events", str(tmp_path / "e.jsonl"),
        "--zone", "mid=0.25,0.25,0.75,0.25,0.75,0.75,0.25,0.75",
        *(word for text, *_ in rules for word in ("--alert", text)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stamps = [json.loads(line)["time"] for line in table.read_text().splitlines()]
    pictures = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(labels.iterdir())]
    assert len(pictures) == len(stamps) == (120 if name == "udacity" else 24)
    height, width = pictures[0].shape
    mid = np.s_[height // 4 : height - height // 4, width // 4 : width - width // 4]
    shares_in = {
        where: [np.isin(part, range(13, 19)).mean() for part in parts]
        for where, parts in ((" in mid", [one[mid] for one in pictures]), ("", pictures))
    }
    rows = list(map(json.loads, (tmp_path / "e.jsonl").read_text().splitlines()))
    seen = Counter()
    for text, where, sign, level, seconds in rules:
        shares = shares_in[where]
        if sign == ">":
            over, clear = [s > level for s in shares], [s <= 0.8 * level for s in shares]
        else:
            over, clear = [s < level for s in shares], [s >= level / 0.8 for s in shares]
        wanted = reference(over, clear, stamps, seconds)
        found = [(row["event"], row["index"]) for row in rows if row["rule"] == text]
        assert found == wanted, text
        seen.update(event for event, _ in wanted)
    assert seen["alert"] > 3
    assert seen["clear"]


def test_shares_of_polygons_are_those_of_their_pixels():
    labels = np.random.default_rng(0).integers(0, 19, (50, 70), np.uint8)
    whole = share_in(labels, frozenset({CAR}), None)
    assert whole == (labels == CAR).mean()
    corner = ((0.0, 0.0), (35.0, 0.0), (35.0, 25.0), (0.0, 25.0))
    assert share_in(labels, frozenset({CAR}), corner) == pytest.approx(
        (labels[:25, :35] == CAR).mean(), abs=0.01
    )


ECHO = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')"


def ran(tmp_path, code, count=1, limit=10.0):
    events = EventBus()
    words = (sys.executable, "-c", code, str(tmp_path / "out"))
    command = AlertCommand(words, events, limit=limit)
    command.start()
    for number in range(count):
        command.put({"number": number})
    command.finish()
    command.join(PATIENCE)
    return [events.get().text for _ in range(events.qsize())]


@pytest.mark.parametrize("polygon", [None, ((0, 0), (20, 0), (20, 10), (0, 10))])
def test_what_is_left_out_of_the_picture_counts_in_no_share(polygon):
    labels = np.zeros((20, 20), np.uint8)
    labels[:5, :10] = CAR
    whole = share_in(labels, frozenset({CAR}), polygon)
    labels[:, 10:] = 255
    assert share_in(labels, frozenset({CAR}), polygon) == pytest.approx(2 * whole)
    labels[:] = 255
    assert share_in(labels, frozenset({CAR}), polygon) == 0


def test_a_command_gets_each_event_one_after_the_other(tmp_path):
    assert ran(tmp_path, ECHO, 3) == []
    lines = (tmp_path / "out").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1, 2]


def test_a_command_that_fails_or_hangs_is_said_and_the_run_goes_on(tmp_path):
    [text] = ran(tmp_path, "raise SystemExit(3)")
    assert "ended with 3" in text
    started = time.monotonic()
    [text] = ran(tmp_path, "import time; time.sleep(600)", limit=0.5)
    assert "took longer than 0.5 s and was ended" in text
    assert time.monotonic() - started < 120


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--zone", "a=0,0,1,0,1,1"), "add --alert RULE"),
        (("--events", "e.jsonl"), "add --alert RULE"),
        (("--alert", "person in a > 2%"), "there is no zone a"),
        (
            ("--zone", "a=0,0,0,0,0,0", "--alert", "person in a > 2%"),
            "zone a: '0,0,0,0,0,0' has no",
        ),
        (("--zone", "a=0,0,9,9,-5,0", "--alert", "person in a > 2%"), "must not be negative"),
        (("--alert", "parson > 2%"), "Did you mean person?"),
        (("--alert", "person > 2"), "in column 11 belongs %"),
        (("--alert", "person > 2%", "--events", "e.txt"), "must end in .jsonl"),
        (("--alert", "person > 2%", "--on-alert", "no-such-program x"), "there is no program"),
        (("--alert", "person > 2%", "--on-alert", f"{__file__} x"), "may not be run: chmod +x"),
        (("--alert", "person > 2%", "--on-alert", "'"), "is no command"),
        (("--alert", "person > 2%", "--on-alert", ""), "the command is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    tmp_path, monkeypatch, capsys, arguments, words
):
    assert words in refused_line(arguments, tmp_path, monkeypatch, capsys)


def test_a_run_tells_its_alerts_and_runs_the_command(tmp_path):
    code = tmp_path / "echo.py"
    code.write_text(ECHO)
    done = run_main(
        "demo", "--headless", "--max-frames", "3", "--input-size", "64x96",
        "--alert", "flat,nature,construction,sky > 10%",
        "--on-alert", f"{sys.executable} {code} {tmp_path / 'out'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Alert: flat,nature,construction,sky > 10% (" in done.stderr
    [line] = (tmp_path / "out").read_text().splitlines()
    said = json.loads(line)
    assert (said["event"], said["index"], said["source"]) == ("alert", 0, "demo street")


def test_an_added_alert_that_the_network_cannot_tell_waits_and_the_others_go_on(tmp_path):
    events = EventBus()
    watches = Watches()
    spec = SourceSpec("demo")
    rules = map(parse_rule, ("unicorn > 2%", "car in nowhere > 2%", "car > 2%"))
    watches.put(spec, Watch((), tuple(rules)))
    options = AlertOptions(events=tmp_path / "e.jsonl")
    sink = AlertSink(options, events, watches)
    labels = np.full((40, 80), CAR, np.uint8)
    session = SessionInfo(1, spec, SourceInfo("x", 80, 40))
    seen = [labelled(labels, i, i / 10) for i in range(3)]
    seen = [replace(one, frame=replace(one.frame, session=session)) for one in seen]
    told = told_by(sink, events, seen)
    assert sink.error is None
    assert [text.split(":")[0] for text in told] == [
        "The alert unicorn > 2% waits",
        "The alert car in nowhere > 2% waits",
        "Alert",
        "Saved events of 1 alert",
    ]


def test_alerts_of_several_sources_go_to_one_file(tmp_path):
    clips = [
        str(write_clip(tmp_path / f"{name}.mp4", 2, pictures=[picture(1)] * 2)) for name in "ab"
    ]
    done = run_main(
        *clips, "--grid", "--headless", "--input-size", "64x96", "--alert",
        "flat,nature,construction,sky,vehicle,human,object > 10%",
        "--events", str(tmp_path / "e.jsonl"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = list(map(json.loads, (tmp_path / "e.jsonl").read_text().splitlines()))
    assert sorted((row["source"], row["index"]) for row in rows) == [("a.mp4", 0), ("b.mp4", 0)]
    assert done.stderr.count("Saved events of 2 alerts") == 1
