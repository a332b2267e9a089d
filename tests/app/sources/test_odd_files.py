"""Every awkward real file behaves as it must: without a window and in it."""

import signal

import pytest

from app.cli.launcher import main
from app.config.settings import (
    NetworkOptions,
    RecordingOptions,
    RunOptions,
    Settings,
    SourceOptions,
)
from app.headless import run_headless
from app.sources.source_spec import SourceSpec
from tests.support.media import SHARED, count_by_opencv, needs_clips, read_clip
from tests.support.window_driver import application, messages, shows, wait_until, window

ODD = SHARED / "clips" / "odd"
# Frames, size as shown, what is said at the end.
PLAYS = {
    "decord_video_90.mov": (3, (320, 568), ""),
    "decord_corrupted.mp4": (49, (1280, 720), "is damaged: 1 of 50 frames could not be read"),
    "derived_vfr_h264.mp4": (30, (480, 360), ""),
    "derived_mjpeg.avi": (30, (480, 360), ""),
    "derived_odd_467x333_vp9.webm": (30, (467, 333), ""),
    "derived_truncated_60pct.mkv": (15, (480, 360), "ended early, after 15 frames"),
    "torchcodec_h264_10bits.mp4": (30, (200, 200), ""),
    "torchcodec_bt709_full_range.mp4": (30, (1280, 720), ""),
    "moviepy_no_duration.webm": (74, (1280, 720), ""),
    "-video-with-dash-.mp4": (5, (1, 1), ""),
    "mp4parse_h264_white_frame_sar_16_9.mp4": (1, (1138, 480), ""),
    "torchcodec_nasa_13013.mp4": (None, (480, 270), ""),
}
REFUSED = {
    "derived_empty.mp4": "is empty",
    "umarqattan_moov_missing.mp4": "is damaged or of another kind",
    "moviepy_with-attached-pic.mp3": "holds no video",
    "moviepy_crunching.mp3": "holds no video",
}
TINY = (64, 96)


@needs_clips
@pytest.mark.parametrize("name", PLAYS)
def test_an_awkward_file_is_annotated_frame_by_frame(name, tmp_path, capfd):
    frames, size, says = PLAYS[name]
    expected = frames or 20
    # Encoding 720p takes a while; the other files are recorded as well.
    out = tmp_path / "o.mp4" if size != (1280, 720) else None
    settings = Settings(
        sources=(SourceSpec("file", str(ODD / name)),),
        recording=RecordingOptions(file=out),
        run=RunOptions(headless=True),
        network=NetworkOptions(device="cpu", input_size=TINY),
        source=SourceOptions(max_frames=20 if frames is None else None),
    )
    assert run_headless(settings) == 0
    captured = capfd.readouterr()
    assert "Traceback" not in captured.err
    assert says in captured.err
    if not says:
        assert "damaged" not in captured.err
        assert "early" not in captured.err
    assert f"{expected} frame{'s' if expected > 1 else ''} in" in captured.out
    if out is not None:
        times, images = read_clip(out)
        assert len(times) == count_by_opencv(out) == expected
        width, height = size
        assert images[0].shape[:2] == (height + height % 2, width + width % 2)


@needs_clips
@pytest.mark.parametrize("name", REFUSED)
def test_an_awkward_file_without_video_is_refused_in_a_sentence(name, tmp_path, capfd):
    settings = Settings(
        sources=(SourceSpec("file", str(ODD / name)),),
        recording=RecordingOptions(file=tmp_path / "o.mp4"),
        run=RunOptions(headless=True),
        network=NetworkOptions(device="cpu", input_size=TINY),
    )
    assert run_headless(settings) == 3
    errors = [line for line in capfd.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert REFUSED[name] in errors[0]
    assert not (tmp_path / "o.mp4").exists()


@needs_clips
def test_the_window_shows_every_awkward_file_or_says_why_not():
    application()
    with window(Settings(network=NetworkOptions(device="cpu", input_size=TINY))) as w:
        for name, (_, size, says) in PLAYS.items():
            spec = SourceSpec("file", str(ODD / name))
            w.open(spec)
            wait_until(lambda spec=spec: shows(w, spec), f"a picture of {name}")
            if size is not None:
                assert w.view.result.picture.shape[:2] == size[::-1], name
            if says:
                wait_until(lambda: w.pipeline.status().state == "ended", f"the end of {name}")
                wait_until(lambda says=says: any(says in m for m in messages(w)), says)
        for name, says in REFUSED.items():
            w.open(SourceSpec("file", str(ODD / name)))
            wait_until(lambda says=says: any(says in m for m in messages(w)), says)


@needs_clips
@pytest.mark.parametrize("words", [("./-video-with-dash-.mp4",), ("--", "-video-with-dash-.mp4")])
def test_a_name_that_begins_with_a_dash_opens_from_the_command_line(words, monkeypatch, capsys):
    monkeypatch.chdir(ODD)
    before = signal.getsignal(signal.SIGTERM)
    try:
        code = main(["--headless", "--device", "cpu", "--input-size", "64x96", *words])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert code == 0
    assert "5 frames in" in capsys.readouterr().out
