"""Drives that are done in parts: the same frames, stamps and data as in one piece."""

import csv
import json
from fractions import Fraction

import av
import numpy as np
import pandas
import pytest

from app.batch.batch_command import main
from app.batch.batch_options import parse_length
from app.batch.workers.splitting import cuts
from tests.app.batch.test_batch_command import files, rows
from tests.support.media import picture, read_clip, write_clip

FAST = ("--input-size", "64x96", "--workers", "1")
OUTPUTS = (
    *("--save-labels", "labels.mkv", "--data", "r.csv", "--data", "r.jsonl"),
    *("--data", "r.parquet"),
)
CLOCKS = ["wall_time", "latency"]
"""What a row has from a clock, which no two runs have in common."""


def write_drive(path, stamps, *, distance=10, b_frames=0, sound=False):
    """A drive with a key frame in every so many frames."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        context = video.codec_context
        context.time_base, context.gop_size = Fraction(1, 90000), distance
        context.options = {"bf": str(b_frames), "sc_threshold": "0"}
        tone = container.add_stream("aac", rate=48000, layout="mono") if sound else None
        for index, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = round(stamp * 90000), Fraction(1, 90000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if tone is not None:
            for start in range(0, int(stamps[-1] * 48000), 1024):
                wave = np.sin(np.arange(start, start + 1024) / 20, dtype=np.float32)[None] / 4
                heard = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                heard.sample_rate, heard.pts = 48000, start
                heard.time_base = Fraction(1, 48000)
                container.mux(tone.encode(heard))
            container.mux(tone.encode(None))
    return path


def packets(path, kind):
    """Stamps, lengths and bytes of all packets of a kind."""
    with av.open(str(path)) as container:
        found = [p for p in container.demux(getattr(container.streams, kind)[0]) if p.size]
        return [(p.pts * p.time_base, p.duration * p.time_base, bytes(p)) for p in found]


def timed(path):
    return [packet[:2] for packet in packets(path, "video")]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Drives in one piece, and in parts of about a second."""
    folder = tmp_path_factory.mktemp("split")
    drives = folder / "drives"
    drives.mkdir()
    rate = [i / 29.97 for i in range(55)]
    write_drive(drives / "even.mp4", rate, sound=True)
    write_drive(drives / "odd.mkv", [0.4 + t + 0.004 * (i % 3) for i, t in enumerate(rate)])
    write_drive(drives / "reordered.mp4", rate, b_frames=2, distance=20)
    write_drive(drives / "short.mp4", rate[:20])
    command = [str(drives), *FAST, *OUTPUTS, "-o"]
    assert main([*command, str(folder / "whole")]) == 0
    assert main([*command, str(folder / "parts"), "--split", "1s"]) == 0
    return folder


NAMES = ("even", "odd", "reordered", "short")


@pytest.mark.parametrize("name", NAMES)
def test_frames_and_stamps_are_the_same(both, name):
    whole, parts = both / "whole" / name, both / "parts" / name
    assert timed(parts / "annotated.mp4") == timed(whole / "annotated.mp4")
    assert packets(parts / "labels.mkv", "video") == packets(whole / "labels.mkv", "video")
    ours, theirs = (np.stack(read_clip(f / "annotated.mp4")[1]) for f in (parts, whole))
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).mean() < 1.5  # the encoder began anew


def test_the_sound_is_the_same(both):
    whole, parts = (both / place / "even" / "annotated.mp4" for place in ("whole", "parts"))
    assert packets(parts, "audio") == packets(whole, "audio")


@pytest.mark.parametrize("name", NAMES)
def test_data_are_the_same_to_the_byte_but_for_clocks(both, name):
    found = []
    for place in ("whole", "parts"):
        folder = both / place / name
        lines = [json.loads(line) for line in (folder / "r.jsonl").open()]
        kept = [{key: v for key, v in row.items() if key not in CLOCKS} for row in lines]
        with (folder / "r.csv").open(newline="") as file:
            table = [
                {key: v for key, v in row.items() if key not in CLOCKS}
                for row in csv.DictReader(file)
            ]
        frame = pandas.read_parquet(folder / "r.parquet").drop(columns=CLOCKS)
        found.append((json.dumps(kept), table, frame.to_csv(), list(frame.dtypes)))
    assert found[0] == found[1]


def test_the_parts_are_in_the_manifest_and_not_in_the_way(both):
    found = rows(both / "parts", "name, kind, state, attempts")
    drives = {name: row for name, row in found.items() if row[0] == "drive"}
    assert drives == dict.fromkeys(NAMES, ("drive", "done", 1))
    parts = {name: row for name, row in found.items() if row[0] == "part"}
    assert {row[1:] for row in parts.values()} == {("done", 1)}
    assert {name.split("/")[1] for name in parts} == {"even", "odd", "reordered"}
    assert files(both / "parts") == files(both / "whole")
    assert not list((both / "parts" / ".parts").glob("*/*"))
    page = (both / "parts" / "report.html").read_text()
    assert ".parts" not in page
    assert "of 4 drives done" in page


def test_a_second_run_does_nothing(both, capsys):
    command = [str(both / "drives"), *FAST, *OUTPUTS, "-o", str(both / "parts"), "--split", "1s"]
    assert main(command) == 0
    assert "4 done already" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--steady"], ["--start", "1"], ["--max-frames", "9"]])
def test_what_needs_the_whole_drive_is_refused(arguments, tmp_path, capsys):
    clip = write_clip(tmp_path / "a.mp4", 3)
    command = [str(clip), "-o", str(tmp_path / "out"), "--split", "1s", *arguments]
    assert main(command) == 2
    assert f"{arguments[0]} is for whole drives" in capsys.readouterr().err


def test_what_is_no_video_is_not_cut(tmp_path):
    (tmp_path / "noise.mp4").write_bytes(b"noise" * 99)
    assert cuts(tmp_path / "noise.mp4", 1.0) == ()


@pytest.mark.parametrize(
    ("text", "seconds"), [("10min", 600), ("90s", 90), ("1:30", 90), ("2h", 7200), ("45", 45)]
)
def test_lengths_are_read_as_people_write_them(text, seconds):
    assert parse_length(text) == seconds


@pytest.mark.parametrize("text", ["0.5", "0", "ten", "10 miles"])
def test_other_lengths_are_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_length(text)
