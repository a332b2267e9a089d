"""Encoders by choice: what they make, read back, and what happens where one does not work."""

import os

import av
import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.config.arguments import OutputArguments
from app.config.encoder_rules import encoder_choice
from app.config.settings import EncoderChoice
from app.errors import OutputError, UsageError
from app.sinks.recording import encoders
from tests.support.cli_process import run_main, run_script
from tests.support.media import picture, write_clip
from tests.support.recordings import record, reopened, result, results

CODECS = ["h264", "hevc", "av1"]


def _choice(codec="h264", encoder="auto", crf=None, bitrate=None, preset=None):
    return encoder_choice(
        OutputArguments(codec=codec, encoder=encoder, crf=crf, bitrate=bitrate, preset=preset)
    )


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_keeps_stamps_and_names_and_keeps_the_colours_of_bt709(tmp_path, codec):
    path = tmp_path / "c.mp4"
    stamps = [0.0, 0.011, 0.12, 0.13, 0.5, 0.5334, 1.75, 1.8]
    flat = [np.full((96, 160, 3), c, np.uint8) for c in ((128, 64, 128), (70, 130, 180))]
    recorder = record(
        path,
        [result(flat[i // 4], stamp, index=i) for i, stamp in enumerate(stamps)],
        choice=_choice(codec),
    )
    assert recorder.error is None
    times, images = reopened(path)
    assert times == pytest.approx(stamps, abs=1e-3)
    for given, got in zip([flat[i // 4] for i in range(8)], images, strict=True):
        assert np.abs(got.astype(int) - given).max() <= 6
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert context.codec.canonical_name == codec
        tags = (
            context.colorspace,
            context.color_primaries,
            context.color_trc,
            context.color_range,
        )
        assert tags == (1, 1, 1, 1)


@pytest.mark.parametrize("codec", CODECS)
def test_an_odd_size_is_kept_or_padded_by_one_and_said(tmp_path, codec):
    path, said = tmp_path / "o.mp4", []
    recorder = record(
        path, results([0, 0.1, 0.2], (161, 97)), choice=_choice(codec), say=said.append
    )
    assert recorder.error is None
    _, images = reopened(path)
    given = picture(0, 161, 97)
    assert np.abs(images[0][:97, :161].astype(int) - given).mean() < 8
    if codec == "av1":
        assert images[0].shape == (97, 161, 3)
        assert said == []
    else:
        assert images[0].shape == (98, 162, 3)
        assert "161×97 is recorded as 162×98" in said[0]


def test_a_listed_encoder_that_does_not_work_is_passed_over_with_the_reason(tmp_path, monkeypatch):
    if encoders.has_nvidia_driver():
        pytest.skip("NVENC may work here")
    # The driver's absence is known early; here the encoder itself has to find out.
    monkeypatch.setattr(encoders, "has_nvidia_driver", lambda: True)
    said = []
    recorder = record(tmp_path / "n.mp4", results([0, 0.1]), say=said.append)
    assert recorder.error is None
    assert said[0].startswith("h264_nvenc does not work here (")
    assert "recording with libx264" in said[0]
    assert recorder.info().encoder == "H.264 (libx264, CPU)"
    assert len(reopened(tmp_path / "n.mp4")[0]) == 2


def test_an_encoder_asked_for_by_name_is_not_replaced_silently(tmp_path):
    if encoders.has_nvidia_driver():
        pytest.skip("NVENC may work here")
    path = tmp_path / "n.mp4"
    recorder = record(path, results([0, 0.1]), choice=_choice(None, "h264_nvenc"))
    assert isinstance(recorder.error, OutputError)
    assert "h264_nvenc cannot record" in str(recorder.error)
    assert not path.exists()


def test_a_nvidia_driver_that_is_not_here_is_not_complained_about(tmp_path):
    if encoders.has_nvidia_driver():
        pytest.skip("there is one")
    said = []
    record(tmp_path / "n.mp4", results([0, 0.1]), say=said.append)
    assert said == []


@pytest.mark.parametrize("codec", CODECS)
def test_quality_and_bitrate_are_obeyed(tmp_path, codec):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (96, 160, 3), np.uint8) for _ in range(4)]
    shown = [result(noise[i % 4], i / 30, index=i) for i in range(60)]
    sizes = {}
    for name, more in {
        "good": {"crf": 15},
        "poor": {"crf": 45},
        "slow": {"bitrate": 100_000},
        "fast": {"bitrate": 1_000_000},
    }.items():
        path = tmp_path / f"{name}.mp4"
        assert record(path, shown, choice=_choice(codec, **more)).error is None
        sizes[name] = path.stat().st_size
    assert sizes["good"] > 1.5 * sizes["poor"]
    assert sizes["fast"] > 1.5 * sizes["slow"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"encoder": "bogus"}, "no encoder bogus"),
        ({"encoder": "mpeg4", "codec": None}, "makes mpeg4"),
        ({"encoder": "libx265", "codec": "h264"}, "makes hevc, not h264"),
        ({"crf": 20, "bitrate": 1000}, "exclude"),
        ({"crf": 60}, "0 to 51"),
    ],
)
def test_choices_that_do_not_go_together_are_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        _choice(**arguments)


def test_the_arguments_mean_the_choice():
    def chosen(*arguments):
        return settings_from(build_parser().parse_args(["demo", *arguments])).recording.encoder

    assert chosen() == EncoderChoice()
    assert chosen("--encoder", "libsvtav1", "--crf", "60") == EncoderChoice(
        "av1", "libsvtav1", crf=60
    )
    assert chosen("--bitrate", "2.5M", "--preset", "fast").bitrate == 2_500_000
    for wrong in (["--bitrate", "0"], ["--bitrate", "4Q"], ["--crf", "-1"], ["--codec", "vp9"]):
        with pytest.raises(SystemExit):
            chosen(*wrong)


def test_a_preset_that_does_not_exist_is_said_before_any_work(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", 3)
    out = tmp_path / "o.mp4"
    done = run_main(str(clip), "--headless", "-o", str(out), "--preset", "nonsense")
    assert done.returncode == 5
    assert "choose another --encoder, --codec or --preset" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


# In a process of its own: the one of the tests may not have real-time threads either.
SCHEDULED = """
import os, sys
from pathlib import Path
from app.config.arguments import OutputArguments
from app.config.encoder_rules import encoder_choice
from app.sinks.recording.encoders import ordinary_scheduling
from tests.support.recordings import record, results

def may():
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True

def real_time():
    for thread in os.listdir("/proc/self/task"):
        try:
            if os.sched_getscheduler(int(thread)) != os.SCHED_OTHER:
                yield thread
        except ProcessLookupError:
            pass

def watched():
    for one in results([0, 0.1, 0.2, 0.3, 0.4], (160, 96)):
        yield one
        found.extend(real_time())

before, found = may(), []
for codec in ("h264", "hevc", "av1"):
    choice = encoder_choice(OutputArguments(codec=codec))
    recorder = record(Path(sys.argv[1], codec + ".mp4"), watched(), choice=choice)
    assert recorder.error is None
found.extend(real_time())
with ordinary_scheduling():
    print(before, may(), end=" ")
print(may(), found)
"""


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="of Linux alone")
def test_an_encoder_makes_no_thread_a_real_time_one_and_root_still_may(tmp_path):
    done = run_script(SCHEDULED, tmp_path)
    assert done.stdout.strip() in {"True False True []", "False False False []"}, done.stderr
