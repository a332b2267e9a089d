"""Regions of chosen classes keep no detail, wherever the picture goes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.config.settings import NetworkOptions, Settings
from app.core.frame import Result
from app.pipeline.pipeline import Pipeline
from app.rendering.privacy import PrivacyFilter, cover
from app.rendering.view_options import Side, ViewOptions
from app.sinks.callback_sink import CallbackSink
from app.sources.source_spec import SourceSpec
from fastscnn import Segmenter
from fastscnn.data.street import Street
from fastscnn.labels import CITYSCAPES, class_table
from tests.support.cli_process import run_main
from tests.support.media import read_clip, write_clip
from tests.support.waiting import PATIENCE

CAR = 13
NOISE = np.random.default_rng(1)


def noise(height, width):
    return NOISE.integers(0, 256, (height, width, 3), np.uint8)


def hidden(image, labels, names=("car",), *, keep=None, scene=1, frame=0, classes=CITYSCAPES):
    return (keep or PrivacyFilter()).hide(
        image, [(labels, classes)], names, scene=scene, frame=frame
    )


def grown(labels, number=CAR):
    """What is certainly hidden: the label and a margin of a fortieth of the short side."""
    margin = min(labels.shape) // 40
    kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    return cv2.dilate((labels == number).astype(np.uint8), kernel) > 0


@pytest.mark.parametrize("size", [(90, 160), (271, 483), (1, 50), (540, 960), (1081, 607)])
@pytest.mark.parametrize("seed", range(2))
def test_a_hidden_region_and_its_margin_keep_means_of_blocks_alone(size, seed):
    random = np.random.default_rng(seed)
    image = noise(*size)
    labels = np.where(random.random(size) < 3 / (size[0] * size[1]), CAR, 0).astype(np.uint8)
    y, x = random.integers(0, size[0]), random.integers(0, size[1])
    labels[y : y + size[0] // 5, x : x + size[1] // 5] = CAR
    out = hidden(image, labels)
    area = grown(labels)
    assert (out[area] == cover(image)[area]).all()
    far = (
        cv2.dilate(area.astype(np.uint8), np.ones((3, 3)), iterations=max(4, min(size) // 12)) == 0
    )
    assert (out[far] == image[far]).all()


def test_a_cover_tells_nothing_but_means_of_blocks():
    image = noise(400, 600)
    shuffled = image.reshape(40, 10, 60, 10, 3).transpose(0, 2, 1, 3, 4).reshape(40, 60, 100, 3)
    shuffled = NOISE.permuted(shuffled, axis=2)
    other = shuffled.reshape(40, 60, 10, 10, 3).transpose(0, 2, 1, 3, 4).reshape(400, 600, 3)
    assert (image != other).mean() > 0.9
    assert (cover(image) == cover(np.ascontiguousarray(other))).all()


def test_a_class_that_vanishes_for_a_frame_stays_hidden_for_that_frame():
    image, keep = noise(80, 120), PrivacyFilter()
    labels, none = np.zeros((80, 120), np.uint8), np.zeros((80, 120), np.uint8)
    labels[20:40, 30:50] = CAR
    first = hidden(image, labels, keep=keep, frame=0)
    for _ in range(3):  # the same frame, drawn again
        assert (hidden(image, none, keep=keep, frame=1) == first).all()
    assert hidden(image, none, keep=keep, frame=2) is image


def test_nothing_is_held_over_a_cut_or_another_size():
    image, labels = noise(80, 120), np.full((80, 120), CAR, np.uint8)
    for change in (
        {"scene": 2},
        {"image": noise(40, 120), "labels": np.zeros((40, 120), np.uint8)},
    ):
        keep = PrivacyFilter()
        hidden(image, labels, keep=keep)
        seen = {"image": image, "labels": np.zeros((80, 120), np.uint8), **change}
        assert hidden(**seen, keep=keep, frame=1) is seen["image"]


def test_groups_and_every_pass_of_the_network_count():
    image = noise(80, 120)
    one, other = np.zeros((80, 120), np.uint8), np.zeros((80, 120), np.uint8)
    one[:10], other[-10:] = CAR, 11
    seen = [(one, CITYSCAPES), (other, CITYSCAPES)]
    out = PrivacyFilter().hide(image, seen, ("human", "Vehicle"), scene=0, frame=0)
    assert (out[:10] == cover(image)[:10]).all()
    assert (out[-10:] == cover(image)[-10:]).all()
    assert (out[40] == image[40]).all()


def test_all_is_hidden_where_nothing_tells_where_a_class_is():
    image, labels = noise(80, 120), np.zeros((80, 120), np.uint8)
    own = class_table(("lane", "kerb"))
    assert (hidden(image, labels, ("person",), classes=own) == cover(image)).all()
    assert hidden(image, labels, ("lane",), classes=own) is not image
    nothing_seen = PrivacyFilter().hide(image, [], ("car",), scene=0, frame=0)
    assert (nothing_seen == cover(image)).all()


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A clip of streets with cars, and its frames."""
    made = [Street(seed, 384, 192).render(t)[0] for seed, t in ((0, 3), (1, 8), (2, 14), (3, 20))]
    path = tmp_path_factory.mktemp("clip") / "c.mp4"
    write_clip(path, 12, size=(384, 192), pictures=[image for image in made for _ in range(3)])
    return path, read_clip(path)[1]


def results(path, view) -> list[Result]:
    network = NetworkOptions(input_size="exact", device="cpu")
    pipeline = Pipeline(Settings(network=network, view=view), display=False)
    found = []
    pipeline.start()
    pipeline.sinks.add(CallbackSink(found.append, pipeline.events))
    pipeline.open(SourceSpec("file", str(path)))
    try:
        while pipeline.events.get(timeout=PATIENCE).kind not in {"ended", "error"}:
            pass
    finally:
        pipeline.stop()
    return found


@pytest.mark.parametrize(
    "view",
    [
        ViewOptions(view="raw"),
        ViewOptions(view="wipe", left=Side("raw"), right=Side(skip=False)),
        ViewOptions(view="confidence"),
    ],
    ids=lambda view: view.view,
)
def test_no_result_has_what_is_hidden_and_its_labels_are_those_of_the_whole_picture(street, view):
    path, frames = street
    blurred, plain = results(path, replace(view, blurred=("car",))), results(path, view)
    assert len(blurred) == len(plain) == len(frames)
    for seen, clear, frame in zip(blurred, plain, frames, strict=True):
        for one, other in zip(seen.predictions, clear.predictions, strict=True):
            assert (one.labels == other.labels).all()
        assert (clear.frame.image == frame).all()
        area = np.logical_or.reduce([grown(one.labels) for one in seen.predictions])
        assert area.any()
        assert (seen.frame.image[area] == cover(frame)[area]).all()
        if view.view != "confidence":
            assert (seen.sides[0] == seen.frame.image).all()


def test_a_recorded_car_keeps_no_detail(street, tmp_path):
    path, frames = street
    done = run_main(
        str(path), "--headless", "--view", "raw", "--input-size", "exact", "--device", "cpu",
        "--crf", "8", "--blur", "car", "-o", str(tmp_path / "o.mp4"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size="exact")
    for frame, recorded in zip(frames, read_clip(tmp_path / "o.mp4")[1], strict=True):
        area = grown(segmenter(frame))
        far = ~(cv2.dilate(area.astype(np.uint8), np.ones((41, 41))) > 0)
        assert np.abs(recorded[area].astype(int) - cover(frame)[area]).mean() < 4
        assert np.abs(recorded[far].astype(int) - frame[far]).mean() < 6
