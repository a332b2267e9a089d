import struct
import zlib

import cv2
import numpy as np
import pytest

from fastscnn.data.image_files import PictureError, picture_size, read_picture


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "webp"])
@pytest.mark.parametrize("size", [(5, 300), (301, 7)])
def test_sizes_come_from_every_kind_of_file(tmp_path, ending, size):
    path = tmp_path / f"x.{ending}"
    assert cv2.imwrite(str(path), np.zeros((*size, 3), np.uint8))
    assert picture_size(path) == size


def test_a_progressive_jpeg_has_a_size_too(tmp_path):
    path = tmp_path / "x.jpg"
    cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert picture_size(path) == (20, 30)


def test_a_jpeg_that_is_to_be_turned_has_the_size_that_it_is_read_with(tmp_path):
    path = tmp_path / "x.jpg"
    cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))
    tag = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tag
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    data = path.read_bytes()
    path.write_bytes(data[:2] + segment + data[2:])
    assert cv2.imread(str(path)).shape[:2] == (30, 20)
    assert picture_size(path) == (30, 20)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\0" * 9, b"text"]
)
def test_what_is_no_picture_is_refused(tmp_path, data):
    path = tmp_path / "x.jpg"
    path.write_bytes(data)
    for look in (picture_size, lambda path: read_picture(path, cv2.IMREAD_COLOR)):
        for file in (path, tmp_path / "nosuch.png", tmp_path):
            with pytest.raises(PictureError, match="cannot be read"):
                look(file)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_file_that_was_cut_short_is_noticed_by_its_end(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(PictureError, match="ends too early"):
        picture_size(path)


@pytest.mark.parametrize("side", [9000, 60000])
def test_a_file_that_claims_to_be_huge_is_not_decoded(tmp_path, side):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path = tmp_path / "x.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    for look in (picture_size, lambda path: read_picture(path, cv2.IMREAD_UNCHANGED)):
        with pytest.raises(PictureError, match=r"more (pixels )?than can be used"):
            look(path)
