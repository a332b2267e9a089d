from fractions import Fraction

import av
import numpy as np
import pytest

from app.errors import SourceError
from app.sources import open_source, parse_source
from app.sources.spec import SourceSpec
from tests.media import SHARED, needs_clips, picture, write_clip


def _read_all(source):
    pictures = list(iter(source.read, None))
    source.close()
    return pictures


def _file(path):
    return open_source(SourceSpec("file", str(path)))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("demo", "demo", ""),
        ("0", "camera", "0"),
        ("07", "camera", "7"),
        ("./demo", "file", "./demo"),
        ("-clip.mp4", "file", "-clip.mp4"),
        ("²", "file", "²"),
    ],
)
def test_what_the_user_typed_is_told_apart(text, kind, value):
    spec = parse_source(text)
    assert (spec.kind, spec.value) == (kind, value)


def test_an_empty_source_is_refused():
    with pytest.raises(SourceError, match="empty"):
        parse_source(" ")


def test_a_file_gives_all_its_frames_with_their_stamps(tmp_path):
    # Frame threads hold the last frames back until the decoder is flushed.
    source = _file(write_clip(tmp_path / "a.mp4", 41))
    assert (source.info.width, source.info.height) == (160, 96)
    pictures = _read_all(source)
    assert [p.time for p in pictures] == pytest.approx([i / 30 for i in range(41)], abs=1e-4)
    assert source.notice == ""
    for index, shown in enumerate(pictures):
        error = np.abs(shown.image.astype(int) - picture(index)).mean()
        assert error < 8, index
        assert shown.image.flags.c_contiguous


def test_variable_frame_rates_are_kept(tmp_path):
    stamps = [0.0, 0.02, 0.13, 0.15, 0.4, 0.41, 1.0]
    pictures = _read_all(_file(write_clip(tmp_path / "v.mp4", stamps)))
    assert [p.time for p in pictures] == pytest.approx(stamps, abs=1e-4)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_the_rotation_that_a_file_asks_for_is_applied(tmp_path, rotation):
    pictures = _read_all(_file(write_clip(tmp_path / "r.mp4", 3, rotation=rotation)))
    upright = np.rot90(picture(0), rotation // 90)
    assert pictures[0].image.shape == upright.shape
    assert np.abs(pictures[0].image.astype(int) - upright).mean() < 8


def test_pixels_that_are_not_square_are_shown_right(tmp_path):
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 9)
        frame = av.VideoFrame.from_ndarray(picture(0), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    source = _file(path)
    assert (source.info.width, source.info.height) == (284, 96)


@pytest.mark.parametrize("name", ["ein Film äöü 100%.mp4", "-dash.mp4", "a:b.mp4"])
def test_awkward_names_are_read(tmp_path, name):
    (tmp_path / "plain.mp4").parent.mkdir(exist_ok=True)
    path = write_clip(tmp_path / "plain.mp4", 3).rename(tmp_path / name)
    assert len(_read_all(_file(path))) == 3


def test_a_truncated_file_plays_what_is_there_and_says_so(tmp_path):
    path = tmp_path / "t.mkv"
    write_clip(path, 90)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = _file(path)
    pictures = _read_all(source)
    assert 0 < len(pictures) < 90
    assert "t.mkv" in source.notice


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no file"),
        (b"", "empty"),
        (b"no video at all" * 100, "damaged or of another kind"),
    ],
)
def test_a_file_that_is_no_video_is_refused_in_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=sentence):
        _file(path)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(SourceError, match="not a file"):
        _file(tmp_path)


def test_a_camera_that_is_not_there_is_refused_without_noise(capfd):
    with pytest.raises(SourceError, match="There is no camera 97"):
        open_source(SourceSpec("camera", "97"))
    assert capfd.readouterr().err == ""


def test_the_demo_street_is_the_same_at_every_start():
    a, b = (open_source(SourceSpec("demo", width=320, height=160)) for _ in range(2))
    for _ in range(3):
        x, y = a.read(), b.read()
        assert x.time == y.time
        assert np.array_equal(x.image, y.image)


@needs_clips
@pytest.mark.parametrize(
    ("name", "frames", "size"),
    [
        ("decord_video_90.mov", 3, (320, 568)),
        ("decord_corrupted.mp4", 28, None),
        ("derived_vfr_h264.mp4", 30, None),
        ("derived_mjpeg.avi", 30, None),
        ("derived_odd_467x333_vp9.webm", 30, (467, 333)),
        ("derived_truncated_60pct.mkv", 15, None),
        ("torchcodec_h264_10bits.mp4", 30, (200, 200)),
        ("torchcodec_bt709_full_range.mp4", 30, (1280, 720)),
        ("moviepy_no_duration.webm", 74, None),
        ("-video-with-dash-.mp4", None, (1, 1)),
        ("mp4parse_h264_white_frame_sar_16_9.mp4", 1, (1138, 480)),
    ],
)
def test_awkward_real_files_play_as_they_should(name, frames, size):
    source = _file(SHARED / "clips" / "odd" / name)
    pictures = _read_all(source)
    if frames is not None:
        assert len(pictures) == frames
    if size is not None:
        assert (source.info.width, source.info.height) == size
    assert ("28 of 50" in source.notice) == (name == "decord_corrupted.mp4")
    assert ("ended early" in source.notice) == (name == "derived_truncated_60pct.mkv")


@needs_clips
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("derived_empty.mp4", "empty"),
        ("umarqattan_moov_missing.mp4", "damaged"),
        ("moviepy_with-attached-pic.mp3", "holds no video"),
        ("moviepy_crunching.mp3", "holds no video"),
    ],
)
def test_real_files_without_a_readable_video_are_refused(name, sentence):
    with pytest.raises(SourceError, match=sentence):
        _file(SHARED / "clips" / "odd" / name)
