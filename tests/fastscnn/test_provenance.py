"""What files say of how they were made, beside pixels that stay as they are."""

import hashlib
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from fastscnn import Segmenter
from fastscnn.checkpoints.model_zoo import default_checkpoint
from fastscnn.provenance import NetworkUse, WeightsFile, provenance, weights_file, with_comment

IMAGE = np.random.default_rng(0).integers(0, 256, (31, 47, 3), np.uint8)
ABOUT = provenance("labels", "Straße.mp4", [NetworkUse(WeightsFile("a.pth", "0f"), "64x96", True)])


def _encoded(kind, image=IMAGE):
    if kind == ".jfif":  # with the header of its own that most programs write
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG")
        return buffer.getvalue()
    return cv2.imencode(kind, image)[1].tobytes()


@pytest.mark.parametrize("kind", [".png", ".jpg", ".jfif"])
def test_pictures_carry_it_and_keep_their_pixels(kind):
    plain = _encoded(kind)
    said = with_comment(plain, ABOUT)
    before, after = (cv2.imdecode(np.frombuffer(d, np.uint8), 1) for d in (plain, said))
    assert (before == after).all()
    picture = Image.open(io.BytesIO(said))
    picture.load()
    comment = picture.info.get("Comment") or picture.info["comment"].decode()
    assert '"sha256": "0f"' in comment
    assert "Stra\\u00dfe.mp4" in comment


def test_labels_with_a_palette_and_grey_ones_stay_as_they_are():
    grey = np.arange(60, dtype=np.uint8).reshape(6, 10)
    said = with_comment(_encoded(".png", grey), ABOUT)
    assert (np.asarray(Image.open(io.BytesIO(said))) == grey).all()


def test_other_formats_are_left_alone():
    assert with_comment(_encoded(".bmp"), ABOUT) == _encoded(".bmp")


def test_a_segmenter_knows_the_file_of_its_weights():
    path = default_checkpoint()
    segmenter = Segmenter.from_checkpoint(path, device="cpu", input_size=(32, 64))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert segmenter.weights == weights_file(path) == WeightsFile(path.name, digest)
    assert segmenter.at("half").weights == segmenter.weights
