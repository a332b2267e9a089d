from fractions import Fraction

import av
import numpy as np
import pytest

from app.errors import SourceError
from app.sources import open_source, parse_source
from app.sources.source_spec import SourceSpec
from tests.support.media import picture, write_clip


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


def test_a_video_of_an_unknown_kind_is_refused_in_a_sentence(tmp_path):
    clip = write_clip(tmp_path / "u.avi", 5, codec="ffv1")
    content = clip.read_bytes()
    assert b"FFV1" in content
    clip.write_bytes(content.replace(b"FFV1", b"QQQQ"))
    with pytest.raises(SourceError, match="holds no video"):
        _file(clip)


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
