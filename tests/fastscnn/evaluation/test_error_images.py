"""What an evaluation draws."""

import cv2
import numpy as np
import pytest

from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.evaluate import main
from fastscnn.evaluation import confusion_plot
from fastscnn.evaluation.class_merging import read_merging
from fastscnn.evaluation.error_images import PANEL, WRONG, Judged, draw
from fastscnn.labels import CLASS_NAMES, PALETTE
from tests.support.labelled_data import knowing, write_pair

ROAD, WALL, CAR, TRUCK = (CLASS_NAMES.index(name) for name in ("road", "wall", "car", "truck"))


@pytest.fixture
def asked(tmp_path):
    """A bright frame with a third of its pixels right, a dark one with two thirds, and weights."""
    for name, rows, gray in (
        ("a_bright", (CAR, TRUCK, 255, WALL), 250),
        ("b_dark", (ROAD, ROAD, 255, CAR), 5),
    ):
        truth = np.repeat(np.repeat(np.array(rows, np.uint8)[:, None], 16, 0), 64, 1)
        write_pair(tmp_path / "data", name, truth, gray=gray)
    save(Checkpoint(knowing(TRUCK, ROAD)), tmp_path / "known.pth")
    return [str(tmp_path / "data"), "--weights", str(tmp_path / "known.pth"), "--device", "cpu"]


def test_the_worst_frames_come_first_for_every_setting(asked, tmp_path, capsys):
    out = tmp_path / "worst"
    assert main([*asked, "--skip", "both", "--worst", "1", "--pictures", str(out)]) == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "half_skip-off_worst01_a_bright.png",
        "half_skip-on_worst01_a_bright.png",
    ]
    assert f"worst frames in {out}: 2" in capsys.readouterr().out


def test_a_picture_shows_input_truth_prediction_and_error(asked, tmp_path):
    out = tmp_path / "worst"
    assert main([*asked, "--worst", "2", "--pictures", str(out), "--input-size", "exact"]) == 0
    bgr = cv2.imread(str(out / "exact_skip-on_worst01_a_bright.png"))
    picture = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    # Four squares of PANEL pixels below a title and captions; quarters of rows as in the truth.
    top = 60
    below = top + PANEL + 30
    left, right = 8 + PANEL // 2, 16 + PANEL + PANEL // 2
    middles = [PANEL * (2 * k + 1) // 8 for k in range(4)]
    assert all((picture[top + y, left] == 250).all() for y in middles)
    truth = [picture[top + y, right].tolist() for y in middles]
    assert truth == [PALETTE[i].tolist() for i in (CAR, TRUCK, 255, WALL)]
    assert all((picture[below + y, left] == PALETTE[TRUCK]).all() for y in middles)
    error = [picture[below + y, right].astype(int) for y in middles]
    for wrong in (error[0], error[3]):
        assert wrong[0] - wrong[1] > 120
    for right_or_unknown in (error[1], error[2]):
        assert np.ptp(right_or_unknown) <= 1
    assert error[1][0] > error[2][0]
    assert WRONG[0] > WRONG[1]


@pytest.mark.parametrize("size", [(40, 1000), (700, 90), (720, 1280), (33, 47)])
def test_frames_of_any_shape_can_be_drawn(size):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    truth = rng.choice(np.array([0, 1, 6, 255], np.uint8), size)
    labels = rng.choice(np.array([0, 3, 255], np.uint8), size)
    merging = read_merging("idd_lite")
    picture = draw(Judged(image, truth, labels, "a name that is far too long " * 12), merging)
    assert picture.shape[1] == 2 * PANEL + 24
    assert picture.dtype == np.uint8


def test_the_confusion_matrix_is_drawn_for_every_setting(asked, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib (the extra train) is not installed")
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert main([*asked, "--confusion", str(one)]) == 0
    assert main([*asked, "--confusion", str(two), "--skip", "both"]) == 0
    first, second = (cv2.imread(str(path)) for path in (one, two))
    assert second.shape[1] > 1.7 * first.shape[1]
    # Dark blue cells are there: every road pixel is called road.
    assert ((first[..., 0].astype(int) - first[..., 2]) > 80).mean() > 0.01


def test_without_matplotlib_it_is_said_before_any_work(asked, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(confusion_plot.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        main([*asked, "--confusion", str(tmp_path / "x.png")])
    assert stop.value.code == 2
    assert "pip install matplotlib" in capsys.readouterr().err


def test_what_is_there_is_not_replaced_unasked(asked, tmp_path, capsys):
    out = tmp_path / "worst"
    out.mkdir()
    (out / "precious.txt").write_text("x")
    assert main([*asked, "--worst", "1", "--pictures", str(out)]) == 5
    assert "not empty" in capsys.readouterr().err
    assert main([*asked, "--worst", "1", "--pictures", str(out), "--overwrite"]) == 0
    assert (out / "precious.txt").exists()
    (tmp_path / "file").write_text("in the way")
    assert main([*asked, "--worst", "1", "--pictures", str(tmp_path / "file" / "x")]) == 5
    assert main([*asked, "--confusion", str(tmp_path / "file")]) == 5
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize(
    "arguments", [["--worst", "3"], ["--pictures", "x"], ["--worst", "0", "--pictures", "x"]]
)
def test_how_many_and_where_belong_together(asked, arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*asked, *arguments])
    assert stop.value.code == 2
    assert "belong together" in capsys.readouterr().err
