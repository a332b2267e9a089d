"""Truth in the official layout of Cityscapes: ``gtFine`` for pictures of ``leftImg8bit``."""

import json

import cv2
import numpy as np
import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.headless import run_headless
from app.sources.source_spec import SourceSpec
from fastscnn.data.dataset_factory import open_frames
from fastscnn.evaluation.class_merging import PLAIN, read_merging
from fastscnn.evaluation.evaluator import Evaluator, evaluate_settings
from fastscnn.evaluation.scores import Setting
from fastscnn.labels import TRAIN_ID_TO_ID
from tests.app.inference.test_truth import SIZE, judged, segmenter, settings
from tests.support.labelled_data import street_frames, write_exact_clip

FRAMES = ("frankfurt_000000_000294", "frankfurt_000001_007973", "munster_000000_000019")


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="module")
def street():
    return dict(zip(FRAMES, street_frames(len(FRAMES)), strict=True))


@pytest.fixture
def root(tmp_path, street):
    """Two cities with all that the package of the labels has, beside coarse ones that are wrong."""
    for frame, (image, truth) in street.items():
        city = frame.partition("_")[0]
        write(tmp_path / f"leftImg8bit/val/{city}/{frame}_leftImg8bit.png", image[..., ::-1])
        fine = tmp_path / f"gtFine/val/{city}"
        write(fine / f"{frame}_gtFine_labelIds.png", TRAIN_ID_TO_ID[truth])
        write(fine / f"{frame}_gtFine_instanceIds.png", truth.astype(np.uint16) * 1000)
        write(fine / f"{frame}_gtFine_color.png", image)
        (fine / f"{frame}_gtFine_polygons.json").write_text("{}")
        coarse = tmp_path / f"gtCoarse/val/{city}/{frame}_gtCoarse_labelIds.png"
        write(coarse, np.zeros_like(truth))
    return tmp_path


def truths(found):
    return {result.frame.name.rpartition("/")[2]: result.judgement.truth for result in found}


def assert_true(found, street, count):
    assert len(found) == len(truths(found)) == count
    for name, truth in truths(found).items():
        assert (truth == street[name.removesuffix("_leftImg8bit")][1]).all()


@pytest.mark.parametrize(
    ("pictures", "labels", "count"),
    [
        ("leftImg8bit/val/frankfurt", "gtFine/val/frankfurt", 2),
        ("leftImg8bit/val", "gtFine/val", 3),
        ("leftImg8bit/val/munster", "gtFine/val", 1),
        ("leftImg8bit/val/*/*_000000_*.png", "gtFine", 2),
        ("leftImg8bit/val/munster/munster_000000_000019_leftImg8bit.png", "gtFine/val/munster", 1),
        ("leftImg8bit", "", 3),
    ],
)
def test_pictures_have_the_labels_of_their_frames(root, street, pictures, labels, count):
    spec = SourceSpec("images", str(root / pictures))
    found, errors = judged(spec, settings(root / labels))
    assert not errors
    assert_true(found, street, count)


def test_labels_of_train_ids_are_taken_where_there_are_no_others(root, street):
    for path in [*root.glob("gtFine/*/*/*_labelIds.png")]:
        frame = path.name.removesuffix("_gtFine_labelIds.png")
        write(path.with_name(f"{frame}_gtFine_labelTrainIds.png"), street[frame][1])
        path.unlink()
    spec = SourceSpec("images", str(root / "leftImg8bit/val"))
    found, errors = judged(spec, settings(root / "gtFine/val"))
    assert not errors
    assert_true(found, street, 3)


@pytest.mark.parametrize("merge", [None, "camvid"])
def test_figures_are_those_of_the_evaluation(root, merge):
    frames = open_frames(f"cityscapes:{root}?split=val")
    merging = read_merging(merge) if merge else PLAIN
    judge = Evaluator(segmenter(), frames.sets, merging)
    (report,) = evaluate_settings(judge, frames, [Setting(SIZE)])
    spec = SourceSpec("images", str(root / "leftImg8bit/val"))
    found, _ = judged(spec, settings(root / "gtFine/val", merge=merge))
    verdict = found[-1].judgement.verdicts[0]
    assert verdict.frames == 3
    assert verdict.so_far == pytest.approx(report.mean_iou_occurring, abs=1e-12)


def test_several_pictures_of_a_frame_count_each(root, street):
    """As Foggy Cityscapes has them, with more fog and less."""
    image, _ = street[FRAMES[2]]
    for fog in ("0.01", "0.02"):
        name = f"{FRAMES[2]}_leftImg8bit_foggy_beta_{fog}.png"
        write(root / "leftImg8bit_foggy/val/munster" / name, image[..., ::-1])
    spec = SourceSpec("images", str(root / "leftImg8bit_foggy/val"))
    found, errors = judged(spec, settings(root / "gtFine/val"))
    assert not errors
    assert found[-1].judgement.verdicts[0].frames == 2


def test_frames_of_a_clip_have_the_labels_in_the_order_of_their_names(root, street):
    images = [image for image, _ in street.values()]
    clip = write_exact_clip(root / "val.mkv", images, (0, 50, 100))
    found, errors = judged(SourceSpec("file", str(clip)), settings(root / "gtFine/val"))
    assert not errors
    for result, (_, truth) in zip(found, street.values(), strict=True):
        assert (result.judgement.truth == truth).all()


def test_a_picture_without_labels_is_told(root):
    (root / f"gtFine/val/frankfurt/{FRAMES[1]}_gtFine_labelIds.png").unlink()
    spec = SourceSpec("images", str(root / "leftImg8bit/val"))
    _, (error,) = judged(spec, settings(root / "gtFine/val"))
    missing = f"frankfurt/{FRAMES[1]}_leftImg8bit"
    assert f"lacks labels for 1 of 3 pictures, the first is {missing}" in error.text


def test_a_run_without_a_window_is_judged_by_them(root):
    words = f"{root}/leftImg8bit/val --headless --labels {root}/gtFine/val --device cpu"
    report = root / "report.json"
    arguments = [*words.split(), "--input-size", "64x128", "--stats-json", str(report)]
    assert run_headless(settings_from(build_parser().parse_args(arguments))) == 0
    assert json.loads(report.read_text("utf-8"))["truth"]["frames"] == 3
