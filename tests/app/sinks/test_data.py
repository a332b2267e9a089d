"""Rows of values per frame, in files that pandas and pyarrow read."""

import json
import os
import signal
from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from app.core.events import EventBus
from app.core.frame import Prediction, SessionInfo
from app.errors import OutputError
from app.rendering.view_options import InferencePass
from app.sinks.data.frame_row import COLUMNS, RowMaker
from app.sinks.data.row_writers import ROW_WRITERS, DataSink
from app.sinks.data.writer_sink import check_output_file
from app.sources.base import SourceInfo
from app.sources.source_spec import SourceSpec
from fastscnn.labels import CLASS_NAMES, class_table
from tests.support.cli_process import Started, run_main
from tests.support.media import ROOT, picture, write_clip
from tests.support.recordings import result, results
from tests.support.sink_driver import told_by
from tests.support.waiting import wait_until

KINDS = ("jsonl", "csv", "parquet")


def read(path):
    """A table as its users read it, with times as times."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    if path.suffix == ".csv":
        table = pd.read_csv(path, keep_default_na=False, na_values={"confidence": ""})
    else:
        table = pd.read_json(path, lines=True, dtype=False, precise_float=True)
    table["wall_time"] = pd.to_datetime(table["wall_time"])
    return table


def written(path, what, **more):
    events = EventBus()
    sink = DataSink(path, events, **more)
    return sink, told_by(sink, events, what)


def test_a_clip_gives_a_row_per_frame_with_equal_values_in_every_format(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", 221)
    files = [tmp_path / f"c.{kind}" for kind in KINDS]
    given = [word for file in files for word in ("--data", str(file))]
    done = run_main(str(clip), "--headless", "--input-size", "64x96", "--no-skip", *given)
    assert done.returncode == 0, done.stderr
    first, *others = map(read, files)
    assert list(first.columns) == [*COLUMNS, *(f"share_{name}" for name in CLASS_NAMES)]
    for other in others:
        pd.testing.assert_frame_equal(first, other, check_dtype=False, check_exact=True)
    assert len(first) == 221
    assert list(first["index"]) == list(range(221))
    assert first["time"].tolist() == pytest.approx([i / 30 for i in range(221)], abs=1e-4)
    assert set(first["source"]) == {"c.mp4"}
    sizes = first[["width", "height", "input_width", "input_height"]]
    assert sizes.drop_duplicates().values.tolist() == [[160, 96, 96, 64]]
    assert not first["skip"].any()
    assert (first["dropped"] == 0).all()
    assert first["confidence"].between(1 / 19, 1).all()
    assert (first["latency"] > 0).all()
    assert first.filter(like="share_").sum(axis=1).tolist() == pytest.approx([1] * 221, abs=1e-4)
    ago = datetime.now(timezone.utc) - first["wall_time"]
    assert (ago < pd.Timedelta(minutes=10)).all()
    assert (ago > pd.Timedelta(0)).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "c.csv",
        "c.jsonl",
        "c.mp4",
        "c.parquet",
    ]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_kill_leaves_the_rows_of_every_format(tmp_path):
    files = {kind: tmp_path / f"rows.{kind}" for kind in KINDS}
    given = [word for file in files.values() for word in ("--data", str(file))]
    left = {**files, "parquet": tmp_path / "rows.parquet.jsonl"}
    with Started("demo", "--headless", "--input-size", "64x96", *given) as run:
        wait_until(
            lambda: all(f.exists() and f.read_bytes().count(b"\n") > 9 for f in left.values())
        )
        run.send_signal(signal.SIGKILL)
    assert not files["parquet"].exists()
    for file in left.values():
        whole = file.read_bytes().rpartition(b"\n")[0]
        file.write_bytes(whole + b"\n")
        table = read(file)
        assert list(table["index"]) == list(range(len(table)))
        assert len(table) >= 9


def test_rows_of_a_run_that_was_cut_off_are_not_replaced_unasked(tmp_path):
    rows = tmp_path / "a.parquet.jsonl"
    rows.write_text("{}\n")
    with pytest.raises(OutputError, match="has the rows of a run that was cut off"):
        check_output_file("--data", tmp_path / "a.parquet", ROW_WRITERS, overwrite=False)
    sink, _ = written(tmp_path / "a.parquet", results([0.0]))
    assert "exists by now" in str(sink.error)
    assert rows.read_text() == "{}\n"
    sink, _ = written(tmp_path / "a.parquet", results([0.0]), overwrite=True)
    assert sink.error is None
    assert not rows.exists()
    assert parquet.read_metadata(tmp_path / "a.parquet").num_rows == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_there_by_now_is_not_replaced(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    path.write_text("somebody's\n")
    sink, _ = written(path, results([0.0, 0.1]))
    assert f"{path} exists by now" in str(sink.error)
    assert path.read_text() == "somebody's\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_with_other_classes_loses_no_row(tmp_path, kind):
    first, second = results([0.0, 0.1])
    labels = np.full((96, 160), 2, np.uint8)
    seen = Prediction(
        InferencePass(),
        labels,
        np.zeros((3, 0, 0), np.float32),
        classes=class_table(("a", "b", "c")),
    )
    sink, told = written(tmp_path / f"r.{kind}", [first, replace(second, predictions=(seen,))])
    assert sink.error is None
    assert sink.frames == 2
    if kind == "jsonl":
        rows = list(map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines()))
    else:
        assert "other classes" in told[0]
        rows = [read(tmp_path / f"r{part}.{kind}").to_dict("records")[0] for part in ("", "-2")]
    assert rows[0]["share_road"] == 1
    assert "share_road" not in rows[1]
    assert rows[1]["share_c"] == 1
    assert pd.isna(rows[1]["confidence"] or np.nan)


def test_frames_without_a_row_are_counted_in_the_next(tmp_path):
    maker = RowMaker()
    indexes = [(1, 0), (1, 1), (1, 5), (2, 3), (2, 4)]
    rows = [
        maker.row(result(picture(0), 0.0, index=index, segment=(session, 0)))
        for session, index in indexes
    ]
    assert [row.dropped for row in rows] == [0, 0, 3, 3, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_names_with_any_letters_are_read_back(tmp_path, kind):
    one = result(picture(0), 0.0)
    names = 'a,"b"\n\udcff ö.mp4', "\udcfe,;.png"
    spec = SourceSpec("file", f"/x/{names[0]}")
    frame = replace(one.frame, name=names[1], session=SessionInfo(1, spec, SourceInfo("x", 1, 1)))
    sink, _ = written(tmp_path / f"r.{kind}", [replace(one, frame=frame)])
    assert sink.error is None
    table = read(tmp_path / f"r.{kind}")
    assert table["source"][0] == 'a,"b"\n\\udcff ö.mp4'
    assert table["picture"][0] == "\\udcfe,;.png"


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_without_a_skip_connection_has_none_on_or_off(tmp_path, kind):
    first, second = results([0.0, 0.1])
    without = replace(first, predictions=(replace(first.predictions[0], has_skip=False),))
    sink, _ = written(tmp_path / f"r.{kind}", [without, second])
    assert sink.error is None
    found = read(tmp_path / f"r.{kind}")["skip"].tolist()
    assert found[0] == "" or pd.isna(found[0])
    assert found[1] in (True, "true")


def test_files_tell_all_networks_and_sources_that_they_are_of(tmp_path):
    first, second, third = results([0.0, 0.1, 0.2])
    seen = replace(first.predictions[0], has_skip=False, input_size=(64, 96))
    others = replace(
        second,
        frame=replace(
            second.frame, session=SessionInfo(1, SourceSpec("demo"), SourceInfo("x", 1, 1))
        ),
        predictions=(seen,),
    )
    sink, _ = written(tmp_path / "r.parquet", [first, others, third])
    assert sink.error is None
    said = json.loads(parquet.read_metadata(tmp_path / "r.parquet").metadata[b"provenance"])
    assert [each["skip"] for each in said["networks"]] == [True, None]
    assert said["networks"][1]["input_size"] == "64x96"
    assert said["source"].endswith("and 1 more")


def test_confidence_is_the_mean_of_the_highest_probability():
    logits = np.random.default_rng(0).normal(size=(19, 5, 7)).astype(np.float32) * 4
    odds = np.exp(logits.astype(np.float64))
    one = result(picture(0), 0.0)
    seen = replace(one.predictions[0], logits=logits)
    row = RowMaker().row(replace(one, predictions=(seen,)))
    assert row.confidence == pytest.approx((odds / odds.sum(0)).max(0).mean(), abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--data", "x.jsn"), 2, "must end in .jsonl, .csv, .parquet"),
        (("--data", "x"), 2, "must end in .jsonl"),
        (("--data", "nosuch/x.csv"), 5, "There is no folder nosuch: make it"),
        (("--data", "there.csv"), 5, "exists: give another name, or --overwrite"),
        (("--data", "a.csv", "--data", "./a.csv"), 5, "Two outputs would go to one file"),
        (("--data", "a.parquet", "--data", "a.parquet.jsonl"), 5, "Two outputs"),
        (("--data", "a.csv", "--stats-json", "a.csv"), 5, "Two outputs would go to one file"),
    ],
)
def test_files_that_cannot_be_meant_are_refused_in_a_sentence(
    tmp_path, monkeypatch, capsys, arguments, code, words
):
    from app.cli.launcher import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("a\n")
    assert main(["demo", "--headless", "--max-frames", "1", *arguments]) == code
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ")
    assert words in line
    assert [path.name for path in tmp_path.iterdir()] == ["there.csv"]


def test_every_column_is_documented():
    text = (ROOT / "docs" / "data.md").read_text("utf-8")
    table = [line.split("|")[1].strip(" `") for line in text.splitlines() if line.startswith("| `")]
    assert [name for name in table if name in COLUMNS] == list(COLUMNS)
    assert "share_NAME" in table
