"""Labels are the numbers that a PNG stores, whatever their depth and colours."""

import json
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from fastscnn.data.dataset_check import check
from fastscnn.data.folder_dataset import FolderDataset
from fastscnn.data.image_files import PictureError, read_labels
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError
from fastscnn.evaluate import main as evaluate
from fastscnn.train import main as train

SIZE = 33, 45  # rows do not end with a byte


def _labels(depth):
    rng = np.random.default_rng(depth)
    return rng.integers(0, min(2**depth, 19), SIZE).astype(np.uint8)


def _write(path, labels, depth, *, palette=False):
    """A PNG of so many bits per sample, as editors and optimisers write them."""
    bits = np.unpackbits(labels[..., None], axis=2)[..., 8 - depth :].reshape(len(labels), -1)
    rows = b"".join(b"\0" + row.tobytes() for row in np.packbits(bits, axis=1))
    kind = 3 if palette else 0
    # Colours that say nothing of the numbers: the same ones twice, bright before dark.
    colors = bytes(255 - i // 2 % 256 for i in range(3 * 2**depth))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", labels.shape[1], labels.shape[0], depth, kind, 0, 0, 0)),
        *([(b"PLTE", colors)] if palette else []),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )


@pytest.mark.parametrize("palette", [False, True], ids=["grey", "palette"])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_the_numbers_are_read_at_every_depth(tmp_path, depth, palette):
    _write(tmp_path / "a.png", _labels(depth), depth, palette=palette)
    assert np.array_equal(read_labels(tmp_path / "a.png"), _labels(depth))


@pytest.mark.parametrize(
    "save",
    [
        {"optimize": True},
        {"bits": 2},
        {"transparency": b"\x00\xff\x80"},
    ],
)
def test_palettes_as_pillow_writes_them_are_numbers(tmp_path, save):
    image = Image.fromarray(_labels(2), "P")
    image.putpalette([200, 10, 10, 200, 10, 10, 0, 0, 0, 255, 255, 255])
    image.save(tmp_path / "a.png", **save)
    assert np.array_equal(read_labels(tmp_path / "a.png"), _labels(2))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (np.zeros((4, 4, 3), np.uint8), "8-bit grey picture, or one with a palette"),
        (np.zeros((4, 4), np.uint16), "8-bit grey picture, or one with a palette"),
    ],
)
def test_pictures_that_are_no_numbers_are_refused(tmp_path, content, sentence):
    cv2.imwrite(str(tmp_path / "a.png"), content)
    with pytest.raises(PictureError, match=sentence):
        read_labels(tmp_path / "a.png")


def test_what_only_looks_like_labels_is_refused(tmp_path):
    for content, sentence in (
        (cv2.imencode(".jpg", _labels(8))[1].tobytes(), "as a PNG"),
        (b"", "as a PNG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "cannot be read"),
    ):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(PictureError, match=sentence):
            read_labels(tmp_path / "a.png")
    _write(tmp_path / "a.png", _labels(4), 4)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:120])
    with pytest.raises(PictureError, match="cannot be read"):
        read_labels(tmp_path / "a.png")


def _data(root, depth, palette=False):
    for name in ("images", "labels"):
        (root / name).mkdir(parents=True)
    for index in range(2):
        image = np.random.default_rng(index).integers(0, 256, (64, 96, 3)).astype(np.uint8)
        cv2.imwrite(str(root / "images" / f"{index}.png"), image)
        labels = (image[..., 0] > 128).astype(np.uint8)
        _write(root / "labels" / f"{index}.png", labels, depth, palette=palette)
    return root


def test_figures_do_not_depend_on_the_depth(tmp_path):
    found = []
    for name, depth, palette in (("8", 8, False), ("4", 4, False), ("1", 1, True)):
        data, out = _data(tmp_path / name, depth, palette), tmp_path / f"{name}.json"
        assert evaluate([str(data), "--input-size", "32x48", "--json", str(out)]) == 0
        found.append(json.loads(out.read_text("utf-8"))["reports"])
    assert found[0][0]["classes_occurring"] == 2
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("palette", [False, True])
def test_training_sees_the_same_targets_at_every_depth(tmp_path, palette):
    sets = TargetSets()
    eight = FolderDataset(_data(tmp_path / "8", 8), sets)
    two = FolderDataset(_data(tmp_path / "2", 2, palette), sets)
    check([two])
    assert all(
        np.array_equal(a, b) for i in range(2) for a, b in zip(eight[i], two[i], strict=True)
    )


def test_a_number_that_is_no_label_is_refused_before_training(tmp_path, capsys):
    data = _data(tmp_path / "d", 8)
    _write(data / "labels" / "1.png", np.full((64, 96), 19, np.uint8), 8, palette=True)
    with pytest.raises(DataError, match=r"1\.png holds 19, which is no label here"):
        check([FolderDataset(data, TargetSets())])
    arguments = ["--run", str(tmp_path / "run"), "--preset", "cpu", "--data", f"folder:{data}"]
    assert train([*arguments, "--steps", "1", "--batch", "2", "--crop", "64x96"]) == 3
    assert "1.png holds 19" in capsys.readouterr().err
