"""Figures on clips: real video files whose labels can be told by hand."""

import json

import cv2
import numpy as np
import pytest

from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.evaluate import main
from fastscnn.evaluation.metrics import flicker
from fastscnn.labels import CLASS_NAMES
from tests.support.labelled_data import knowing
from tests.support.media import write_clip

ROAD, CAR, TRUCK = (CLASS_NAMES.index(name) for name in ("road", "car", "truck"))
BRIGHT, DARK = np.full((64, 64, 3), 250, np.uint8), np.full((64, 64, 3), 5, np.uint8)


@pytest.fixture
def weights(tmp_path):
    """A checkpoint that calls bright frames truck and dark ones road."""
    save(Checkpoint(knowing(TRUCK, ROAD)), tmp_path / "known.pth")
    return tmp_path / "known.pth"


@pytest.fixture
def clip(tmp_path):
    """Six frames, two bright and two dark in turn, with the same truth: half road, half nothing."""
    write_clip(tmp_path / "c.mp4", 6, size=(64, 64), pictures=[BRIGHT, BRIGHT, DARK, DARK])
    truth = np.full((64, 64), ROAD, np.uint8)
    truth[32:] = 255
    (tmp_path / "truth").mkdir()
    for number in range(6):
        assert cv2.imwrite(str(tmp_path / "truth" / f"{number:02d}.png"), truth)
    return tmp_path / "c.mp4", tmp_path / "truth"


def run(tmp_path, *arguments):
    path = tmp_path / "figures.json"
    code = main([*map(str, arguments), "--json", str(path), "--overwrite", "--device", "cpu"])
    return json.loads(path.read_text("utf-8"))["reports"] if code == 0 else code


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([[0, 1, 1, 2]], (1, 3)), ([[1, 1, 1, 1]], (0, 3)), ([[0, 0, 0, 0]], (3, 3))],
)
def test_flicker_counts_what_changes_where_the_truth_is_known_and_stays(labels, expected):
    truth = np.array([[1, 1, 1, 255]], np.uint8)
    before = np.array([[1, 1, 1, 1]], np.uint8)
    assert flicker(truth, truth, np.array(labels, np.uint8), before) == expected


def test_flicker_leaves_out_pixels_whose_truth_changes():
    truth, before = np.array([[1, 2]], np.uint8), np.array([[1, 1]], np.uint8)
    assert flicker(truth, before, before, truth) == (0, 1)


@pytest.mark.parametrize("inside", [False, True])
def test_figures_of_a_clip_are_those_computed_by_hand(clip, weights, tmp_path, inside):
    video, truth = clip
    if inside:
        (tmp_path / "data").mkdir()
        truth = truth.rename(tmp_path / "data" / "labels").parent
    (report,) = run(tmp_path, "--video", video, "--labels", truth, "--weights", weights)
    # bright bright dark dark bright bright: of five steps two change all
    assert report["flicker"] == pytest.approx(2 / 5)
    assert report["pixel_accuracy"] == pytest.approx(2 / 6)
    assert report["frames"] == 6


def test_steady_labels_stand_beside_those_that_come(clip, weights, tmp_path, capsys):
    video, truth = clip
    plain, steady = run(
        tmp_path, "--video", video, "--labels", truth, "--weights", weights, "--steady", "both"
    )
    assert (plain["steady"], steady["steady"]) == (False, True)
    # every change is a cut, which begins anew: what is seen is the same
    assert steady["flicker"] == pytest.approx(plain["flicker"])
    assert "flicker" in capsys.readouterr().out


def test_frames_that_do_not_follow_each_other_have_no_flicker(tmp_path, weights):
    for place, pixels in (("images", BRIGHT), ("labels", np.zeros((64, 64), np.uint8))):
        (tmp_path / "data" / place).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "data" / place / "a.png"), pixels)
    (report,) = run(tmp_path, tmp_path / "data", "--weights", weights)
    assert report["flicker"] is None


def _drop(truth):
    (truth / "05.png").unlink()


def _add(truth):
    (truth / "06.png").write_bytes((truth / "05.png").read_bytes())


def _damage(truth):
    (truth / "03.png").write_bytes(b"no picture")


def _shrink(truth):
    cv2.imwrite(str(truth / "03.png"), np.zeros((32, 64), np.uint8))


def _strange(truth):
    cv2.imwrite(str(truth / "03.png"), np.full((64, 64), 77, np.uint8))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_drop, "has more frames than"),
        (_add, "ends after 6 frames"),
        (_damage, "cannot be read as a PNG"),
        (_shrink, "64×32 pixels, its frame"),
        (_strange, "holds 77, which is no label"),
    ],
)
def test_labels_that_do_not_match_are_told_in_one_sentence(clip, weights, capsys, spoil, words):
    video, truth = clip
    spoil(truth)
    arguments = ["--video", str(video), "--labels", str(truth), "--weights", str(weights)]
    assert main([*arguments, "--device", "cpu"]) == 3
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("Error: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.mp4", "text.mp4"])
def test_what_is_no_video_is_refused(clip, weights, tmp_path, capsys, name):
    _, truth = clip
    (tmp_path / "text.mp4").write_text("no video at all\n" * 99)
    arguments = ["--video", str(tmp_path / name), "--labels", str(truth)]
    assert main([*arguments, "--weights", str(weights), "--device", "cpu"]) == 3
    assert name in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name DATA"),
        (["--video", "c.mp4"], "needs the labels"),
        (["data", "--video", "c.mp4", "--labels", "t"], "leave one of them away"),
        (["data", "--steady", "on"], "name a clip by --video"),
        (["--video", "c.mp4", "--labels", "t", "--limit", "3"], "--limit is for frames"),
        (["--video", "c.mp4", "--labels", "t", "--by-drive"], "--by-drive is for frames"),
    ],
)
def test_frames_are_named_in_one_way(capsys, arguments, words):
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert words in capsys.readouterr().err
