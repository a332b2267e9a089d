"""Pictures as a source, and pictures as what comes out."""

import io
import signal
import struct
import zlib
from fractions import Fraction
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from app.cli.launcher import main
from app.errors import SourceError
from app.sources import open_source, parse_source
from app.sources.images.image_sequence import find_pictures
from fastscnn.data.image_files import open_image
from fastscnn.labels import ID_TO_TRAIN_ID
from tests.support.media import count_by_opencv, picture, read_clip, write_clip

FAST = ("--headless", "--input-size", "64x96", "--device", "cpu")


def _write(path, index, size=(64, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(picture(index, *size)[..., ::-1]))
    return path


@pytest.fixture
def run(capfd):
    """The command line, in this process: what it returns and prints."""

    def call(*arguments):
        before = signal.getsignal(signal.SIGTERM)
        capfd.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as end:
            code = end.code
        finally:
            signal.signal(signal.SIGTERM, before)
        return SimpleNamespace(returncode=code, stderr=capfd.readouterr().err)

    return call


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "street"
    for index in (1, 2, 10, 9):
        _write(made / f"frame{index}.png", index)
    (made / "notes.txt").write_text("no picture")
    return made


def _all(text, **spec):
    from dataclasses import replace

    source = open_source(replace(parse_source(str(text)), **spec))
    pictures = list(iter(source.read, None))
    source.close()
    return source, pictures


def test_a_folder_is_read_in_natural_order(folder):
    source, pictures = _all(folder)
    assert [p.name for p in pictures] == ["frame1", "frame2", "frame9", "frame10"]
    assert [p.time for p in pictures] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert np.array_equal(pictures[1].image, picture(2, 64, 32))
    assert (source.info.frames, source.info.width, source.info.height) == (4, 64, 32)
    assert source.notice == ""


def test_a_pattern_a_rate_and_a_single_picture(folder):
    _, pictures = _all(folder / "frame1*.png", rate=25)
    assert [p.name for p in pictures] == ["frame1", "frame10"]
    assert pictures[1].time == pytest.approx(0.04)
    _, pictures = _all(folder / "frame9.png")
    assert [p.name for p in pictures] == ["frame9"]


def test_pictures_in_folders_below_are_named_by_their_place(tmp_path):
    for city in ("bonn", "aachen"):
        _write(tmp_path / "val" / city / f"{city}_0_left.png", 1)
    names = [p.name for p in _all(tmp_path / "val")[1]]
    assert names == ["aachen/aachen_0_left", "bonn/bonn_0_left"]
    names = [p.name for p in _all(tmp_path / "val" / "*" / "*_left.png")[1]]
    assert names == ["aachen/aachen_0_left", "bonn/bonn_0_left"]


def test_a_name_with_brackets_is_a_name_where_there_is_such_a_file(tmp_path):
    path = _write(tmp_path / "street [1].png", 3)
    assert find_pictures(str(path))[1] == [path]
    assert [p.name for p in _all(path)[1]] == ["street [1]"]


def test_a_folder_whose_name_looks_like_a_pattern_is_a_folder(tmp_path):
    for name in ("cam [front] 2024/1.png", "cam [front] 2024/2.png", "cam f 2024/3.png"):
        _write(tmp_path / name, 1)
    where = tmp_path / "cam [front] 2024"
    for text in (where, where / "*.png", where / "[12].png"):
        assert [p.name for p in _all(text)[1]] == ["1", "2"]
    assert [p.name for p in _all(where / "2.*")[1]] == ["2"]


def test_a_video_that_is_missing_from_such_a_folder_is_missing_not_a_pattern(tmp_path):
    (tmp_path / "cam [front]").mkdir()
    with pytest.raises(SourceError, match="There is no file"):
        open_source(parse_source(str(tmp_path / "cam [front]" / "gone.mp4")))


def test_hidden_files_are_no_pictures(folder):
    for name in ("._frame1.png", ".frame3.png"):
        (folder / name).write_bytes(b"\x00\x05\x16\x07Mac OS X" + bytes(4000))
    _write(folder / ".trash" / "frame4.png", 4)
    for text in (folder, folder / "*.png", folder.parent, folder / "**"):
        source, pictures = _all(text)
        assert len(pictures) == 4
        assert source.notice == ""


def test_names_that_begin_with_a_tilde_are_names(tmp_path, monkeypatch):
    _write(tmp_path / "~pics" / "~1.png", 1)
    monkeypatch.chdir(tmp_path)
    for text in ("~pics", "~pics/*.png", "~pics/~1.png"):
        assert [p.name for p in _all(text)[1]] == ["~1"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [p.name for p in _all("~/~pics")[1]] == ["~1"]


def test_seeking_goes_to_the_picture_of_that_time(folder):
    source = open_source(parse_source(str(folder)))
    for seconds, before, name in [(0.2, 0, "frame9"), (9, 0, "frame10"), (0.3, 2, "frame2")]:
        source.seek(seconds, before=before)
        assert source.read().name == name


def test_a_picture_that_cannot_be_read_is_passed_over_and_said(folder):
    (folder / "frame2.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (folder / "frame5.jpg").write_bytes(b"nonsense")
    source, pictures = _all(folder)
    assert [p.name for p in pictures] == ["frame1", "frame9", "frame10"]
    assert source.missed["decode"] == 2
    assert "frame2.png" in source.notice
    assert "1 more" in source.notice


@pytest.mark.parametrize("what", ["empty folder", "pattern without matches", "nonsense"])
def test_where_there_is_no_picture_that_is_said(tmp_path, what):
    text = str(tmp_path)
    if what == "pattern without matches":
        text = str(tmp_path / "*.png")
    if what == "nonsense":
        (tmp_path / "a.png").write_bytes(b"nonsense")
    with pytest.raises(SourceError, match="no picture"):
        open_source(parse_source(text))


# Sizes, before anything is decoded


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "tiff", "ppm"])
def test_the_size_is_found_in_the_header(tmp_path, suffix):
    data = _write(tmp_path / f"a.{suffix}", 1, (123, 45)).read_bytes()
    assert open_image(io.BytesIO(data)).size == (123, 45)


@pytest.mark.parametrize("cut", range(1, 40, 3))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff"])
def test_a_header_that_is_cut_off_does_no_harm(tmp_path, suffix, cut):
    data = _write(tmp_path / f"a.{suffix}", 1, (123, 45)).read_bytes()
    image = open_image(io.BytesIO(data[:cut]))
    assert image is None or image.size == (123, 45)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9999)))
    )
    with pytest.raises(SourceError, match="more pixels than"):
        open_source(parse_source(str(path)))


# What comes out


def test_a_folder_becomes_a_folder_of_overlays_and_labels(folder, tmp_path, run):
    out, labels = tmp_path / "out", tmp_path / "labels"
    done = run(str(folder), *FAST, "-o", f"{out}/", "--save-labels", str(labels))
    assert done.returncode == 0, done.stderr
    assert f"Saved 4 pictures: {out}" in done.stderr
    assert f"Saved 4 pictures of labels: {labels}" in done.stderr
    names = ["frame1.png", "frame10.png", "frame2.png", "frame9.png"]
    assert sorted(p.name for p in out.iterdir()) == names
    assert sorted(p.name for p in labels.iterdir()) == names
    seen = cv2.imread(str(labels / "frame2.png"), cv2.IMREAD_UNCHANGED)
    assert seen.shape == (32, 64)
    assert seen.dtype == np.uint8
    assert set(np.unique(seen)) <= {*range(19), 255}
    overlay = cv2.imread(str(out / "frame2.png"))[..., ::-1]
    assert np.abs(overlay.astype(int) - picture(2, 64, 32)).mean() > 5


def test_labels_of_a_video_as_the_server_wants_them(tmp_path, run):
    write_clip(tmp_path / "clip.mp4", 6)
    for name, extra in (("train", ()), ("ids", ("--label-ids",))):
        where = tmp_path / name
        done = run(str(tmp_path / "clip.mp4"), *FAST, "--save-labels", str(where), *extra)
        assert done.returncode == 0, done.stderr
        assert sorted(p.name for p in where.iterdir()) == [f"{i:06}.png" for i in range(6)]
    for index in range(6):
        train, ids = (
            cv2.imread(str(tmp_path / n / f"{index:06}.png"), cv2.IMREAD_UNCHANGED)
            for n in ("train", "ids")
        )
        assert np.array_equal(ID_TO_TRAIN_ID[ids], train)
        assert not np.array_equal(ids, train)


def test_pictures_and_a_recording_come_from_one_run(folder, tmp_path, run):
    out = tmp_path / "o.mp4"
    labels = ("--save-labels", str(tmp_path / "l"))
    done = run(str(folder), *FAST, "--fps", "5", "-o", str(out), *labels)
    assert done.returncode == 0, done.stderr
    assert count_by_opencv(out) == len(list((tmp_path / "l").iterdir())) == 4
    assert read_clip(out)[0] == pytest.approx([0, 0.2, 0.4, 0.6], abs=1e-3)


@pytest.mark.parametrize(
    ("asked", "rate"), [("29.97", Fraction(30000, 1001)), ("25/2", Fraction(25, 2))]
)
def test_pictures_are_recorded_at_exactly_the_rate_asked_for(folder, tmp_path, run, asked, rate):
    out = tmp_path / "o.mp4"
    assert run(str(folder), *FAST, "--fps", asked, "-o", str(out)).returncode == 0
    with av.open(str(out)) as container:
        assert container.streams.video[0].average_rate == rate


def test_jpegs_are_written_when_asked_for(folder, tmp_path, run):
    arguments = ("--picture-format", "jpg", "-o", f"{tmp_path / 'j'}/")
    assert run(str(folder / "frame1.png"), *FAST, *arguments).returncode == 0
    assert [p.name for p in (tmp_path / "j").iterdir()] == ["frame1.jpg"]


def test_nothing_in_a_folder_is_replaced_unasked_and_never_what_is_read(folder, tmp_path, run):
    full = tmp_path / "full"
    precious = _write(full / "frame1.png", 7)
    before = precious.read_bytes()
    done = run(str(folder), *FAST, "-o", f"{full}/")
    assert done.returncode == 5
    assert "not empty" in done.stderr
    assert precious.read_bytes() == before
    done = run(str(folder), *FAST, "-o", f"{folder}/", "--overwrite")
    assert done.returncode == 5
    assert "is being read" in done.stderr
    assert run(str(folder), *FAST, "-o", f"{full}/", "--overwrite").returncode == 0
    assert precious.read_bytes() != before


@pytest.mark.parametrize(
    "arguments", [("--label-ids",), ("--save-labels", "x", "-o", "x/"), ("--fps", "5")]
)
def test_wrong_use_is_said(tmp_path, arguments, run):
    clip = write_clip(tmp_path / "clip.mp4", 2)
    assert run(str(clip), *FAST, *arguments).returncode == 2


def test_a_folder_that_is_full_ends_the_run_in_a_sentence(folder, tmp_path, run):
    out = tmp_path / "out"
    out.mkdir()
    (out / "frame2.png").symlink_to("/dev/full")
    done = run(str(folder), *FAST, "-o", f"{out}/", "--overwrite")
    assert done.returncode == 5
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
