"""A run file repeats a run; the command line wins over it, and it over what was kept."""

import shlex
from dataclasses import replace

import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.config.run_file import run_file, with_run_file
from app.errors import UsageError
from app.gui.window.saved_state import SavedState
from tests.app.cli.test_argument_parser import _flat
from tests.support.cli_process import run_main
from tests.support.media import read_clip, write_clip


def _settings(*arguments):
    return settings_from(with_run_file(build_parser().parse_args(arguments)))


def _saved(tmp_path, *arguments):
    settings = _settings(*arguments)
    path = tmp_path / "run.toml"
    path.write_text(run_file(settings, settings.sources), "utf-8")
    return settings, path


@pytest.mark.parametrize(
    "line",
    [
        "",
        "demo --max-frames 20 --loop --patience 9",
        "--camera 2 --width 640 --height 480 --fps 29.97",
        "/clips/a.mp4 /clips/ü.mp4 --start 1:30 --end 0:02:00.5 --video-stream 1",
        "http://example.org/drive.mp4 --hwaccel none",
        "--input-size 96x128 --no-skip --device cpu --precision fp32 --runtime torch",
        "--view wipe --left skip-on --right labels+skip-off --split 0.25 --alpha 1",
        "--split sweep --contours --palette colour-blind --hide sky,traffic-light",
        "--weights /w/own.pth --hide crack,sky",
        "--weights /w/own.pth --only tool",
        "--weights-b /w/b.pth --left weights-a --right weights-b --confidence entropy",
        "--record-dir /tmp --record-name {source}.mp4 --record-raw --record-labels --no-audio",
        "--codec hevc --bitrate 4M --preset fast --on-switch continue",
        "--encoder libsvtav1 --crf 40",
        "demo --blur person,car --zone a=0,0,1,0,1,1 --alert 'car in a > 2% for 1s'",
        "demo --alert 'car > 2%' --alert 'person,rider < 1%'",
    ],
)
def test_a_run_that_was_saved_means_the_same(tmp_path, line):
    settings, path = _saved(tmp_path, *shlex.split(line))
    again = _settings("--config", str(path))
    assert again.run_file == path
    assert _flat(again) == _flat(replace(settings, run_file=path))
    assert again.view == settings.view
    assert [(s.start, s.end, s.rate, s.width, s.video_stream) for s in again.sources] == [
        (s.start, s.end, s.rate, s.width, s.video_stream) for s in settings.sources
    ]


def test_it_wins_over_what_a_profile_kept_also_where_it_says_the_default(tmp_path):
    settings, path = _saved(tmp_path, "demo")
    profile = tmp_path / "settings.ini"
    profile.write_text(
        "[network]\nweights=gluoncv\ninput_size=quarter\n[output]\ncodec=av1\nrecord_raw=True\n"
        '[picture]\nview="{\\"alpha\\": 0.1, \\"hidden\\": [3]}"\n'
    )
    again = SavedState(profile).apply(_settings("--config", str(path)))
    assert _flat(again) == _flat(replace(settings, run_file=path))
    assert SavedState(profile).apply(_settings()).network.weights == "gluoncv"


@pytest.mark.parametrize(
    ("beside", "check"),
    [
        ("b.mp4", lambda s: (s.first_source.value, s.first_source.start) == ("b.mp4", 0)),
        ("--demo", lambda s: s.first_source.kind == "demo"),
        ("--start 5", lambda s: (s.first_source.start, s.first_source.value) == (5, "/a.mp4")),
        ("--view labels", lambda s: s.view.view == "labels" and s.view.alpha == 0.3),
        ("--left labels", lambda s: s.view.left.content == "labels"),
        ("--bitrate 2M", lambda s: s.recording.encoder.crf is None),
        ("--codec hevc", lambda s: s.recording.encoder.codec == "hevc"),
        ("--only sky", lambda s: 10 not in s.view.hidden and 0 in s.view.hidden),
        ("--alpha 0.9", lambda s: s.view.alpha == 0.9 and s.view.view == "wipe"),
    ],
)
def test_what_is_given_beside_it_wins(tmp_path, beside, check):
    line = (
        "/a.mp4 --start 3 --view wipe --left raw --alpha 0.3 --hide sky"
        " --encoder libx264 --crf 30 --preset fast"
    )
    _, path = _saved(tmp_path, *line.split())
    assert check(_settings("--config", str(path), *beside.split()))


def test_secrets_and_names_of_outputs_are_not_written(tmp_path):
    _, path = _saved(
        tmp_path, "rtsp://user:pass@host/x", "-o", "/x/out.mp4", "--stats-json", "/x/s.json"
    )
    text = path.read_text()
    assert "pass" not in text
    assert "out.mp4" not in text
    assert "s.json" not in text
    assert _settings("--config", str(path)).sources == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alfa = 0.5", "'alfa' is no argument"),
        ("alpha = 2", "alpha: 2 must be a number from 0 to 1"),
        ("alpha = true", "alpha: it must be a text or a number"),
        ("skip = 'no'", "skip: it must be true or false"),
        ("view = 'sideways'", "view"),
        ("source = [1.5, [2]]", "source: it must be a text or a number"),
        ("source = 'a.mp4'\ndemo = true", "named sources exclude each other"),
        ("crf = 20\nbitrate = '4M'", "exclude each other"),
        ("[network]\nskip = false", "'network' is no argument"),
        ("alpha = ", "is no TOML"),
        ("alpha = 1\nalpha = 1", "is no TOML"),
        ("a = " + "[" * 9000, "is no TOML"),
        ("#" + "x" * 1_000_001, "longer than a megabyte"),
        ("config = 'other.toml'", "'config' is no argument"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_words(tmp_path, text, words):
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        _settings("--config", str(path))
    assert words in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_refused_in_words(tmp_path):
    with pytest.raises(UsageError, match="There is no run file"):
        _settings("--config", str(tmp_path / "no.toml"))
    with pytest.raises(UsageError, match="cannot be read"):
        _settings("--config", str(tmp_path))
    (tmp_path / "run.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no TOML"):
        _settings("--config", str(tmp_path / "run.toml"))


def test_a_headless_run_goes_by_a_file_written_by_hand(tmp_path):
    clip, out = write_clip(tmp_path / "c.mp4", 4), tmp_path / "o.mp4"
    path = tmp_path / "run.toml"
    path.write_text(
        f'source = "{clip}"\nheadless = true\noutput = "{out}"\n'
        'input-size = "64x96"\nview = "raw"\n'
    )
    assert run_main("--config", str(path)).returncode == 0
    assert len(read_clip(out)[0]) == 4
    refused = run_main("--config", str(path), "--crf", "99")
    assert refused.returncode == 2
