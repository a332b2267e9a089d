"""Files of several pictures or of tiles: all of it is shown, or it is said that a part is."""

import importlib.util
import sys

import cv2
import numpy as np
import pytest
from PIL import Image, features

from app.errors import SourceError
from app.sources import SourceSpec, open_source, parse_source
from app.sources.images import image_file
from app.sources.images.image_file import ImageFile
from fastscnn.data.image_files import PictureError, picture_size, read_picture
from tests.support.cli_process import run_main
from tests.support.media import picture
from tests.support.tiled_image import write_tiles

SIZE = (96, 64)
LENGTHS = [100, 250, 40, 600, 200]
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow was built without AVIF")
needs_heic = pytest.mark.skipif(
    importlib.util.find_spec("pillow_heif") is None, reason="pillow-heif is not installed"
)


def gray(value, size=SIZE):
    return Image.fromarray(np.full((size[1], size[0], 3), value, np.uint8))


def animate(path, lengths=LENGTHS, **more):
    """One frame after the other, brighter each time."""
    first, *rest = [gray(40 * index) for index in range(len(lengths))]
    first.save(path, save_all=True, append_images=rest, duration=lengths, loop=0, **more)
    return path


def read(path, **spec):
    source = open_source(SourceSpec(parse_source(str(path)).kind, str(path), **spec))
    found = list(iter(source.read, None))
    source.close()
    return source, found


def brightness(frames):
    return [round(float(frame.image.mean())) for frame in frames]


@pytest.mark.parametrize(
    "kind", ["webp", "png", "gif", "apng", pytest.param("avif", marks=needs_avif)]
)
def test_an_animation_is_the_clip_that_it_is(tmp_path, kind):
    source, frames = read(animate(tmp_path / f"walk.{kind}"))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.35, 0.39, 0.99], abs=1e-3)
    assert brightness(frames) == pytest.approx([0, 40, 80, 120, 160], abs=3)
    assert source.notice == ""
    length = frames[-1].time + frames[-1].duration
    assert length == pytest.approx(1.19, abs=0.02)
    assert frames[0].image.shape == (*SIZE[::-1], 3)


def test_an_animation_is_known_by_what_it_holds_not_by_its_name(tmp_path):
    _, frames = read(animate(tmp_path / "walk.webp").rename(tmp_path / "walk.jpg"))
    assert len(frames) == 5


def test_the_picture_for_old_programs_is_no_frame(tmp_path):
    path = animate(tmp_path / "walk.png", [100, 200, 300], default_image=True)
    source, frames = read(path)
    assert brightness(frames) == [40, 80]
    assert source.info.frames == 2


def test_an_animation_can_be_moved_about_in_and_given_a_rate(tmp_path):
    path = animate(tmp_path / "walk.webp")
    source = open_source(parse_source(str(path)))
    for seconds, before, value in [(0.36, 0, 80), (9, 0, 160), (0.99, 2, 80), (-1, 0, 0)]:
        source.seek(seconds, before=before)
        assert brightness([source.read()]) == pytest.approx([value], abs=3)
    assert source.info.duration == pytest.approx(1.19)
    _, frames = read(path, rate=5)
    assert [frame.time for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


def test_a_frame_without_a_length_is_shown_as_browsers_do(tmp_path):
    _, frames = read(animate(tmp_path / "walk.webp", [0, 0, 0]))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2])


def scan(path, pages, **more):
    first, *rest = [gray(40 * page, (90 + page, 60)) for page in range(pages)]
    first.save(path, save_all=True, append_images=rest, **more)
    return path


def test_all_pages_of_a_tiff_are_shown(tmp_path):
    source, frames = read(scan(tmp_path / "scan.tiff", 5))
    assert brightness(frames) == [0, 40, 80, 120, 160]
    assert [frame.image.shape[1] for frame in frames] == [90, 91, 92, 93, 94]
    assert [frame.name for frame in frames] == [f"scan-{page}" for page in range(1, 6)]
    assert (source.info.frames, source.info.duration) == (5, 0.5)
    source = open_source(parse_source(str(tmp_path / "scan.tiff")))
    source.seek(0.3)
    assert brightness([source.read()]) == [120]


def test_pages_of_16_bits_are_as_bright_as_single_ones(tmp_path):
    pages = [np.full((60, 90), value << 8, np.uint16) for value in (40, 80)]
    assert cv2.imwritemulti(str(tmp_path / "deep.tiff"), pages)
    assert brightness(read(tmp_path / "deep.tiff")[1]) == [40, 80]


def test_a_preview_is_no_page(tmp_path):
    whole, preview = gray(120), gray(0, (9, 6))
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    whole.save(tmp_path / "photo.tiff", save_all=True, append_images=[preview])
    frames = read(tmp_path / "photo.tiff")[1]
    assert brightness(frames) == [120]
    assert [frame.name for frame in frames] == ["photo"]


def test_a_page_that_is_too_large_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr("app.sources.color_conversion.MAX_PIXELS", 91 * 60)
    source, frames = read(scan(tmp_path / "scan.tiff", 3))
    assert brightness(frames) == [0, 40]
    assert "92×60" in source.notice


def test_among_others_the_first_is_shown_and_that_is_said(tmp_path):
    animate(tmp_path / "a.webp")
    scan(tmp_path / "b.tiff", 3)
    gray(200).save(tmp_path / "c.png")
    for text in (tmp_path, tmp_path / "*"):
        source, frames = read(text)
        assert brightness(frames) == pytest.approx([0, 0, 200], abs=2)
        assert source.notice == (
            "Of a.webp the first of 5 frames is shown."
            " 1 more have several too: name one alone to see all of it."
        )


def test_a_jpeg_with_a_preview_behind_it_is_one_picture(tmp_path):
    gray(80).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[gray(0)])
    with Image.open(tmp_path / "a.jpg") as image:
        assert (image.format, image.n_frames) == ("MPO", 2)
    source, frames = read(tmp_path / "a.jpg")
    assert (brightness(frames), source.notice) == ([80], "")


# Tiles


@pytest.fixture
def scene():
    y, x = np.mgrid[:240, :360]
    return np.stack([x * 255 // 360, y * 255 // 240, (x + y) % 256], -1).astype(np.uint8)


@pytest.mark.parametrize(
    "kind", [pytest.param("heic", marks=needs_heic), pytest.param("avif", marks=needs_avif)]
)
def test_a_picture_of_tiles_is_shown_whole(tmp_path, scene, kind):
    path = write_tiles(tmp_path / f"photo.{kind}", scene)
    for named in (path, tmp_path):
        source, frames = read(named)
        assert [frame.name for frame in frames] == ["photo"]
        assert frames[0].image.shape == (240, 360, 3)
        assert np.abs(frames[0].image.astype(int) - scene).mean() < 4
        assert source.news == []


@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_where_tiles_cannot_be_put_together_none_is_shown(tmp_path, scene, kind, monkeypatch):
    path = write_tiles(tmp_path / f"photo.{kind}", scene)
    for name in ("HEIF", "AVIF"):
        monkeypatch.delitem(Image.OPEN, name, raising=False)
    monkeypatch.setattr(image_file, "_know_heic", lambda: None)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(SourceError, match=r"holds its picture in 6 tiles.*\[heic\]"):
        open_source(parse_source(str(path)))


@pytest.mark.parametrize("stream", [None, 2])
def test_a_tile_is_no_picture_under_any_name(tmp_path, scene, stream):
    path = write_tiles(tmp_path / "photo.heic", scene).rename(tmp_path / "photo.mov")
    with pytest.raises(SourceError, match="in 6 tiles"):
        open_source(SourceSpec("file", str(path), video_stream=stream))


@needs_heic
def test_all_pictures_of_a_heic_are_shown(tmp_path):
    import pillow_heif

    file = pillow_heif.HeifFile()
    for value in (40, 120):
        file.add_frombytes("RGB", SIZE, gray(value).tobytes())
    file.save(tmp_path / "burst.heic", quality=95)
    assert brightness(read(tmp_path / "burst.heic")[1]) == pytest.approx([40, 120], abs=3)


# Files of strangers


@pytest.mark.parametrize(
    "kind", ["webp", "png", "tiff", "gif", pytest.param("avif", marks=needs_avif)]
)
@pytest.mark.parametrize("cut", [20, 60, 200, 400])
def test_what_is_cut_off_is_refused_or_shown_as_far_as_it_goes(tmp_path, kind, cut):
    path = tmp_path / f"walk.{kind}"
    (scan if kind == "tiff" else lambda path, _: animate(path))(path, 5)
    path.write_bytes(path.read_bytes()[:-cut])
    try:
        source, frames = read(path)
    except SourceError:
        return
    assert len(frames) == 5 or source.notice or kind == "gif"


@pytest.mark.parametrize("side", [9500, 12000, 60000])
def test_a_huge_picture_is_refused_in_a_sentence_alone(tmp_path, side):
    gray(0).save(tmp_path / "x.bmp")
    data = bytearray((tmp_path / "x.bmp").read_bytes())
    data[18:26] = side.to_bytes(4, "little") * 2
    (tmp_path / "x.bmp").write_bytes(data)
    done = run_main(str(tmp_path / "x.bmp"), "--headless", "--input-size", "64x96")
    assert done.returncode == 3
    assert "can be used here" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_data_set_takes_no_animation_for_a_picture(tmp_path, kind):
    path = animate(tmp_path / f"x.{kind}")
    for look in (picture_size, lambda path: read_picture(path, cv2.IMREAD_COLOR)):
        with pytest.raises(PictureError, match="holds 5 pictures"):
            look(path)


def test_a_still_picture_is_read_as_before(tmp_path):
    assert cv2.imwrite(str(tmp_path / "x.png"), np.ascontiguousarray(picture(1)[..., ::-1]))
    assert np.array_equal(ImageFile(tmp_path / "x.png").read(0), picture(1))


@pytest.mark.parametrize(("suffix", "damage"), [("png", b"IDAT"), ("png", b"IHDR")])
def test_an_animation_that_is_damaged_from_its_first_picture_on_is_refused(
    tmp_path, suffix, damage
):
    path = animate(tmp_path / f"a.{suffix}")
    data = bytearray(path.read_bytes())
    place = data.index(damage) + len(damage)
    data[place + 2 : place + 12] = bytes(10)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.png"):
        open_source(parse_source(str(path)))
